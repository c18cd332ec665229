"""Answers with what it received, byte for byte: the head, and the body."""
import worker

worker.serve(lambda connection, request: worker.answer(connection, request.head + request.body))
