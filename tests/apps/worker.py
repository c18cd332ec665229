"""What the scripted workers share: the socket that each inherits as descriptor 3, and reading and answering HTTP/1.1 with
so little code that it can be wrong on purpose."""
import os
import socket
import threading


def listener():
    return socket.socket(fileno=3)


class Request:
    def __init__(self, head, body):
        self.head, self.body = head, body
        self.method, self.target = head.decode("latin-1").split(" ", 2)[:2]

    def field(self, name):
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.lower() == name.lower().encode():
                return value.strip().decode("latin-1")
        return None


def read_request(stream):
    """The next request with its whole body; None at the end of the connection."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline(65536)
        if not line:
            return None
        head += line
    request = Request(head, b"")
    if request.field("Transfer-Encoding") == "chunked":
        while True:
            size = int(stream.readline(), 16)
            request.body += stream.read(size)
            stream.readline()
            if size == 0:
                break
    else:
        request.body = stream.read(int(request.field("Content-Length") or 0))
    return request


def answer(connection, body, status="200 OK"):
    if isinstance(body, str):
        body = body.encode()
    connection.sendall(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status.encode(), len(body)) + body)


def serve_connection(connection, story):
    with connection, connection.makefile("rb") as stream:
        while True:
            try:
                request = read_request(stream)
            except ConnectionError:
                return
            if request is None:
                return
            if request.target == "*":  # the front asks whether we are there
                answer(connection, "")
            else:
                story(connection, request)


def serve(story):
    """Calls story(connection, request) for each request, connections side by side. Does not return."""
    accepting = listener()
    while True:
        connection, _ = accepting.accept()
        threading.Thread(target=serve_connection, args=(connection, story), daemon=True).start()


def say(text):
    """One line on stdout, at once."""
    os.write(1, text.encode() + b"\n")
