# A WebSocket of an ASGI app: the handshake, messages both ways, and each way in which it may end.
import unittest
from random import Random

from play import ABANDON, ANSWER_BODY, BODY, DONE, HEAD, LAST, SCOPE, AsgiWorker, frame, scope, whole
from test_websocket import masked, whatever

FIELDS = [("sec-websocket-version", "13"), ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")]


class WebSocket(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.worker = AsgiWorker("sockets:app")

    @classmethod
    def tearDownClass(cls):
        cls.worker.__exit__()

    def setUp(self):
        self.front = self.worker.connect()

    def ask(self, path, fields=FIELDS):
        self.front.ask(path, fields=fields, scheme="ws")

    def open(self, path="/echo", fields=FIELDS):
        self.ask(path, fields)
        kind, flags, payload = self.front.frame()
        self.assertEqual((kind, flags), (HEAD, 0))
        return payload

    def say(self, data, flags=0):
        self.front.send(frame(BODY, data, flags))

    def heard(self, wanted):
        """Frames' payloads until they are `wanted`; the flags of the last one."""
        data = b""
        while len(data) < len(wanted):
            kind, flags, payload = self.front.frame()
            self.assertEqual(kind, ANSWER_BODY)
            data += payload
        self.assertEqual(data, wanted)
        return flags

    def ends(self):
        self.assertEqual(self.front.frame(), (ANSWER_BODY, LAST | DONE, b""))

    def test_the_handshake(self):
        self.assertEqual(self.open(fields=FIELDS + [("sec-websocket-protocol", "chat, superchat")]),
                         b"101 Switching Protocols\0x-room\x001\0upgrade\0websocket\0"
                         b"sec-websocket-accept\0s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\0sec-websocket-protocol\0superchat")

    def test_handshakes_that_are_none(self):
        for name, fields, status in (
            ("no version", FIELDS[1:], "426 Upgrade Required"),
            ("version 8", [("sec-websocket-version", "8")] + FIELDS[1:], "426 Upgrade Required"),
            ("no key", FIELDS[:1], "400 Bad Request"),
            ("a key of 15 bytes", FIELDS[:1] + [("sec-websocket-key", "dGhlIHNhbXBsZSBub25j")], "400 Bad Request"),
            ("two keys", FIELDS + FIELDS[1:], "400 Bad Request"),
            ("no base64", FIELDS[:1] + [("sec-websocket-key", "!!!")], "400 Bad Request"),
        ):
            with self.subTest(name):
                self.ask("/echo", fields)
                self.assertEqual(whole(self.front.answer())[0], status)

    def test_messages_go_both_ways(self):
        self.open()
        self.say(masked(1, b"Hello"))
        self.heard(b"\x81\x05Hello")
        self.say(masked(2, b"\xff" * 3, False) + masked(9, b"ping") + masked(0, b"\xfe"))
        self.heard(b"\x8a\x04ping\x82\x04\xff\xff\xff\xfe")
        self.say(masked(1, b"x" * 100000)[:60000])
        self.say(masked(1, b"x" * 100000)[60000:])
        self.heard(b"\x81\x7f" + (100000).to_bytes(8, "big") + b"x" * 100000)

    def test_a_close_of_the_client_is_answered_and_told(self):
        self.open()
        self.say(masked(8, b"\x03\xe9bye"))
        self.assertEqual(self.heard(b"\x88\x02\x03\xe9"), LAST | DONE)
        self.assertEqual(self.worker.wait_line(), "disconnect 1001 bye")
        self.assertEqual(self.worker.wait_line(), "nobody")
        self.say(b"", LAST)
        self.open()  # the connection goes on

    def test_a_close_of_the_app_waits_for_the_clients(self):
        for path, words in (("/closes", b"\x88\x08\x0f\xa1enough"), ("/returns_open", b"\x88\x02\x03\xe8"),
                            ("/raises_open", b"\x88\x10\x03\xf3Internal Error")):
            with self.subTest(path):
                self.front = self.worker.connect()
                self.open(path)
                self.assertEqual(self.heard(words), 0)
                self.say(masked(1, b"too late") + masked(8, words[2:4]))
                self.ends()

    def test_an_app_may_deny_it(self):
        self.ask("/denied")
        self.assertEqual(whole(self.front.answer())[0], "403 Forbidden")
        self.assertEqual(self.worker.wait_line(), "denied: websocket.disconnect")
        self.ask("/answer")
        self.assertEqual(whole(self.front.answer()),
                         ("401 Unauthorized", [("x-why", "no"), ("content-length", "12")], b"who are you?"))

    def test_an_app_that_fails_before_it_has_answered(self):
        for path, said in (("/raises", "LookupError: no socket"), ("/returns", "without an answer to the handshake"),
                           ("/early", "websocket.send before websocket.accept"),
                           ("/foreign", "the client has not offered the subprotocol 'other'")):
            with self.subTest(path):
                self.ask(path)
                self.assertEqual(whole(self.front.answer())[0], "500 Internal Server Error")
                self.worker.wait_stderr(said)

    def test_broken_rules_end_it_with_their_code(self):
        for data, code in ((b"\x81\x01a", 1002), (masked(1, b"\xff"), 1007),
                           (masked(2, b"", head=b"\x82\xff" + (1 << 30).to_bytes(8, "big")), 1009)):
            with self.subTest(code):
                self.front = self.worker.connect()
                self.open()
                self.say(data)
                kind, flags, payload = self.front.frame()
                self.assertEqual((flags, payload[0], payload[2:4]), (LAST | DONE, 0x88, code.to_bytes(2, "big")))
                self.assertTrue(self.worker.wait_line().startswith("disconnect %d " % code))
                self.assertEqual(self.worker.wait_line(), "nobody")

    def test_a_client_that_leaves_without_a_word_is_1006(self):
        for leave in (lambda: self.front.send(frame(ABANDON)), lambda: self.say(b"", LAST), lambda: self.front.close()):
            self.front = self.worker.connect()
            self.open()
            leave()
            self.assertEqual(self.worker.wait_line(), "disconnect 1006 ")
            self.assertEqual(self.worker.wait_line(), "nobody")

    def test_a_large_message_is_whole(self):
        self.open("/megabyte")
        self.heard(b"\x82\x7f" + (1000000).to_bytes(8, "big") + b"x" * 1000000)

    def test_a_drain_closes_with_1012_and_waits_for_the_client(self):
        with AsgiWorker("sockets:app") as worker:
            self.front = worker.connect()
            self.open()
            worker.term()
            self.assertEqual(self.heard(b"\x88\x11\x03\xf4Service Restart"), 0)
            self.assertEqual(worker.wait_line(), "disconnect 1012 Service Restart")
            self.say(masked(8, b"\x03\xf4"))
            self.ends()
            self.say(b"", LAST)
            self.assertIsNone(self.front.frame())
            self.assertEqual(worker.wait(), 0)

    def test_whatever_comes_through_a_tunnel_it_ends_and_the_worker_goes_on(self):
        with AsgiWorker("sockets:app") as worker:
            for seed in range(100):
                with self.subTest(seed=seed):
                    self.front = worker.connect()
                    self.open()
                    self.say(whatever(Random(seed)))
                    self.say(b"", LAST)
                    while not self.front.frame()[1] & DONE:
                        pass
            self.front = worker.connect()
            self.open()
            self.say(masked(1, b"still"))
            self.heard(b"\x81\x05still")
            self.assertEqual(worker.stderr(), "")
