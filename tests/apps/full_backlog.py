"""Listens on the TCP port of its argument with a backlog that is soon full, answers one connection at a time, and for ever
stops at /hang."""
import signal
import socket
import sys

import worker


def story(connection, request):
    if request.target == "/hang":
        worker.say("hangs")
        while True:
            signal.pause()
    worker.answer(connection, "ok")


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1)
while True:
    worker.serve_connection(listener.accept()[0], story)
