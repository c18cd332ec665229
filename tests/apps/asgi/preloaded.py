"""Tells who has imported it, and in which process its lifespan began; says on stdout when that ends."""
import os

imported_by = os.getpid()
begun_in = []


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        begun_in.append(os.getpid())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        print("shutdown in", os.getpid(), flush=True)
        await send({"type": "lifespan.shutdown.complete"})
        return
    told = {"imported_by": imported_by, "begun_in": begun_in, "pid": os.getpid()}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": repr(told).encode()})
