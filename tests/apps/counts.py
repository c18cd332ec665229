"""Counts the connections of everyone but the readiness probe: answers "opened N, at most M at a time"."""
import threading

import worker

lock = threading.Lock()
opened = now = most = 0


def one(connection):
    global opened, now, most
    first = [True]

    def story(connection, request):
        global opened, now, most
        with lock:
            if first[0]:
                first[0] = False
                opened, now = opened + 1, now + 1
                most = max(most, now)
            text = "opened %d, at most %d at a time\n" % (opened, most)
        worker.answer(connection, text)

    worker.serve_connection(connection, story)
    with lock:
        now -= not first[0]


accepting = worker.listener()
while True:
    connection, _ = accepting.accept()
    threading.Thread(target=one, args=(connection,), daemon=True).start()
