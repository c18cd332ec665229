"""Keeps what it received, byte for byte, and answers 200 without a body; /-/seen takes out what was kept, one request behind
the other. A request of which the end is missing is kept with <cut> behind it."""
import threading

import worker

seen, lock = [], threading.Lock()


def read_raw(stream):
    """One request as it came; what there is of it, and False, at the end of the connection."""
    raw = b""

    def line():
        nonlocal raw
        raw += (got := stream.readline(65536))
        return got

    def take(count):
        nonlocal raw
        raw += (got := stream.read(count))
        return len(got) == count

    while not raw.endswith(b"\r\n\r\n"):
        if not line():
            return raw, False
    request = worker.Request(raw, b"")
    if request.field("Transfer-Encoding") != "chunked":
        is_whole = take(int(request.field("Content-Length") or 0))
        return raw, is_whole
    while (size := int(line() or b"0", 16)) > 0:
        if not take(size + 2):
            return raw, False
    while (got := line()) != b"\r\n":
        if not got:
            return raw, False
    return raw, True


def serve_connection(connection):
    with connection, connection.makefile("rb") as stream:
        while True:
            try:
                raw, is_whole = read_raw(stream)
            except ConnectionError:
                return
            if not is_whole:
                with lock:
                    seen.extend([raw + b"<cut>"] if raw else [])
                return
            target = raw.split(b" ", 2)[1]
            if target == b"/-/seen":
                with lock:
                    worker.answer(connection, b"".join(seen))
                    seen.clear()
                continue
            if b"X-Request-Id:" in raw:  # else it is the front that asks whether we are there
                with lock:
                    seen.append(raw)
            worker.answer(connection, "")


accepting = worker.listener()
while True:
    threading.Thread(target=serve_connection, args=(accepting.accept()[0],), daemon=True).start()
