# The frames of docs/worker-protocol.md: their numbers, and how the worker's own are laid out. Pure.
# Reading them off a socket is connection.py, and asgi_connection.py.
from struct import Struct

HEAD = Struct("<IBBH")  # length of the payload, type, flags, zero

REQUEST, BODY_IN, ABANDON, SCOPE = 1, 2, 3, 4
HEAD_OUT, BODY_OUT, INTERIM_OUT, DONE_OUT, NOT_TAKEN_OUT, TRAILERS_OUT = 16, 17, 18, 19, 20, 21
LAST, DONE = 1, 2

BODY_LIMIT = 64 * 1024
HEAD_LIMIT = 256 * 1024
TRAILERS_LIMIT = 8 * 1024
FIELDS_LIMIT = 1024

# What the front may send, and how much of it: to a WSGI worker, and to an ASGI worker.
LIMITS = {REQUEST: HEAD_LIMIT, BODY_IN: BODY_LIMIT, ABANDON: 0}
ASGI_LIMITS = {SCOPE: HEAD_LIMIT, BODY_IN: BODY_LIMIT, ABANDON: 0}
NAMES = {REQUEST: "request", BODY_IN: "body", ABANDON: "abandon", SCOPE: "scope"}

DONE_FRAME = HEAD.pack(0, DONE_OUT, DONE, 0)
NOT_TAKEN_FRAME = HEAD.pack(0, NOT_TAKEN_OUT, DONE, 0)
