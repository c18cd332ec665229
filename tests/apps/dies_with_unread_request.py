"""Lives as long as nobody asks: dies when the first bytes of a request lie in its socket, unread. With a file `calm` in its
folder it reads and answers, so the replacement of one that died can live."""
import os
import select
import socket
import threading

import worker


def one(connection):
    while True:
        select.select([connection], [], [])
        if os.path.exists("calm"):
            return worker.serve_connection(connection, lambda c, request: worker.answer(c, "calm\n"))
        start = connection.recv(8, socket.MSG_PEEK)
        if start and not start.startswith(b"OPTIONS"):
            open("calm", "w").close()
            worker.say("dies of %r" % start)
            os._exit(1)
        if not start:
            return
        probe(connection)


def probe(connection):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    worker.answer(connection, "")


accepting = worker.listener()
while True:
    connection, _ = accepting.accept()
    threading.Thread(target=one, args=(connection,), daemon=True).start()
