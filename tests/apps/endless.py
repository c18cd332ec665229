"""Answers with a body that does not end until nobody takes it."""
import worker


def story(connection, request):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    try:
        while True:
            connection.sendall(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
    except OSError:
        connection.close()


worker.serve(story)
