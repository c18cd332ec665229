"""Says its arguments to its NOTIFY_SOCKET, a datagram each: `\\n` is a new line, CHILD: a child says the rest, BARRIER: it waits
until nobody has a descriptor that it sends along (sd_notify_barrier(3)). Answers nothing but GET, /sick with 500; whoever asks `OPTIONS *`
is hung up on, and the worker says how often."""
import os
import socket
import subprocess
import sys
import threading

import worker

asked = 0


def say(words):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.connect(os.environ["NOTIFY_SOCKET"])
        for index, word in enumerate(words):
            if word == "CHILD":
                return subprocess.run([sys.executable, __file__, "SAY", *words[index + 1:]], check=True)
            if word == "BARRIER":
                reading, writing = os.pipe()
                socket.send_fds(notify, [b"BARRIER=1"], [writing])
                os.close(writing)
                assert os.read(reading, 1) == b""
            else:
                notify.send(word.replace("\\n", "\n").encode())


def serve(connection):
    global asked
    with connection, connection.makefile("rb") as stream:
        while request := worker.read_request(stream):
            if request.method != "GET":
                asked += 1
                return worker.say("asked %d times" % asked)
            worker.answer(connection, "here\n", "200 OK" if request.target != "/sick" else "500 Internal Server Error")


if sys.argv[1:2] == ["SAY"]:
    say(sys.argv[2:])
    sys.exit()
say(sys.argv[1:])
accepting = worker.listener()
while True:
    threading.Thread(target=serve, args=(accepting.accept()[0],), daemon=True).start()
