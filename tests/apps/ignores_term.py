"""Ignores TERM, and so does the child that it has in its process group."""
import os
import signal

import worker

signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child == 0:
    while True:
        signal.pause()
worker.say("started %d and %d" % (os.getpid(), child))
worker.serve(lambda connection, request: worker.answer(connection, "%d\n" % os.getpid()))
