"""Section 5: the transports by which a client listens."""

from urllib.parse import quote

from conformance import AWAY, Conformance, messages
from transports import EVENTSOURCE, HTMLFILE, JSONP, POLLING, STREAMING, TRANSPORTS, XHR, XHR_STREAMING

# Of a streaming response of the service /echo, bytes.
LIMIT = 4096


class Streams(Conformance):
    """That prelude and frames are chunks of their own is checked by every use of `Listener`."""

    def test_are_chunked_without_a_length(self):
        for transport in STREAMING:
            with self.subTest(transport.name):
                response = self.session().listen(transport).response
                self.assertEqual(response.version, "1.1")
                self.assertTrue(response.chunked)
                self.assertIsNone(response.header("content-length"))

    def test_send_the_prelude_and_each_frame_in_a_chunk_of_its_own(self):
        for transport in STREAMING:
            with self.subTest(transport.name):
                session = self.session()
                connection = self.connect()
                response = connection.request(transport.method, self.url(session.path + transport.path))
                transport.check_prelude(response.chunk())
                self.assertEqual(response.chunk(), transport.wrap("o"))
                for text in ["a", "b"]:
                    session.send(text)
                    self.assertEqual(response.chunk(), transport.wrap(f'a["{text}"]'))

    def test_send_the_opening_and_the_close_in_chunks_of_their_own(self):
        for transport in STREAMING:
            with self.subTest(transport.name):
                response = self.session("/close").listen(transport).response
                chunks = list(iter(response.chunk, b""))
                self.assertEqual(chunks, [transport.wrap("o"), transport.wrap(AWAY)])

    def test_of_http_1_0_are_not_chunked_and_end_with_the_connection(self):
        for transport in STREAMING:
            with self.subTest(transport.name):
                session = self.session()
                listener = session.listen(transport, version="1.0")
                self.assertIsNone(listener.response.header("transfer-encoding"))
                self.assertIsNone(listener.response.header("content-length"))
                self.assertEqual(listener.frame(), "o")
                session.send("x")
                self.assertEqual(listener.frame(), 'a["x"]')
                session.send("x" * LIMIT)
                self.assertEqual(listener.frames(), [f'a["{"x" * LIMIT}"]'])

    def test_of_http_1_0_end_with_the_close_of_the_session(self):
        for transport in STREAMING:
            for headers in [[], [("Connection", "keep-alive")]]:
                with self.subTest(transport.name, headers=headers):
                    session = self.session("/close")
                    listener = session.listen(transport, version="1.0", headers=headers)
                    self.assertEqual(listener.frames(), ["o", AWAY])

    def test_take_a_request_with_a_body_or_a_length_of_nought(self):
        for headers, body in [([], None), ([("Content-Length", "0")], None), ([], "x=1")]:
            session = self.session()
            connection = self.connect()
            url = self.url(session.path + "/xhr_streaming")
            response = connection.request("POST", url, headers, body)
            XHR_STREAMING.check_prelude(response.chunk())
            self.assertEqual(response.chunk(), b"o\n")


class Polls(Conformance):
    def test_answer_with_exactly_one_frame(self):
        for transport in POLLING:
            with self.subTest(transport.name):
                session = self.session()
                for frame in ["o", 'a["x"]']:
                    listener = session.listen(transport)
                    self.assertEqual(listener.response.body(), transport.wrap(frame))
                    session.send("x")

    def test_of_http_1_0_are_not_chunked(self):
        for transport in POLLING:
            for headers in [[], [("Connection", "keep-alive")]]:
                with self.subTest(transport.name, headers=headers):
                    session = self.session()
                    listener = session.listen(transport, version="1.0", headers=headers)
                    self.assertIsNone(listener.response.header("transfer-encoding"))
                    self.assertEqual(listener.frame(), "o")
                    if not headers:
                        self.assertEqual(listener.connection.rest(), b"")
                    session.send("x")
                    self.assertEqual(session.listen(transport, version="1.0").frame(), 'a["x"]')

    def test_of_http_1_0_that_wait_end_with_the_connection_after_the_frame(self):
        for transport in POLLING:
            session = self.session().opened()
            connection = self.connect()
            connection.send(transport.method, self.url(session.path + transport.path), version="1.0")
            self.assertTrue(connection.is_quiet(0.05))
            session.send("x")
            self.assertEqual(transport.unwrap(connection.response().body()), 'a["x"]')
            self.assertEqual(connection.rest(), b"")

    def test_of_jsonp_tell_the_browser_not_to_guess_the_type(self):
        response = self.session().listen(JSONP).response
        self.assertEqual(response.header("x-content-type-options"), "nosniff")


