"""Answers its pid; once /break was asked for, its health is 500 for good, while all else is answered as before."""
import os

import worker

is_broken = False


def story(connection, request):
    global is_broken
    is_broken = is_broken or request.target == "/break"
    bad = is_broken and request.target == "/healthz"
    worker.answer(connection, str(os.getpid()), "500 Internal Server Error" if bad else "200 OK")


worker.serve(story)
