"""Dies of /kill. What asks for /hold waits for a shared lock on the file `gate` of its folder."""
import fcntl
import os
import signal

import worker


def story(connection, request):
    if request.target == "/kill":
        worker.say("dies of %s" % request.method)
        os.kill(os.getpid(), signal.SIGKILL)
    if request.target == "/hold":
        worker.say("holds")
        with open("gate") as gate:
            fcntl.flock(gate, fcntl.LOCK_SH)
    worker.answer(connection, "alive\n")


worker.serve(story)
