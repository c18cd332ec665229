# The payload of a `scope` frame as an ASGI scope. Pure.
HEX = {b"%x%x" % (high, low): bytes((16 * high + low,)) for high in range(16) for low in range(16)}
HEX.update({digits.upper(): byte for digits, byte in list(HEX.items())})
HEX.update({b"%x%X" % (high, low): bytes((16 * high + low,)) for high in range(10, 16) for low in range(10, 16)})
HEX.update({b"%X%x" % (high, low): bytes((16 * high + low,)) for high in range(10, 16) for low in range(10, 16)})

HTTP = {"version": "3.0", "spec_version": "2.3"}
WEBSOCKET = {"version": "3.0", "spec_version": "2.4"}  # an OSError out of send() when the client has gone
FIXED = 9  # texts before the fields


def scope_of(payload, state):
    """None: these are not the texts of a scope. `state`: what lifespan left, or None."""
    texts = payload.split(b"\0")
    if len(texts) < FIXED or not len(texts) & 1:
        return None
    scheme, version, method, raw_path, query, client, client_port, server, server_port = texts[:FIXED]
    scope = {
        "type": "http",
        "asgi": HTTP.copy(),
        "http_version": version.decode("latin-1"),
        "scheme": scheme.decode("latin-1"),
        "path": (decoded(raw_path) if b"%" in raw_path else raw_path).decode("utf-8", "replace"),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": list(zip(texts[9::2], texts[10::2])),
        "client": (client.decode("latin-1"), int(client_port)) if client else None,
        "server": (server.decode("latin-1"), int(server_port)),
    }
    if scheme[:2] == b"ws":
        scope["type"] = "websocket"
        scope["asgi"] = WEBSOCKET.copy()
        scope["subprotocols"] = subprotocols(scope["headers"])
        scope["extensions"] = {"websocket.http.response": {}}
    else:
        scope["method"] = method.decode("latin-1")
        scope["extensions"] = {"http.response.early_hint": {}, "http.response.trailers": {}}
    if state is not None:
        scope["state"] = state.copy()
    return scope


def decoded(path):
    """A "%" without two digits behind it stands for itself, as in every server that Python apps know."""
    first, *rest = path.split(b"%")
    return first + b"".join([HEX[part[:2]] + part[2:] if part[:2] in HEX else b"%" + part for part in rest])


def subprotocols(headers):
    """RFC 6455 11.3.4: in one field or in many."""
    told = b",".join([value for name, value in headers if name == b"sec-websocket-protocol"]).decode("latin-1")
    return [name for name in (part.strip(" \t") for part in told.split(",")) if name]
