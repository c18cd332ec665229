# The app of all configurations here, for whichever server.
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"shop"]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"shop"})
