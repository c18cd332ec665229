# One HTTP exchange of an ASGI app: receive(), send(), and what becomes of an app that fails. Spec: ASGI 3.0, "HTTP &
# WebSocket ASGI Message Format". What an answer may look like is asgi_answer.py; the scope is asgi_scope.py.
from asyncio import sleep

from _portherd.asgi_answer import Answer
from _portherd.bell import Bell
from _portherd.connection import Gone
from _portherd.exchange import comes_of_leaving
from _portherd.frames import BODY_LIMIT, DONE_FRAME
from _portherd.report import say, sentence_of, traceback_of

# Messages that the spec has us ignore when the client has gone. One that sends for ever has to end some time.
MOST_IGNORED = 100


class HttpExchange:
    __slots__ = ("connection", "worker", "scope", "answer", "parts", "unread", "is_body_whole", "is_body_told",
                 "is_gone", "ignored", "bell", "task")

    def __init__(self, connection, scope):
        self.connection = connection
        self.worker = connection.worker
        self.scope = scope
        self.answer = Answer(connection, scope["method"] == "HEAD")
        self.parts = []  # of the body, not yet received by the app
        self.unread = 0  # bytes in them
        self.is_body_whole = not connection.is_body_open
        self.is_body_told = False  # the app has had all of it
        self.is_gone = False  # nobody waits for the answer any more
        self.ignored = 0
        self.bell = Bell(self.worker.loop)  # for receive()
        self.task = None

    async def run(self, app):
        try:
            await app(self.scope, self.receive, self.send)
            if not (self.answer.is_whole or self.is_gone):
                raise RuntimeError("the app returned before its answer was whole")
        except BaseException as error:
            self.fail(error)
        finally:
            self.worker.over(self)
        if self.is_gone and not self.answer.is_whole:
            self.connection_is_free()

    # -- from the connection ---------------------------------------------------------------------------------

    def on_body(self, payload, is_last):
        self.parts.append(payload)
        self.unread += len(payload)
        self.is_body_whole = is_last
        if self.unread >= BODY_LIMIT and not is_last:
            self.connection.pause()
        self.bell.ring()

    def on_gone(self):
        self.is_gone = True
        self.bell.ring()

    def on_drain(self):
        pass  # it is finished

    # -- from the app ----------------------------------------------------------------------------------------

    async def receive(self):
        while True:
            if self.is_gone or self.answer.is_whole:
                return {"type": "http.disconnect"}
            if self.parts or (self.is_body_whole and not self.is_body_told):
                return self.next_request()
            await self.bell.heard()

    def next_request(self):
        body = self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)
        self.parts = []
        self.unread = 0
        self.is_body_told = self.is_body_whole
        self.connection.resume()
        return {"type": "http.request", "body": body, "more_body": not self.is_body_whole}

    async def send(self, message):
        kind = message["type"]
        if self.is_gone:
            return await self.ignore()
        if kind == "http.response.body":
            waits = self.answer.body(message.get("body", b""), not message.get("more_body", False))
            if waits is not None:
                await waits
            self.release_if_whole()
        elif kind == "http.response.start":
            self.answer.start(message["status"], message.get("headers", ()), message.get("trailers", False))
        elif kind == "http.response.trailers":
            self.answer.trail(message.get("headers", ()), not message.get("more_trailers", False))
            self.release_if_whole()
        elif kind == "http.response.early_hint":
            self.answer.hint(message.get("links", ()))
        else:
            raise RuntimeError('there is no message "%s" of an app\'s answer' % kind)

    def release_if_whole(self):
        if self.answer.is_whole:
            self.bell.ring()
            self.connection.release(self)

    async def ignore(self):
        """Others get a turn, so that whoever waits for the disconnect hears of it."""
        self.ignored += 1
        if self.ignored > MOST_IGNORED:
            raise Gone("the client has gone")
        await sleep(0)

    # -- the end ---------------------------------------------------------------------------------------------

    def fail(self, error):
        """500 if that can still be said, else a cut connection: never a whole answer. After it, it stands."""
        self.worker.end_if_child()
        if not (self.is_gone and is_about_leaving(error)):
            tell(error, self.scope)
        if self.answer.is_whole or self.is_gone:
            return
        if self.answer.is_begun:
            return self.connection.close()
        self.answer.apologize()
        self.connection.release(self)

    def connection_is_free(self):
        """An abandoned answer need not be whole: nobody reads it."""
        self.connection.write(DONE_FRAME)
        self.connection.release(self)


def is_about_leaving(error):
    """Frameworks raise these out of the app when they have heard of it."""
    return comes_of_leaving(error) or "Disconnect" in type(error).__name__ or \
        type(error).__name__ in ("CancelledError", "RequestAborted")


def tell(error, scope):
    told = traceback_of(error) or sentence_of(error)
    say("portherd: %s: error in the app\n%s" % (name_of(scope), told))


def name_of(scope):
    """Method and path for a log line; repr, because a path may hold line ends."""
    return "%s %r" % (scope.get("method", "WebSocket"), scope["path"][:1000])
