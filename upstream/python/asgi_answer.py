# One answer of an ASGI app: its messages checked, and turned into the frames that carry head and body. What an app may
# do beside it is asgi_http.py and asgi_websocket.py; the rules of a head are asgi_head.py.
from _portherd.asgi_head import lay_out, lay_out_trailers
from _portherd.frames import (
    BODY_LIMIT, BODY_OUT, DONE, DONE_FRAME, HEAD, HEAD_OUT, INTERIM_OUT, LAST, TRAILERS_OUT)
from _portherd.head import without_length

pack = HEAD.pack

SORRY = b"Internal Server Error"
SORRY_FIELDS = ((b"content-type", b"text/plain; charset=utf-8"),)
MOST_INTERIM = 16  # what the front takes


class Answer:
    __slots__ = ("connection", "is_for_head", "head", "declared", "sent", "has_no_body", "is_begun", "is_whole",
                 "interim", "trailers", "is_body_whole")

    def __init__(self, connection, is_for_head):
        self.connection = connection
        self.is_for_head = is_for_head  # the request was HEAD: no body, whatever the app gives
        self.head = None  # payload of the head frame, once the app has started
        self.declared = None  # the Content-Length in it
        self.sent = 0  # bytes of the body so far
        self.has_no_body = is_for_head
        self.is_begun = False  # the head is out and cannot be changed any more
        self.is_whole = False  # the last frame is out, and the slot free
        self.interim = 0
        self.trailers = None  # fields that follow the body, as far as the app has said them; None: none will
        self.is_body_whole = False  # and trailers are due

    def start(self, status, fields, has_trailers=False):
        if self.head is not None:
            raise RuntimeError("the answer was started before")
        head, self.declared = lay_out(status, fields)
        if status == 204 or status == 304:  # RFC 9110 6.4.1: neither has a body, whatever the app gives
            self.has_no_body = True
            if status == 204 and self.declared is not None:
                head, self.declared = without_length(head), None  # RFC 9110 8.6
        self.head = head
        if has_trailers and not self.has_no_body:
            self.trailers = []

    def body(self, block, is_last):
        """Sends a block. Returns what the caller has to await, or None."""
        if self.head is None:
            raise RuntimeError("a body before the start of the answer")
        if self.is_whole or self.is_body_whole:
            raise RuntimeError("a body after the end of the answer")
        if type(block) is not bytes:
            block = as_bytes(block)
        if self.has_no_body:
            return self.without_body(len(block), is_last)
        size = len(block)
        self.check_length(size, is_last)
        if is_last and self.trailers is not None:
            self.is_body_whole, is_last = True, False
        flags = LAST | DONE if is_last else 0
        if size > BODY_LIMIT:
            return self.long_body(block, flags)
        if not self.is_begun:
            self.is_begun = True
            head = self.head
            if is_last and self.declared is None:
                head += b"\0content-length\0%d" % size
            if size:
                data = b"".join((pack(len(head), HEAD_OUT, 0, 0), head, pack(size, BODY_OUT, flags, 0), block))
            else:
                data = pack(len(head), HEAD_OUT, flags, 0) + head
        elif size or is_last:
            data = pack(size, BODY_OUT, flags, 0) + block
        else:
            return None
        self.sent += size
        self.connection.write(data)
        if is_last:
            self.is_whole = True
        elif self.connection.unsent:
            return self.connection.drained()
        return None

    def check_length(self, size, is_last):
        declared = self.declared
        if declared is None:
            return
        if self.sent + size > declared or (is_last and self.sent + size < declared):
            raise RuntimeError("the app declared a content-length of %d and gave %s" % (
                declared, "more" if self.sent + size > declared else "%d bytes" % (self.sent + size)))

    async def long_body(self, block, flags):
        head = b""
        if not self.is_begun:
            self.is_begun = True
            if flags and self.declared is None:
                self.head += b"\0content-length\0%d" % len(block)
            head = pack(len(self.head), HEAD_OUT, 0, 0) + self.head
        self.sent += len(block)
        await self.connection.write_body(block, flags, head)
        self.is_whole = bool(flags)

    def trail(self, fields, is_last):
        """Trailers (RFC 9110 6.5). Behind an answer without a body there are none, and nobody misses them."""
        if self.has_no_body:
            return
        if self.trailers is None or not self.is_body_whole or self.is_whole:
            raise RuntimeError("trailers that the start of the answer has not announced, or that are not behind its body")
        self.trailers += fields
        if is_last:
            payload = lay_out_trailers(self.trailers)
            self.connection.write(pack(len(payload), TRAILERS_OUT, LAST | DONE, 0) + payload)
            self.is_whole = True

    def without_body(self, size, is_last):
        if not self.is_begun:
            self.is_begun = True
            head = self.head
            if is_last and self.is_for_head and size and self.declared is None:
                head += b"\0content-length\0%d" % size  # as GET would say it
            self.connection.write(pack(len(head), HEAD_OUT, LAST | DONE if is_last else LAST, 0) + head)
        elif is_last:
            self.connection.write(DONE_FRAME)
        self.is_whole = is_last

    def hint(self, links):
        """103 (RFC 8297). It is advice: what is too late or too much for the front is left out."""
        head, _ = lay_out(103, [(b"link", link) for link in links], first=103)
        if not self.is_begun and self.interim < MOST_INTERIM and links:
            self.interim += 1
            self.connection.write(pack(len(head), INTERIM_OUT, 0, 0) + head)

    def apologize(self):
        """The app failed, and nothing was said yet."""
        self.head, self.declared = lay_out(500, SORRY_FIELDS)
        self.has_no_body = self.is_for_head
        self.body(SORRY, True)


def as_bytes(block):
    if not isinstance(block, (bytes, bytearray, memoryview)):
        raise TypeError("the body must be bytes, not %s" % type(block).__name__)
    return bytes(block)
