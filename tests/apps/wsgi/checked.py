# wsgiref's validator between the worker and an app: every rule it knows raises.
from wsgiref.validate import validator


def block(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"checked"]


def stream(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"written ")
    for line in environ["wsgi.input"]:
        write(line)
    environ["wsgi.errors"].write("checked on wsgi.errors\n")
    return iter([b"and ", b"given"])


app = validator(block)
streaming = validator(stream)
