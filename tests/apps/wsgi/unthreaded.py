# Where no thread can be had any more.
import threading


def start(self):
    raise RuntimeError("can't start new thread")


threading.Thread.start = start


def app(environ, start_response):
    start_response("200 OK", [])
    return [b"never"]
