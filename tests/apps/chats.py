"""/chat is a WebSocket that says "hi" and goes on until its client leaves; anything else is answered with the pid."""
import os

import worker

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def story(connection, request):
    if request.target != "/chat":
        return worker.answer(connection, str(os.getpid()))
    connection.sendall(SWITCHED + b"\x81\x02hi")
    while connection.recv(4096):
        pass
    worker.say("a chat has been left")
    connection.close()


worker.serve(story)
