# PEP 3333, rule by rule, on the real worker: what an app does, and the frames that leave for it.
# The apps are in tests/apps/wsgi/rules.py, one for each test.
import unittest

from play import ANSWER_BODY, DONE, DONE_FRAME, HEAD, LAST, Worker, whole

SORRY = ("500 Internal Server Error", [("Content-Type", "text/plain"), ("Content-Length", "21")],
         b"Internal Server Error")
TEXT = ("Content-Type", "text/plain")


class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.worker = Worker("rules:app").__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.worker.__exit__()

    def setUp(self):
        self.before = len(self.worker.stderr())
        self.front = self.worker.connect()

    def tearDown(self):
        self.front.close()

    def said(self):
        """What this test's request has put on stderr. The next answer proves that the last one has ended."""
        self.front.close()
        self.front = self.worker.connect()
        self.front.get("/one_block")
        return self.worker.stderr()[self.before:]

    def answer(self, name, method="GET", **more):
        self.front.request("/" + name, method, **more)
        return self.front.answer()

    def get(self, name, method="GET", **more):
        return whole(self.answer(name, method, **more))

    def assert_cut_off(self, name, body):
        frames = self.answer(name)
        self.assertIsNone(frames[-1])
        self.assertEqual(b"".join(frame[2] for frame in frames[:-1] if frame[0] == ANSWER_BODY), body)
        self.assertFalse(any(frame[1] & LAST for frame in frames[:-1]))

    # -- framing ---------------------------------------------------------------------------------------------

    def test_a_list_of_one_block_is_head_and_body_with_its_length_and_done(self):
        self.assertEqual(self.answer("one_block"), [
            (HEAD, 0, b"200 OK\0Content-Type\0text/plain\0Content-Length\x003"),
            (ANSWER_BODY, LAST | DONE, b"one")])

    def test_a_tuple_is_one_body_with_its_length(self):
        self.assertEqual(self.answer("a_tuple"), [
            (HEAD, 0, b"200 OK\0Content-Type\0text/plain\0Content-Length\x006"),
            (ANSWER_BODY, LAST | DONE, b"onetwo")])

    def test_an_empty_list_is_a_head_with_length_0_and_nothing_else(self):
        self.assertEqual(self.answer("no_block"), [
            (HEAD, LAST | DONE, b"200 OK\0Content-Type\0text/plain\0Content-Length\x000")])

    def test_a_length_given_by_the_app_stands(self):
        self.assertEqual(self.get("own_length"), ("200 OK", [TEXT, ("content-length", "3")], b"one"))

    def test_an_iterable_whose_len_is_1_gets_a_length(self):
        self.assertEqual(self.get("single"), ("200 OK", [TEXT, ("Content-Length", "6")], b"single"))

    def test_a_generator_is_sent_block_by_block_without_a_length(self):
        self.assertEqual(self.answer("generator"), [
            (HEAD, 0, b"200 OK\0Content-Type\0text/plain"), (ANSWER_BODY, 0, b"one"),
            (ANSWER_BODY, 0, b"two"),
            (ANSWER_BODY, LAST | DONE, b"")])

    def test_start_response_may_come_with_the_first_block(self):
        self.assertEqual(self.get("late_start"), ("201 Created", [TEXT], b"late"))

    def test_an_iterable_without_blocks_gets_length_0(self):
        self.assertEqual(self.get("empty_generator"), ("200 OK", [TEXT, ("Content-Length", "0")], b""))

    def test_write_sends_at_once_and_before_what_is_returned(self):
        self.assertEqual(self.answer("writes"), [
            (HEAD, 0, b"200 OK\0Content-Type\0text/plain"), (ANSWER_BODY, 0, b"first "),
            (ANSWER_BODY, 0, b"second "),
            (ANSWER_BODY, 0, b"third"), (ANSWER_BODY, LAST | DONE, b"")])

    def test_write_may_give_the_whole_body(self):
        self.assertEqual(self.answer("writes_all"), [
            (HEAD, 0, b"200 OK\0Content-Type\0text/plain\0Content-Length\x005"),
            (ANSWER_BODY, LAST, b"whole"),
            (DONE_FRAME, DONE, b"")])

    def test_large_blocks_are_cut_into_frames_of_64_KiB(self):
        frames = self.answer("large_list")
        self.assertEqual([len(frame[2]) for frame in frames[1:]],
                         [65536, 4464, 65536, 65536, 65536, 65536, 3393, 0])
        status, fields, body = whole(frames)
        self.assertEqual(body, b"a" * 70000 + b"b" * 65536 + b"c" * 200001)
        self.assertEqual(fields, [TEXT, ("Content-Length", str(len(body)))])

    def test_a_head_may_be_large(self):
        status, fields, body = self.get("many_headers")
        self.assertEqual(len(fields), 1024)

    # -- close -----------------------------------------------------------------------------------------------

    def test_close_is_called_once_after_the_body_and_before_done(self):
        self.assertEqual([frame[:2] for frame in self.answer("closed_after_list")],
                         [(HEAD, 0), (ANSWER_BODY, 0), (ANSWER_BODY, 0), (ANSWER_BODY, LAST),
                          (DONE_FRAME, DONE)])
        self.assertEqual(self.said(), "closed /closed_after_list\n")

    def test_a_body_of_the_declared_length_ends_without_waiting_for_close(self):
        self.assertEqual([frame[:2] for frame in self.answer("closed_with_length")],
                         [(HEAD, 0), (ANSWER_BODY, LAST), (DONE_FRAME, DONE)])
        self.assertEqual(self.said(), "closed /closed_with_length\n")

    def test_an_error_in_close_leaves_the_answer_whole(self):
        self.assertEqual(self.get("error_in_close")[2], b"fine")
        self.assertIn("RuntimeError: broken in close", self.said())

    # -- errors of the app -----------------------------------------------------------------------------------

    def test_an_error_before_the_head_is_a_500_and_a_traceback_of_the_app_alone(self):
        self.assertEqual(self.get("error_before_head"), SORRY)
        said = self.said()
        self.assertTrue(said.startswith("portherd: GET '/error_before_head': error in the app\nTraceback "))
        self.assertIn("in error_before_head\n", said)
        self.assertTrue(said.endswith("RuntimeError: broken before the head\n"))
        self.assertNotIn("<portherd/", said)

    def test_an_error_before_the_first_block_is_a_500(self):
        self.assertEqual(self.get("error_at_first_block"), SORRY)

    def test_an_error_after_the_head_cuts_the_answer_off_and_closes_the_iterable(self):
        self.assert_cut_off("error_after_head", b"begun")
        said = self.said()
        self.assertIn("RuntimeError: broken after the head", said)
        self.assertEqual(said.count("closed /error_after_head"), 1)

    def test_an_error_after_write_cuts_the_answer_off(self):
        self.assert_cut_off("error_after_write", b"begun")

    def test_an_error_after_the_declared_length_leaves_the_answer_whole(self):
        self.assertEqual(self.get("error_after_all"), ("200 OK", [TEXT, ("Content-Length", "5")], b"whole"))
        self.assertIn("RuntimeError: broken after all", self.said())

    def test_sys_exit_is_an_error_like_any_other(self):
        self.assertEqual(self.get("exit_in_app"), SORRY)
        self.assertIn("SystemExit: 5", self.said())

    def test_causes_are_shown_without_our_frames_too(self):
        self.assertEqual(self.get("deep"), SORRY)
        said = self.said()
        self.assertIn("KeyError: 'the cause'", said)
        self.assertIn("in inner\n", said)
        self.assertIn("ValueError: the effect", said)
        self.assertNotIn("<portherd/", said)

    def test_our_frames_are_not_shown_in_a_cause_either(self):
        self.assertEqual(self.get("wraps_a_refusal"), SORRY)
        said = self.said()
        self.assertIn("ValueError: status must be like", said)
        self.assertIn("RuntimeError: wrapped", said)
        self.assertNotIn("<portherd/", said)

    def test_the_frames_of_importlib_are_not_shown(self):
        self.assertEqual(self.get("imports_late"), SORRY)
        said = self.said()
        self.assertIn("RuntimeError: no settings", said)
        self.assertNotIn("importlib", said.replace('importlib.import_module("broken")', ""))

    def test_line_ends_in_a_path_do_not_reach_stderr(self):
        self.get("error_before_head\nportherd: forged")
        self.assertIn("'/error_before_head\\nportherd: forged': error in the app", self.said())

    # -- exc_info --------------------------------------------------------------------------------------------

    def test_exc_info_replaces_a_head_that_was_not_sent(self):
        self.assertEqual(self.get("replaced_head"),
                         ("503 Replaced", [TEXT, ("Content-Length", "8")], b"replaced"))

    def test_empty_blocks_do_not_send_the_head(self):
        self.assertEqual(self.get("changes_its_mind"), ("500 Changed", [TEXT], b"changed"))

    def test_exc_info_after_the_head_is_raised_again(self):
        self.assert_cut_off("too_late", b"begun")
        self.assertIn("KeyError: 'too late to replace'", self.said())

    def test_exc_info_may_come_with_the_first_call(self):
        self.assertEqual(self.get("first_call_with_exc_info")[0], "503 First")

    def test_a_second_call_without_exc_info_is_an_error(self):
        self.assertEqual(self.get("started_twice"), SORRY)
        self.assertIn("AssertionError: start_response called again without exc_info", self.said())

    # -- what is no answer -----------------------------------------------------------------------------------

    def test_an_app_that_never_starts_its_answer_is_an_error(self):
        for name in "never_started", "never_started_generator":
            self.assertEqual(self.get(name), SORRY)
        self.assertIn("the app gave its answer without calling start_response", self.said())

    def test_only_bytes_are_a_body(self):
        for name in "gives_none", "gives_str", "gives_a_string", "writes_str":
            self.assertEqual(self.get(name), SORRY, name)
        self.assertIn("the body must be bytes, not str", self.said())

    def test_what_start_response_refuses_is_a_500_and_the_app_is_told_where(self):
        for query, sentence in (
                ("status-bytes", "status must be str, not bytes"),
                ("status-int", "status must be str, not int"),
                ("status-short", "status must be like"),
                ("status-word", "status must be like"),
                ("status-1xx", "status must be like"),
                ("status-600", "status must be like"),
                ("status-digits", "status must be like"),
                ("status-line-end", "status has a control character"),
                ("tuple", "headers must be a list, not tuple"),
                ("none", "headers must be a list, not NoneType"),
                ("three", "too many values to unpack"),
                ("name-bytes", "header name must be str, not bytes"),
                ("name-empty", "header name is not a token: ''"),
                ("name-colon", "header name is not a token: 'X-A:'"),
                ("name-space", "header name is not a token: 'X A'"),
                ("name-line-end", "header name is not a token: 'X-A\\r\\nX-Evil'"),
                ("name-unicode", "header name is not a token"),
                ("value-bytes", "header X-A must be str, not bytes"),
                ("value-int", "header X-A must be str, not int"),
                ("value-cr", "header X-A has a control character"),
                ("value-lf", "header X-A has a control character"),
                ("value-nul", "header X-A has a control character"),
                ("value-control", "header X-A has a control character"),
                ("value-unicode", "header X-A has a character outside of Latin-1"),
                ("length-word", "header Content-Length must be one number: 'many'"),
                ("length-minus", "header Content-Length must be one number: '-1'"),
                ("length-int", "header Content-Length must be str, not int"),
                ("length-twice", "header Content-Length must be one number"),
                ("too-many", "1024 headers, 1023 at most"),
                ("too-large", "at most")):
            with self.subTest(query):
                self.before = len(self.worker.stderr())
                self.assertEqual(self.get("bad", QUERY_STRING=query), SORRY)
                said = self.said()
                self.assertIn(sentence, said)
                self.assertIn("in bad\n", said)

    # -- lengths ---------------------------------------------------------------------------------------------

    def test_more_than_the_declared_length_is_cut_and_told(self):
        for name, body in ("too_long", b"12345"), ("too_long_later", b"12345"):
            self.assertEqual(self.get(name), ("200 OK", [TEXT, ("Content-Length", "5")], body))
        said = self.said()
        for name in "too_long", "too_long_later":
            self.assertEqual(said.count("closed /" + name + "\n"), 1)
            self.assertIn("GET '/%s': the app gave more than its Content-Length of 5: cut\n" % name, said)

    def test_less_than_the_declared_length_is_a_500_while_nothing_was_sent(self):
        self.assertEqual(self.get("too_short"), SORRY)
        self.assertIn("the app declared a Content-Length of 5 and gave 3 bytes", self.said())

    def test_less_than_the_declared_length_is_cut_off_later(self):
        self.assert_cut_off("too_short_later", b"123")
        said = self.said()
        self.assertIn("the app declared a Content-Length of 5 and gave 3 bytes", said)
        self.assertEqual(said.count("closed /too_short_later"), 1)

    # -- answers without a body ------------------------------------------------------------------------------

    def test_HEAD_has_the_head_of_GET_and_no_body(self):
        self.assertEqual(self.answer("one_block", "HEAD"), [
            (HEAD, LAST | DONE, b"200 OK\0Content-Type\0text/plain\0Content-Length\x003")])
        self.assertEqual(self.get("own_length", "HEAD"), ("200 OK", [TEXT, ("content-length", "3")], b""))
        self.assertEqual(self.get("single", "HEAD"), ("200 OK", [TEXT, ("Content-Length", "6")], b""))
        self.assertEqual(self.get("generator", "HEAD"), ("200 OK", [TEXT], b""))
        self.assertEqual(self.get("writes", "HEAD"), ("200 OK", [TEXT], b""))
        self.assertEqual(self.get("file", "HEAD"), ("200 OK", [TEXT], b""))

    def test_an_empty_body_to_HEAD_says_nothing_about_the_length(self):
        self.assertEqual(self.get("no_block", "HEAD"), ("200 OK", [TEXT], b""))
        self.assertEqual(self.get("empty_generator", "HEAD"), ("200 OK", [TEXT], b""))

    def test_HEAD_closes_the_iterable(self):
        self.get("closed_after_list", "HEAD")
        self.assertEqual(self.said(), "closed /closed_after_list\n")

    def test_HEAD_of_a_broken_app_is_a_500_without_a_body(self):
        self.assertEqual(self.get("error_before_head", "HEAD"), SORRY[:2] + (b"",))

    def test_204_has_neither_body_nor_length(self):
        self.assertEqual(self.answer("no_content"), [(HEAD, LAST | DONE, b"204 No Content\0X-Kept\0yes")])

    def test_304_has_no_body_and_keeps_its_length(self):
        self.assertEqual(self.get("not_modified"),
                         ("304 Not Modified", [("Content-Length", "5"), ("ETag", '"1"')], b""))
        self.assertEqual(self.said(), "closed /not_modified\n")

    # -- fields ----------------------------------------------------------------------------------------------

    def test_hop_by_hop_fields_are_dropped(self):
        self.assertEqual(self.get("hop_by_hop")[1], [TEXT, ("X-Kept", "yes"), ("Content-Length", "4")])

    def test_Latin_1_goes_through_and_space_around_a_value_does_not(self):
        self.assertEqual(self.get("latin_1")[:2], ("200 D\xe9j\xe0", [
            TEXT, ("X-Name", "caf\xe9"), ("X-Space", "around"), ("Content-Length", "4")]))

    def test_a_status_may_do_without_a_reason(self):
        self.assertEqual(self.get("no_reason")[0], "200")

    # -- wsgi.file_wrapper, wsgi.errors, what is kept --------------------------------------------------------

    def test_a_regular_file_goes_out_in_full_frames_whatever_the_block_size(self):
        frames = self.answer("file")
        self.assertEqual([len(frame[2]) for frame in frames[1:]], [65536, 65536, 65536, 3392, 0, 0])
        self.assertEqual(whole(frames)[2], b"0123456789" * 20000)

    def test_a_file_like_object_is_read_in_the_blocks_asked_for_and_closed(self):
        blocks = [frame[2] for frame in self.answer("file_like")][1:]
        self.assertEqual(blocks, [b"0123", b"4567", b"89", b"", b""])
        self.assertEqual(self.said(), "closed /file_like\n")

    def test_a_pipe_is_no_regular_file(self):
        self.assertEqual([frame[2] for frame in self.answer("pipe")][1:], [b"through", b" a pipe", b"", b""])

    def test_the_file_wrapper_needs_nothing_but_read(self):
        self.assertEqual(self.get("only_read")[2], b"onetwo")

    def test_stdout_and_wsgi_errors_arrive_at_once(self):
        self.get("says_things")
        self.assertEqual(self.worker.process.stdout.readline(), b"on stdout\n")
        self.assertEqual(self.said(), "on wsgi.errors\ncaf\xe9 \\udc80\n")

    def test_what_an_app_keeps_of_a_request_cannot_touch_the_next(self):
        self.get("keeps_write_and_input", "POST", body=b"unread")
        self.assertEqual(self.get("uses_what_it_kept")[2],
                         b"write called after the end of the request; "
                         b"wsgi.input was read after the end of the request")


if __name__ == "__main__":
    unittest.main()
