# The threads of a WSGI worker, and who of them does what. One waits for all connections at once: it has the helm. What has come
# it serves itself, and with it whatever else came meanwhile: most apps answer at once, and for those another thread would only
# cost a switch to it and a wait for the interpreter's lock. While it serves, the helm is free. The deputy looks every few
# milliseconds whether one request has lasted since it looked last, and if so it takes the helm, and another thread is the
# deputy. An app in which that happens again and again is slow: more and more often the deputy takes the helm as soon as it is
# free, so that nobody waits for him to look. Who finds the helm taken when he comes back from a request sits down with the others.
#
# What is read and written here without a lock is read and written under the interpreter's; what must be one step is a lock.
import errno
import os
from _thread import allocate_lock
from collections import deque
from select import EPOLLET, EPOLLHUP, EPOLLIN, EPOLLRDHUP, epoll
from socket import SHUT_RD
from time import monotonic, sleep  # now: an app may put others in their places (gevent.monkey)

from _portherd.connection import Connection, Gone
from _portherd.report import end_child, say, sentence_of, traceback_of

LOOK = 0.004  # seconds; a request that lasts up to twice as long keeps those behind it waiting
SLOW_FOR = 63  # requests, at most, during which an app is taken for a slow one
RARE = 256  # requests, at least, from one that lasts to the next where it is not
BORED = 4  # looks at an idle worker until the deputy sleeps
REST = 1  # seconds until it is tried again to accept where there was no room for one more
OUT_OF_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)


