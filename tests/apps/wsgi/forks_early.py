# Forks while it is imported, and keeps the child.
import os
import signal
import sys

pid = os.fork()
if not pid:
    print("child of", os.getppid(), file=sys.stderr, flush=True)
    while True:
        signal.pause()


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(pid).encode()]
