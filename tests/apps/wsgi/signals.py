# An app with signal handlers and a default timeout for sockets, interrupted while it is imported: none of it
# may hurt the worker.
import os
import signal
import socket
import sys

os.kill(os.getpid(), signal.SIGINT)  # ^C while it is imported
signal.signal(signal.SIGUSR2, lambda number, frame: print("handler ran", file=sys.stderr))
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, lambda number, frame: print("the app's TERM", file=sys.stderr))
socket.setdefaulttimeout(0.001)


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"fine"]
