# The HTTP half of ASGI 3.0 as the worker keeps it, and its life: a test for each rule of the spec.
import json
import signal
import unittest

from play import (ABANDON, ANSWER_BODY, BODY, DONE, DONE_FRAME, HEAD, INTERIM, LAST, NOT_TAKEN, SCOPE, TRAILERS, AsgiWorker,
                  Worker, frame, pythons, scope, whole)


class Http(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.worker = AsgiWorker("rules:app")

    @classmethod
    def tearDownClass(cls):
        cls.worker.__exit__()

    def setUp(self):
        self.front = self.worker.connect()

    def test_the_scope(self):
        fields = [("host", "a:8000"), ("x_one", "1"), ("x-one", "2"), ("x-one", "\xe9")]
        said = json.loads(self.front.fetch("/scope%20x/%C3%A9%2F%zz", fields=fields, query="a=%20&b")[2])
        self.assertEqual(said, {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
            "scheme": "http", "path": "/scope x/\xe9/%zz", "raw_path": "/scope%20x/%C3%A9%2F%zz", "query_string": "a=%20&b",
            "root_path": "", "headers": [list(field) for field in fields], "client": ["192.0.2.7", 4711],
            "server": ["example.com", 80], "extensions": {"http.response.early_hint": {}, "http.response.trailers": {}}})

    def test_a_client_without_an_address_is_None(self):
        self.assertIsNone(json.loads(self.front.fetch("/scope", client="")[2])["client"])

    def test_a_path_that_is_not_UTF_8_is_not_lost(self):
        said = json.loads(self.front.fetch("/scope%ff")[2])
        self.assertEqual((said["path"], said["raw_path"]), ("/scope\ufffd", "/scope%ff"))

    def test_a_small_answer_is_one_head_one_body_and_done(self):
        self.front.ask("/scope")
        frames = self.front.answer()
        self.assertEqual([(kind, flags) for kind, flags, _ in frames], [(HEAD, 0), (ANSWER_BODY, LAST | DONE)])
        self.assertIn(b"\0content-length\0%d" % len(frames[1][2]), frames[0][2])

    def test_bodies_go_both_ways_while_they_come(self):
        self.front.send(frame(SCOPE, scope("/echo", method="POST")))
        for text in (b"one", b"two"):
            self.front.send(frame(BODY, text))
            if text == b"one":
                self.assertEqual(self.front.frame()[0], HEAD)
            self.assertEqual(self.front.frame(), (ANSWER_BODY, 0, text))
        self.front.send(frame(BODY, b"", LAST))
        self.assertEqual(self.front.frame(), (ANSWER_BODY, LAST | DONE, b""))
        self.assertEqual(self.front.fetch("/echo", b"again")[2], b"again")  # and the connection goes on

    def test_a_large_answer_comes_in_frames_as_long_as_they_may_be(self):
        self.front.ask("/big")
        status, fields, body = whole(self.front.answer())
        self.assertEqual((status, body), ("200 OK", b"x" * 1000000))
        self.assertIn(("content-length", "1000000"), fields)

    def test_an_answer_without_a_body(self):
        self.front.ask("/bare")
        self.assertEqual(self.front.answer(), [(HEAD, LAST | DONE, b"204 No Content")])
        self.front.ask("/scope", method="HEAD")
        self.assertEqual([(kind, flags) for kind, flags, _ in self.front.answer()], [(HEAD, LAST | DONE)])

    def test_early_hints(self):
        self.front.ask("/hint")
        frames = self.front.answer()
        self.assertEqual(frames[0], (INTERIM, 0, b"103 Early Hints\0link\0</a.css>; rel=preload"))
        self.assertEqual(whole(frames[1:])[2], b"hinted")

    def test_trailers(self):
        self.front.ask("/trailers")
        self.assertEqual(self.front.answer(), [
            (HEAD, 0, b"200 OK\0trailer\0x-sum"), (ANSWER_BODY, 0, b"summed"), (TRAILERS, LAST | DONE, b"x-sum\x006\0x-last\x001")])
        self.front.ask("/trailers", method="HEAD")
        self.assertEqual([kind for kind, _, _ in self.front.answer()], [HEAD])

    def test_the_app_hears_of_a_client_that_leaves_and_may_go_on_sending(self):
        self.front.ask("/waits")
        self.assertEqual([self.front.frame()[0], self.front.frame()[0]], [HEAD, ANSWER_BODY])
        self.front.send(frame(ABANDON))
        self.assertEqual(self.front.frame(), (DONE_FRAME, DONE, b""))
        self.assertEqual(self.worker.wait_line(), "http.request http.disconnect")
        self.assertEqual(self.front.fetch("/echo", b"again")[2], b"again")

    def test_who_sends_for_ever_to_nobody_ends(self):
        self.front.ask("/forever")
        self.front.frame()
        self.front.send(frame(ABANDON))
        while self.front.frame() != (DONE_FRAME, DONE, b""):
            pass
        self.assertEqual(self.worker.wait_line(), "forever: ConnectionAbortedError")

    def test_a_front_that_goes_is_a_client_that_leaves(self):
        self.front.ask("/waits")
        self.front.frame()
        self.front.close()
        self.assertEqual(self.worker.wait_line(), "http.request http.disconnect")

    def test_the_slot_is_free_with_the_last_byte_and_the_app_may_go_on(self):
        self.front.ask("/late")
        self.assertEqual(whole(self.front.answer())[2], b"all")
        self.assertEqual(self.worker.wait_line(), "late: http.disconnect")
        self.assertEqual(self.worker.wait_line(), "late: done")

    def test_what_of_a_body_is_not_received_waits_in_the_socket(self):
        self.front.send(frame(SCOPE, scope("/one_block", method="POST")) + frame(BODY, b"x"))
        self.assertEqual(self.worker.wait_line(), "has one")
        self.assertEqual(whole(self.front.answer())[2], b"unread")
        self.front.send(frame(BODY, b"y" * 60000) * 3 + frame(BODY, b"", LAST))  # thrown away
        self.assertEqual(self.front.fetch("/echo", b"again")[2], b"again")

    def test_mistakes_before_the_answer_has_begun_are_500_and_an_error_in_the_app(self):
        for name, said in (
            ("raises", "LookupError: no such thing"),
            ("twice", "RuntimeError: the answer was started before"),
            ("body_first", "RuntimeError: a body before the start of the answer"),
            ("str_body", "TypeError: the body must be bytes, not str"),
            ("str_header", "TypeError: header name must be bytes, not str"),
            ("control", "ValueError: header a has a control character: b'b\\n'"),
            ("token", "ValueError: header name is not a token: b'a b'"),
            ("status", "ValueError: status must be 200 to 599: 99"),
            ("too_long", "RuntimeError: the app declared a content-length of 2 and gave more"),
            ("too_short", "RuntimeError: the app declared a content-length of 4 and gave 3 bytes"),
            ("two_lengths", "ValueError: header Content-Length must be one number"),
            ("unknown", 'RuntimeError: there is no message "http.response.pathsend" of an app\'s answer'),
            ("nothing", "RuntimeError: the app returned before its answer was whole"),
        ):
            with self.subTest(name):
                self.assertEqual(self.front.fetch("/" + name)[0], "500 Internal Server Error")
                self.assertIn("portherd: GET '/%s': error in the app\n" % name, self.worker.wait_stderr(said))

    def test_mistakes_after_it_cut_the_answer(self):
        for name, said in (("raises_late", "LookupError: too late"), ("half", "before its answer was whole"),
                           ("no_trailers", "before its answer was whole"), ("unannounced", "has not announced"),
                           ("trailer_of_str", "header name must be bytes, not str")):
            with self.subTest(name):
                front = self.worker.connect()
                front.ask("/" + name)
                self.assertIsNone(front.answer()[-1])
                self.worker.wait_stderr(said)

    def test_a_message_behind_a_whole_answer_leaves_it_whole(self):
        self.assertEqual(self.front.fetch("/behind")[2], b"abc")
        self.worker.wait_stderr("RuntimeError: a body after the end of the answer")

    def test_frames_that_break_the_protocol_end_the_connection(self):
        for name, data, said in (
            ("an environment", frame(1, b"", LAST), "a frame of unknown type 1"),
            ("no scope", frame(SCOPE, b"http\x001.1", LAST), "a request that is no scope"),
            ("a field without a value", frame(SCOPE, scope(fields=[("a",)]), LAST), "a request that is no scope"),
            ("a body of nothing", frame(BODY, b"x"), "a body frame outside of a request"),
            ("a flag", frame(SCOPE, scope(), 2), "a frame scope with flags 2"),
            ("two at once", frame(SCOPE, scope("/echo")) * 2, "a request before the end of the last one"),
        ):
            with self.subTest(name):
                front = self.worker.connect()
                front.send(data)
                self.assertIsNone(front.frame())
                self.worker.wait_stderr("the front sent " + said)

    def test_many_connections_are_served_at_the_same_time(self):
        fronts = [self.worker.connect() for _ in range(50)]
        for front in fronts:
            front.send(frame(SCOPE, scope("/echo", method="POST")))
        for index, front in reversed(list(enumerate(fronts))):
            front.send(frame(BODY, b"%d" % index, LAST))
            self.assertEqual(whole(front.answer())[2], b"%d" % index)


class Life(unittest.TestCase):
    def refused(self, app, kind=AsgiWorker, **more):
        with kind(app, wait=False, **more) as worker:
            return worker.wait(), worker.stderr()

    def test_startup_is_before_ready_and_shutdown_the_last_of_the_drain(self):
        with AsgiWorker("lives:app") as worker:
            self.assertEqual(worker.wait_line(), "startup")
            front = worker.connect()
            self.assertEqual(front.fetch()[2], b"42")
            self.assertEqual(front.fetch()[2], b"42")  # each request has its own copy of the state
            worker.term()
            self.assertEqual(worker.wait(), 0)
            self.assertEqual(worker.wait_line(), "shutdown")
            self.assertEqual(worker.stderr(), "")

    def test_a_failed_startup_is_told_in_the_apps_words(self):
        self.assertEqual(self.refused("lives:fails"), (1, "portherd: the app's lifespan.startup failed: no database\n"))

    def test_an_app_without_a_lifespan_is_served_without(self):
        for app in ("lives:returns", "lives:called", "lives:create_app()", "lives:plain", "lives:partial"):
            with self.subTest(app), AsgiWorker(app) as worker:
                self.assertEqual(worker.connect().fetch()[2], b"none")
                worker.term()
                self.assertEqual(worker.wait(), 0)

    def test_a_lifespan_that_ends_early_is_told_and_the_app_served(self):
        with AsgiWorker("lives:breaks_later") as worker:
            self.assertEqual(worker.connect().fetch()[2], b"state")
            worker.wait_stderr("ValueError: broken")
            worker.term()
            self.assertEqual(worker.wait(), 0)

    def test_apps_of_another_kind_are_refused_by_name(self):
        self.assertEqual(self.refused("lives:wsgi"),
                         (3, 'portherd: "lives:wsgi" is a WSGI app: name it by `wsgi`, not by `asgi`\n'))
        status, said = self.refused("lives:Asgi2")
        self.assertEqual((status, said.partition(",")[0]), (3, 'portherd: "lives:Asgi2" is an ASGI 2 app'))
        for app in ("lives:app", "lives:called"):
            status, said = self.refused(app, Worker, directory=AsgiWorker.DIRECTORY)
            self.assertEqual((status, said),
                             (3, 'portherd: "%s" is an ASGI app: name it by `asgi`, not by `wsgi`\n' % app))

    def test_a_drain_finishes_what_runs_and_takes_nothing_new(self):
        with AsgiWorker("rules:app") as worker:
            busy, idle, half = worker.connect(), worker.connect(), worker.connect()
            self.assertEqual(idle.fetch("/echo", b"x")[2], b"x")
            busy.send(frame(SCOPE, scope("/echo", method="POST")) + frame(BODY, b"one"))
            self.assertEqual([busy.frame()[0], busy.frame()[2]], [HEAD, b"one"])
            half.send(frame(SCOPE, scope("/echo"))[:10])
            self.assertEqual(idle.fetch("/echo", b"x")[2], b"x")  # the half has arrived, too
            worker.term()
            self.assertIsNone(idle.frame())
            self.assertEqual(half.answer(), [(NOT_TAKEN, DONE, b"")])
            with self.assertRaises(OSError):
                worker.connect()
            busy.send(frame(BODY, b"two", LAST))
            self.assertEqual(whole([(HEAD, 0, b"200 OK")] + busy.answer())[2], b"two")
            self.assertIsNone(busy.frame())
            self.assertEqual(worker.wait(), 0)

    def test_every_interpreter_here_serves(self):
        for python in pythons():
            with self.subTest(python), AsgiWorker("lives:app", python=python) as worker:
                self.assertEqual(worker.connect().fetch()[2], b"42")
                worker.term()
                self.assertEqual((worker.wait(), worker.stderr()), (0, ""))

    def test_the_stack_signal_prints_where_the_tasks_wait(self):
        number = signal.SIGRTMIN + 7
        with AsgiWorker("rules:app", PORTHERD_STACK_SIGNAL=str(number)) as worker:
            front = worker.connect()
            front.ask("/waits")
            front.frame()
            for _ in range(2):
                worker.process.send_signal(number)
                said = worker.wait_stderr("Task of GET '/waits' (most recent call first):\n")
                self.assertRegex(said, r'rules.py", line \d+ in waits\n')
                self.assertIn("Current thread", said)
            front.close()

    def test_a_child_that_forgets_to_leave_does_not_answer_in_its_parents_name(self):
        with AsgiWorker("lives:comes_back") as worker:
            front = worker.connect()
            self.assertEqual(front.fetch()[2], b"none")
            self.assertEqual(front.fetch()[2], b"none")
            said = "portherd: a child that the app has forked came back from its request, and is ended\n"
            self.assertEqual(worker.stderr(), 2 * said)
            worker.term()
            self.assertEqual(worker.wait(), 0)

    def test_a_child_of_the_app_leaves_the_worker_as_it_was(self):
        with AsgiWorker("lives:forks") as worker:
            front = worker.connect()
            self.assertEqual(front.fetch()[2], b"none")
            self.assertEqual(front.fetch()[2], b"none")
            worker.term()
            self.assertEqual(worker.wait(), 0)
