# An ASGI app whose path says what becomes of a WebSocket.
async def app(scope, receive, send):
    if scope["type"] != "websocket":
        raise NotImplementedError(scope["type"])
    connect = await receive()
    assert connect["type"] == "websocket.connect"
    path = scope["path"]
    if path == "/denied":
        await send({"type": "websocket.close"})
        print("denied:", (await receive())["type"], flush=True)
        return
    if path == "/answer":
        await send({"type": "websocket.http.response.start", "status": 401, "headers": [(b"x-why", b"no")]})
        await send({"type": "websocket.http.response.body", "body": b"who are you?"})
        return
    if path == "/raises":
        raise LookupError("no socket")
    if path == "/returns":
        return
    if path == "/early":
        await send({"type": "websocket.send", "text": "too early"})
    if path == "/foreign":
        await send({"type": "websocket.accept", "subprotocol": "other"})
    await send({"type": "websocket.accept", "headers": [(b"x-room", b"1")],
                "subprotocol": scope["subprotocols"][-1] if scope["subprotocols"] else None})
    if path == "/closes":
        return await send({"type": "websocket.close", "code": 4001, "reason": "enough"})
    if path == "/raises_open":
        raise LookupError("in the middle")
    if path == "/returns_open":
        return
    if path == "/megabyte":
        await send({"type": "websocket.send", "bytes": b"x" * 1000000})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            print("disconnect", message["code"], message["reason"], flush=True)
            try:
                await send({"type": "websocket.send", "text": "is anybody there?"})
            except OSError:
                print("nobody", flush=True)
            return
        await send({"type": "websocket.send", **{key: message[key] for key in ("text", "bytes") if key in message}})
