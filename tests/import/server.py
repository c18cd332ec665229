# A program that reads PORT unasked, as Procfiles expect of theirs.
import os
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

from shop import application


class Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True


port = sys.argv[1] if len(sys.argv) > 1 else os.environ["PORT"]
make_server("127.0.0.1", int(port), application, Threads).serve_forever()
