# One small app for each rule of PEP 3333; the path names it. Each test in test_rules.py reads one of them.
import importlib
import io
import os
import sys
import tempfile

TEXT = [("Content-Type", "text/plain")]


def app(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/")](environ, start_response)


class Closing:
    """An iterable that says on stderr when it is closed."""

    def __init__(self, environ, blocks, error=None):
        self.name = environ["PATH_INFO"]
        self.blocks = iter(blocks)
        self.error = error

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.blocks)

    def close(self):
        print("closed", self.name, file=sys.stderr)
        if self.error:
            raise self.error


def one_block(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"one"]


def a_tuple(environ, start_response):
    start_response("200 OK", TEXT)
    return (b"one", b"", b"two")


def no_block(environ, start_response):
    start_response("200 OK", TEXT)
    return []


def own_length(environ, start_response):
    start_response("200 OK", TEXT + [("content-length", "3")])
    return [b"one"]


class Single:
    def __len__(self):
        return 1

    def __iter__(self):
        return iter([b"single"])


def single(environ, start_response):
    start_response("200 OK", TEXT)
    return Single()


def generator(environ, start_response):
    start_response("200 OK", TEXT)
    yield b""
    yield b"one"
    yield b""
    yield b"two"


def late_start(environ, start_response):
    """A generator calls start_response only when it is asked for its first block."""
    yield b""
    start_response("201 Created", TEXT)
    yield b"late"


def empty_generator(environ, start_response):
    start_response("200 OK", TEXT)
    return iter(())


def changes_its_mind(environ, start_response):
    """Empty blocks do not send the head: it may still be replaced."""
    start_response("200 OK", TEXT)
    yield b""
    try:
        raise KeyError("too late?")
    except KeyError:
        start_response("500 Changed", TEXT, sys.exc_info())
    yield b"changed"


def writes(environ, start_response):
    write = start_response("200 OK", TEXT)
    write(b"first ")
    write(b"")
    write(b"second ")
    return [b"third"]


def writes_all(environ, start_response):
    write = start_response("200 OK", TEXT + [("Content-Length", "5")])
    write(b"whole")
    return []


def error_before_head(environ, start_response):
    start_response("200 OK", TEXT)
    raise RuntimeError("broken before the head")


def error_at_first_block(environ, start_response):
    start_response("200 OK", TEXT)
    yield b""
    raise RuntimeError("broken at the first block")


def error_after_head(environ, start_response):
    start_response("200 OK", TEXT)

    def blocks():
        yield b"begun"
        raise RuntimeError("broken after the head")
    return Closing(environ, blocks())


def error_after_write(environ, start_response):
    start_response("200 OK", TEXT)(b"begun")
    raise RuntimeError("broken after write")


def error_after_all(environ, start_response):
    """The declared length was given: the answer is whole, whatever comes."""
    start_response("200 OK", TEXT + [("Content-Length", "5")])
    yield b"whole"
    raise RuntimeError("broken after all")


def error_in_close(environ, start_response):
    start_response("200 OK", TEXT)
    return Closing(environ, [b"fine"], RuntimeError("broken in close"))


def exit_in_app(environ, start_response):
    sys.exit(5)


def deep(environ, start_response):
    """An error with a cause, three frames of the app's own."""
    def inner():
        raise KeyError("the cause")
    try:
        inner()
    except KeyError as error:
        raise ValueError("the effect") from error


def wraps_a_refusal(environ, start_response):
    try:
        start_response("no status", TEXT)
    except ValueError as error:
        raise RuntimeError("wrapped") from error


def imports_late(environ, start_response):
    importlib.import_module("broken")


def replaced_head(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "99")])
    try:
        raise KeyError("replaced")
    except KeyError:
        start_response("503 Replaced", TEXT, sys.exc_info())
    return [b"replaced"]


def too_late(environ, start_response):
    start_response("200 OK", TEXT)(b"begun")
    try:
        raise KeyError("too late to replace")
    except KeyError:
        start_response("503 Replaced", TEXT, sys.exc_info())
    return [b"never"]


def first_call_with_exc_info(environ, start_response):
    try:
        raise KeyError("first")
    except KeyError:
        start_response("503 First", TEXT, sys.exc_info())
    return [b"first"]


def started_twice(environ, start_response):
    start_response("200 OK", TEXT)
    start_response("201 Again", TEXT)
    return [b"never"]


def never_started(environ, start_response):
    return [b"never"]


def never_started_generator(environ, start_response):
    yield b"never"


def gives_none(environ, start_response):
    start_response("200 OK", TEXT)


def gives_str(environ, start_response):
    start_response("200 OK", TEXT)
    return ["text"]


def gives_a_string(environ, start_response):
    start_response("200 OK", TEXT)
    return "text"


def writes_str(environ, start_response):
    start_response("200 OK", TEXT)("text")
    return []


def closed_after_list(environ, start_response):
    start_response("200 OK", TEXT)
    return Closing(environ, [b"one", b"two"])


def closed_with_length(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "3")])
    return Closing(environ, [b"one"])


def too_long(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "5")])
    return Closing(environ, [b"12345678", b"more"])


def too_long_later(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "5")])
    return Closing(environ, [b"123", b"45", b"678", b"910"])


def too_short(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "5")])
    return [b"123"]


