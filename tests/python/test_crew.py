# Who serves in a worker with threads: one for all that answer at once, and another as soon as one does not.
import importlib
import os
import shutil
import socket
import sys
import tempfile
import threading
import types
import unittest

from play import LAST, PATIENCE, REQUEST, ROOT, Worker, environment, frame, whole

APP = """
import os, threading
held = []
def app(environ, start_response):
    if environ["PATH_INFO"] == "/fill":
        try:
            while True:
                held.append(os.dup(0))
        except OSError:
            pass
    if environ["PATH_INFO"] == "/free":
        while held:
            os.close(held.pop())
    if environ["PATH_INFO"].startswith("/wait"):
        open(environ["PATH_INFO"][1:]).read()
    start_response("200 OK", [])
    return [threading.current_thread().name.encode()]
def deafening(environ, start_response):
    for number in os.listdir("/proc/self/fd"):
        path = "/proc/self/fd/" + number
        if os.path.islink(path) and "eventpoll" in os.readlink(path):
            os.close(int(number))
    return app(environ, start_response)
is_closed = False
def closing(environ, start_response):
    global is_closed
    if not is_closed:
        is_closed = True
        os.close(start_response.__self__.connection.socket.fileno())
    return app(environ, start_response)
"""


def name_of(front):
    """Of the thread that has answered."""
    return whole(front.answer())[2]


def crew_module():
    """upstream/python/crew.py in this interpreter, so that a test can hold one of its threads at a certain step."""
    package = types.ModuleType("_portherd")
    package.__path__ = [os.path.join(ROOT, "upstream", "python")]
    sys.modules.setdefault("_portherd", package)
    return importlib.import_module("_portherd.crew")


class LateLock:
    """A lock that is released only when its deputy has found it taken, and gone to sleep."""

    def __init__(self, crew):
        self.crew = crew
        self.lock = crew.helm
        self.found_taken = threading.Event()

    def acquire(self, blocking=True):
        is_ours = self.lock.acquire(blocking)
        if not is_ours and self.crew.is_asleep:
            self.found_taken.set()
        return is_ours

    def release(self):
        self.found_taken.wait(PATIENCE)
        self.lock.release()


class Deputy(unittest.TestCase):
    def setUp(self):
        self.begun, self.go_on = threading.Semaphore(0), threading.Event()
        self.addCleanup(self.go_on.set)
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(os.path.join(folder, "worker"))
        listener.listen(8)
        self.crew = crew_module().Crew(listener, self.serve)
        self.crew.helm = LateLock(self.crew)
        self.fronts = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        for front in self.fronts:
            self.addCleanup(front.close)
            front.connect(os.path.join(folder, "worker"))
        self.threads = [threading.Thread(target=self.crew.work, daemon=True) for _ in range(2)]
        for thread in self.threads:
            thread.start()

    def serve(self, payload, connection):
        self.begun.release()
        self.go_on.wait()
        return True

    def join(self):
        for thread in self.threads:
            thread.join(PATIENCE)
            self.assertFalse(thread.is_alive())

    def test_it_is_woken_by_a_request_that_comes_while_it_lies_down(self):
        for front in self.fronts:
            front.sendall(frame(REQUEST, environment(), LAST))
        self.assertTrue(self.begun.acquire(timeout=PATIENCE))
        self.assertTrue(self.begun.acquire(timeout=PATIENCE), "the other request waits though a thread is left")
        self.go_on.set()
        self.crew.leave()
        self.join()

    def test_it_is_woken_by_an_end_that_comes_while_it_lies_down(self):
        self.crew.leave()
        self.join()


class Crew(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        with open(os.path.join(self.folder, "shop.py"), "w") as file:
            file.write(APP)
        for name in "wait1", "wait2", "wait3":
            os.mkfifo(os.path.join(self.folder, name))

    def held(self, front, name):
        """Its request, which is being served from now until what is returned is closed."""
        front.request("/" + name)
        return open(os.path.join(self.folder, name), "w")  # waits until it is being read

    def test_nobody_waits_for_those_who_do_not_answer_while_a_thread_is_left(self):
        with Worker("shop:app", threads=3, directory=self.folder) as worker:
            slow, slower, quick = [worker.connect() for _ in range(3)]
            for _ in range(3):
                one, other = self.held(slow, "wait1"), self.held(slower, "wait2")
                first = {quick.get()[2] for _ in range(5)}
                other.close()
                second = name_of(slower)
                one.close()
                self.assertEqual(len({second, name_of(slow)} - first), 2)

    def test_when_all_are_held_the_next_one_is_served_by_the_first_who_comes_back(self):
        with Worker("shop:app", threads=2, directory=self.folder) as worker:
            one, other, third = [worker.connect() for _ in range(3)]
            first, second = self.held(one, "wait1"), self.held(other, "wait2")
            third.request()
            first.close()
            self.assertEqual(name_of(third), name_of(one))
            second.close()
            name_of(other)

    def test_an_app_that_closes_its_connection_costs_no_thread(self):
        with Worker("shop:closing", directory=self.folder) as worker:
            first, second = worker.connect(), worker.connect()
            first.request()
            self.assertIsNone(first.frame())
            self.assertEqual(second.get()[0], "200 OK")
            worker.term()
            self.assertEqual(worker.wait(), 0)

    def test_an_app_that_closes_what_its_worker_waits_on_ends_it_with_a_word(self):
        with Worker("shop:deafening", directory=self.folder) as worker:
            self.assertEqual(worker.connect().get()[0], "200 OK")
            self.assertEqual(worker.wait(), 1)
            self.assertIn("portherd: cannot wait for requests: Bad file descriptor", worker.stderr())

    def test_those_who_are_connected_are_served_while_there_is_no_room_for_another_connection(self):
        with Worker("shop:app", threads=2, directory=self.folder) as worker:
            front = worker.connect()
            front.get("/fill")
            other = worker.connect()
            other.request()
            said = "trying again in a second"
            worker.wait_stderr(said)
            for _ in range(20):
                front.get()
            self.assertLess(worker.stderr().count(said), 10)  # it is not what each of them waited for
            front.get("/free")
            self.assertTrue(name_of(other))

    def test_it_leaves_when_the_last_who_is_held_comes_back(self):
        with Worker("shop:app", threads=3, directory=self.folder) as worker:
            slow, idle = worker.connect(), worker.connect()
            idle.get()
            held = self.held(slow, "wait1")
            idle.get()
            worker.term()
            self.assertIsNone(idle.frame())
            held.close()
            self.assertTrue(name_of(slow))
            self.assertEqual(worker.wait(), 0)


if __name__ == "__main__":
    unittest.main()
