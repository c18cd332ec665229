"""Takes its time: serves only when somebody has opened the FIFO `go` in its folder for writing."""
import os

import worker

worker.say("started %d" % os.getpid())
with open("go") as fifo:
    fifo.read()
worker.serve(lambda connection, request: worker.answer(connection, "at last\n"))
