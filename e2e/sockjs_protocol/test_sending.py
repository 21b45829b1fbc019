"""Section 6: what a client sends over HTTP."""

import json
import time

from conformance import PLAIN, UNCACHED, Conformance, messages
from wire import PATIENCE

FORM = [("Content-Type", "application/x-www-form-urlencoded")]
TEXT = [("Content-Type", "text/plain")]
EXPECTED = "Payload expected."
BROKEN = "Broken JSON encoding."
NO_JSON = ['["x', "[", "]", "x", "['x']", '["x"],', '["x"] y', "[,]", '["x",]', '["\x01"]', r'["\x"]', r'["\u12"]']


class XhrSend(Conformance):
    def test_is_answered_empty_and_uncached(self):
        session = self.session().opened()
        response, body = session.send_text('["x"]')
        self.assertEqual((response.status, body), (204, b""))
        self.assertEqual(response.header("content-type"), PLAIN)
        self.assertEqual(response.header("cache-control"), UNCACHED)
        self.assertEqual(response.header("access-control-allow-origin"), "*")
        self.assertIsNone(response.header("transfer-encoding"))
        self.assertEqual(session.poll(), 'a["x"]')

    def test_takes_an_empty_array(self):
        session = self.session().opened()
        session.send()
        session.send("x")
        self.assertEqual(session.poll(), 'a["x"]')

    def test_takes_every_usual_content_type(self):
        types = [None, "", "T", "text/plain", "application/json", "application/xml", "text/xml"]
        types += [f"{name}{charset}" for name in types[3:] for charset in ["; charset=utf-8", ";charset=UTF-8"]]
        session = self.session().opened()
        for content_type in types:
            with self.subTest(content_type):
                headers = [] if content_type is None else [("Content-Type", content_type)]
                response, body = session.send_text('["x"]', headers=headers)
                self.assertEqual((response.status, body), (204, b""))
        self.assertEqual(messages(session.poll()), ["x"] * len(types))

    def test_refuses_what_is_no_json_and_goes_on(self):
        session = self.session().opened()
        for text in NO_JSON:
            with self.subTest(text):
                self.assert_error(session.send_text(text), BROKEN)
        session.send("x")
        self.assertEqual(session.poll(), 'a["x"]')

    def test_refuses_an_empty_body_and_goes_on(self):
        session = self.session().opened()
        self.assert_error(session.send_text(""), EXPECTED)
        self.assert_error(session.send_text(None), EXPECTED)
        session.send("x")
        self.assertEqual(session.poll(), 'a["x"]')

    def test_refuses_json_that_is_no_array_and_goes_on(self):
        session = self.session().opened()
        for text in ["{}", "null", "1", "true", '{"a":["x"]}']:
            with self.subTest(text):
                self.assert_error(session.send_text(text), EXPECTED)
        session.send("x")
        self.assertEqual(session.poll(), 'a["x"]')

    def test_takes_nothing_of_a_text_that_breaks_at_its_end(self):
        session = self.session().opened()
        self.assert_error(session.send_text('["a","b'), BROKEN)
        session.send("x")
        self.assertEqual(session.poll(), 'a["x"]')

    def test_to_an_unknown_session_is_not_found(self):
        response, _ = self.session().send_text('["x"]')
        self.assertEqual(response.status, 404)

    def test_takes_spaces_around_the_parts(self):
        session = self.session().opened()
        response, _ = session.send_text(' [\r\n"a" ,\t"b" ]\n ')
        self.assertEqual(response.status, 204)
        self.assertEqual(session.poll(), 'a["a","b"]')

    def test_takes_messages_of_many_bytes(self):
        session = self.session().opened()
        texts = ["ü" * 16_000, "", "x" * 20_000]
        session.send(*texts)
        self.assertEqual(session.poll_messages(len(texts)), texts)

    def test_takes_every_escape_of_json(self):
        session = self.session().opened()
        session.send_text(r'["\"\\\/\b\f\n\r\t\u0041\u00e4\u20AC\uD83D\ude00"]')
        self.assertEqual(messages(session.poll()), ['"\\/\b\f\n\r\tAä€😀'])


