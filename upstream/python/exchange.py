# One request, from the front's pairs to the last frame of its answer: the story of PEP 3333, in order.
# environment, call, walk, close, let go. What an answer may look like is answer.py.
import sys
from io import BytesIO

from _portherd.answer import Answer
from _portherd.body import FileWrapper, new_input
from _portherd.connection import Gone
from _portherd.frames import DONE
from _portherd.report import say, sentence_of, traceback_of

Generator = type((lambda: (yield))())


def same_for_all(threads):
    """The part of the environment that does not change from request to request."""
    return {
        "wsgi.version": (1, 0),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": threads > 1,
        "wsgi.multiprocess": True,  # a release runs two workers for a while even where one is configured
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "wsgi.file_wrapper": FileWrapper,
        "SERVER_SOFTWARE": "portherd",
    }


def run(app, payload, connection, same):
    """Answers one request. False: the connection cannot carry another."""
    items = str(payload, "latin-1").split("\0")
    if len(items) & 1:
        connection.refuse("a request whose environment is not of pairs")
    pairs = iter(items)
    environ = dict(zip(pairs, pairs))
    environ.update(same)
    if "wsgi.url_scheme" not in environ:
        environ["wsgi.url_scheme"] = "https" if environ.get("HTTPS") in ("on", "1") else "http"
    answer = Answer(connection, environ.get("REQUEST_METHOD") == "HEAD")
    if not connection.is_body_open:
        environ["wsgi.input"] = BytesIO()
        call(app, environ, answer)
        return answer.is_done
    raw, environ["wsgi.input"] = new_input(connection)
    call(app, environ, answer)
    raw.leave()
    return answer.is_done and connection.discard_body()


def call(app, environ, answer):
    done = DONE
    try:
        result = app(environ, answer.start_response)
        if type(result) is list or type(result) is tuple:
            answer.put_all(result)
        else:
            done = 0
            walk(result, environ, answer)
    except BaseException as error:
        fail(error, environ, answer, done)
    let_go(answer)
    answer.is_over = True
    if answer.is_cut:
        cut = "the app gave more than its Content-Length of %d: cut" % answer.declared
        say("portherd: %s: %s" % (name_of(environ), cut))


def walk(result, environ, answer):
    """Sends what the iterable gives, then closes it, whatever happened."""
    close = getattr(result, "close", None)
    try:
        if send_each(result, answer) and type(result) is Generator:
            close = None  # it has run to its end, there is nothing left in it to close
        answer.end(0 if close else DONE)
    except BaseException as error:
        fail(error, environ, answer, 0 if close else DONE)
    if close is not None:
        close_it(close, environ)


def send_each(result, answer):
    """True: to the end. False: nobody wants more."""
    if not hasattr(result, "__iter__") and callable(result):
        raise TypeError("it returned a %s, which is no answer; if it is the app that this one makes, run with --factory"
                        % type(result).__name__)
    is_single = hasattr(result, "__len__") and len(result) == 1
    for block in result:
        if is_single:
            answer.set_length(len(block))
        if not answer.put(block):
            return False
        if block and not answer.is_whole:
            answer.connection.look()
    return True


def close_it(close, environ):
    try:
        close()
    except BaseException as error:
        tell(error, environ)


def fail(error, environ, answer, done):
    """The app raised, or gave what cannot be sent. 500 if that can still be said, else a cut connection."""
    tell(error, environ)
    try:
        answer.apologize(done)
    except Gone:
        pass


def let_go(answer):
    """Only now is this thread free. An abandoned answer need not be whole: nobody reads it."""
    if answer.is_whole or answer.connection.is_abandoned:
        try:
            answer.let_go()
        except Gone:
            pass


def tell(error, environ):
    if comes_of_leaving(error):
        return  # not the app's fault, and nobody to tell: a client left
    told = traceback_of(error) or sentence_of(error)
    say("portherd: %s: error in the app\n%s" % (name_of(environ), told))


def comes_of_leaving(error):
    for _ in range(100):
        if error is None or isinstance(error, Gone):
            return error is not None
        error = error.__cause__ or error.__context__
    return False


def name_of(environ):
    """Method and path for a log line; repr, because a path may hold line ends."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return "%s %r" % (environ.get("REQUEST_METHOD"), path[:1000])
