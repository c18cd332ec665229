"""Ends with status 3 and a complaint while there is no file `fixed` in its folder; serves once there is."""
import os
import sys
import time

import worker

worker.say("started at %f" % time.monotonic())
if not os.path.exists("fixed"):
    print("no such table: customers", file=sys.stderr, flush=True)
    sys.exit(3)
worker.serve(lambda connection, request: worker.answer(connection, "fixed\n"))