def too_short_later(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "5")])
    return Closing(environ, [b"123"])


def no_content(environ, start_response):
    start_response("204 No Content", [("Content-Length", "5"), ("X-Kept", "yes")])
    return [b"never"]


def not_modified(environ, start_response):
    start_response("304 Not Modified", [("Content-Length", "5"), ("ETag", '"1"')])
    return Closing(environ, [b"never"])


def hop_by_hop(environ, start_response):
    start_response("200 OK", TEXT + [
        ("Connection", "close"), ("Keep-Alive", "timeout=5"), ("TRANSFER-ENCODING", "chunked"),
        ("Upgrade", "h2c"),
        ("TE", "trailers"), ("Trailer", "X-A"), ("Proxy-Authenticate", "Basic"), ("X-Kept", "yes")])
    return [b"fine"]


def latin_1(environ, start_response):
    start_response("200 D\xe9j\xe0", TEXT + [("X-Name", "caf\xe9"), ("X-Space", "  around\t")])
    return [b"fine"]


def no_reason(environ, start_response):
    start_response("200 ", TEXT)
    return [b"fine"]


def many_headers(environ, start_response):
    start_response("200 OK", [("X-%d" % index, "value") for index in range(1023)])
    return [b"fine"]


def large_list(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"a" * 70000, b"b" * 65536, b"c" * 200001]


def file(environ, start_response):
    """A regular file by the wrapper, with blocks of 1000 asked for."""
    whole = tempfile.TemporaryFile()
    whole.write(b"0123456789" * 20000)
    whole.seek(0)
    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](whole, 1000)


class SaysWhenClosed(io.BytesIO):
    def close(self):
        print("closed /file_like", file=sys.stderr)
        super().close()


def file_like(environ, start_response):
    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](SaysWhenClosed(b"0123456789"), 4)


class OnlyRead:
    def __init__(self):
        self.blocks = [b"one", b"two", b""]

    def read(self, size):
        return self.blocks.pop(0)


def only_read(environ, start_response):
    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](OnlyRead())


def says_things(environ, start_response):
    print("on stdout")
    environ["wsgi.errors"].write("on wsgi.errors\n")
    environ["wsgi.errors"].writelines(["caf\xe9 ", "\udc80\n"])
    environ["wsgi.errors"].flush()
    start_response("200 OK", TEXT)
    return [b"said"]


KEPT = []


def keeps_write_and_input(environ, start_response):
    KEPT[:] = [start_response("200 OK", TEXT), environ["wsgi.input"]]
    return [b"kept"]


def uses_what_it_kept(environ, start_response):
    said = []
    for use in (lambda: KEPT[0](b"into another's answer"), lambda: KEPT[1].read()):
        try:
            use()
        except Exception as error:
            said.append(str(error))
    start_response("200 OK", TEXT)
    return ["; ".join(said).encode()]


def bad(environ, start_response):
    """What start_response must refuse; the query says which."""
    status, fields = {
        "status-bytes": (b"200 OK", TEXT),
        "status-int": (200, TEXT),
        "status-short": ("200", TEXT),
        "status-word": ("OK", TEXT),
        "status-1xx": ("100 Continue", TEXT),
        "status-600": ("600 Strange", TEXT),
        "status-digits": ("2\xb22 OK", TEXT),
        "status-line-end": ("200 OK\r\nX-Evil: 1", TEXT),
        "tuple": ("200 OK", tuple(TEXT)),
        "none": ("200 OK", None),
        "three": ("200 OK", [("a", "b", "c")]),
        "name-bytes": ("200 OK", [(b"X-A", "b")]),
        "name-empty": ("200 OK", [("", "b")]),
        "name-colon": ("200 OK", [("X-A:", "b")]),
        "name-space": ("200 OK", [("X A", "b")]),
        "name-line-end": ("200 OK", [("X-A\r\nX-Evil", "b")]),
        "name-unicode": ("200 OK", [("X-\u0394", "b")]),
        "value-bytes": ("200 OK", [("X-A", b"b")]),
        "value-int": ("200 OK", [("X-A", 5)]),
        "value-cr": ("200 OK", [("X-A", "b\rc")]),
        "value-lf": ("200 OK", [("X-A", "b\nX-Evil: 1")]),
        "value-nul": ("200 OK", [("X-A", "b\0c")]),
        "value-control": ("200 OK", [("X-A", "b\x1bc")]),
        "value-unicode": ("200 OK", [("X-A", "\u20ac")]),
        "length-word": ("200 OK", [("Content-Length", "many")]),
        "length-minus": ("200 OK", [("Content-Length", "-1")]),
        "length-int": ("200 OK", [("Content-Length", 5)]),
        "length-twice": ("200 OK", [("Content-Length", "5"), ("content-length", "6")]),
        "too-many": ("200 OK", [("X-A", "b")] * 1024),
        "too-large": ("200 OK", [("X-A", "x" * 300000)]),
    }[environ["QUERY_STRING"]]
    start_response(status, fields)
    return [b"never"]


def pipe(environ, start_response):
    """Not a regular file, though it has a fileno()."""
    reader, writer = os.pipe()
    os.write(writer, b"through a pipe")
    os.close(writer)
    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](os.fdopen(reader, "rb", 0), 7)