class Limit(Conformance):
    MESSAGE = "x" * 128

    def fitting(self, transport):
        """The length of a message with which a stream has exactly the bytes of the limit."""
        return LIMIT - len(transport.wrap("o")) - len(transport.wrap('a[""]'))

    def assert_goes_on(self, session, listener):
        self.assertTrue(listener.connection.is_quiet(0.1))
        session.send("on")
        self.assertEqual(listener.frame(), 'a["on"]')

    def test_of_4096_bytes_is_reached_by_31_frames_of_134_bytes_and_not_by_30(self):
        session = self.session()
        listener = session.listen(XHR_STREAMING)
        self.assertEqual(listener.frame(), "o")
        for _ in range(31):
            self.assertTrue(listener.connection.is_quiet(0))
            session.send(self.MESSAGE)
            self.assertEqual(listener.frame(), f'a["{self.MESSAGE}"]')
        listener.check_end()

    def test_is_not_reached_by_30_frames_of_134_bytes(self):
        session = self.session()
        listener = session.listen(XHR_STREAMING)
        self.assertEqual(listener.frame(), "o")
        for _ in range(30):
            session.send(self.MESSAGE)
            self.assertEqual(listener.frame(), f'a["{self.MESSAGE}"]')
        self.assert_goes_on(session, listener)

    def test_is_reached_by_one_message_of_4096_characters(self):
        for transport in STREAMING:
            with self.subTest(transport.name):
                session = self.session()
                listener = session.listen(transport)
                self.assertEqual(listener.frame(), "o")
                session.send("y" * 4096)
                self.assertEqual(listener.frames(), [f'a["{"y" * 4096}"]'])

    def test_counts_the_opening_and_the_framing_but_not_the_prelude(self):
        for transport in STREAMING:
            fitting = self.fitting(transport)
            with self.subTest(transport.name):
                session = self.session()
                listener = session.listen(transport)
                self.assertEqual(listener.frame(), "o")
                session.send("y" * fitting)
                self.assertEqual(listener.frames(), [f'a["{"y" * fitting}"]'])
            with self.subTest(transport.name, less=1):
                session = self.session()
                listener = session.listen(transport)
                self.assertEqual(listener.frame(), "o")
                session.send("y" * (fitting - 1))
                self.assertEqual(listener.frame(), f'a["{"y" * (fitting - 1)}"]')
                self.assert_goes_on(session, listener)

    def test_counts_bytes_not_characters(self):
        session = self.session()
        listener = session.listen(XHR_STREAMING)
        self.assertEqual(listener.frame(), "o")
        session.send("é" * 2044)
        self.assertEqual(listener.frames(), [f'a["{"é" * 2044}"]'])

    def test_is_the_same_for_each_response_of_a_session(self):
        session = self.session()
        for number in range(3):
            listener = session.listen(XHR_STREAMING)
            if number == 0:
                self.assertEqual(listener.frame(), "o")
                session.send("y" * 4088)
            else:
                session.send("y" * 4090)
            self.assertEqual(len(listener.frames()), 1)

    def test_reached_means_that_the_next_has_a_prelude_and_no_opening(self):
        for transport in STREAMING:
            with self.subTest(transport.name):
                session = self.session()
                listener = session.listen(transport)
                self.assertEqual(listener.frame(), "o")
                session.send("y" * 4096)
                listener.frames()
                session.send("z")
                self.assertEqual(session.listen(transport).frame(), 'a["z"]')

    def test_reached_again_and_again_loses_nothing(self):
        texts = [f"{number:0128}" for number in range(200)]
        for transport in STREAMING:
            with self.subTest(transport.name):
                session = self.session()
                listener = session.listen(transport)
                self.assertEqual(listener.frame(), "o")
                for start in range(0, len(texts), 5):
                    session.send(*texts[start:start + 5])
                came = []
                while len(came) < len(texts):
                    frame = listener.frame_or_end()
                    if frame is None:
                        listener = session.listen(transport)
                    else:
                        came += messages(frame)
                self.assertEqual(came, texts)


