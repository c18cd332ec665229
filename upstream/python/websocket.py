# The frames of RFC 6455, the server's side, without extensions: bytes in, messages out, and back. Pure. When they are
# read and written is asgi_websocket.py.
from struct import Struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FAILED = 16  # no frame: the client broke a rule

NORMAL, GOING_AWAY, PROTOCOL_ERROR, NO_CODE, ABNORMAL, NOT_UTF8, TOO_LARGE, ERROR, RESTART = (
    1000, 1001, 1002, 1005, 1006, 1007, 1009, 1011, 1012)

MESSAGE_LIMIT = 16 * 1024 * 1024

LENGTH16 = Struct("!BBH")
LENGTH64 = Struct("!BBQ")


def is_close_code(code):
    """RFC 6455 7.4 and the registry: what may stand in a frame."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


class Broken(Exception):
    """(close code, reason)"""


class Reader:
    """feed() gives what has become whole: (TEXT, str), (BINARY, bytes), (PING, bytes), (CLOSE, (code, reason)), and
    last of all, with nothing behind it, (FAILED, (code, reason)) or the CLOSE."""

    def __init__(self, limit=MESSAGE_LIMIT):
        self.limit = limit
        self.parts = []  # received, and not a whole frame yet
        self.size = 0  # bytes in them
        self.needed = 2  # so many make it worth a look
        self.kind = None  # of the message whose fragments come
        self.fragments = []
        self.fragments_size = 0
        self.is_over = False

    def feed(self, data):
        found = []
        if self.is_over:
            return found
        self.size += len(data)
        self.parts.append(data)
        if self.size < self.needed:
            return found
        data = self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)
        try:
            rest = data[self.walk(data, found):]
        except Broken as broken:
            found.append((FAILED, broken.args))
            self.is_over = True
            rest = b""
        self.parts = [rest] if rest else []
        self.size = len(rest)
        return found

    def walk(self, data, found):
        """How much of `data` is done with."""
        at, end = 0, len(data)
        while not self.is_over:
            self.needed = 2
            if end - at < 2:
                break
            first, second = data[at], data[at + 1]
            length = second & 127
            start = at + 6 if length < 126 else at + 8 if length == 126 else at + 14
            self.check_head(first, second, length)
            if end < start:
                self.needed = start - at
                break
            if length >= 126:
                length = self.long_length(data, at, length)
            if not first & 8 and self.fragments_size + length > self.limit:
                raise Broken(TOO_LARGE, "message of more than %d bytes" % self.limit)
            if end - start < length:
                self.needed = start - at + length
                break
            at = start + length
            self.on_frame(first, unmasked(data[start:at], data[start - 4:start]), found)
        return at

    def check_head(self, first, second, length):
        kind = first & 15
        if first & 0x70:
            raise Broken(PROTOCOL_ERROR, "a reserved bit is set")
        if not second & 128:
            raise Broken(PROTOCOL_ERROR, "a frame is not masked")
        if kind in (CLOSE, PING, PONG):
            if length > 125 or not first & 128:
                raise Broken(PROTOCOL_ERROR, "a control frame is long or fragmented")
        elif kind == CONTINUATION:
            if self.kind is None:
                raise Broken(PROTOCOL_ERROR, "a continuation of nothing")
        elif kind not in (TEXT, BINARY):
            raise Broken(PROTOCOL_ERROR, "an unknown opcode")
        elif self.kind is not None:
            raise Broken(PROTOCOL_ERROR, "a message within another one")

    def long_length(self, data, at, length):
        if length == 126:
            length = LENGTH16.unpack_from(data, at)[2]
            is_short = length < 126
        else:
            length = LENGTH64.unpack_from(data, at)[2]
            is_short = length < 65536
        if is_short or length >> 63:
            raise Broken(PROTOCOL_ERROR, "a length is not as short as it can be")
        return length

    def on_frame(self, first, payload, found):
        kind = first & 15
        if kind == PING:
            found.append((PING, payload))
        elif kind == CLOSE:
            found.append((CLOSE, close_of(payload)))
            self.is_over = True
        elif kind == PONG:
            pass  # nobody asked
        elif first & 128 and self.kind is None:
            found.append(message(kind, payload))
        else:
            self.on_fragment(first, payload, found)

    def on_fragment(self, first, payload, found):
        if self.kind is None:
            self.kind = first & 15
        if payload:  # empty ones come at no cost, and any number of them may
            self.fragments.append(payload)
            self.fragments_size += len(payload)
        if len(self.fragments) > 1024:
            self.fragments = [b"".join(self.fragments)]
        if first & 128:
            whole = message(self.kind, b"".join(self.fragments))
            self.kind, self.fragments, self.fragments_size = None, [], 0
            found.append(whole)


def message(kind, payload):
    if kind == BINARY:
        return BINARY, payload
    try:
        return TEXT, payload.decode("utf-8")
    except UnicodeDecodeError:
        raise Broken(NOT_UTF8, "text is not UTF-8") from None


def close_of(payload):
    if not payload:
        return NO_CODE, ""
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or not is_close_code(code):
        raise Broken(PROTOCOL_ERROR, "a close code that may not be sent")
    return code, message(TEXT, payload[2:])[1]


def unmasked(data, mask):
    """RFC 6455 5.3, all bytes at once: as two large numbers."""
    size = len(data)
    key = mask * (size // 4) + mask[:size % 4]
    return (int.from_bytes(data, "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")


def frame(kind, payload):
    """A whole one; the server's are not masked."""
    size = len(payload)
    if size < 126:
        return bytes((128 | kind, size)) + payload
    if size < 65536:
        return LENGTH16.pack(128 | kind, 126, size) + payload
    return LENGTH64.pack(128 | kind, 127, size) + payload


def close_frame(code, reason=""):
    """NO_CODE: an empty one. The reason is cut to what a control frame holds, between two characters."""
    if code == NO_CODE:
        return frame(CLOSE, b"")
    text = reason.encode("utf-8", "replace")[:123].decode("utf-8", "ignore").encode()
    return frame(CLOSE, code.to_bytes(2, "big") + text)
