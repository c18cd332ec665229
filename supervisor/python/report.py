# Goes before each of the other scripts: what is wrong with the project is shown as if it had been run by itself,
# without our own lines.
import sys


def show(kind, error, trace):
    import ast
    import traceback
    ours = ("<string>", "<frozen", ast.__file__)
    frames = [frame for frame in traceback.extract_tb(trace) if not frame.filename.startswith(ours)]
    lines = ["Traceback (most recent call last):\n"] + traceback.format_list(frames) if frames else []
    sys.stderr.write("".join(lines + traceback.format_exception_only(kind, error)))


sys.excepthook = show
