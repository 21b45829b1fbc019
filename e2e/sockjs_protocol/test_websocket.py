"""Section 8: WebSocket, with the frames of SockJS and raw."""

import json

import websocket
from conformance import AWAY, Conformance, messages
from websocket import BINARY, CLOSE, PING, PONG, TEXT, handshake

FRAMED = "/echo/000/abcdefgh/websocket"
RAW = "/echo/websocket"
BOTH = [FRAMED, RAW]


class Handshake(Conformance):
    def test_is_accepted_as_the_specification_says(self):
        for path in BOTH:
            with self.subTest(path):
                response = self.websocket(path).response
                self.assertEqual(response.header("connection").lower(), "upgrade")
                self.assertEqual(response.header("upgrade").lower(), "websocket")
                self.assertIsNone(response.header("content-length"))
                self.assertIsNone(response.header("transfer-encoding"))

    def test_knows_its_headers_in_any_case_and_company(self):
        for path in BOTH:
            for changes in [{"Connection": "keep-alive, Upgrade"}, {"Connection": "upgrade"}, {"Upgrade": "WebSocket"},
                            {"Connection": "Upgrade,keep-alive"}, {"Origin": "http://example.com"}]:
                with self.subTest(path=path, changes=changes):
                    self.websocket(path, handshake(**changes))

    def test_takes_a_query(self):
        for path in BOTH:
            self.websocket(path + "?y=1")

    def refused(self, path, headers, method="GET"):
        connection = self.connect()
        response = connection.request(method, self.url(path), headers)
        response.body()
        return response.status

    def test_is_needed(self):
        for path in BOTH:
            for headers in [[], handshake(Connection="close"), handshake(Upgrade=None), handshake(Connection=None)]:
                with self.subTest(path=path, headers=headers):
                    self.assertEqual(self.refused(path, headers), 400)

    def test_of_another_kind_is_refused(self):
        for path in BOTH:
            for headers in [handshake(Sec_WebSocket_Key=None), handshake(Sec_WebSocket_Version="7"),
                            handshake(Sec_WebSocket_Version=None)]:
                with self.subTest(path=path, headers=headers):
                    self.assertIn(self.refused(path, headers), (400, 426))

    def test_is_not_a_post(self):
        for path in BOTH:
            self.assertEqual(self.refused(path, handshake(), "POST"), 405)

    def test_is_not_found_where_websocket_is_off(self):
        for path in ["/disabled_websocket_echo/000/abcdefgh/websocket", "/disabled_websocket_echo/websocket"]:
            for headers in [[], handshake()]:
                self.assertEqual(self.refused(path, headers), 404)


class Framed(Conformance):
    def opened(self, path=FRAMED):
        socket = self.websocket(path)
        self.assertEqual(socket.message(), "o")
        return socket

    def test_carries_frames_without_a_line_end(self):
        socket = self.opened()
        socket.send('["x"]')
        self.assertEqual(socket.message(), 'a["x"]')

    def test_takes_several_messages_at_once(self):
        socket = self.opened()
        socket.send('["a","b","c"]')
        came = []
        while len(came) < 3:
            came += messages(socket.message())
        self.assertEqual(came, ["a", "b", "c"])

    def test_takes_a_bare_string(self):
        socket = self.opened()
        socket.send('"x"')
        self.assertEqual(socket.message(), 'a["x"]')

    def test_ignores_what_is_empty(self):
        socket = self.opened()
        for text in ["", "[]", ""]:
            socket.send(text)
        socket.send('["x"]')
        self.assertEqual(socket.message(), 'a["x"]')

    def test_with_broken_json_is_dropped(self):
        for text in ["[", '["x', "x", "[,]", '["x"] y']:
            with self.subTest(text):
                socket = self.opened()
                socket.send(text)
                socket.closed()

    def test_closed_by_the_server_gets_the_frame_and_ends(self):
        socket = self.websocket("/close/000/abcdefgh/websocket")
        self.assertEqual(socket.message(), "o")
        self.assertEqual(socket.message(), AWAY)
        socket.closed()

    def test_closed_by_the_client_is_confirmed(self):
        socket = self.opened()
        socket.send(b"\x03\xe8bye", CLOSE)
        code, _ = socket.closed()
        self.assertEqual(code, 1000)

    def test_answers_a_ping(self):
        socket = self.opened()
        socket.send("are you there", PING)
        self.assertEqual(socket.next_frame(), (PONG, b"are you there"))

    def test_takes_messages_of_many_bytes(self):
        socket = self.opened()
        for length in [118, 119, 120, 125, 126, 127, 32_000, 60_000]:
            text = "ü" * (length // 2) + "x" * (length % 2)
            socket.send(json.dumps([text], ensure_ascii=False))
            self.assertEqual(messages(socket.message()), [text])

    def test_takes_messages_in_several_frames(self):
        socket = self.opened()
        text = '["ä€😀"]'.encode()
        for at in range(1, len(text)):
            socket.connection.write(websocket.frame(TEXT, text[:at], final=False) + websocket.frame(0, text[at:]))
            self.assertEqual(messages(socket.message()), ["ä€😀"])

    def test_takes_frames_in_two_pieces_wherever_they_are_cut(self):
        socket = self.opened()
        data = websocket.frame(TEXT, '["split"]')
        for at in range(1, len(data)):
            socket.connection.write(data[:at])
            socket.connection.write(data[at:])
            self.assertEqual(socket.message(), 'a["split"]')

    def test_ends_where_the_client_breaks_the_rules_of_websocket(self):
        breaks = {
            "no mask": websocket.frame(TEXT, '["x"]', masked=False),
            "no utf-8": websocket.frame(TEXT, b'["\xff"]'),
            "unknown opcode": websocket.frame(3, "x"),
            "nothing to go on with": websocket.frame(0, "x"),
        }
        for name, data in breaks.items():
            with self.subTest(name):
                socket = self.opened()
                socket.connection.write(data)
                socket.closed()

    def test_survives_members_that_are_no_strings(self):
        for text in ['["x",1]', "[null]", "{}", "1", "[[]]", r'["\ud800"]', r'"\udc00"']:
            with self.subTest(text):
                self.opened().send(text)
                self.assert_alive()


class Raw(Conformance):
    def test_carries_the_messages_themselves(self):
        socket = self.websocket(RAW)
        for text in ["x", '["x"]', "o", "ä€😀\x00\n", "y" * 40_000, "[", '"']:
            socket.send(text)
            self.assertEqual(socket.message(), text)

    def test_says_nothing_by_itself(self):
        socket = self.websocket(RAW)
        self.assertTrue(socket.connection.is_quiet(0.3))

    def test_carries_bytes(self):
        socket = self.websocket(RAW)
        socket.send(b"bytes", BINARY)
        self.assertEqual(socket.next_frame()[1], b"bytes")

    def test_closed_by_the_server_gets_code_and_reason(self):
        self.assertEqual(self.websocket("/close/websocket").closed(), (3000, "Go away!"))

    def test_closed_by_the_client_is_confirmed(self):
        socket = self.websocket(RAW)
        socket.send(b"\x03\xe8", CLOSE)
        self.assertEqual(socket.closed()[0], 1000)
