"""/events is an event stream that says "data: PID" at once, and again whenever somebody asks for /say; /silent says it once and no more.
Either ends when its client leaves. /say is answered with the number of streams that it has reached."""
import os
import threading

import worker

EVENT = b"data: %d\n\n" % os.getpid()
lock = threading.Lock()
speaking = []


def story(connection, request):
    if request.target == "/say":
        with lock:
            for stream in speaking:
                stream.sendall(EVENT)
            worker.answer(connection, str(len(speaking)))
        return
    with lock:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + EVENT)
        if request.target == "/events":
            speaking.append(connection)
    while connection.recv(4096):
        pass
    with lock:
        if connection in speaking:
            speaking.remove(connection)
    worker.say("%s has been left" % request.target)
    connection.close()


worker.serve(story)
