from flask import Flask, Response, request, stream_with_context

app = Flask(__name__)


@app.route("/")
def index():
    return "Hello from Flask, %s\n" % request.remote_addr


@app.route("/healthz")
def healthz():
    return "ok\n"


@app.route("/count/<int:last>")
def count(last):
    """Streams: each line leaves as it is made."""
    lines = ("%d\n" % n for n in range(1, last + 1))
    return Response(stream_with_context(lines), mimetype="text/plain")


@app.route("/echo", methods=["POST"])
def echo():
    return Response(request.get_data(), mimetype="application/octet-stream")