class Callbacks(Conformance):
    WITH_CALLBACK = [HTMLFILE, JSONP]

    def ask(self, transport, query):
        return self.get(f"{self.session().path}/{transport.name}{query}")

    def answer_to(self, transport, query):
        """The first bytes of an answer of status 200."""
        connection = self.connect()
        response = connection.request("GET", self.url(f"{self.session().path}/{transport.name}{query}"))
        self.assertEqual(response.status, 200)
        return response.chunk() if transport.streams else response.body()

    def test_are_needed(self):
        for transport in self.WITH_CALLBACK:
            for query in ["", "?", "?y=1"]:
                with self.subTest(transport.name, query=query):
                    self.assert_error(self.ask(transport, query), '"callback" parameter required')

    def test_of_other_characters_are_refused(self):
        for transport in self.WITH_CALLBACK:
            for callback in ["%20", "*", "abc(", "abc%28", "a%3Cb", "a;b", "%C3%BC", "a%0A", "a%00", "a'", "a%22"]:
                with self.subTest(transport.name, callback=callback):
                    self.assert_error(self.ask(transport, "?c=" + callback), 'invalid "callback" parameter')

    def test_of_more_than_32_characters_are_refused_by_jsonp(self):
        self.assert_error(self.ask(JSONP, "?c=" + "x" * 33), 'invalid "callback" parameter')

    def test_that_are_refused_create_no_session(self):
        for transport in self.WITH_CALLBACK:
            for query in ["", "?c=*"]:
                session = self.session()
                self.get(f"{session.path}/{transport.name}{query}")
                self.assertFalse(session.exists())

    def test_of_letters_digits_and_three_signs_are_taken(self):
        for transport in self.WITH_CALLBACK:
            for callback in ["a", "_jp.atm0f2u", "A-z.0_9", "x" * 32]:
                for query in ["?c=" + callback, "?callback=" + callback, f"?y=1&c={callback}&z=2"]:
                    with self.subTest(transport.name, query=query):
                        before = b"parent." if transport is HTMLFILE else b"/**/"
                        self.assertIn(before + callback.encode(), self.answer_to(transport, query))

    def test_are_percent_decoded(self):
        for transport in self.WITH_CALLBACK:
            coded = "".join(f"%{byte:02X}" for byte in b"a.b_c")
            self.assertIn(b"a.b_c", self.answer_to(transport, "?c=" + coded))

    def test_stand_at_the_head_of_each_answer_of_jsonp(self):
        session = self.session()
        for frame in ["o", 'a[\\"x\\"]']:
            _, body = self.get(session.path + "/jsonp?c=%63%62")
            self.assertEqual(body.decode(), f'/**/cb("{frame}");\r\n')
            session.send("x")


class JsStrings(Conformance):
    def test_are_the_frame_encoded_once_more(self):
        for transport, before, after in [
            (HTMLFILE, b'<script>\np("', b'");\n</script>\r\n'),
            (JSONP, b'/**/callback("', b'");\r\n'),
        ]:
            with self.subTest(transport.name):
                session = self.session().opened()
                session.send('"\\\n')
                response = session.listen(transport).response
                data = response.chunk() if transport.streams else response.body()
                self.assertEqual(data, before + rb'a[\"\\\"\\\\\\n\"]' + after)

    def test_never_end_the_script_of_htmlfile(self):
        for text in ["</script>", "</SCRIPT >", "<!--<script>", "</script><script>alert(1)</script>"]:
            session = self.session().opened()
            session.send(text)
            self.assertEqual(messages(session.listen(HTMLFILE).frame()), [text])


class PercentSigns(Conformance):
    TEXTS = ["%", "100%", "%41", "%25", "%%", "a%0Ab", "%E4%", "%u0041", "+ %2B"]

    def test_survive_what_the_client_of_eventsource_does_with_them(self):
        session = self.session().opened()
        session.send(*self.TEXTS)
        self.assertEqual(messages(session.listen(EVENTSOURCE).frame()), self.TEXTS)

    def test_stay_as_they_are_on_all_others(self):
        for transport in [XHR, XHR_STREAMING, HTMLFILE, JSONP]:
            with self.subTest(transport.name):
                session = self.session().opened()
                session.send(*self.TEXTS)
                self.assertEqual(messages(session.listen(transport).frame()), self.TEXTS)

    def test_survive_in_what_is_sent_over_jsonp(self):
        for text in self.TEXTS:
            session = self.session().opened()
            self.assertEqual(session.send_form(f'["{quote(text)}"]')[0].status, 200)
            self.assertEqual(messages(session.poll()), [quote(text)])
