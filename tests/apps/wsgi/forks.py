# Apps that fork while they answer. The children live until a signal or the end of their pipe.
import multiprocessing
import os
import signal
import sys


def app(environ, start_response):
    """Answers with the pid of a child that holds whatever a fork takes along."""
    pid = os.fork()
    if not pid:
        print("child of", os.getppid(), file=sys.stderr, flush=True)
        while True:
            signal.pause()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(pid).encode()]


def spawned(environ, start_response):
    """A child by exec, as multiprocessing makes it where fork is not wanted."""
    child = multiprocessing.get_context("spawn").Process(target=print, args=("from the child",))
    child.start()
    child.join()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(child.exitcode).encode()]


def comes_back(environ, start_response):
    """The child forgets to leave and answers, too."""
    pid = os.fork()
    start_response("200 OK", [("Content-Type", "text/plain")])
    if pid:
        os.waitpid(pid, 0)
        return [b"parent"]
    return [b"child"]
