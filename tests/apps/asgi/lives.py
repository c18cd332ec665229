# ASGI apps with a lifespan, and those that have another idea of it.
import functools
import os


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        assert (await receive())["type"] == "lifespan.startup"
        scope["state"]["answer"] = "42"
        print("startup", flush=True)
        await send({"type": "lifespan.startup.complete"})
        assert (await receive())["type"] == "lifespan.shutdown"
        print("shutdown", flush=True)
        await send({"type": "lifespan.shutdown.complete"})
        return
    text = scope["state"].pop("answer").encode()
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": text})


async def fails(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


async def returns(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"state" if "state" in scope else b"none"})


async def breaks_later(scope, receive, send):
    if scope["type"] == "http":
        return await returns(scope, receive, send)
    await receive()
    await send({"type": "lifespan.startup.complete"})
    raise ValueError("broken")


def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [b"wsgi"]


class Asgi2:
    def __init__(self, scope):
        self.scope = scope

    async def __call__(self, receive, send):
        pass


class Called:
    async def __call__(self, scope, receive, send):
        await returns(scope, receive, send)


called = Called()


def create_app():
    return Called()


def plain(scope, receive, send):
    return returns(scope, receive, send)


async def with_more(more, scope, receive, send):
    await returns(scope, receive, send)


partial = functools.partial(with_more, "more")


async def forks(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    if os.fork() == 0:
        os._exit(0)
    os.wait()
    await returns(scope, receive, send)


async def comes_back(scope, receive, send):
    """The child forgets to leave and answers, too."""
    if scope["type"] == "lifespan":
        return
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
    await returns(scope, receive, send)
