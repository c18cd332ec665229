# Who serves in a worker with threads: one for all that answer at once, and another as soon as one does not.
import os
import shutil
import tempfile
import unittest

from play import Worker, whole

APP = """
import os, threading
def app(environ, start_response):
    if environ["PATH_INFO"].startswith("/wait"):
        open(environ["PATH_INFO"][1:]).read()
    start_response("200 OK", [])
    return [threading.current_thread().name.encode()]
"""


def name_of(front):
    """Of the thread that has answered."""
    return whole(front.answer())[2]


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
