"""Dies of /kill, and the first time of /kill-once. Closes the connection of /leave, and of /kill-once later on, without an
answer. What asks for /hold waits for a shared lock on the file `gate` of its folder."""
import fcntl
import os
import signal
import socket

import worker


def story(connection, request):
    if request.target == "/kill":
        worker.say("dies of %s" % request.method)
        os.kill(os.getpid(), signal.SIGKILL)
    if request.target == "/kill-once" and not os.path.exists("killed"):
        with open("killed", "w"):
            os.kill(os.getpid(), signal.SIGKILL)
    if request.target in ("/leave", "/kill-once"):
        connection.shutdown(socket.SHUT_RDWR)
        return
    if request.target == "/hold":
        worker.say("holds")
        with open("gate") as gate:
            fcntl.flock(gate, fcntl.LOCK_SH)
    worker.answer(connection, "alive\n")


worker.serve(story)
