"""Keeps 8 MiB more for each request; answers with its pid."""
import os

import worker

MIB = 1 << 20
kept = []


def story(connection, request):
    kept.append(b"x" * (8 * MIB))
    worker.answer(connection, "%d" % os.getpid())


worker.serve(story)
