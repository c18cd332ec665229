"""Dies in the middle of an answer: /length after 5 bytes of 10, /chunked after one chunk, /head within the head, /nothing
before the first byte. Anything else is answered."""
import os

import worker

STARTS = {
    "/length": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
    "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "/head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "/nothing": b"",
}


def story(connection, request):
    if request.target not in STARTS:
        return worker.answer(connection, "whole\n")
    connection.sendall(STARTS[request.target])
    os._exit(1)


worker.serve(story)
