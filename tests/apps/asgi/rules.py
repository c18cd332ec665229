# An ASGI app whose path says which rule of the spec is tried.
import asyncio
import json


def shown(value):
    """A scope as JSON: bytes as Latin-1."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    return [shown(item) for item in value] if isinstance(value, (list, tuple)) else value


async def start(send, status=200, headers=()):
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})


async def body(send, block=b"", more=False):
    await send({"type": "http.response.body", "body": block, "more_body": more})


async def scope(scope, receive, send):
    await start(send)
    await body(send, json.dumps(shown(scope)).encode())


async def echo(scope, receive, send):
    await start(send, headers=[(b"x-kept", b"1")])
    while True:
        message = await receive()
        await body(send, message["body"], message["more_body"])
        if not message["more_body"]:
            return


async def bare(scope, receive, send):
    await send({"type": "http.response.start", "status": 204})
    await send({"type": "http.response.body"})


async def big(scope, receive, send):
    await start(send)
    await body(send, b"x" * 1000000)


async def waits(scope, receive, send):
    first = await receive()
    await start(send)
    await body(send, b"begun", True)
    second = await receive()
    print(first["type"], second["type"], flush=True)
    await body(send, b"ignored", True)


async def forever(scope, receive, send):
    await start(send)
    try:
        while True:
            await body(send, b"x" * 1000, True)
    except OSError as error:
        print("forever:", type(error).__mro__[1].__name__, flush=True)
        raise


async def late(scope, receive, send):
    await start(send)
    await body(send, b"all")
    print("late:", (await receive())["type"], flush=True)
    await asyncio.sleep(0)
    print("late: done", flush=True)


async def hint(scope, receive, send):
    await send({"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload"]})
    await start(send)
    await body(send, b"hinted")


async def trailers(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"trailer", b"x-sum")], "trailers": True})
    await body(send, b"summed")
    await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"6")], "more_trailers": True})
    await send({"type": "http.response.trailers", "headers": [(b"connection", b"x"), (b"x-last", b"1")]})


async def one_block(scope, receive, send):
    await receive()
    print("has one", flush=True)
    await start(send)
    await body(send, b"unread")


wrong = {
    "twice": [("start", {}), ("start", {})],
    "body_first": [("body", {})],
    "str_body": [("start", {}), ("body", {"body": "text"})],
    "str_header": [("start", {"headers": [("a", "b")]})],
    "control": [("start", {"headers": [(b"a", b"b\n")]})],
    "token": [("start", {"headers": [(b"a b", b"b")]})],
    "status": [("start", {"status": 99})],
    "too_long": [("start", {"headers": [(b"content-length", b"2")]}), ("body", {"body": b"abc"})],
    "too_short": [("start", {"headers": [(b"content-length", b"4")]}), ("body", {"body": b"abc"})],
    "two_lengths": [("start", {"headers": [(b"content-length", b"4"), (b"Content-Length", b"4")]})],
    "unknown": [("pathsend", {})],
    "nothing": [],
    "unannounced": [("start", {}), ("body", {"body": b"abc", "more_body": True}), ("trailers", {"headers": []})],
    "no_trailers": [("start", {"trailers": True}), ("body", {"body": b"abc"})],
    "trailer_of_str": [("start", {"trailers": True}), ("body", {"body": b"abc"}), ("trailers", {"headers": [("a", "b")]})],
    "half": [("start", {}), ("body", {"body": b"abc", "more_body": True})],
    "behind": [("start", {}), ("body", {"body": b"abc"}), ("body", {"body": b"d"})],
}


async def app(scope_, receive, send):
    if scope_["type"] != "http":
        raise NotImplementedError(scope_["type"])
    name = scope_["path"].strip("/").partition("/")[0]
    if name in wrong:
        for kind, message in wrong[name]:
            message = {"status": 200, **message} if kind == "start" else message
            await send({"type": "http.response." + kind, **message})
        return
    if name == "raises":
        raise LookupError("no such thing")
    if name == "raises_late":
        await start(send)
        await body(send, b"begun", True)
        raise LookupError("too late")
    await globals().get(name, scope)(scope_, receive, send)
