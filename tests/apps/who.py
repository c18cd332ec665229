"""Answers with its process number. It says so on stdout when it starts."""
import os

import worker

worker.say("started %d" % os.getpid())
worker.serve(lambda connection, request: worker.answer(connection, "%d\n" % os.getpid()))
