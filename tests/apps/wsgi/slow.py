# Apps that take their time until the test lets them go on: they wait for the request's body, not for a clock.
import sys


def app(environ, start_response):
    print("running", environ["PATH_INFO"], file=sys.stderr)
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"waited for " + body]


class Stream:
    """One block for each line of the body, then closed."""

    def __init__(self, environ):
        self.environ = environ

    def __iter__(self):
        for line in self.environ["wsgi.input"]:
            yield line

    def close(self):
        print("closed", self.environ["PATH_INFO"], file=sys.stderr)


def stream(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Stream(environ)


def endless(environ, start_response):
    """Gives blocks until it is stopped."""
    start_response("200 OK", [("Content-Type", "text/plain")])

    def blocks():
        try:
            while True:
                yield b"more\n" * 100
        finally:
            print("stopped", environ["PATH_INFO"], file=sys.stderr)
    return blocks()


def endless_write(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    try:
        while True:
            write(b"more\n" * 100)
    finally:
        print("stopped", environ["PATH_INFO"], file=sys.stderr)


def large(environ, start_response):
    """One block of 8 MiB, which no socket buffer takes at once."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Closing([b"x" * (8 << 20)], environ["PATH_INFO"])


class Closing:
    def __init__(self, blocks, name):
        self.blocks = blocks
        self.name = name

    def __iter__(self):
        return iter(self.blocks)

    def close(self):
        print("closed", self.name, file=sys.stderr)
