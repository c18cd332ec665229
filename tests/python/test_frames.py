# The edges of docs/worker-protocol.md: frames that are wrong, and clients that leave while an answer streams.
import struct
import unittest

from play import (ABANDON, ANSWER_BODY, BODY, DONE, DONE_FRAME, HEAD, LAST, REQUEST, Worker, environment,
                  frame, whole)


class WrongFrames(unittest.TestCase):
    def test_each_ends_its_connection_with_one_line_and_no_other(self):
        good = environment("/body", "POST")
        with Worker("echo:app", threads=2) as worker:
            other = worker.connect()
            for data, line in (
                    (struct.pack("<IBBH", 0, 0, 0, 0), "a frame of unknown type 0"),
                    (struct.pack("<IBBH", 0, 16, 0, 0), "a frame of unknown type 16"),
                    (struct.pack("<IBBH", 0, 255, 0, 0), "a frame of unknown type 255"),
                    (struct.pack("<IBBH", 262145, REQUEST, 1, 0),
                     "a frame request of 262145 bytes, 262144 at most"),
                    (struct.pack("<IBBH", 4294967295, REQUEST, 1, 0),
                     "a frame request of 4294967295 bytes, 262144 at most"),
                    (struct.pack("<IBBH", 5, REQUEST, 3, 0),
                     "a frame request with flags 3 and 0 where zero belongs"),
                    (struct.pack("<IBBH", 5, REQUEST, 0, 1),
                     "a frame request with flags 0 and 1 where zero belongs"),
                    (frame(BODY, b"x", LAST), "a body frame outside of a request"),
                    (frame(REQUEST, b"", LAST), "a request whose environment is not of pairs"),
                    (frame(REQUEST, b"KEY", LAST), "a request whose environment is not of pairs"),
                    (frame(REQUEST, good + b"\0KEY", LAST), "a request whose environment is not of pairs"),
                    (frame(REQUEST, good) + struct.pack("<IBBH", 65537, BODY, 0, 0),
                     "a frame body of 65537 bytes, 65536 at most"),
                    (frame(REQUEST, good) + struct.pack("<IBBH", 1, ABANDON, 0, 0),
                     "a frame abandon of 1 bytes, 0 at most"),
                    (frame(REQUEST, good) + frame(REQUEST, good),
                     "a request before the end of the last one")):
                with self.subTest(line):
                    before = len(worker.stderr())
                    front = worker.connect()
                    front.send(data)
                    self.assertIsNone(front.frame())
                    front.close()
                    self.assertEqual(worker.stderr()[before:],
                                     "portherd: the front sent " + line + ": connection closed\n")
                    self.assertEqual(other.get("/body", "POST", b"fine")[2], b"fine")


class Streams(unittest.TestCase):
    def setUp(self):
        self.worker = None

    def tearDown(self):
        if self.worker:
            self.worker.__exit__()

    def start(self, app):
        self.worker = Worker(app)
        return self.worker.connect()

    def test_blocks_leave_when_they_are_given(self):
        front = self.start("slow:stream")
        front.send(frame(REQUEST, environment("/", "POST")) + frame(BODY, b"first\n"))
        self.assertEqual(front.frame()[0], HEAD)
        self.assertEqual(front.frame(), (ANSWER_BODY, 0, b"first\n"))
        front.send(frame(BODY, b"second\n"))
        self.assertEqual(front.frame(), (ANSWER_BODY, 0, b"second\n"))
        front.send(frame(BODY, b"", LAST))
        self.assertEqual(front.answer(), [(ANSWER_BODY, LAST, b""), (DONE_FRAME, DONE, b"")])

    def test_an_abandoned_generator_is_stopped_and_the_connection_lives(self):
        front = self.start("slow:endless")
        front.request("/abandoned")
        front.frame()
        front.send(frame(ABANDON))
        frames = front.answer()
        self.assertEqual(frames[-1], (DONE_FRAME, DONE, b""))
        self.assertFalse(any(flags & LAST for _, flags, _ in frames))
        self.assertEqual(self.worker.stderr(), "stopped /abandoned\n")
        front.request("/again")
        self.assertEqual(front.frame()[0], HEAD)

    def test_an_abandon_is_seen_behind_the_end_of_a_body_that_was_read(self):
        front = self.start("slow:endless")
        front.send(frame(REQUEST, environment("/abandoned", "POST")) + frame(BODY, b"", LAST)
                   + frame(ABANDON))
        self.assertEqual(front.answer()[-1], (DONE_FRAME, DONE, b""))
        self.assertEqual(self.worker.stderr(), "stopped /abandoned\n")

    def test_a_generator_is_stopped_when_the_front_goes(self):
        front = self.start("slow:endless")
        front.request("/left")
        front.frame()
        front.close()
        self.worker.wait_stderr("stopped /left\n")
        again = self.worker.connect()
        again.request("/again", "HEAD")
        self.assertEqual(again.frame()[0], HEAD)
        self.assertNotIn("Traceback", self.worker.stderr())

    def test_write_raises_when_the_front_goes(self):
        front = self.start("slow:endless_write")
        front.request("/left")
        front.frame()
        front.close()
        self.assertEqual(self.worker.wait_stderr("stopped /left\n"), "stopped /left\n")

    def test_an_iterable_is_closed_when_the_front_goes_within_a_block(self):
        front = self.start("slow:large")
        front.request("/large")
        front.frame()
        front.close()
        self.assertEqual(self.worker.wait_stderr("closed"), "closed /large\n")

    def test_an_abandon_is_seen_within_a_large_block(self):
        front = self.start("slow:large")
        front.request("/large")
        front.frame()
        front.send(frame(ABANDON))
        frames = front.answer()
        self.assertLess(sum(len(payload) for _, _, payload in frames), 8 << 20)
        self.assertEqual(self.worker.stderr(), "closed /large\n")
        front.request("/again", "HEAD")
        self.assertEqual(front.frame()[0], HEAD)

    def test_a_large_block_arrives_whole(self):
        front = self.start("slow:large")
        self.assertEqual(front.get("/large")[2], b"x" * (8 << 20))

    def test_a_request_sent_before_done_ends_the_connection(self):
        front = self.start("slow:endless")
        front.request("/first")
        front.request("/second")
        while front.frame() is not None:
            pass
        self.assertIn("the front sent a request before the end of the last one", self.worker.stderr())
        self.worker.wait_stderr("stopped /first\n")


if __name__ == "__main__":
    unittest.main()
