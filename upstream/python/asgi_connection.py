# One connection of the front, as the event loop of an ASGI worker sees it: frames in, bytes out, and whether the
# other side is still there. What a request means is asgi_http.py and asgi_websocket.py; the frames are
# docs/worker-protocol.md. The same for a worker with threads is connection.py.
from socket import SHUT_RD

from _portherd.bell import Bell
from _portherd.frames import (
    ABANDON, ASGI_LIMITS, BODY_IN, BODY_LIMIT, BODY_OUT, HEAD, LAST, NAMES, NOT_TAKEN_FRAME, SCOPE)
from _portherd.report import say

pack = HEAD.pack
unpack_from = HEAD.unpack_from

READ_AT_ONCE = 8 + BODY_LIMIT


class Connection:
    """Carries one exchange after the other. An exchange has on_body(payload, is_last) and on_gone()."""

    __slots__ = ("worker", "loop", "socket", "descriptor", "rest", "exchange", "is_body_open", "is_abandoned",
                 "is_reading", "unsent", "bell")

    def __init__(self, worker, socket):
        self.worker = worker
        self.loop = worker.loop
        self.socket = socket  # None: it is over
        self.descriptor = socket.fileno()
        self.rest = b""  # received, and not a whole frame yet
        self.exchange = None  # whose body and whose end arrive; None: idle, or the rest of a body is thrown away
        self.is_body_open = False  # the front has more to send of the request's body, or of a tunnel
        self.is_abandoned = False  # what follows of the last request's body means nothing
        self.unsent = bytearray()  # what the socket has not taken
        self.bell = Bell(self.loop)  # it has
        self.is_reading = True
        self.loop.add_reader(self.descriptor, self.on_readable)

    # -- in --------------------------------------------------------------------------------------------------

    def on_readable(self):
        try:
            data = self.socket.recv(READ_AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            return self.on_end()
        self.take(self.rest + data if self.rest else data)

    def take(self, data):
        at, end = 0, len(data)
        while end - at >= 8:
            length, kind, flags, zero = unpack_from(data, at)
            if length > ASGI_LIMITS.get(kind, -1) or flags & ~LAST or zero:
                return self.refuse_frame(length, kind, flags, zero)
            first, at_end = at + 8, at + 8 + length
            if at_end > end:
                break
            at = at_end
            self.on_frame(kind, flags & LAST, data[first:at])
            if self.socket is None:
                return
        self.rest = data[at:]

    def on_frame(self, kind, is_last, payload):
        if kind == SCOPE:
            self.on_request(is_last, payload)
        elif kind == ABANDON:
            self.is_abandoned = True
            self.is_body_open = False
            if self.exchange is not None:
                self.exchange.on_gone()
            else:
                self.rest_if_leaving()
        elif self.is_body_open:
            self.is_body_open = not is_last
            if self.exchange is not None:
                self.exchange.on_body(payload, is_last)
            else:
                self.rest_if_leaving()
        elif not self.is_abandoned:
            self.refuse("a body frame outside of a request")

    def on_request(self, is_last, payload):
        if self.exchange is not None or self.is_body_open:
            return self.refuse("a request before the end of the last one")
        self.is_body_open = not is_last
        self.is_abandoned = False
        if not self.worker.is_leaving:
            return self.worker.begin(self, payload)
        self.write(NOT_TAKEN_FRAME)

    def on_end(self):
        """The front has gone; or we take nothing more, and it has heard of it."""
        if self.worker.is_leaving and self.rest and self.exchange is None:
            self.write(NOT_TAKEN_FRAME)  # half a request
        self.close()

    def pause(self):
        """Whoever does not take what has come lets the rest wait in the socket."""
        if self.is_reading:
            self.is_reading = False
            self.loop.remove_reader(self.descriptor)

    def resume(self):
        if not self.is_reading and self.socket is not None:
            self.is_reading = True
            self.loop.add_reader(self.descriptor, self.on_readable)

    def rest_if_leaving(self):
        """Nothing but the next request can be lost if reading ends now. What has arrived can still be read; a
        write of the front fails from now on, so it knows that its next request was not taken."""
        if self.worker.is_leaving and self.exchange is None and not self.is_body_open:
            try:
                self.socket.shutdown(SHUT_RD)
            except OSError:
                pass  # the front was faster

    def refuse_frame(self, length, kind, flags, zero):
        if kind not in ASGI_LIMITS:
            self.refuse("a frame of unknown type %d" % kind)
        elif length > ASGI_LIMITS[kind]:
            self.refuse("a frame %s of %d bytes, %d at most" % (NAMES[kind], length, ASGI_LIMITS[kind]))
        else:
            self.refuse("a frame %s with flags %d and %d where zero belongs" % (NAMES[kind], flags, zero))

    def refuse(self, what):
        """The front is not to be understood: after that, nothing that comes from it has a meaning."""
        say("portherd: the front sent " + what + ": connection closed")
        self.close()

    # -- out -------------------------------------------------------------------------------------------------

    def write(self, data):
        """Sends at once what the socket takes. Whoever sends much waits for drained() behind it."""
        if self.unsent:
            self.unsent += data
            return
        if self.socket is None:
            return
        try:
            sent = self.socket.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            return self.close()
        if sent < len(data):
            self.unsent += memoryview(data)[sent:]
            self.loop.add_writer(self.descriptor, self.on_writable)

    def on_writable(self):
        try:
            sent = self.socket.send(self.unsent)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            return self.close()
        del self.unsent[:sent]
        if not self.unsent:
            self.loop.remove_writer(self.descriptor)
            self.bell.ring()

    async def drained(self):
        while self.unsent:
            await self.bell.heard()

    async def write_body(self, block, flags, head=b""):
        """A block of any size, cut into frames as long as they may be; `head` goes out with the first."""
        view = memoryview(block)
        for first in range(0, len(view), BODY_LIMIT):
            part = view[first:first + BODY_LIMIT]
            is_last = first + BODY_LIMIT >= len(view)
            self.write(b"".join((head, pack(len(part), BODY_OUT, flags if is_last else 0, 0), part)))
            head = b""
            if self.unsent:
                await self.drained()

    def release(self, exchange):
        """Its last frame is written. What is left of its body is thrown away."""
        if self.exchange is exchange:
            self.exchange = None
            if self.socket is not None:
                self.resume()
                self.rest_if_leaving()

    def close(self):
        if self.socket is None:
            return
        self.loop.remove_reader(self.descriptor)
        self.loop.remove_writer(self.descriptor)
        self.socket.close()
        self.socket = None
        self.unsent.clear()
        self.bell.ring()
        if self.exchange is not None:
            self.exchange.on_gone()
            self.exchange = None
        self.worker.on_closed(self)
