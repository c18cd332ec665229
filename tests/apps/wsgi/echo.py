# What an app sees of a request: its environment as lines, and its body. The path says which.
import os
import sys
import threading


def app(environ, start_response):
    give = {"/body": body, "/environ": keys, "/types": types, "/process": process, "/lines": lines,
            "/parts": parts, "/some": some, "/twice": twice, "/nothing": nothing, "/iteration": iteration,
            "/readlines": readlines}
    block = give[environ["PATH_INFO"]](environ, environ["wsgi.input"])
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [block]


def body(environ, stream):
    return stream.read()


def parts(environ, stream):
    """Lengths of what read(1000) gives until the end."""
    lengths = []
    while not lengths or lengths[-1]:
        lengths.append(len(stream.read(1000)))
    return repr(lengths).encode()


def some(environ, stream):
    return stream.read(5)


def twice(environ, stream):
    return repr((stream.read(), stream.read(), stream.read(1), stream.readline(), list(stream))).encode()


def nothing(environ, stream):
    return b"nothing read"


def lines(environ, stream):
    return repr([stream.readline(), stream.readline(4), stream.readline(), stream.read()]).encode()


def iteration(environ, stream):
    return repr(list(stream)).encode()


def readlines(environ, stream):
    return repr([stream.readlines(1), stream.readlines()]).encode()


def keys(environ, stream):
    texts = ["%s=%s" % pair for pair in sorted(environ.items()) if type(pair[1]) is str]
    return "\n".join(texts).encode("latin-1")


def types(environ, stream):
    own = {key: value for key, value in environ.items() if key.startswith("wsgi.")}
    return repr((type(environ) is dict, own["wsgi.version"], own["wsgi.multithread"],
                 own["wsgi.multiprocess"], own["wsgi.run_once"], own["wsgi.input_terminated"],
                 own["wsgi.errors"] is sys.stderr)).encode()


def process(environ, stream):
    """The process as the app finds it."""
    return repr({
        "environment": sorted(key for key in os.environ if key.startswith(("PORTHERD", "LISTEN", "NOTIFY"))),
        "path": sys.path[0] == os.getcwd(),
        "argv": sys.argv,
        "thread": threading.current_thread().name,
        "daemon": threading.current_thread().daemon,
        "inheritable": os.get_inheritable(3),
        "modules": [name for name in sys.meta_path if "portherd" in repr(name)],
    }).encode()
