"""A WSGI app without a framework: says hello, over which protocol and from which process."""
import os


def app(environ, start_response):
    text = "Hello over %s from worker process %d\n" % (environ["wsgi.url_scheme"], os.getpid())
    body = text.encode()
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]
