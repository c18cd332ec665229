# What an app sees of a request: environ and wsgi.input. The app is tests/apps/wsgi/echo.py.
import ast
import unittest

from play import ABANDON, BODY, LAST, REQUEST, Worker, environment, frame, whole


class Requests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.worker = Worker("echo:app", threads=2).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.worker.__exit__()

    def setUp(self):
        self.front = self.worker.connect()

    def tearDown(self):
        self.front.close()

    def seen(self, path, body=None, **more):
        return ast.literal_eval(self.front.get(path, "POST", body, **more)[2].decode())

    # -- environ ---------------------------------------------------------------------------------------------

    def test_the_environment_is_the_fronts_and_the_wsgi_keys(self):
        body = self.front.get("/environ", QUERY_STRING="a=1&b=2", HTTP_COOKIE="",
                              CONTENT_TYPE="text/x")[2].decode()
        self.assertEqual(body.split("\n"), [
            "CONTENT_TYPE=text/x", "HTTP_COOKIE=", "PATH_INFO=/environ", "QUERY_STRING=a=1&b=2",
            "REQUEST_METHOD=GET", "SCRIPT_NAME=", "SERVER_NAME=example.com", "SERVER_PORT=80",
            "SERVER_PROTOCOL=HTTP/1.1", "SERVER_SOFTWARE=portherd", "wsgi.url_scheme=http"])

    def test_values_are_bytes_as_latin_1(self):
        body = self.front.get("/environ", HTTP_X_NAME="caf\xc3\xa9 \xff")[2]
        self.assertIn(b"HTTP_X_NAME=caf\xc3\xa9 \xff\n", body)

    def test_the_wsgi_keys_have_the_types_of_the_spec(self):
        self.assertEqual(self.seen("/types"), (True, (1, 0), True, True, False, True, True))

    def test_the_front_says_https_in_either_way(self):
        self.assertIn(b"wsgi.url_scheme=https", self.front.get("/environ", HTTPS="on")[2])
        self.assertIn(b"wsgi.url_scheme=https", self.front.get("/environ", **{"wsgi.url_scheme": "https"})[2])

    def test_the_front_cannot_replace_what_is_the_workers(self):
        self.assertEqual(self.seen("/types", **{"wsgi.errors": "x", "wsgi.version": "9"})[1], (1, 0))

    # -- wsgi.input ------------------------------------------------------------------------------------------

    def test_without_a_body_the_input_is_at_its_end(self):
        self.assertEqual(self.seen("/twice"), (b"", b"", b"", b"", []))

    def test_an_empty_body_is_at_its_end_too(self):
        self.assertEqual(self.seen("/twice", b""), (b"", b"", b"", b"", []))

    def test_after_its_end_the_input_stays_at_its_end(self):
        self.assertEqual(self.seen("/twice", b"all of it"), (b"all of it", b"", b"", b"", []))

    def test_read_gives_what_was_asked_for_across_frames(self):
        self.front.send(frame(REQUEST, environment("/parts", "POST")))
        for part in b"a" * 1500, b"", b"b" * 1, b"c" * 999:
            self.front.send(frame(BODY, part))
        self.front.send(frame(BODY, b"", LAST))
        self.assertEqual(whole(self.front.answer())[2], b"[1000, 1000, 500, 0]")

    def test_readline_readlines_and_iteration_are_those_of_files(self):
        self.assertEqual(self.seen("/lines", b"one\nlonger\nrest\nand more"),
                         [b"one\n", b"long", b"er\n", b"rest\nand more"])
        self.assertEqual(self.seen("/iteration", b"one\n\ntwo"), [b"one\n", b"\n", b"two"])
        self.assertEqual(self.seen("/readlines", b"one\ntwo\nthree"), [[b"one\n"], [b"two\n", b"three"]])

    def test_a_body_larger_than_all_buffers_arrives_whole(self):
        body = bytes(range(256)) * 20000
        self.front.send(frame(REQUEST, environment("/body", "POST")))
        for first in range(0, len(body), 65536):
            self.front.send(frame(BODY, body[first:first + 65536]))
        self.front.send(frame(BODY, b"", LAST))
        self.assertEqual(whole(self.front.answer())[2], body)

    def test_frames_may_arrive_split_at_any_byte(self):
        message = (frame(REQUEST, environment("/body", "POST")) + frame(BODY, b"first ") + frame(BODY, b"")
                   + frame(BODY, b"second", LAST))
        for cut in range(1, len(message)):
            self.front.send(message[:cut])
            self.front.send(message[cut:])
            self.assertEqual(whole(self.front.answer())[2], b"first second", cut)

    def test_frames_may_arrive_byte_by_byte(self):
        request = frame(REQUEST, environment("/body", "POST"))
        for byte in request + frame(BODY, b"slow") + frame(BODY, b"ly", LAST):
            self.front.send(bytes([byte]))
        self.assertEqual(whole(self.front.answer())[2], b"slowly")

    def test_an_environment_may_be_as_large_as_a_frame(self):
        start = environment("/nothing", HTTP_X_LONG="")
        self.front.send(frame(REQUEST, start + b"x" * (256 * 1024 - len(start)), LAST))
        self.assertEqual(whole(self.front.answer())[2], b"nothing read")
        self.assertEqual(self.front.get("/nothing")[2], b"nothing read")

    def test_a_body_that_the_app_did_not_read_does_not_reach_the_next_request(self):
        for body in b"x", b"x" * 300000:
            self.front.send(frame(REQUEST, environment("/nothing", "POST")))
            for first in range(0, len(body), 65536):
                self.front.send(frame(BODY, body[first:first + 65536]))
            self.front.send(frame(BODY, b"", LAST))
            self.assertEqual(whole(self.front.answer())[2], b"nothing read")
            self.assertEqual(self.front.get("/some", "POST", b"0123456789")[2], b"01234")
            self.assertEqual(self.front.get("/body", "POST", b"next")[2], b"next")

    def test_an_answer_may_be_done_before_the_body_has_arrived(self):
        self.front.send(frame(REQUEST, environment("/nothing", "POST")))
        self.assertEqual(whole(self.front.answer())[2], b"nothing read")
        self.front.send(frame(BODY, b"late"))
        self.front.send(frame(BODY, b"later", LAST))
        self.assertEqual(self.front.get("/body", "POST", b"next")[2], b"next")

    def test_two_connections_are_served_at_once(self):
        other = self.worker.connect()
        self.front.send(frame(REQUEST, environment("/body", "POST")))
        self.assertEqual(other.get("/nothing")[2], b"nothing read")
        self.front.send(frame(BODY, b"still here", LAST))
        self.assertEqual(whole(self.front.answer())[2], b"still here")
        other.close()

    # -- the client leaves -----------------------------------------------------------------------------------

    def test_an_abandon_while_the_body_is_read_is_an_error_to_the_app_and_nobody_is_accused(self):
        before = self.worker.stderr()
        for path in "/body", "/parts", "/iteration":
            self.front.send(frame(REQUEST, environment(path, "POST")) + frame(BODY, b"half"))
            self.front.send(frame(ABANDON))
            self.assertEqual(whole(self.front.answer())[0], "500 Internal Server Error")
            self.assertEqual(self.front.get("/body", "POST", b"next")[2], b"next")
        self.assertEqual(self.worker.stderr(), before)

    def test_what_follows_an_abandon_of_its_body_is_ignored(self):
        self.front.send(frame(REQUEST, environment("/body", "POST")) + frame(BODY, b"half"))
        self.front.send(frame(ABANDON) + frame(BODY, b"other half") + frame(BODY, b"", LAST))
        self.front.answer()
        self.assertEqual(self.front.get("/body", "POST", b"next")[2], b"next")

    def test_an_abandon_may_cross_the_end_of_its_answer(self):
        self.front.get("/nothing")
        self.front.send(frame(ABANDON))
        self.assertEqual(self.front.get("/nothing")[2], b"nothing read")

    def test_a_connection_that_ends_in_a_body_is_an_error_to_the_app_and_nobody_is_accused(self):
        before = self.worker.stderr()
        self.front.send(frame(REQUEST, environment("/body", "POST")) + frame(BODY, b"half")[:-1])
        self.front.close()
        for front in self.worker.connect(), self.worker.connect():  # both threads are free again
            self.assertEqual(front.get("/body", "POST", b"next")[2], b"next")
            front.close()
        self.assertEqual(self.worker.stderr(), before)


if __name__ == "__main__":
    unittest.main()
