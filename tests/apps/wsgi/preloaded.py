# Apps to be forked from a zygote: one for each thing that an import may do to it.
import os
import random
import sys
import threading

imported_by = os.getpid()
said = []


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr({"pid": os.getpid(), "parent": os.getppid(), "imported_by": imported_by, "said": said,
                  "session": os.getsid(0), "random": random.random(),
                  "descriptors": len(os.listdir("/proc/self/fd"))}).encode()]


def hook():
    said.append("hook in %d" % os.getpid())


def failing_hook():
    raise RuntimeError("no database")


def with_threads():
    for name in "watcher", "flusher":
        threading.Thread(target=threading.Event().wait, name=name, daemon=True).start()
    return app


def with_ended_threads():
    for _ in range(20):
        thread = threading.Thread(target=len, args=("",))
        thread.start()
        thread.join()
    return app


def start_a_foreign_thread():
    """One that Python knows nothing of: a call that ends it."""
    import ctypes
    libc = ctypes.CDLL(None)
    thread = ctypes.c_ulong()
    assert libc.pthread_create(ctypes.byref(thread), None, ctypes.cast(libc.pause, ctypes.c_void_p), None) == 0

    def end():
        libc.pthread_cancel(thread)
        libc.pthread_join(thread, None)
    return end


def with_a_foreign_thread():
    start_a_foreign_thread()
    return app


def with_a_thread_that_ends_before_forks():
    """As OpenBLAS does it."""
    ends = [start_a_foreign_thread()]
    os.register_at_fork(before=lambda: ends and ends.pop()())
    return app


def with_numbers():
    """As if numpy had been imported."""
    import types
    sys.modules["numpy.random"] = types.SimpleNamespace(seed=lambda: said.append("seeded in %d" % os.getpid()))
    return app


def without_descriptors():
    os.closerange(0, 100)
    return app


def without_standard_ones():
    os.closerange(0, 3)
    return app


def with_another_descriptor_3():
    os.dup2(os.open("/dev/null", os.O_RDONLY), 3)
    return app


def with_a_child_that_comes_back():
    os.fork()
    return app


def with_a_child():
    if not os.fork():
        import signal
        while True:
            signal.pause()
    return app


def with_a_handler_of_children():
    import signal
    signal.signal(signal.SIGCHLD, lambda number, frame: said.append("a child has ended"))
    return app


def without_children():
    import signal
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    return app


def with_a_lock():
    global lock
    lock = threading.Lock()
    lock.acquire()
    return app


def with_much_to_say():
    for _ in range(20000):
        print("x" * 100)
    print("unfinished", end="")
    return app


def with_an_end():
    import atexit
    atexit.register(lambda: print("the end of", os.getpid(), file=sys.stderr))
    return app


def where_forks_fail():
    """The first of this process, and then one in its child."""
    fork, own, asked = os.fork, os.getpid(), []

    def failing():
        asked.append(1)
        if (len(asked) == 1) if os.getpid() == own else (len(asked) == 3):
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return fork()
    os.fork = failing
    return app


def exits():
    os._exit(7)
