# What was found by the app's name and cannot be served, said once, before the worker is ready, instead of at each request.
# Only what is sure: an app that could be one is tried.
import _thread

from _portherd.application import NOT_CALLABLE, refuse
from _portherd.kind import arguments_of, kind_of

OF_WSGI = "environ, start_response"
OF_ASGI = "scope, receive, send"


def refuse_all_but_wsgi(app, name):
    refuse_greenlets(name)
    refuse_factory(app, name, OF_WSGI)
    if kind_of(app) == "asgi":
        refuse('"%s" is an ASGI app: name it by `asgi`, not by `wsgi`' % name, NOT_CALLABLE)
    refuse_uncallable(app, name, OF_WSGI)


def refuse_all_but_asgi(app, name):
    refuse_greenlets(name)
    refuse_factory(app, name, OF_ASGI)
    kind = kind_of(app)
    if kind == "wsgi":
        refuse('"%s" is a WSGI app: name it by `wsgi`, not by `asgi`' % name, NOT_CALLABLE)
    if kind == "asgi2":
        refuse('"%s" is an ASGI 2 app: it takes one argument, and its result is called again; ASGI 3 is wanted '
               "(asgiref.compatibility.guarantee_single_callable makes one of it), or a factory that needs no argument" % name,
               NOT_CALLABLE)
    refuse_uncallable(app, name, OF_ASGI)


def refuse_greenlets(name):
    """Ours would be greenlets then, too, which wait for each other in what is none of theirs."""
    library = (getattr(_thread.start_new_thread, "__module__", None) or "").partition(".")[0]
    if library in ("gevent", "eventlet"):
        refuse('"%s" has %s in the place of threads (monkey patching), which cannot run here: leave that out, and requests '
               "that wait have `threads`; or run `gunicorn -k %s` as a command (docs/from-gunicorn.md)"
               % (name, library, library), NOT_CALLABLE)


def refuse_factory(app, name, called_with):
    if takes(app, called_with) is False and arguments_of(app)[0] == 0 and not name.endswith("()"):
        refuse('"%s" takes no (%s), so it is no app; if it makes one, name "%s()", or run with --factory'
               % (name, called_with, name), NOT_CALLABLE)


def refuse_uncallable(app, name, called_with):
    if takes(app, called_with) is False:
        refuse('"%s" is no app: it cannot be called with (%s)' % (name, called_with), NOT_CALLABLE)


def takes(app, called_with):
    """None: that cannot be seen."""
    arguments = arguments_of(app)
    return arguments and arguments[0] <= called_with.count(",") + 1 <= arguments[1]