class JsonpSend(Conformance):
    def assert_taken(self, answer):
        response, body = answer
        self.assertEqual((response.status, body), (200, b"ok"))
        self.assertTrue(response.header("content-type").startswith("text/plain"))
        self.assertEqual(response.header("cache-control"), UNCACHED)

    def test_of_a_form_is_decoded(self):
        session = self.session().opened()
        for body in ["d=%5B%22a%2Bb+c%22%5D", "x=1&d=%5B%22%25%22%5D&y", 'd=["%C3%BC"]', "d=%5b%22%26%3d%22%5d"]:
            self.assert_taken(session.send_text(body, "/jsonp_send", FORM))
        self.assertEqual(messages(session.poll()), ["a+b c", "%", "ü", "&="])

    def test_of_a_form_with_a_charset_is_decoded(self):
        session = self.session().opened()
        headers = [("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")]
        self.assert_taken(session.send_text("d=%5B%22x%22%5D", "/jsonp_send", headers))
        self.assertEqual(session.poll(), 'a["x"]')

    def test_of_a_text_is_taken_as_it_is(self):
        session = self.session().opened()
        for content_type in ["text/plain", "text/plain; charset=UTF-8"]:
            self.assert_taken(session.send_text('["%41+b"]', "/jsonp_send", [("Content-Type", content_type)]))
        self.assertEqual(messages(session.poll()), ["%41+b", "%41+b"])

    def test_of_nothing_is_refused_and_the_session_goes_on(self):
        session = self.session().opened()
        for headers, body in [(FORM, "d="), (FORM, ""), (FORM, "x=1"), (FORM, "d"), (TEXT, ""), (FORM, None)]:
            with self.subTest(headers=headers, body=body):
                self.assert_error(session.send_text(body, "/jsonp_send", headers), EXPECTED)
        session.send("x")
        self.assertEqual(session.poll(), 'a["x"]')

    def test_of_what_is_no_json_is_refused_and_the_session_goes_on(self):
        session = self.session().opened()
        for text in NO_JSON:
            with self.subTest(text):
                self.assert_error(session.send_form(text), BROKEN)
                self.assert_error(session.send_text(text, "/jsonp_send", TEXT), BROKEN)
        session.send("x")
        self.assertEqual(session.poll(), 'a["x"]')

    def test_of_json_that_is_no_array_is_refused(self):
        session = self.session().opened()
        for text in ["{}", "null", "1", "true"]:
            with self.subTest(text):
                self.assert_error(session.send_form(text), EXPECTED)

    def test_to_an_unknown_session_is_not_found(self):
        self.assertEqual(self.session().send_form('["x"]')[0].status, 404)

    def test_of_an_empty_array_is_taken(self):
        session = self.session().opened()
        self.assert_taken(session.send_form("[]"))


class StrangeInput(Conformance):
    """What the rules leave open: an answer comes, the server lives, the session works or is over."""

    def assert_survived(self, body):
        for path, headers in [("/xhr_send", []), ("/jsonp_send", TEXT)]:
            session = self.session().opened()
            connection = self.connect()
            connection.send("POST", self.url(session.path + path), headers, body)
            response = connection.response("POST")
            self.assertIn(response.status, (200, 204, 400, 413, 422, 500), body[:40])
            frame = session.poll() if response.status < 300 and body != b"[]" else None
            if frame is not None and frame.startswith("a"):
                self.assertIsInstance(json.loads(frame[1:]), list)
            self.assert_alive()

    def test_of_members_that_are_no_strings(self):
        for text in [b'["x",1]', b'[{"a":1},"x"]', b'[["a"],"x"]', b'["x",null,true,1e999,-0]']:
            with self.subTest(text):
                self.assert_survived(text)

    def test_of_lone_surrogates(self):
        for text in [rb'["\ud800"]', rb'["a\udc00b"]', rb'["\ud800\ud800"]', rb'["\udc00\ud800"]', rb'["\ud83dx"]']:
            with self.subTest(text):
                self.assert_survived(text)

    def test_of_bytes_that_are_no_utf_8(self):
        for text in [b'["\xff"]', b'["\xc3"]', b'["\xed\xa0\x80"]', b'["\xc0\x80"]', b'["\xf4\x90\x80\x80"]']:
            with self.subTest(text):
                self.assert_survived(text)

    def test_of_arrays_within_arrays(self):
        session = self.session().opened()
        for text in ["[" * 20_000, "[" * 20_000 + "]" * 20_000, '[{"a":' * 8_000]:
            response, _ = session.send_text(text)
            self.assertGreaterEqual(response.status, 200)
            self.assert_alive()


