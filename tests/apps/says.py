"""Answers with its variable WORD; ends with a complaint where that is `broken`."""
import os
import sys

import worker

word = os.environ.get("WORD", "nothing")
if word == "broken":
    print("WORD is broken", file=sys.stderr, flush=True)
    sys.exit(3)
worker.serve(lambda connection, request: worker.answer(connection, word))
