# Finds the app that "module:attribute" names, or says in one line why not, after the app's own traceback.
# How it is called is exchange.py, or asgi_http.py.
import sys

from _portherd import imported
from _portherd.report import say, sentence_of, traceback_of

CANNOT_IMPORT = 1
STARTED_WRONGLY = 2
NOT_CALLABLE = 3
CANNOT_FORK = 4

USUAL_NAMES = ("app", "application", "wsgi", "create_app", "make_app")


def find(name):
    """The app, a callable. Exits the process if there is none."""
    module_name, _, path = name.partition(":")
    is_call = path.endswith("()")
    steps = (path[:-2] if is_call else path).split(".")
    if not is_dotted(module_name.split(".")) or not is_dotted(steps):
        refuse('"%s" does not name an app: "module:attribute" does' % name, STARTED_WRONGLY)
    found = import_module(module_name)
    holder_name = module_name
    for step in steps:
        found = attribute(found, step, holder_name)
        holder_name += (":" if holder_name == module_name else ".") + step
    if is_call:
        found = call(found, name)
    if not callable(found):
        refuse('"%s" is not callable: %s' % (name, type(found).__name__), NOT_CALLABLE)
    return found


def is_dotted(steps):
    return all(step.isidentifier() for step in steps)


def import_module(name):
    # Not importlib.import_module: its frames would stand in the app's tracebacks.
    try:
        __import__(name)
        return sys.modules[name]
    except BaseException as error:
        fail('cannot import "%s"' % name, error)


def attribute(holder, step, holder_name):
    try:
        return getattr(holder, step)
    except AttributeError:
        refuse('"%s" has no "%s"%s' % (holder_name, step, near(holder, step)), CANNOT_IMPORT)
    except BaseException as error:
        fail('"%s" does not give its "%s"' % (holder_name, step), error)


def near(holder, step):
    """What the operator may have meant: names alike, else the callables that are there."""
    import difflib
    names = [name for name in dir(holder) if not name.startswith("_")]
    alike = difflib.get_close_matches(step, names, n=5, cutoff=0.5)
    alike = alike or [name for name in names if name in USUAL_NAMES]
    return " (near: %s)" % ", ".join(sorted(alike)) if alike else ""


def call(factory, name):
    if not callable(factory):
        refuse('"%s": %s is not callable' % (name, type(factory).__name__), NOT_CALLABLE)
    try:
        return factory()
    except BaseException as error:
        fail('"%s" raised' % name, error)


def fail(what, error):
    imported.tell(error)
    told = traceback_of(error)
    refuse("%s: %s" % (what, sentence_of(error)), CANNOT_IMPORT, told + "\n" if told else "")


def refuse(sentence, status, before=""):
    say(before + "portherd: " + sentence)
    raise SystemExit(status)
