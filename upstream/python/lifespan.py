# The app's own beginning and end: ASGI's lifespan, spec version 2.0. Startup is before the worker is ready, shutdown is
# the last of its drain. An app that raises has no lifespan, and is served without.
from _portherd.bell import Bell
from _portherd.report import say, sentence_of, traceback_of


class Lifespan:
    def __init__(self, loop, app):
        self.loop = loop
        self.app = app
        self.state = {}  # the app fills it; each scope has a copy. None: it has no lifespan
        self.events = ["lifespan.startup"]
        self.bell = Bell(loop)  # for receive()
        self.answer = loop.create_future()  # (kind, message) to the last event; None: the app has ended
        self.task = None
        self.has_received = False

    async def startup(self):
        """What the app says of a failure; None: go on."""
        self.task = self.loop.create_task(self.run())
        answer = await self.answer
        if answer is None:
            self.state = None
        elif answer[0] == "lifespan.startup.failed":
            return answer[1] or "the app gave no reason"
        return None

    async def shutdown(self):
        if self.state is None or self.task.done():
            return
        self.answer = self.loop.create_future()
        self.events.append("lifespan.shutdown")
        self.bell.ring()
        answer = await self.answer
        if answer is not None and answer[0] == "lifespan.shutdown.failed":
            say("portherd: the app's lifespan.shutdown failed: %s" % (answer[1] or "it gave no reason"))

    async def run(self):
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self.app(scope, self.receive, self.send)
        except BaseException as error:
            self.tell(error)
        if not self.answer.done():
            self.answer.set_result(None)

    def tell(self, error):
        """Before the first event that is no failure: many apps know only HTTP. But it may be one behind it."""
        if not self.has_received or (self.answer.done() and self.answer.result()[0].endswith(".failed")):
            return
        say("portherd: the app's lifespan ended: %s" % (traceback_of(error) or sentence_of(error)))

    async def receive(self):
        while not self.events:
            await self.bell.heard()
        self.has_received = True
        return {"type": self.events.pop(0)}

    async def send(self, message):
        kind = message["type"]
        if kind not in ("lifespan.startup.complete", "lifespan.startup.failed", "lifespan.shutdown.complete",
                        "lifespan.shutdown.failed"):
            raise RuntimeError('there is no message "%s" of an app\'s lifespan' % kind)
        if self.answer.done():
            raise RuntimeError('"%s" answers no event' % kind)
        self.answer.set_result((kind, message.get("message", "")))
