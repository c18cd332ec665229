# What a worker says on stderr: one line, or an app's traceback without our frames. Each is one write(), so
# that threads do not cut each other's sentences. Not a log: lines get their time and worker from the
# supervisor.
import os
import sys

# Frames of these files are the road into the app, not the app.
NOT_THE_APPS = ("<portherd/", "<frozen importlib")


def say(text):
    """`text` and a newline, to descriptor 2."""
    data = (text + "\n").encode("utf-8", "backslashreplace")
    try:
        sys.stderr.flush()
        while data:
            data = data[os.write(2, data):]
    except (OSError, ValueError, AttributeError):
        pass  # stderr is closed: there is nobody to tell


def end_child():
    """Of a process that the app has forked, and that came back to us: whatever it did here, it would do to its parent."""
    say("portherd: a child that the app has forked came back from its request, and is ended")
    os._exit(1)


def traceback_of(error, with_ours=False):
    """The traceback as Python prints it, our frames removed; "" if there is no frame of the app's own."""
    import traceback  # heavy, and most workers never need it
    told = traceback.TracebackException(type(error), error, error.__traceback__)
    if not with_ours:
        remove_ours(told, set())
    if not (told.stack or told.__cause__ or told.__context__ or isinstance(error, SyntaxError)):
        return ""
    return "".join(told.format()).rstrip("\n")


def remove_ours(told, seen):
    if told is None or id(told) in seen:
        return
    seen.add(id(told))
    told.stack[:] = [frame for frame in told.stack if not is_ours(frame)]
    remove_ours(told.__cause__, seen)
    remove_ours(told.__context__, seen)
    for part in getattr(told, "exceptions", None) or ():
        remove_ours(part, seen)


def is_ours(frame):
    return frame.filename.startswith(NOT_THE_APPS) or frame.filename.endswith("/importlib/__init__.py")


def sentence_of(error):
    """The error in one line: what Python would print last."""
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:  # it is the app's own __str__
        text = "(its text cannot be had)"
    if isinstance(error, ImportError):
        return text or name
    if isinstance(error, SystemExit):
        return "it called exit(%s)" % ("" if error.code is None else error.code)
    return name + ": " + text if text else name