class Bodies(Conformance):
    def chunked(self, *parts):
        return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"

    def test_may_be_chunked_however_they_are_cut(self):
        text = '["é","x"]'.encode()
        session = self.session().opened()
        connection = self.connect()
        chunkings = [[text], [text[at:at + 1] for at in range(len(text))]]
        chunkings += [[text[:at], text[at:]] for at in range(1, len(text))]
        for parts in chunkings:
            headers = [("Transfer-Encoding", "chunked")]
            response = connection.request("POST", self.url(session.path + "/xhr_send"), headers, self.chunked(*parts))
            self.assertEqual(response.status, 204)
        sent = ["é", "x"] * len(chunkings)
        self.assertEqual(session.poll_messages(len(sent)), sent)

    def test_may_be_chunked_with_extensions_trailers_and_upper_case_sizes(self):
        session = self.session().opened()
        body = b'0A;name="v"\r\n["abcdef"]\r\n000\r\nTrailer: x\r\n\r\n'
        response, _ = session.send_text(body, headers=[("Transfer-Encoding", "chunked")])
        self.assertEqual(response.status, 204)
        self.assertEqual(session.poll(), 'a["abcdef"]')

    def test_of_forms_may_be_chunked(self):
        session = self.session().opened()
        headers = [*FORM, ("Transfer-Encoding", "chunked")]
        response, body = session.send_text(self.chunked(b"d=%5", b"B%22x%22%5D"), "/jsonp_send", headers)
        self.assertEqual((response.status, body), (200, b"ok"))
        self.assertEqual(session.poll(), 'a["x"]')

    def test_that_are_chunked_and_empty_are_no_payload(self):
        session = self.session().opened()
        headers = [("Transfer-Encoding", "chunked")]
        self.assert_error(session.send_text(self.chunked(), headers=headers), EXPECTED)

    def test_may_arrive_in_two_pieces_wherever_they_are_cut(self):
        session = self.session().opened()
        connection = self.connect()
        request = connection.request_bytes("POST", self.url(session.path + "/xhr_send"), body='["ü"]')
        for at in range(1, len(request)):
            connection.write(request[:at])
            connection.write(request[at:])
            self.assertEqual(connection.response().status, 204)
        sent = ["ü"] * (len(request) - 1)
        self.assertEqual(session.poll_messages(len(sent)), sent)

    def test_are_asked_for_where_the_client_waits_for_that(self):
        session = self.session().opened()
        connection = self.connect()
        head = connection.request_bytes("POST", self.url(session.path + "/xhr_send"),
                                        [("Expect", "100-continue"), ("Content-Length", "5")])
        connection.write(head)
        self.assertEqual(connection.response().status, 100)
        connection.write(b'["x"]')
        self.assertEqual(connection.response().status, 204)
        self.assertEqual(session.poll(), 'a["x"]')

    def test_that_come_slowly_keep_nobody_waiting(self):
        session = self.session().opened()
        slow = self.connect()
        slow.write(slow.request_bytes("POST", self.url(session.path + "/xhr_send"), body='["slow"]')[:-1])
        started = time.monotonic()
        session.send("quick")
        self.assertEqual(session.poll(), 'a["quick"]')
        self.assertLess(time.monotonic() - started, PATIENCE / 2)
        slow.write(b"]")
        self.assertEqual(slow.response().status, 204)
        self.assertEqual(session.poll(), 'a["slow"]')
