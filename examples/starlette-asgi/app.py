from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute


async def index(request):
    return PlainTextResponse("Hello from Starlette over HTTP/%s\n" % request.scope["http_version"])


async def healthz(request):
    return PlainTextResponse("ok\n")


async def count(request):
    async def lines():
        for n in range(1, request.path_params["last"] + 1):
            yield "%d\n" % n
    return StreamingResponse(lines(), media_type="text/plain")


async def echo(request):
    return PlainTextResponse(await request.body())


async def chat(websocket):
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


app = Starlette(routes=[
    Route("/", index),
    Route("/healthz", healthz),
    Route("/count/{last:int}", count),
    Route("/echo", echo, methods=["POST"]),
    WebSocketRoute("/chat", chat),
])
