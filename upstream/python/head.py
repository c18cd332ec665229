# Checks what an app gives to start_response() and lays it out as the payload of a `head` frame (PEP 3333, RFC
# 9110). Pure: values in, bytes out; a mistake of the app is a ValueError or TypeError. When it is sent is
# answer.py.
from _portherd.frames import FIELDS_LIMIT, HEAD_LIMIT

# Everything a field's value may not hold; NUL is among them, so a separator can only be ours. TAB is allowed.
CONTROLS = bytes(code for code in range(32) if code != 9) + b"\x7f"

TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

PLAIN, LENGTH, HOP = 1, 2, 3

# These belong to one connection, and the connections are the front's business (RFC 9110 7.6.1). PEP 3333
# forbids them to apps; they are dropped without a word, as gunicorn does, because frameworks set them in good
# faith.
HOP_BY_HOP = frozenset((
    "connection", "keep-alive", "proxy-connection",
    "proxy-authenticate", "proxy-authorization",  # between a client and a proxy, which the app is not
    "te", "trailer", "trailers",  # "trailers" is RFC 2616's spelling, and wsgiref's
    "transfer-encoding",  # an app that sends chunks itself is wrong under WSGI: we frame
    "upgrade"))

# Field names seen so far and what they are. Bounded: a name may come from a client.
kinds = {}
KINDS_LIMIT = 512


def lay_out(status, fields):
    """(payload, declared length or None). Raises what is wrong."""
    if type(fields) is not list and not isinstance(fields, list):
        raise TypeError("headers must be a list, not %s" % type(fields).__name__)
    declared = None
    parts = [status]
    for name, value in fields:
        kind = kinds.get(name) or kind_of(name)
        if kind != PLAIN:
            if kind == HOP:
                continue
            declared = length_of(value, declared)
        parts.append(name)
        parts.append(value)
    try:
        text = "\0".join(parts)
        payload = text.encode("latin-1")
    except (TypeError, UnicodeEncodeError):
        raise wrong_text(parts) from None
    if len(payload) - len(payload.translate(None, CONTROLS)) != len(parts) - 1:
        raise wrong_text(parts)
    # RFC 9110 15: a status is 100 to 599. Interim ones are not an answer.
    code = status[:3]
    if status[3:4] != " " or not (code.isascii() and code.isdigit() and "200" <= code <= "599"):
        raise ValueError('status must be like "200 OK", 200 to 599: %r' % status)
    if b"\0 " in payload or b" \0" in payload or b"\t" in payload or payload[-1] == 32:
        payload = stripped(parts)
    refuse_too_much(payload, parts)
    return payload, declared


def refuse_too_much(payload, parts):
    """Both with room for a Content-Length of ours."""
    if len(payload) > HEAD_LIMIT - 64:
        raise ValueError("headers of %d bytes, %d at most" % (len(payload), HEAD_LIMIT - 64))
    if len(parts) > 2 * FIELDS_LIMIT:
        raise ValueError("%d headers, %d at most" % (len(parts) // 2, FIELDS_LIMIT - 1))


def kind_of(name):
    """Classifies a name that was not seen before."""
    if not isinstance(name, str):
        raise TypeError("header name must be str, not %s" % type(name).__name__)
    return classify(name, name, HOP_BY_HOP, kinds)


def classify(name, text, hop_by_hop, kinds):
    """What `name` is, for the next time, too; `text` is the same as str."""
    if not text or not TOKEN.issuperset(text):
        raise ValueError("header name is not a token: %r" % name)
    lower = text.lower()
    kind = HOP if lower in hop_by_hop else LENGTH if lower == "content-length" else PLAIN
    if len(kinds) < KINDS_LIMIT and len(text) < 64:
        kinds[name] = kind
    return kind


def length_of(value, before, wanted=str):
    """A Content-Length; `before`: what another one said, None where there is none. `wanted`: str, or bytes."""
    if not isinstance(value, wanted):
        raise TypeError("header Content-Length must be %s, not %s" % (wanted.__name__, type(value).__name__))
    digits = (value if wanted is str else value.decode("latin-1")).strip(" \t")
    if before is not None or not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        raise ValueError("header Content-Length must be one number: %r" % value)
    return int(digits)


def wrong_text(parts):
    """Which of them is it? Names were checked before."""
    name = "status"
    for index, part in enumerate(parts):
        if index % 2 and index:
            name = "header " + part
            continue
        if not isinstance(part, str):
            return TypeError("%s must be str, not %s" % (name, type(part).__name__))
        try:
            raw = part.encode("latin-1")
        except UnicodeEncodeError:
            return ValueError("%s has a character outside of Latin-1: %r" % (name, part))
        if len(raw) != len(raw.translate(None, CONTROLS)):
            return ValueError("%s has a control character: %r" % (name, part))
    return ValueError("headers are not to be understood")


def stripped(parts):
    """Space around a value is not part of it (RFC 9110 5.5), nor is that of an empty reason."""
    parts = [part if index % 2 else part.strip(" \t") for index, part in enumerate(parts)]
    return "\0".join(parts).encode("latin-1")


def without_length(payload):
    """The same head with no Content-Length in it."""
    parts = payload.split(b"\0")
    kept = parts[:1]
    for index in range(1, len(parts), 2):
        if parts[index].lower() != b"content-length":
            kept += parts[index:index + 2]
    return b"\0".join(kept)
