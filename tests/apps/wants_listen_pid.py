"""Takes its socket as sd_listen_fds(3) says: only if LISTEN_PID is its own. Else it says so, and serves nobody."""
import os
import signal

import worker

if os.environ.get("LISTEN_PID") == str(os.getpid()):
    worker.serve(lambda connection, request: worker.answer(connection, "here\n"))
worker.say("no socket for me")
signal.pause()
