# The two file-like ends of WSGI: wsgi.input, fed by the body frames of the front, and wsgi.file_wrapper.
# The frames themselves are connection.py.
import io
import os
from stat import S_ISREG

BLOCK = 64 * 1024  # as much as one frame carries


class Input(io.RawIOBase):
    """The raw half of wsgi.input; io.BufferedReader above it has read, readline, readlines and the iteration.
    Ends where the body ends (wsgi.input_terminated), or raises ConnectionAbortedError: the client left."""

    def __init__(self, connection):
        self.connection = connection

    def readable(self):
        return True

    def readinto(self, room):
        return self.open_connection().read_into(room)

    def readall(self):
        return self.open_connection().read_rest()

    def open_connection(self):
        if self.connection is None:
            raise ValueError("wsgi.input was read after the end of the request")
        return self.connection

    def leave(self):
        """The exchange is over: the connection carries another one's bytes now."""
        self.connection = None


def new_input(connection):
    raw = Input(connection)
    return raw, io.BufferedReader(raw, 16384)


class FileWrapper:
    """wsgi.file_wrapper: a file as an iterable of blocks. Reads a regular file in full frames, however small
    the blocks that were asked for (Django asks for 4 KiB); anything else in the blocks asked for."""

    def __init__(self, file, block_size=BLOCK):
        self.file = file
        self.block_size = BLOCK if is_regular(file) else block_size
        if hasattr(file, "close"):
            self.close = file.close

    def __iter__(self):
        return self

    def __next__(self):
        block = self.file.read(self.block_size)
        if not block:
            raise StopIteration
        return block


def is_regular(file):
    try:
        return S_ISREG(os.fstat(file.fileno()).st_mode)
    except Exception:
        return False  # not a file of the system: anything may be behind fileno()
