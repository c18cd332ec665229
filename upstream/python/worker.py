# The worker's life: parameters from the environment, the app, ready, N threads that accept and serve, drain,
# exit. Read main() first. One request is exchange.py; how this module gets here is bootstrap.py.
import os
import signal
import sys
import threading
from socket import AF_UNIX, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_STREAM, socket

from _portherd import exchange, imported, zygote
from _portherd.application import CANNOT_IMPORT, STARTED_WRONGLY, find, refuse
from _portherd.crew import Crew
from _portherd.unfit import refuse_all_but_wsgi

LISTENING_FD = 3  # sd_listen_fds(3)


def main():
    values = parameters()
    threads = number(values.get("PORTHERD_THREADS", "1"), "PORTHERD_THREADS", 1024)
    import_like_python()
    ignore_interrupts()
    app, listener = begin(values, "PORTHERD_WSGI", refuse_all_but_wsgi)
    worker = Worker(listener, app, threads)
    worker.watch_signals()  # after the import: an app may set handlers of its own, but TERM and INT are ours
    worker.start()  # before it is ready: without its threads it is of no use
    tell_ready(values.get("NOTIFY_SOCKET"))
    worker.wait()
    if not worker.crew.is_leaving:
        refuse("the listening socket is gone", CANNOT_IMPORT)
    if is_forked(values):
        zygote.leave()


def begin(values, key, refuse_unfit):
    """(the app, the listening socket), of a worker that imports the app itself, or of one that is forked from a zygote:
    this process is that before. `values` are the worker's own then. `refuse_unfit` ends what cannot serve this app."""
    name = values.get(key, "")
    if not is_forked(values):
        print_stacks(values)
        tell_imported(values)
        listener = listening_socket()
        app = find(name)
        refuse_unfit(app, name)
        return app, listener
    app, call_hook, own = zygote.main(name, refuse_unfit, values.get("PORTHERD_POST_FORK"))
    values.update(own)
    print_stacks(values)
    tell_imported(values)
    listener = listening_socket()
    call_hook()
    return app, listener


def is_forked(values):
    return values.get("PORTHERD_PRELOAD") == "1"


def parameters():
    """Reads our part of the environment and removes it: the app sees its own."""
    values = {key: os.environ.pop(key) for key in list(os.environ) if is_ours(key)}
    is_named = values.get("LISTEN_FDS") == "1" and values.get("LISTEN_PID", str(os.getpid())) == str(os.getpid())
    if not is_named and "PORTHERD_PRELOAD" not in values:
        refuse("LISTEN_FDS does not name one socket for this process", STARTED_WRONGLY)
    return values


def tell_imported(values):
    if values.get("PORTHERD_RELOAD") == "1":
        imported.tell_to(values.get("NOTIFY_SOCKET"))


def is_ours(key):
    return key.startswith(("PORTHERD_", "LISTEN_")) or key == "NOTIFY_SOCKET"


def number(text, name, most):
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= most:
        refuse("%s must be a number from 1 to %d: %r" % (name, most, text), STARTED_WRONGLY)
    return int(text)


def print_stacks(values):
    if "PORTHERD_STACK_SIGNAL" in values:
        print_stacks_on(number(values["PORTHERD_STACK_SIGNAL"], "PORTHERD_STACK_SIGNAL", signal.NSIG - 1),
                        number(values.get("PORTHERD_STACK_FD", "2"), "PORTHERD_STACK_FD", 1 << 20))


def print_stacks_on(number, descriptor):
    """A pipe of their own: what the app prints at the same time stays out of them. No program that the app
    starts inherits it."""
    import faulthandler
    try:
        if descriptor > 2:
            os.set_inheritable(descriptor, False)
        faulthandler.register(number, file=descriptor, all_threads=True)
    except (OSError, RuntimeError, ValueError) as error:
        refuse("PORTHERD_STACK_SIGNAL %d: %s" % (number, error), STARTED_WRONGLY)


def listening_socket():
    try:
        # A child of the app that held it would keep the clients of a dead worker waiting.
        os.set_inheritable(LISTENING_FD, False)
        listener = socket(AF_UNIX, SOCK_STREAM, 0, LISTENING_FD)
        listener.setblocking(True)  # it may have been an event loop's until now
        os.register_at_fork(after_in_child=listener.close)  # the same by fork, even while the app is imported
        return listener
    except OSError as error:
        refuse("descriptor 3 is not a socket: %s" % error, STARTED_WRONGLY)


def import_like_python():
    """sys.path, sys.argv and stdout as a program started by hand in this directory would have them."""
    here = os.getcwd()
    if sys.path and sys.path[0] == "":
        sys.path[0] = here
    elif here not in sys.path[:1]:
        sys.path.insert(0, here)
    sys.argv[:] = ["portherd"]
    if sys.stdout is not None:
        sys.stdout.reconfigure(line_buffering=True)  # it is a pipe; the supervisor reads lines


def ignore_interrupts():
    # The terminal's ^C goes to everyone, and the supervisor decides. Not SIG_IGN: children of the app would
    # inherit it.
    signal.signal(signal.SIGINT, lambda number, frame: None)


def tell_ready(path):
    if not path:
        return
    imported.tell()
    imported.go_on_telling()
    try:
        with socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC) as notify:
            notify.settimeout(None)
            notify.sendto(b"READY=1", "\0" + path[1:] if path[0] == "@" else path)
    except OSError as error:
        refuse("cannot tell NOTIFY_SOCKET that this worker is ready: %s" % error, CANNOT_IMPORT)


class Worker:
    def __init__(self, listener, app, threads):
        self.app = app
        self.same = exchange.same_for_all(threads)
        self.crew = Crew(listener, self.serve)
        self.threads = threads
        self.running = threads  # threads that have not ended
        self.lock = threading.Lock()  # for `running`
        self.apps_term = signal.SIG_DFL  # what TERM did before it was ours
        # Signals and the end of a thread wake the main thread by a byte. A lock would do for threads, but a
        # signal that comes just before a thread goes to sleep on a lock does not wake it.
        self.wake_reader, self.wake_writer = os.pipe()
        os.set_blocking(self.wake_writer, False)

    def watch_signals(self):
        signal.set_wakeup_fd(self.wake_writer, warn_on_full_buffer=False)
        self.apps_term = signal.signal(signal.SIGTERM, lambda number, frame: self.crew.leave())
        ignore_interrupts()
        os.register_at_fork(after_in_child=self.stay_with_parent)

    def stay_with_parent(self):
        """In a child that the app forked: what is ours remains the parent's. A TERM meant for the child would
        shut down the socket that both share."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, self.apps_term or signal.SIG_DFL)  # None: set by C, not to be had again
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.crew.stay_with_parent()

    def start(self):
        for number in range(1, self.threads + 1):
            try:
                threading.Thread(target=self.work, name="portherd-%d" % number, daemon=True).start()
            except RuntimeError as error:
                refuse("cannot start thread %d of %d: %s: let `rlimits` (nproc, as) or `pids_max` have more, or `threads` be fewer"
                       % (number, self.threads, error), CANNOT_IMPORT)

    def wait(self):
        """Returns when all threads have ended. Python runs signal handlers between these reads."""
        while self.running:
            os.read(self.wake_reader, 512)

    def work(self):
        try:
            self.crew.work()
        finally:
            with self.lock:
                self.running -= 1
            os.write(self.wake_writer, b".")

    def serve(self, payload, connection):
        return exchange.run(self.app, payload, connection, self.same)
