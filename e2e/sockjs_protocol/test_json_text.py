"""Section 7: the text of JSON, over every transport."""

import json
import re

from conformance import Conformance, messages
from transports import TRANSPORTS

SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", '"': '\\"', "\\": "\\\\"}
ESCAPED = [(0x00, 0x1F), (0x200C, 0x200F), (0x2028, 0x202F), (0x2060, 0x206F), (0xFFF0, 0xFFFF)]
RANGES = {f"{first:04X}-{last:04X}": "".join(map(chr, range(first, last + 1))) for first, last in ESCAPED}
# Beside each range what is next to it, and what the client of SockJS escapes without need.
PLAIN = " !#/<>&'\x7f\x80\x9f\xadäß€\u0300\u036f\u0600\u070f\u17b4\u200b\u2010\u2027\u2030\u205f\u2070\ufeff\uffef"
ASTRAL = "\U0001f600\U00010000\U0010ffff\U0001fffe"


def quoted(text):
    """The one right form, but for what `canonical` allows."""
    escaped = set("".join(RANGES.values()))
    return '"' + "".join(
        SHORT.get(char) or (f"\\u{ord(char):04x}" if char in escaped else char) for char in text
    ) + '"'


def canonical(frame):
    """The frame with equally right forms made one: three short escapes, and pairs for astral characters."""
    def one(match):
        long = {r"\u0008": r"\b", r"\u0009": r"\t", r"\u000c": r"\f"}
        if match[1]:
            return json.loads(f'"{match[1]}"')
        return long.get(match[0], match[0])

    return re.sub(r"(\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|\\u[0-9a-f]{4}|\\.", one, frame)


def escaped_by_client(text):
    """JSON in ASCII alone, astral characters as pairs."""
    return json.dumps([text])


def raw(text):
    """JSON in which only that is escaped which must be."""
    return json.dumps([text], ensure_ascii=False)


class Text(Conformance):
    def texts(self):
        yield from RANGES.items()
        yield "plain", PLAIN
        yield "astral", ASTRAL
        yield "quotes", '"\\"\\\\n\\u0041'
        yield "mixed", "a\x00b\u2028c\uffffd" * 3

    def assert_carried(self, frame, text):
        self.assertEqual(canonical(frame), f"a[{quoted(text)}]")
        self.assertEqual(messages(frame), [text])

    def test_is_escaped_alike_over_every_transport(self):
        for transport in TRANSPORTS:
            for name, text in self.texts():
                with self.subTest(transport.name, text=name):
                    session = self.session().opened()
                    self.assertEqual(session.send_text(raw(text))[0].status, 204)
                    self.assert_carried(session.listen(transport).frame(), text)

    def test_is_escaped_alike_however_it_was_sent(self):
        text_type = [("Content-Type", "text/plain")]
        ways = {
            "xhr_send raw": lambda session, text: session.send_text(raw(text)),
            "xhr_send escaped": lambda session, text: session.send_text(escaped_by_client(text)),
            "xhr_send in capitals": lambda session, text: session.send_text(
                '["' + "".join(f"\\u{unit:04X}" for unit in utf_16(text)) + '"]'),
            "jsonp_send form": lambda session, text: session.send_form(raw(text)),
            "jsonp_send escaped": lambda session, text: session.send_form(escaped_by_client(text)),
            "jsonp_send text": lambda session, text: session.send_text(raw(text), "/jsonp_send", text_type),
        }
        for way, send in ways.items():
            for name, text in self.texts():
                with self.subTest(way, text=name):
                    session = self.session().opened()
                    self.assertIn(send(session, text)[0].status, (200, 204))
                    self.assert_carried(session.poll(), text)

    def test_is_escaped_alike_over_websocket(self):
        socket = self.websocket()
        self.assertEqual(socket.message(), "o")
        for name, text in self.texts():
            for sent in [raw(text), escaped_by_client(text)]:
                with self.subTest(name):
                    socket.send(sent)
                    self.assert_carried(socket.message(), text)

    def test_is_not_escaped_over_raw_websocket(self):
        socket = self.websocket("/echo/websocket")
        for name, text in self.texts():
            with self.subTest(name):
                socket.send(text)
                self.assertEqual(socket.message(), text)

    def test_of_every_character_of_the_basic_plane(self):
        session = self.session().opened()
        for first in range(0, 0x10000, 0x800):
            if 0xD800 <= first < 0xE000:
                continue
            text = "".join(map(chr, range(first, first + 0x800)))
            with self.subTest(hex(first)):
                self.assertEqual(session.send_text(raw(text))[0].status, 204)
                self.assert_carried(session.poll(), text)

    def test_of_nothing(self):
        session = self.session().opened()
        session.send("", "")
        self.assertEqual(session.poll(), 'a["",""]')


def utf_16(text):
    """The code units of a text."""
    data = text.encode("utf-16-be")
    return [data[at] << 8 | data[at + 1] for at in range(0, len(data), 2)]
