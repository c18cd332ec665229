# The life of an ASGI worker: the app, its lifespan, ready, one event loop that accepts and serves, drain, exit. Read
# main() first. One request is asgi_http.py or asgi_websocket.py; how this module gets here is bootstrap.py. The worker
# with threads, for WSGI, is worker.py, and what both begin with is there.
import asyncio
import os
import signal
import sys
from socket import SHUT_RD

from _portherd import zygote
from _portherd.application import CANNOT_IMPORT, NOT_CALLABLE, refuse
from _portherd.asgi_connection import Connection
from _portherd.asgi_http import HttpExchange
from _portherd.asgi_scope import scope_of
from _portherd.asgi_stacks import tell_tasks_on
from _portherd.asgi_websocket import WebSocketExchange
from _portherd.kind import kind_of
from _portherd.lifespan import Lifespan
from _portherd.report import end_child, say
from _portherd.worker import begin, ignore_interrupts, import_like_python, is_forked, parameters, tell_ready

HAS_EAGER_TASKS = sys.version_info >= (3, 12)  # the first step of a request at once, without a turn of the loop


def main():
    values = parameters()
    import_like_python()
    ignore_interrupts()
    new_loop = find_new_loop()
    # An app may ask for its loop while it is imported. One that is forked has none then: a loop is no good in two processes.
    loop = None if is_forked(values) else begin_loop(new_loop)
    app, listener = begin(values, "PORTHERD_ASGI", refuse_others)
    loop = loop or begin_loop(new_loop)
    worker = Worker(loop, listener, app)
    if "PORTHERD_STACK_SIGNAL" in values:
        tell_tasks_on(int(values["PORTHERD_STACK_SIGNAL"]), int(values.get("PORTHERD_STACK_FD", "2")), worker)
    loop.run_until_complete(worker.live(values.get("NOTIFY_SOCKET")))
    end(loop)
    if is_forked(values):
        zygote.leave()


def find_new_loop():
    try:
        from uvloop import new_event_loop
    except ImportError:
        new_event_loop = asyncio.new_event_loop
    return new_event_loop


def begin_loop(new_loop):
    loop = new_loop()
    asyncio.set_event_loop(loop)
    return loop


def refuse_others(app, name):
    kind = kind_of(app)
    if kind == "wsgi":
        refuse('"%s" is a WSGI app: name it by `wsgi`, not by `asgi`' % name, NOT_CALLABLE)
    if kind == "asgi2":
        refuse('"%s" is an ASGI 2 app, which is called twice; ASGI 3 is wanted (asgiref.compatibility.guarantee_single_callable '
               "makes one of it)" % name, NOT_CALLABLE)


def end(loop):
    """What the app has left running is cancelled, and may clean up. As asyncio.run() does it."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


class Worker:
    def __init__(self, loop, listener, app):
        self.loop = loop
        self.listener = listener
        self.app = app
        self.lifespan = Lifespan(loop, app)
        self.is_leaving = False  # set once, by SIGTERM
        self.is_child = False  # forked by the app: nothing here is its business
        self.connections = set()
        self.exchanges = set()  # whose app has not returned
        self.left = loop.create_future()  # done when both are empty, and nothing new comes
        self.apps_term = signal.SIG_DFL  # what TERM did before it was ours

    async def live(self, notify):
        failure = await self.lifespan.startup()
        if failure is not None:
            refuse("the app's lifespan.startup failed: %s" % failure, CANNOT_IMPORT)
        self.watch_signals()  # after the import: an app may set handlers of its own, but TERM and INT are ours
        self.listener.setblocking(False)
        self.loop.add_reader(self.listener.fileno(), self.accept)
        tell_ready(notify)
        await self.left
        await self.lifespan.shutdown()

    def watch_signals(self):
        self.apps_term = signal.getsignal(signal.SIGTERM)
        self.loop.add_signal_handler(signal.SIGTERM, self.leave)
        ignore_interrupts()
        os.register_at_fork(after_in_child=self.stay_with_parent)

    def stay_with_parent(self):
        """In a child that the app forked: what is ours remains the parent's, see worker.py."""
        self.is_child = True
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, self.apps_term or signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for connection in self.connections:
            if connection.socket is not None:
                connection.socket.close()

    def accept(self):
        while True:
            try:
                accepted = self.listener.accept()[0]
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                return self.accept_later(error)
            accepted.setblocking(False)
            self.connections.add(Connection(self, accepted))

    def accept_later(self, error):
        """What is held open may be closed in a second."""
        if self.is_leaving or self.listener.fileno() < 0:
            return
        say("portherd: accept: %s: trying again in a second" % error.strerror)
        listening = self.listener.fileno()
        self.loop.remove_reader(listening)
        self.loop.call_later(1, lambda: self.is_leaving or self.loop.add_reader(listening, self.accept))

    def leave(self):
        """Takes nothing new, finishes what runs. Connections in the backlog are still accepted, to say
        `not_taken`: shutdown() refuses further ones."""
        if self.is_leaving:
            return
        self.is_leaving = True
        try:
            self.loop.remove_reader(self.listener.fileno())
            self.listener.shutdown(SHUT_RD)
        except (OSError, ValueError):
            pass  # the app closed it
        self.accept()
        for connection in list(self.connections):
            connection.rest_if_leaving()
        for exchange in list(self.exchanges):
            exchange.on_drain()
        self.look_whether_left()

    def begin(self, connection, payload):
        scope = scope_of(payload, self.lifespan.state)
        if scope is None:
            return connection.refuse("a request that is no scope")
        exchange = (HttpExchange if scope["type"] == "http" else WebSocketExchange)(connection, scope)
        connection.exchange = exchange
        self.exchanges.add(exchange)
        if HAS_EAGER_TASKS:
            exchange.task = asyncio.Task(exchange.run(self.app), loop=self.loop, eager_start=True)
        else:
            exchange.task = self.loop.create_task(exchange.run(self.app))

    def over(self, exchange):
        """Its app has returned."""
        self.end_if_child()
        self.exchanges.discard(exchange)
        exchange.task = None
        self.look_whether_left()

    def end_if_child(self):
        if self.is_child:
            end_child()

    def on_closed(self, connection):
        self.connections.discard(connection)
        self.look_whether_left()

    def look_whether_left(self):
        if self.is_leaving and not self.connections and not self.exchanges and not self.left.done():
            self.left.set_result(None)
