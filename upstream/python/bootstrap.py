# The first of our lines that runs in a Python worker: makes the package `_portherd` importable from memory,
# then runs its worker. What the worker does is in worker.py (WSGI) or asgi_worker.py; nothing of a request is here.
#
# How a worker is started. The files of this folder travel inside the portherd binary. The supervisor joins
# them to one blob (upstream/python_package.h), puts that into a sealed memfd, and execs the app's own
# interpreter with
#     -c "<one line: read descriptor N whole, close it, compile bootstrap.py, run it with all as `sources`>"
# Nothing is written to disk and nothing is installed. The blob is
#     file name NUL contents NUL file name NUL contents ... file name NUL contents
# and is read by position, so that any number of workers may share one open memfd. All else arrives by
# environment and is taken out of os.environ before the app is imported:
#     LISTEN_FDS=1, LISTEN_PID   the listening Unix socket is descriptor 3
#     NOTIFY_SOCKET              where READY=1 goes (sd_notify(3)); without it nobody is told
#     PORTHERD_WSGI              "module:attribute"; the attribute may be dotted, or a call: "create_app()"
#     PORTHERD_ASGI              the same, of an ASGI app: its worker is another one, with one thread
#     PORTHERD_THREADS           requests at once; 1 without it
#     PORTHERD_STACK_SIGNAL      number of the signal that prints the stacks of all threads; none without it
#     PORTHERD_RELOAD=1          NOTIFY_SOCKET is told, too, where imported modules lie: imported.py
#     PORTHERD_STACK_FD          the descriptor that they are printed to; stderr without it
#     PORTHERD_PRELOAD=1         this is a zygote: descriptor 3 is what zygote.py says, and LISTEN_FDS is not there
#     PORTHERD_POST_FORK         "module:function" that its workers call before they serve; none without it
# Exit status: 0 drained after SIGTERM; 1 the app could not be imported or found, or the socket failed; 2
# started wrongly (one of the variables above); 3 what was found is not callable, or no app that this worker can serve; 4 what was
# imported cannot be forked.
import os
import sys

ModuleSpec = type(sys.__spec__)  # importlib.machinery would be a heavy import for one name


class Carried:
    """Finder and loader of `_portherd` and its modules: the sources this worker was started with."""

    def __init__(self, sources):
        self.sources = sources

    def find_spec(self, name, path=None, target=None):
        package, _, module = name.partition(".")
        if package != "_portherd" or (module and module + ".py" not in self.sources):
            return None
        return ModuleSpec(name, self, origin="<portherd>", is_package=not module)

    def create_module(self, spec):
        return None  # an ordinary module

    def exec_module(self, module):
        file = module.__name__.partition(".")[2] + ".py"
        if file != ".py":
            exec(compile(self.sources[file], "<portherd/" + file + ">", "exec"), vars(module))


def import_worker(sources):
    """The module of the worker that is wanted. It has imported all of ours by then, so the finder may leave again."""
    finder = Carried(sources)
    sys.meta_path.insert(0, finder)
    try:
        if "PORTHERD_ASGI" in os.environ:
            from _portherd import asgi_worker as worker
        else:
            from _portherd import worker
    finally:
        sys.meta_path.remove(finder)
    return worker


worker = import_worker(sources)  # noqa: F821 - the line after -c put it here
sources.clear()  # noqa: F821
worker.main()
