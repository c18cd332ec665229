"""Says hello, and that it is well."""


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [b"well\n" if environ["PATH_INFO"] == "/healthz" else b"Hello from a pod.\n"]
