"""Hangs before it accepts: who connects gets into the backlog, and no further."""
import os
import signal

import worker

worker.say("started %d" % os.getpid())
while True:
    signal.pause()
