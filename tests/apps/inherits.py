"""Answers with what a worker was born with: descriptors, folder, process group, environment; a line for each."""
import os

import worker

lines = ["descriptor %s" % name for name in sorted(os.listdir("/proc/self/fd"), key=int)[:-1]]  # the last one is listdir's own
lines += ["folder " + os.getcwd(), "pid %d" % os.getpid(), "group %d" % os.getpgrp()]
lines += ["%s=%s" % pair for pair in sorted(os.environ.items())]
worker.serve(lambda connection, request: worker.answer(connection, "\n".join(lines) + "\n"))
