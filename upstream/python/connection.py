# One connection of the front, as one thread sees it: frames in, bytes out, and whether the other side is
# still there. Knows no WSGI: what a request means is exchange.py, the frames are docs/worker-protocol.md.
from _socket import MSG_DONTWAIT, SHUT_RD
from _thread import allocate_lock

from _portherd.frames import (
    ABANDON, BODY_IN, BODY_LIMIT, BODY_OUT, DONE_FRAME, HEAD, LAST, LIMITS, NAMES, NOT_TAKEN_FRAME, REQUEST)
from _portherd.report import say

unpack_from = HEAD.unpack_from
pack = HEAD.pack


class Gone(ConnectionAbortedError):
    """Nobody waits for this answer any more. Apps see it as the ConnectionError that it is."""


class Connection:
    """One that the front has opened: it carries one request after the other."""

    __slots__ = ("socket", "send_all", "buffer", "view", "start", "end", "body", "is_body_open",
                 "is_abandoned",
                 "is_gone", "is_waiting", "lock", "owner", "is_rung", "is_full", "payload")

    def __init__(self):
        self.socket = None
        self.lock = allocate_lock()  # held to close the socket, and by whoever else touches it meanwhile
        self.owner = allocate_lock()  # held by the thread that serves it: crew.py
        self.is_rung = False  # something has come since its owner has looked
        self.is_full = False  # the last read filled its room: more may have come by then
        self.payload = None  # of the request that is served, or about to be
        self.is_waiting = False  # nothing but the next request can be lost if reading ends now
        self.replace_buffer(8 + BODY_LIMIT)
        self.start = self.end = 0  # what was received and not yet taken

    def replace_buffer(self, size):
        self.buffer = bytearray(size)
        self.view = memoryview(self.buffer)

    def open(self, socket):
        self.socket = socket
        self.send_all = socket.sendall
        self.start = self.end = 0
        self.body = None  # the untaken rest of the last body frame: a view into the buffer
        self.is_body_open = False  # the front has more to send of the request's body
        self.is_abandoned = False  # the client has gone, the front reads on
        self.is_gone = False  # the front has gone, or is not to be understood: this connection is over

    def close(self):
        with self.lock:
            socket, self.socket = self.socket, None
            try:
                socket.close()
            except OSError:
                pass  # the app has closed it

    def refuse_more(self):
        """Called from another thread to end a wait for the next request. What has arrived can still be read;
        a write of the front fails from now on, so it knows that its next request was not taken."""
        with self.lock:
            if self.is_waiting and self.socket is not None:
                self.stop_reading()

    def stop_reading(self):
        try:
            self.socket.shutdown(SHUT_RD)
        except OSError:
            pass  # the front was faster

    # -- in --------------------------------------------------------------------------------------------------

    def next_request(self):
        """True: there is one, and `payload` is a view of it, good until the next read. Never waits. Raises Gone."""
        while True:
            if not self.has_whole_frame():
                if not self.receive(MSG_DONTWAIT):
                    return False
                continue
            kind, flags, payload = self.take()
            if kind == REQUEST:
                break
            # An abandon may cross the end of its exchange on the way here, and what is left of an
            # abandoned body may come behind it: both mean nothing any more.
            if kind != ABANDON and not self.is_abandoned:
                self.refuse("a body frame outside of a request")
        self.payload = payload
        self.is_body_open = not flags & LAST
        self.is_abandoned = False
        return True

    def may_have_more(self):
        """Behind the last request, without another ring."""
        return self.end > self.start or self.is_full

    def has_part_of_a_request(self):
        return self.end > self.start

    def read_into(self, room):
        """How many bytes of the body; 0: its end. Blocks. Raises Gone: what is cut off never looks whole."""
        while not self.body:
            if self.is_gone or self.is_abandoned:
                raise Gone("the client has gone")
            if not self.is_body_open:
                return 0
            self.next_body()
        size = min(len(room), len(self.body))
        room[:size] = self.body[:size]
        self.body = self.body[size:]
        return size

    def read_rest(self):
        """All the rest of the body: the blocks are joined once."""
        blocks = []
        while True:
            if self.body:
                blocks.append(bytes(self.body))
                self.body = None
            if self.is_gone or self.is_abandoned:
                raise Gone("the client has gone")
            if not self.is_body_open:
                return b"".join(blocks)
            self.next_body()

    def next_body(self):
        kind, flags, payload = self.take()
        if kind == REQUEST:
            self.refuse("a request before the end of the last one")
        elif kind == ABANDON:
            # It ends the body, too: no more of it can matter.
            self.is_abandoned, self.is_body_open, self.body = True, False, None
        else:
            self.body, self.is_body_open = payload, not flags & LAST

    def look(self):
        """Raises Gone if the client has gone. For between two blocks of an answer: never waits."""
        while not self.body and not self.is_abandoned and not self.is_gone:
            if self.has_whole_frame():
                if not self.is_body_open and self.buffer[self.start + 4] == BODY_IN:
                    self.refuse("a body frame after the last")
                self.next_body()
            elif not self.receive(MSG_DONTWAIT):
                return
        if self.is_abandoned or self.is_gone:
            raise Gone("the client has gone")

    def discard_body(self):
        """Reads what the app did not. True after it: the next frame is a request's."""
        self.body = None
        try:
            while self.is_body_open and not self.is_gone:
                self.next_body()
        except Gone:
            return False
        self.body = None
        return not self.is_gone

    def take(self):
        """The next frame whole: type, flags and a view of its payload, good until the next read. Blocks."""
        while self.end - self.start < 8:
            self.receive()
        length, kind, flags, zero = unpack_from(self.buffer, self.start)
        if length > LIMITS.get(kind, -1) or flags & ~LAST or zero:
            self.refuse_frame(length, kind, flags, zero)
        total = 8 + length
        if total > len(self.buffer):
            self.make_room(total)
        while self.end - self.start < total:
            self.receive()
        first = self.start + 8
        self.start += total
        return kind, flags, self.view[first:self.start]

    def has_whole_frame(self):
        if self.end - self.start < 8:
            return False
        length, kind, flags, zero = unpack_from(self.buffer, self.start)
        if length > LIMITS.get(kind, -1) or flags & ~LAST or zero:
            self.refuse_frame(length, kind, flags, zero)
        if 8 + length > len(self.buffer):
            self.make_room(8 + length)
        return self.end - self.start >= 8 + length

    def receive(self, how=0):
        """One recv() behind what is there. False: nothing yet (MSG_DONTWAIT only). Raises Gone at the end."""
        if self.start == self.end:
            self.start = self.end = 0
            room = self.view
        else:
            if self.end == len(self.buffer):
                self.make_room(len(self.buffer))
            room = self.view[self.end:]
        try:
            size = self.socket.recv_into(room, 0, how)
        except BlockingIOError:
            return False
        except OSError:
            size = 0
        if not size:
            self.is_gone = True
            raise Gone("the client has gone")
        self.is_full = size == len(room)
        self.end += size
        return True

    def make_room(self, size):
        """A buffer of `size` bytes, what has arrived at its front. No view into the old one may be in use."""
        rest = bytes(self.view[self.start:self.end])
        if size > len(self.buffer):
            self.replace_buffer(size)
        self.start, self.end = 0, len(rest)
        self.view[:self.end] = rest

    def refuse_frame(self, length, kind, flags, zero):
        if kind not in LIMITS:
            self.refuse("a frame of unknown type %d" % kind)
        if length > LIMITS[kind]:
            self.refuse("a frame %s of %d bytes, %d at most" % (NAMES[kind], length, LIMITS[kind]))
        self.refuse("a frame %s with flags %d and %d where zero belongs" % (NAMES[kind], flags, zero))

    def refuse(self, what):
        """The front is not to be understood: after that, nothing that comes from it has a meaning."""
        say("portherd: the front sent " + what + ": connection closed")
        self.start = self.end = 0
        self.is_gone = True
        raise Gone("the client has gone")

    # -- out -------------------------------------------------------------------------------------------------

    def send(self, data):
        if self.is_gone:
            raise Gone("the client has gone")
        try:
            self.send_all(data)
        except OSError:
            self.is_gone = True
            raise Gone("the client has gone") from None

    def send_body(self, block, flags, head=b""):
        """A block of the answer, cut into frames as long as they may be; `head` goes out with the first."""
        size = len(block)
        if size <= BODY_LIMIT:
            self.send(b"".join((head, pack(size, BODY_OUT, flags, 0), block)))
            return
        view = memoryview(block)
        for first in range(0, size, BODY_LIMIT):
            part = view[first:first + BODY_LIMIT]
            is_last = first + BODY_LIMIT >= size
            self.send(b"".join((head, pack(len(part), BODY_OUT, flags if is_last else 0, 0), part)))
            head = b""
            if not is_last:
                self.look()

    def say_done(self):
        self.send(DONE_FRAME)

    def say_not_taken(self):
        """Also when reading has ended: the front may have sent half a request by then, and still listen."""
        try:
            self.send_all(NOT_TAKEN_FRAME)
        except OSError:
            self.is_gone = True
