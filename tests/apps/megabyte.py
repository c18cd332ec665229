"""Answers with 1 MiB: numbered lines, so that nothing can be left out or come twice unseen. `/cut` ends in the middle of it,
`/chunked` says no length."""
import worker

BODY = "".join("%d\n" % i for i in range(200000)).encode()[:1 << 20]


def story(connection, request):
    if request.target == "/cut":
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY[:-1])
        connection.shutdown(2)
    elif request.target == "/chunked":
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))
    else:
        worker.answer(connection, BODY)


worker.serve(story)
