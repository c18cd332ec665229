"""An HTTP/1.1 server on a Unix socket, standing for a program that something else runs.

    python3 server.py [SOCKET]      (elsewhere.sock beside this file)
"""
import http.server
import os
import socketserver
import sys


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # with keep-alive

    def do_GET(self):
        body = b"Hello from elsewhere\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):  # a Unix peer has no address to log
        return "unix"


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "elsewhere.sock")
    path = sys.argv[1] if len(sys.argv) > 1 else beside
    if os.path.exists(path):
        os.unlink(path)
    with Server(path, Answer) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
