"""Answers with its variable WORD; ends with a complaint where that is `broken`, begins when somebody has written the pipe `go`
where it is `waits`."""
import os
import sys

import worker

word = os.environ.get("WORD", "nothing")
if word == "broken":
    print("WORD is broken", file=sys.stderr, flush=True)
    sys.exit(3)
if word == "waits":
    open("go").read()
worker.serve(lambda connection, request: worker.answer(connection, word))
