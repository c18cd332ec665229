# Whether an app is WSGI or ASGI, and how it may be called, by the look of the object itself. Pure, and without an import: a
# worker asks before it serves one, and `run` asks in a process of its own (supervisor/ask_python.h), before it chooses the worker.
CO_VARARGS, CO_COROUTINE = 0x04, 0x80  # of a code object; inspect would be a heavy import
MOST_WRAPPED = 20


def kind_of(app):
    """What it is by the look of it: "asgi", "asgi2", "wsgi", or None where that cannot be seen."""
    is_class = isinstance(app, type)  # what it makes is called again
    method = app.__call__ if is_class else unwrapped(app)
    function = getattr(method, "__func__", method)
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    if code.co_flags & CO_COROUTINE:
        return "asgi2" if is_class else "asgi"
    if is_class or has_some_already(app) or code.co_flags & CO_VARARGS:
        return None
    wanted = code.co_argcount - (function is not method) - len(function.__defaults__ or ())
    return {1: "asgi2", 2: "wsgi", 3: "asgi"}.get(wanted)


def arguments_of(app):
    """(fewest, most) that it takes by position; None where that cannot be seen, or is without end."""
    if isinstance(app, type):
        if type(app) is not type or app.__new__ is not object.__new__:
            return None
        if app.__init__ is object.__init__:
            return 0, 0
        function, own = app.__init__, 1
    else:
        method = unwrapped(app)
        function = getattr(method, "__func__", method)
        own = int(function is not method)
    code = getattr(function, "__code__", None)
    if code is None or has_some_already(app) or code.co_flags & CO_VARARGS:
        return None
    most = code.co_argcount - own
    return most - len(function.__defaults__ or ()), most


def unwrapped(app):
    """The function or method behind functools.partial and objects that are called."""
    for _ in range(MOST_WRAPPED):
        if hasattr(app, "__code__") or hasattr(app, "__func__"):
            break
        app = app.func if is_partial(app) else app.__call__
    return app


def has_some_already(app):
    """Of its arguments (functools.partial, partialmethod): how many are left is not looked for."""
    return is_partial(app) or is_partial(app.__call__)


def is_partial(app):
    return hasattr(app, "func") and hasattr(app, "keywords")
