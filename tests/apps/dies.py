"""Ends in its own way by POST: of /exit with status 3 and a complaint, of /crash by a pointer to nowhere, of /grow by taking
memory until there is none. A GET is answered."""
import ctypes
import os

import worker

MIB = 1 << 20
kept = []


def story(connection, request):
    if request.method == "POST":
        if request.target == "/exit":
            worker.say("the licence has run out")
            os._exit(3)
        if request.target == "/crash":
            ctypes.string_at(0)
        while request.target == "/grow":
            kept.append(b"x" * MIB)
    worker.answer(connection, "%d" % os.getpid())


worker.serve(story)
