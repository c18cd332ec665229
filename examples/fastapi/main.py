from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()


@app.get("/")
async def index():
    return {"hello": "FastAPI"}


@app.get("/items/{number}")
async def item(number: int):
    return {"number": number}


@app.get("/healthz")
def healthz():  # a plain function: FastAPI runs it in a thread of its own
    return "ok"


@app.websocket("/chat")
async def chat(websocket: WebSocket):
    await websocket.accept()
    with suppress(WebSocketDisconnect):
        while True:
            await websocket.send_text(await websocket.receive_text())
