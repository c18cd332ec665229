# Checks what an ASGI app gives as status and headers, and lays it out as the payload of a `head` frame. Pure: values in,
# bytes out; a mistake of the app is a ValueError or TypeError. The same for WSGI, whose headers are str, is head.py.
from http import HTTPStatus

from _portherd.frames import TRAILERS_LIMIT
from _portherd.head import CONTROLS, HOP, HOP_BY_HOP, PLAIN, classify, length_of, refuse_too_much

STATUS_LINES = {int(status): b"%d %s" % (status, status.phrase.encode()) for status in HTTPStatus}
STATUS_LINES[103] = b"103 Early Hints"

# A WSGI app has no trailers to tell of. The front passes the field on where they can follow.
HOP_BY_HOP_HERE = HOP_BY_HOP - {"trailer"}

kinds = {}  # as head.py's, by bytes


def lay_out(status, fields, first=200):
    """(payload, declared length or None). `first`: the least status. Raises what is wrong."""
    if type(status) is not int and not isinstance(status, int):
        raise TypeError("status must be int, not %s" % type(status).__name__)
    if not first <= status <= 599:
        raise ValueError("status must be %d to 599: %d" % (first, status))
    declared = None
    parts = [STATUS_LINES.get(status) or b"%d" % status]
    for name, value in fields:
        kind = kind_of(name)
        if kind != PLAIN:
            if kind == HOP:
                continue
            declared = length_of(value, declared, bytes)
        parts.append(name)
        parts.append(value)
    try:
        payload = b"\0".join(parts)
    except TypeError:
        raise wrong(parts) from None
    if len(payload) - len(payload.translate(None, CONTROLS)) != len(parts) - 1:
        raise wrong(parts)
    refuse_too_much(payload, parts)
    return payload, declared


def lay_out_trailers(fields):
    """The payload of a `trailers` frame. What may be no trailer the front leaves out."""
    payload = lay_out(200, [(name, value) for name, value in fields if kind_of(name) == PLAIN])[0].partition(b"\0")[2]
    if len(payload) > TRAILERS_LIMIT:
        raise ValueError("trailers of %d bytes, %d at most" % (len(payload), TRAILERS_LIMIT))
    return payload


def kind_of(name):
    try:
        return kinds[name]
    except (KeyError, TypeError):
        pass
    if not isinstance(name, bytes):
        raise TypeError("header name must be bytes, not %s" % type(name).__name__)
    return classify(name, name.decode("latin-1"), HOP_BY_HOP_HERE, kinds)


def wrong(parts):
    """Which of them is it? Names were checked before."""
    for name, value in zip(parts[1::2], parts[2::2]):
        text = name.decode("latin-1")
        if not isinstance(value, bytes):
            return TypeError("header %s must be bytes, not %s" % (text, type(value).__name__))
        if len(value) != len(value.translate(None, CONTROLS)):
            return ValueError("header %s has a control character: %r" % (text, value))
    return ValueError("headers are not to be understood")
