# Flask as it is used: a form, a stream, an error.
import flask

app = flask.Flask(__name__)


@app.route("/")
def index():
    return "flask says hello"


@app.route("/form", methods=["POST"])
def form():
    return "name is " + flask.request.form["name"]


@app.route("/stream")
def stream():
    return flask.Response((str(number) for number in range(5)), mimetype="text/plain")


@app.route("/file")
def file():
    return flask.send_file(__file__, mimetype="text/plain")
