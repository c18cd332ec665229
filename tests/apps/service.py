"""A service: says that it runs, and what it was given. Ends by TERM, unless the file `stubborn` is there; with status 3 at
once if `broken` is."""
import os
import signal
import sys

print("runs as %d with %s" % (os.getpid(), sorted(k for k in os.environ if k in ("LISTEN_FDS", "PORTHERD_SOCKET", "PORT"))), flush=True)
if os.path.exists("broken"):
    print("no such queue", flush=True)
    sys.exit(3)


def leave(number, frame):
    print("leaves", flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, signal.SIG_IGN if os.path.exists("stubborn") else leave)
print("waits for jobs", flush=True)
while True:
    signal.pause()
