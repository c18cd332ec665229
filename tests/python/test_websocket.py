# RFC 6455 as the ASGI worker reads and writes it: a row for each rule. Pure.
import importlib.util
import os
import unittest
from random import Random

from play import ROOT

spec = importlib.util.spec_from_file_location("websocket", os.path.join(ROOT, "upstream", "python", "websocket.py"))
websocket = importlib.util.module_from_spec(spec)
spec.loader.exec_module(websocket)

MASK = b"\x37\xfa\x21\x3d"


def masked(kind, payload=b"", fin=True, head=None, mask=MASK):
    """A client's frame; `head`: its bytes before the mask, where they are to be wrong."""
    size = len(payload)
    if head is None:
        length = bytes([128 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big") if size < 65536 \
            else b"\xff" + size.to_bytes(8, "big")
        head = bytes([(128 if fin else 0) | kind]) + length
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def read(data, step=None, limit=1 << 24):
    reader = websocket.Reader(limit)
    step = step or len(data) or 1
    return [found for at in range(0, len(data), step) for found in reader.feed(data[at:at + step])]


TEXT, BINARY, CLOSE, PING, PONG, FAILED = 1, 2, 8, 9, 10, 16


def whatever(random):
    """Noise, or frames of which some bytes are wrong."""
    if random.random() < 0.2:
        return random.randbytes(random.randrange(300))
    frames = [masked(random.choice((0, 1, 2, 8, 9, 10)), random.choice((b"", b"\x03\xe8", b"\xc3\xa9", b"x" * random.randrange(1200))),
                     random.random() < 0.7) for _ in range(random.randrange(1, 8))]
    data = bytearray(b"".join(frames))
    for _ in range(random.randrange(3)):
        data[random.randrange(len(data))] = random.randrange(256)
    return bytes(data)


class Reading(unittest.TestCase):
    def test_messages(self):
        for name, data, wanted in (
            ("text", masked(1, b"Hello"), [(TEXT, "Hello")]),
            ("empty text", masked(1), [(TEXT, "")]),
            ("binary", masked(2, b"\xff\0"), [(BINARY, b"\xff\0")]),
            ("RFC 6455 5.7's own example", bytes.fromhex("818537fa213d7f9f4d5158"), [(TEXT, "Hello")]),
            ("two in one piece", masked(1, b"a") + masked(1, b"b"), [(TEXT, "a"), (TEXT, "b")]),
            ("fragments", masked(1, b"a", False) + masked(0, b"b", False) + masked(0, b"c"), [(TEXT, "abc")]),
            ("empty fragments", masked(2, b"", False) + masked(0, b"", False) + masked(0), [(BINARY, b"")]),
            ("a character across fragments", masked(1, b"\xc3", False) + masked(0, b"\xa9"), [(TEXT, "\xe9")]),
            ("a ping between fragments", masked(1, b"a", False) + masked(9, b"p") + masked(0, b"b"),
             [(PING, b"p"), (TEXT, "ab")]),
            ("an unasked pong means nothing", masked(10, b"p") + masked(1, b"a"), [(TEXT, "a")]),
            ("126 bytes", masked(2, b"x" * 126), [(BINARY, b"x" * 126)]),
            ("65535 bytes", masked(2, b"x" * 65535), [(BINARY, b"x" * 65535)]),
            ("65536 bytes", masked(2, b"x" * 65536), [(BINARY, b"x" * 65536)]),
            ("close", masked(8, b"\x03\xe8bye"), [(CLOSE, (1000, "bye"))]),
            ("close without a code", masked(8), [(CLOSE, (1005, ""))]),
            ("nothing counts behind a close", masked(8) + masked(1, b"a"), [(CLOSE, (1005, ""))]),
        ):
            for step in (None, 1, 3, 1000):
                if step in (1, 3) and len(data) > 1000:
                    continue
                with self.subTest(name, step=step):
                    self.assertEqual(read(data, step), wanted)

    def test_what_breaks_a_rule_ends_it_with_the_code_for_it(self):
        for name, data, code in (
            ("not masked", b"\x81\x01a", 1002),
            ("RSV1", masked(1, b"a", head=b"\xc1\x81"), 1002),
            ("RSV2", masked(1, b"a", head=b"\xa1\x81"), 1002),
            ("RSV3", masked(1, b"a", head=b"\x91\x81"), 1002),
            ("opcode 3", masked(3), 1002),
            ("opcode 11", masked(11), 1002),
            ("opcode 15", masked(15), 1002),
            ("a ping of 126 bytes", masked(9, b"x" * 126), 1002),
            ("a fragmented ping", masked(9, b"x", False), 1002),
            ("a fragmented close", masked(8, b"", False), 1002),
            ("a continuation of nothing", masked(0, b"x"), 1002),
            ("a continuation after the end", masked(1, b"a") + masked(0, b"x"), 1002),
            ("a message within another one", masked(1, b"a", False) + masked(1, b"b"), 1002),
            ("a 16 bit length that needs 7", masked(2, b"x", head=b"\x82\xfe\0\x01"), 1002),
            ("a 64 bit length that needs 16", masked(2, b"x", head=b"\x82\xff" + (65535).to_bytes(8, "big")), 1002),
            ("a 64 bit length with its first bit", masked(2, b"", head=b"\x82\xff\x80" + bytes(7)), 1002),
            ("a close of one byte", masked(8, b"\x03"), 1002),
            ("a close reason that is not UTF-8", masked(8, b"\x03\xe8\xff"), 1007),
            ("text that is not UTF-8", masked(1, b"\xff"), 1007),
            ("half a character", masked(1, b"\xc3"), 1007),
            ("a surrogate", masked(1, b"\xed\xa0\x80"), 1007),
            ("half a character in fragments", masked(1, b"\xc3", False) + masked(0, b"x"), 1007),
            ("too large, known by its head", masked(2, b"", head=b"\x82\xff" + (1 << 25).to_bytes(8, "big")), 1009),
            ("too large in fragments", masked(2, b"x" * 60000, False) * 1 + masked(0, b"x" * 60000), 1009),
        ):
            for step in (None, 1):
                if step and len(data) > 1000:
                    continue
                with self.subTest(name, step=step):
                    found = read(data + masked(1, b"behind"), step, limit=100000)
                    self.assertEqual((found[-1][0], found[-1][1][0]), (FAILED, code))

    def test_close_codes(self):
        good = {*range(1000, 1004), *range(1007, 1015), 3000, 3999, 4000, 4999}
        for code in [0, 999, *range(1000, 1017), 1100, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 65535]:
            with self.subTest(code):
                kind = read(masked(8, code.to_bytes(2, "big")))[0][0]
                self.assertEqual(kind, CLOSE if code in good else FAILED)

    def test_the_limit_is_to_the_byte(self):
        self.assertEqual(read(masked(2, b"x" * 100), limit=100), [(BINARY, b"x" * 100)])
        self.assertEqual(read(masked(2, b"x" * 101), limit=100)[0][1][0], 1009)

    def test_unmasking_is_what_the_RFC_says_for_every_length(self):
        for size in range(40):
            data = bytes(range(size))
            self.assertEqual(websocket.unmasked(data, MASK), bytes(b ^ MASK[i % 4] for i, b in enumerate(data)))

    def test_many_small_fragments_stay_few_objects(self):
        reader = websocket.Reader()
        reader.feed(masked(2, b"x", False))
        for _ in range(5000):
            reader.feed(masked(0, b"x", False))
        self.assertLess(len(reader.fragments), 1100)
        self.assertEqual(reader.feed(masked(0, b"x")), [(BINARY, b"x" * 5002)])


class Whatever(unittest.TestCase):
    """Bytes that nobody has thought of. The seed is the row's number: a failure can be had again."""

    def test_comes_is_read_the_same_however_it_is_cut(self):
        for seed in range(1500):
            with self.subTest(seed=seed):
                data = whatever(Random(seed))
                whole = read(data, limit=1000)
                self.assertEqual(read(data, 1, limit=1000), whole)
                self.assertEqual(read(data, 7, limit=1000), whole)
                kinds = [kind for kind, _ in whole]
                self.assertLessEqual(set(kinds), {TEXT, BINARY, CLOSE, PING, FAILED})
                self.assertFalse({CLOSE, FAILED} & set(kinds[:-1]), "something stands behind the end")


class Writing(unittest.TestCase):
    def test_lengths_are_as_short_as_they_can_be(self):
        self.assertEqual(websocket.frame(1, b"Hello"), b"\x81\x05Hello")
        self.assertEqual(websocket.frame(2, b"x" * 125)[:2], b"\x82\x7d")
        self.assertEqual(websocket.frame(2, b"x" * 126)[:4], b"\x82\x7e\0\x7e")
        self.assertEqual(websocket.frame(2, b"x" * 65535)[:4], b"\x82\x7e\xff\xff")
        self.assertEqual(websocket.frame(2, b"x" * 65536)[:10], b"\x82\x7f" + (65536).to_bytes(8, "big"))

    def test_a_close_holds_no_half_character(self):
        self.assertEqual(websocket.close_frame(1000, "bye"), b"\x88\x05\x03\xe8bye")
        self.assertEqual(websocket.close_frame(1005), b"\x88\0")
        self.assertEqual(websocket.close_frame(1000, "x" + "\xe9" * 100), b"\x88\x7d\x03\xe8x" + b"\xc3\xa9" * 61)
