"""Accepts, reads, and never answers anything."""
import os

import worker

worker.say("started %d" % os.getpid())
accepting = worker.listener()
held = []
while True:
    connection, _ = accepting.accept()
    connection.recv(65536)
    held.append(connection)
