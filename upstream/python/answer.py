# One answer: start_response(), write(), and the frames that carry head and body. The app's side of it is PEP
# 3333. What the app returns is walked through in exchange.py; the rules of a head are head.py.
from _portherd.frames import BODY_LIMIT, BODY_OUT, DONE, HEAD, HEAD_OUT, LAST
from _portherd.head import lay_out, without_length

pack = HEAD.pack

SORRY = b"Internal Server Error"
SORRY_HEAD = b"500 Internal Server Error\0Content-Type\0text/plain\0Content-Length\0%d" % len(SORRY)


class Answer:
    __slots__ = ("connection", "is_for_head", "head", "declared", "sent", "is_begun", "is_whole", "is_done",
                 "is_cut", "is_over")

    def __init__(self, connection, is_for_head):
        self.connection = connection
        self.is_for_head = is_for_head  # the request was HEAD: no body, whatever the app gives
        self.head = None  # payload of the head frame, once start_response() was called
        self.declared = None  # the Content-Length in it
        self.sent = 0  # bytes of the body so far
        self.is_begun = False  # the head is out and cannot be changed any more
        self.is_whole = False  # the frame with `last` is out
        self.is_done = False  # the frame with `done` is out
        self.is_cut = False  # the app gave more than it declared
        self.is_over = False  # the exchange has ended: nothing may be sent in its name

    def start_response(self, status, headers, exc_info=None):
        if exc_info:
            try:
                if self.is_begun:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # PEP 3333: no circle through the traceback
        elif self.head is not None:
            raise AssertionError("start_response called again without exc_info")
        self.head, self.declared = lay_out(status, headers)
        return self.write

    def write(self, block):
        """What start_response() returns, for apps that cannot return their body. Sends at once."""
        if self.is_over:
            raise AssertionError("write called after the end of the request")
        self.put(block)

    def put_all(self, blocks):
        """Sends a body that is there as a whole, and lets go: one send() for most answers."""
        size = len(blocks[0]) if len(blocks) == 1 else sum(map(len, blocks))
        if size > BODY_LIMIT or self.declared not in (None, size) or self.is_begun or self.has_no_body():
            return self.put_each(blocks, size)
        block = b"".join(blocks)
        head = self.headed(size)
        if size:
            frames = (pack(len(head), HEAD_OUT, 0, 0), head, pack(size, BODY_OUT, LAST | DONE, 0), block)
        else:
            frames = (pack(len(head), HEAD_OUT, LAST | DONE, 0), head)
        self.connection.send(b"".join(frames))
        self.is_begun = self.is_whole = self.is_done = True

    def put_each(self, blocks, size):
        if not self.is_begun:
            self.set_length(size)
            if self.has_no_body():
                return self.end(DONE)
            if self.declared is not None and size < self.declared:
                raise self.too_short(size)
        for block in blocks:
            if not self.put(block):
                break
        self.end(DONE)

    def put(self, block):
        """Sends a block, the head before the first that is not empty. False: no more is wanted."""
        if not isinstance(block, bytes):
            raise TypeError("the body must be bytes, not %s" % type(block).__name__)
        if not block:
            return True
        if self.has_no_body():
            self.send_without_body(0)
            return False
        room = len(block) if self.declared is None else self.declared - self.sent
        if room < len(block):
            self.is_cut = True
            block = block[:room]
        if block or not self.is_begun:
            self.send_block(block)
        return not self.is_cut

    def send_block(self, block):
        head = b"" if self.is_begun else self.begun(0)
        self.sent += len(block)
        is_last = self.sent == self.declared
        self.connection.send_body(block, LAST if is_last else 0, head)
        self.is_whole = is_last

    def end(self, done):
        """The app has no more. `done` is DONE if it needs no close(), else 0."""
        if self.is_whole:
            return self.let_go() if done else None
        if self.has_no_body():
            return self.send_without_body(done)
        if self.declared is not None and self.sent < self.declared:
            raise self.too_short(self.sent)
        if self.is_begun:
            self.connection.send_body(b"", LAST | done)
        else:
            self.set_length(0)
            self.connection.send(self.begun(LAST | done))
        self.is_whole, self.is_done = True, bool(done)

    def let_go(self):
        if not self.is_done:
            self.connection.say_done()
            self.is_done = True

    def apologize(self, done):
        """The app failed: says so to the client if nothing was said yet. Else the answer stays cut off."""
        if self.is_begun:
            return
        self.head, self.declared = SORRY_HEAD, len(SORRY)
        self.put(SORRY)
        self.end(done)

    def set_length(self, size):
        if self.declared is None and not (self.is_begun or self.has_no_length(size)):
            self.head, self.declared = self.headed(size), size

    def headed(self, size):
        """The head with a Content-Length that the app left to us."""
        if self.head is None:
            raise AssertionError("the app gave its answer without calling start_response")
        return self.head if self.declared is not None else self.head + b"\0Content-Length\0%d" % size

    def begun(self, flags):
        """The head frame."""
        if self.head is None:
            raise AssertionError("the app gave its answer without calling start_response")
        self.is_begun = True
        return pack(len(self.head), HEAD_OUT, flags, 0) + self.head

    def send_without_body(self, done):
        if self.is_begun:
            return
        if self.head is not None and self.head[:3] == b"204":
            self.head = without_length(self.head)  # RFC 9110 8.6
        self.connection.send(self.begun(LAST | done))
        self.is_whole, self.is_done = True, bool(done)

    def has_no_body(self):
        """RFC 9110 6.4.1: neither HEAD nor 204 nor 304 has one, whatever the app gives."""
        return self.is_for_head or (self.head is not None and self.head[:3] in (b"204", b"304"))

    def has_no_length(self, size):
        """Where a Content-Length is not ours to add. An empty body to HEAD says nothing about GET's."""
        return self.head is None or self.head[:3] in (b"204", b"304") or (self.is_for_head and not size)

    def too_short(self, size):
        return ValueError("the app declared a Content-Length of %d and gave %d bytes" % (self.declared, size))
