# One WebSocket of an ASGI app: the handshake (RFC 6455 4.2), messages both ways, and how it ends. The frames themselves
# are websocket.py. Spec: ASGI 3.0, "HTTP & WebSocket ASGI Message Format".
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections import deque
from hashlib import sha1

from _portherd.asgi_answer import Answer
from _portherd.asgi_head import lay_out
from _portherd.asgi_http import is_about_leaving, tell
from _portherd.bell import Bell
from _portherd.connection import Gone
from _portherd.frames import BODY_LIMIT, BODY_OUT, DONE, DONE_FRAME, HEAD, HEAD_OUT, LAST
from _portherd.websocket import (
    ABNORMAL, BINARY, CLOSE, ERROR, FAILED, NORMAL, NO_CODE, PING, PONG, RESTART, TEXT, Reader, close_frame, frame,
    is_close_code)

pack = HEAD.pack

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
OURS = frozenset((b"sec-websocket-accept", b"sec-websocket-protocol", b"sec-websocket-extensions"))

# RFC 6455 7.1.1: who has said Close waits for the other's, but not for ever.
CLOSE_PATIENCE = 5  # seconds


class WebSocketExchange:
    __slots__ = ("connection", "worker", "scope", "answer", "reader", "messages", "unread", "state", "is_told",
                 "ending", "bell", "timer", "task")

    # asked: the app has not answered the handshake. open: it has accepted. closing: our Close is out. over: the
    # slot is free.
    ASKED, OPEN, CLOSING, OVER = range(4)

    def __init__(self, connection, scope):
        self.connection = connection
        self.worker = connection.worker
        self.scope = scope
        self.answer = Answer(connection, False)  # to a handshake that the app denies
        self.reader = Reader()
        self.messages = deque()  # not yet received by the app, (kind, payload)
        self.unread = 0  # bytes in them
        self.state = self.ASKED
        self.is_told = False  # the app has had websocket.connect
        self.ending = None  # (code, reason) of its websocket.disconnect
        self.bell = Bell(self.worker.loop)  # for receive()
        self.timer = None  # until the client's Close
        self.task = None

    async def run(self, app):
        wrong = handshake_error(self.scope["headers"])
        try:
            if wrong is not None:
                self.deny(*wrong)
            else:
                await app(self.scope, self.receive, self.send)
                if self.state == self.ASKED:
                    raise RuntimeError("the app returned without an answer to the handshake")
                self.close(NORMAL, "")
        except BaseException as error:
            self.fail(error)
        finally:
            self.worker.over(self)

    # -- from the connection ---------------------------------------------------------------------------------

    def on_body(self, payload, is_last):
        pongs = []
        for kind, content in self.reader.feed(payload):
            if kind == PING:
                pongs.append(frame(PONG, content))
            elif kind == CLOSE:
                self.on_close(*content)
            elif kind == FAILED:
                self.end(close_frame(*content), *content)
            elif self.state == self.OPEN:
                self.messages.append((kind, content))
                self.unread += len(content)
        if pongs and self.state == self.OPEN:
            self.write(b"".join(pongs))
        if is_last and self.state in (self.OPEN, self.CLOSING):
            self.end(b"", ABNORMAL, "")
        # Pongs wait behind what the client does not read, and so does the client.
        if self.unread >= BODY_LIMIT or self.connection.unsent:
            self.connection.pause()
            if self.unread < BODY_LIMIT:
                self.worker.loop.create_task(self.resume())
        self.bell.ring()

    async def resume(self):
        await self.connection.drained()
        if self.unread < BODY_LIMIT:
            self.connection.resume()

    def on_close(self, code, reason):
        """The client's Close is answered by ours, or is the answer to it."""
        is_answer = self.state == self.CLOSING
        self.end(b"" if is_answer else close_frame(code), code, reason)

    def on_gone(self):
        self.end(b"", ABNORMAL, "")

    def on_drain(self):
        self.close(RESTART, "Service Restart")

    # -- from the app ----------------------------------------------------------------------------------------

    async def receive(self):
        while True:
            if not self.is_told:
                self.is_told = True
                return {"type": "websocket.connect"}
            if self.messages:
                return self.next_message()
            if self.ending is not None:
                return {"type": "websocket.disconnect", "code": self.ending[0], "reason": self.ending[1]}
            await self.bell.heard()

    def next_message(self):
        kind, content = self.messages.popleft()
        self.unread -= len(content)
        if self.unread < BODY_LIMIT and not self.connection.unsent:
            self.connection.resume()
        return {"type": "websocket.receive", "text" if kind == TEXT else "bytes": content}

    async def send(self, message):
        kind = message["type"]
        if kind == "websocket.send":
            await self.send_message(message.get("text"), message.get("bytes"))
        elif kind == "websocket.accept":
            self.accept(message.get("subprotocol"), message.get("headers", ()))
        elif kind == "websocket.close":
            self.close_by_app(message.get("code"), message.get("reason") or "")
        elif kind == "websocket.http.response.start":
            self.check_asked(kind)
            self.answer.start(message["status"], message.get("headers", ()))
        elif kind == "websocket.http.response.body":
            self.check_asked(kind)
            waits = self.answer.body(message.get("body", b""), not message.get("more_body", False))
            if waits is not None:
                await waits
            if self.answer.is_whole:
                self.over(ABNORMAL, "")
        else:
            raise RuntimeError('there is no message "%s" of an app\'s WebSocket' % kind)

    async def send_message(self, text, data):
        if (text is None) == (data is None):
            raise RuntimeError("websocket.send has neither or both of `text` and `bytes`")
        if self.state == self.ASKED:
            raise RuntimeError("websocket.send before websocket.accept")
        if self.state != self.OPEN:
            raise Gone("the WebSocket is closed")
        block = frame(BINARY, bytes(data)) if text is None else frame(TEXT, text.encode("utf-8"))
        if len(block) <= BODY_LIMIT:
            self.write(block)
            if self.connection.unsent:
                await self.connection.drained()
        else:
            await self.write_long(block)

    async def write_long(self, block):
        """In pieces, between which no other frame may come."""
        for first in range(0, len(block), BODY_LIMIT):
            self.write(block[first:first + BODY_LIMIT])
        await self.connection.drained()

    def accept(self, subprotocol, headers):
        self.check_asked("websocket.accept")
        if self.answer.head is not None:
            raise RuntimeError("websocket.accept after websocket.http.response.start")
        if subprotocol is not None and subprotocol not in self.scope["subprotocols"]:
            raise ValueError("the client has not offered the subprotocol %r" % subprotocol)
        head, declared = lay_out(101, headers, first=101)
        if declared is not None or any(name.lower() in OURS for name, _ in headers):
            raise ValueError("websocket.accept may not set content-length or a sec-websocket field")
        head += b"\0upgrade\0websocket\0sec-websocket-accept\0" + accept_to(self.scope["headers"])
        if subprotocol is not None:
            head += b"\0sec-websocket-protocol\0" + subprotocol.encode("latin-1")
        self.state = self.OPEN
        if self.connection.is_abandoned:
            return
        self.connection.is_body_open = True
        self.connection.write(pack(len(head), HEAD_OUT, 0, 0) + head)
        if self.worker.is_leaving:
            self.on_drain()

    def check_asked(self, kind):
        if self.state == self.OVER:
            raise Gone("the client has gone")
        if self.state != self.ASKED:
            raise RuntimeError('"%s" after the answer to the handshake' % kind)

    def close_by_app(self, code, reason):
        code = NORMAL if code is None else code
        if not is_close_code(code):
            raise ValueError("the close code %r may not be sent" % code)
        if self.state == self.ASKED:
            if self.answer.head is not None:
                raise RuntimeError("websocket.close after websocket.http.response.start")
            self.deny(403, ())
        elif self.state == self.OPEN:
            self.close(code, reason)
        elif self.ending is None:
            raise RuntimeError("websocket.close after websocket.close")

    # -- the end ---------------------------------------------------------------------------------------------

    def deny(self, status, headers):
        self.answer.start(status, headers)
        self.answer.body(b"", True)
        self.over(ABNORMAL, "")

    def close(self, code, reason):
        """Says Close, and waits for the client's."""
        if self.state != self.OPEN:
            return
        self.state = self.CLOSING
        self.write(close_frame(code, reason))
        self.ending = (code, reason)
        self.messages.clear()
        self.unread = 0
        self.connection.resume()
        self.timer = self.worker.loop.call_later(CLOSE_PATIENCE, self.end, b"", code, reason)
        self.bell.ring()

    def end(self, last_words, code, reason):
        """The tunnel has ended; nothing is waited for."""
        if self.state == self.OVER:
            return
        size = len(last_words)
        is_open = self.state != self.ASKED
        self.connection.write(pack(size, BODY_OUT, LAST | DONE, 0) + last_words if is_open else DONE_FRAME)
        self.over(code, reason)

    def over(self, code, reason):
        self.state = self.OVER
        if self.ending is None:
            self.ending = (code, reason)
        if self.timer is not None:
            self.timer.cancel()
        self.connection.release(self)
        self.bell.ring()

    def fail(self, error):
        self.worker.end_if_child()
        if not (self.ending is not None and is_about_leaving(error)):
            tell(error, self.scope)
        if self.state == self.OPEN:
            self.close(ERROR, "Internal Error")
        elif self.state == self.ASKED:
            if self.answer.is_begun:
                self.connection.close()
            else:
                self.answer.apologize()
                self.over(ABNORMAL, "")

    def write(self, block):
        self.connection.write(pack(len(block), BODY_OUT, 0, 0) + block)


def handshake_error(headers):
    """RFC 6455 4.2.1: (status, fields) of the refusal. Upgrade and Connection the front has looked at."""
    if [value for name, value in headers if name == b"sec-websocket-version"] != [b"13"]:
        return 426, ((b"sec-websocket-version", b"13"),)
    keys = [value for name, value in headers if name == b"sec-websocket-key"]
    try:
        is_key = len(keys) == 1 and len(b64decode(keys[0], validate=True)) == 16
    except NotBase64:
        is_key = False
    return None if is_key else (400, ())


def accept_to(headers):
    key = next(value for name, value in headers if name == b"sec-websocket-key")
    return b64encode(sha1(key + GUID).digest())
