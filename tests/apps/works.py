"""Works as long as it is asked to: /3 ends with the third beat from now, so that no machine makes one request longer than another
of its kind. /hold/NAME ends when somebody has written the pipe hold-NAME. Answers "PID MOST": how many it ever had at the
same time."""
import os
import threading
import time

import worker

BEAT = 0.05
lock = threading.Lock()
now = most = 0


def work(beats):
    for _ in range(beats):
        time.sleep(BEAT - time.monotonic() % BEAT)


def story(connection, request):
    global now, most
    with lock:
        now += 1
        most = max(most, now)
    what, _, name = request.target[1:].partition("/")
    if what == "hold":
        open("hold-" + name).read()
    else:
        work(int(what))
    with lock:
        now -= 1
        text = "%d %d" % (os.getpid(), most)
    worker.answer(connection, text)


worker.serve(story)