class Crew:
    def __init__(self, listener, serve):
        """`serve(payload, connection)`: one request, True if the connection can carry another."""
        self.listener = listener
        self.listening = listener.fileno()
        self.serve = serve
        self.is_leaving = False  # set once, by leave()
        self.connections = {}  # by descriptor
        self.ready = deque()  # a request has come, and nobody serves it yet; for who has the helm
        self.helm = allocate_lock()  # held to wait, not to serve
        self.seat = allocate_lock()  # held by the deputy
        self.call = allocate_lock()  # released to wake the deputy
        self.call.acquire()
        self.is_asleep = False  # the deputy, until somebody serves
        self.taken = 0  # requests that were begun
        self.is_slow_for = 1  # for as many requests the deputy waits for the helm; the first thread finds it free
        self.slowness = 0  # what is_slow_for was last
        self.lasted = 0  # `taken` when one lasted last
        self.accepts = True  # the listener is there
        self.rests_until = None  # until then it is not in the poll: there was no room for another connection
        self.is_child = False  # forked by the app: nothing here is its business
        self.is_over = False  # nothing will come any more
        self.bell_reader, self.bell_writer = os.pipe()  # wakes who has the helm, to see that it is over
        os.set_blocking(self.bell_writer, False)
        listener.setblocking(False)
        self.poll = epoll()
        self.poll.register(listener, EPOLLIN | EPOLLRDHUP)
        self.poll.register(self.bell_reader, EPOLLIN | EPOLLET)

    def leave(self):
        """From any thread: takes nothing new, finishes what runs. Connections in the backlog are still accepted, to say
        `not_taken`: shutdown() refuses further ones."""
        if self.is_leaving:
            return
        self.is_leaving = True
        try:
            self.listener.shutdown(SHUT_RD)
        except OSError:
            pass  # the app closed it
        for connection in list(self.connections.values()):
            connection.refuse_more()

    def stay_with_parent(self):
        """In a child that the app forked: copies of ours would keep the front of a dead worker waiting."""
        self.is_child = True
        self.poll.close()
        for connection in self.connections.values():
            connection.socket.close()

    # -- each thread -----------------------------------------------------------------------------------------

    def work(self):
        """Until nothing will come any more."""
        while self.take_helm():
            self.lead()

    def take_helm(self):
        """As the deputy, of whom there is one at a time. False: it is over."""
        with self.seat:
            while not self.is_over:
                if self.is_slow_for:
                    self.is_slow_for -= 1
                    self.helm.acquire()
                elif self.is_one_slow():
                    self.judge()
                else:
                    continue
                if not self.is_over:
                    return True
                self.helm.release()
        return False

    def judge(self):
        """One has lasted: is the app slow, or was it an exception?"""
        is_rare = self.taken - self.lasted > RARE
        self.lasted = self.taken
        self.slowness = 0 if is_rare else min(2 * self.slowness + 1, SLOW_FOR)
        self.is_slow_for = self.slowness

    def is_one_slow(self):
        """True: a request has lasted for a whole look, and the helm is ours."""
        for _ in range(BORED):
            taken = self.taken
            sleep(LOOK)
            if taken == self.taken and self.helm.acquire(False):
                return True
            if taken != self.taken:
                return False
        self.is_asleep = True
        if self.helm.acquire(False):
            self.is_asleep = False
            return True
        self.call.acquire()
        return False

    def lead(self):
        """Has the helm, and gives it up when somebody has taken it meanwhile, or when it is over."""
        while True:
            connection = self.next_ready()
            if connection is None:
                return self.end()
            self.taken += 1
            self.helm.release()
            if self.is_asleep:
                self.wake_deputy()
            self.attend(connection)
            if not self.helm.acquire(False):
                return

    def end(self):
        self.is_over = True
        try:
            self.poll.close()
        except OSError:
            pass  # the app has closed it
        self.helm.release()
        if self.is_asleep:
            self.wake_deputy()

    def wake_deputy(self):
        """is_asleep is looked at after the helm was released, and the deputy does it the other way round: either he finds the helm
        free, or he is called. A call too many makes him look once more."""
        self.is_asleep = False
        try:
            self.call.release()
        except RuntimeError:
            pass  # somebody else has called meanwhile

    # -- who has the helm ------------------------------------------------------------------------------------

    def next_ready(self):
        """A connection that has a request and is ours alone. Waits. None: it is over."""
        while not self.ready:
            if not self.accepts and not self.connections:
                return None
            try:
                events = self.wait()
            except OSError as error:
                say("portherd: cannot wait for requests: %s: the app has closed what it has not opened" % error.strerror)
                return None
            for descriptor, event in events:
                if descriptor == self.bell_reader:
                    os.read(self.bell_reader, 512)
                elif descriptor == self.listening:
                    self.accept(event)
                else:
                    self.hear(self.connections.get(descriptor))
        return self.ready.popleft()

    def wait(self):
        """What has come; nothing, perhaps, when the listener has rested."""
        if self.rests_until is None:
            return self.poll.poll()
        events = self.poll.poll(max(0, self.rests_until - monotonic()))
        if monotonic() >= self.rests_until:
            self.rests_until = None
            self.poll.register(self.listener, EPOLLIN | EPOLLRDHUP)
        return events

    def hear(self, connection):
        """Something has come. If somebody serves this connection he looks himself when he is through."""
        if connection is None:
            return  # he has parted with it meanwhile
        connection.is_rung = True
        if connection.owner.acquire(False) and self.look(connection):
            self.ready.append(connection)

    def accept(self, event):
        try:
            accepted = self.listener.accept()[0]
        except OSError as error:
            if error.errno in OUT_OF_ROOM:
                say("portherd: accept: %s: trying again in a second" % error.strerror)
                self.forget(self.listening)  # what the app holds open may be closed by then
                self.rests_until = monotonic() + REST
            elif error.errno != errno.EAGAIN or event & (EPOLLHUP | EPOLLRDHUP):
                self.stop_accepting(error)
            return
        accepted.settimeout(None)  # the app may have called socket.setdefaulttimeout()
        connection = Connection()
        connection.open(accepted)
        self.connections[accepted.fileno()] = connection
        self.wait_for_request(connection)
        self.poll.register(accepted, EPOLLIN | EPOLLET)

    def stop_accepting(self, error):
        if not self.is_leaving:
            say("portherd: accept: %s" % error)
        self.accepts = False
        self.forget(self.listening)

    def forget(self, descriptor):
        try:
            self.poll.unregister(descriptor)
        except (OSError, ValueError):
            pass  # the app has closed it, or that was what has ended the poll

    # -- who owns a connection -------------------------------------------------------------------------------

    def attend(self, connection):
        """Serves what has come by a connection that is ours, until nothing is left."""
        while self.serve_one(connection):
            self.wait_for_request(connection)
            if not connection.may_have_more():
                connection.owner.release()
                # Whoever has the helm rings, and then asks for the connection; we give it back, and then look.
                if not (connection.is_rung and connection.owner.acquire(False)):
                    return
            if not self.look(connection):
                return

    def look(self, connection):
        """True: a request is there. False: the connection is not ours any more, or is no more."""
        try:
            while True:
                connection.is_rung = False
                if connection.next_request():
                    return True  # served by whoever owns the connection now
                connection.owner.release()
                if not (connection.is_rung and connection.owner.acquire(False)):
                    return False
        except Gone:
            if self.is_leaving and connection.has_part_of_a_request():
                connection.say_not_taken()
            self.part(connection)
            return False

    def serve_one(self, connection):
        """False: the connection has gone."""
        connection.is_waiting = False
        try:
            if self.is_leaving:
                connection.say_not_taken()
                may_go_on = connection.discard_body()
            else:
                may_go_on = self.serve(connection.payload, connection)
            if may_go_on:
                return True
        except Gone:
            pass  # said where it was found, if it is worth a word
        except BaseException as error:  # our own mistake: it costs this connection, not the thread
            told = traceback_of(error, with_ours=True)
            say("portherd: a mistake of ours: %s\n%s" % (sentence_of(error), told))
        self.part(connection)
        return False

    def wait_for_request(self, connection):
        """is_leaving is looked at after is_waiting has changed, and leave() does it the other way round: one of the two sees the
        other, and no request is lost between."""
        connection.is_waiting = True
        if self.is_leaving:
            connection.stop_reading()

    def part(self, connection):
        if self.is_child:
            end_child()
        descriptor = connection.socket.fileno()
        self.forget(descriptor)
        del self.connections[descriptor]  # the last one may be the end, and that of the poll
        connection.close()
        if not self.accepts:
            os.write(self.bell_writer, b".")
