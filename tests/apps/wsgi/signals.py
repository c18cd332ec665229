# An app with signal handlers and a default timeout for sockets: neither may hurt the worker.
import signal
import socket
import sys

signal.signal(signal.SIGUSR2, lambda number, frame: print("handler ran", file=sys.stderr))
signal.signal(signal.SIGTERM, lambda number, frame: print("the app's TERM", file=sys.stderr))
socket.setdefaulttimeout(0.001)


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"fine"]
