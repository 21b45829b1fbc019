"""Section 4: the urls of sessions and their life."""

import json

from conformance import ANOTHER, AWAY, INTERRUPTED, Conformance, messages
from transports import JSONP, POLLING, STREAMING, TRANSPORTS, XHR, XHR_STREAMING, Listener

# How often a race is tried.
ROUNDS = 50


class SessionUrls(Conformance):
    def test_name_server_and_session_by_any_text_without_slash_and_dot(self):
        for server in ["000", "a", "_", "1", "abcdefgh_i-j%20", "%2e%2f"]:
            for name in ["a", "_", "1", "abcdefgh_i-j%20", "%C3%BC", "~!$&'()*+,;=:@"]:
                path = f"/echo/{server}/{name}{self.session().name}/xhr"
                with self.subTest(path):
                    response, body = self.post(path)
                    self.assertEqual((response.status, body), (200, b"o\n"))

    def test_with_other_parts_are_not_found(self):
        for path in ["//", "/a./a", "/a/a.", "/./.", "/a/..", "/a/", "/", "//a", "/a/a/a", "/a//"]:
            for name in ["xhr", "xhr_send", "xhr_streaming", "jsonp?c=x", "jsonp_send", "eventsource", "htmlfile?c=x",
                         "websocket"]:
                for method in ["GET", "POST"]:
                    with self.subTest(method=method, path=f"{path}/{name}"):
                        response, _ = self.request(method, f"/echo{path}/{name}")
                        self.assertEqual(response.status, 404)

    def test_may_end_with_a_slash(self):
        session = self.session()
        self.assertEqual(self.post(session.path + "/xhr/")[1], b"o\n")
        response, _ = session.send_text('["x"]', "/xhr_send/")
        self.assertEqual(response.status, 204)
        self.assertEqual(self.post(session.path + "/xhr/?y=1")[1], b'a["x"]\n')

    def test_may_have_a_query_everywhere(self):
        for transport in TRANSPORTS:
            session = self.session()
            url = session.path + transport.path + ("&" if "?" in transport.path else "?") + "y=1&z=a/b%zz"
            connection = self.connect()
            response = connection.request(transport.method, self.url(url))
            self.assertEqual(response.status, 200)
            for name in ["/xhr_send?y=1", "/jsonp_send?y=1"]:
                answer, _ = session.send_text("[]", name, [("Content-Type", "text/plain")])
                self.assertIn(answer.status, (200, 204))

    def test_mean_the_same_session_whatever_the_server_part(self):
        session = self.session().opened()
        response, _ = self.post(f"/echo/001/{session.name}/xhr_send", body='["x"]')
        self.assertEqual(response.status, 204)
        self.assertEqual(self.post(f"/echo/002/{session.name}/xhr")[1], b'a["x"]\n')

    def test_mean_different_sessions_when_the_session_part_differs(self):
        session, other = self.session().opened(), self.session().opened()
        session.send("x")
        other.send("y")
        self.assertEqual((session.poll(), other.poll()), ('a["x"]', 'a["y"]'))


class Opening(Conformance):
    def test_is_the_first_frame_at_once_and_happens_once(self):
        for transport in TRANSPORTS:
            with self.subTest(transport.name):
                session = self.session()
                listener = session.listen(transport)
                self.assertEqual(listener.frame(), "o")
                session.send("x")
                if not transport.streams:
                    listener = session.listen(transport)
                self.assertEqual(listener.frame(), 'a["x"]')

    def test_happens_once_whichever_transport_comes_next(self):
        for first in POLLING:
            for second in TRANSPORTS:
                with self.subTest(first=first.name, second=second.name):
                    session = self.session()
                    self.assertEqual(session.poll(first), "o")
                    session.send("x")
                    self.assertEqual(session.listen(second).frame(), 'a["x"]')

    def test_is_not_brought_about_by_sending(self):
        session = self.session()
        for path in ["/xhr_send", "/jsonp_send"]:
            response, _ = session.send_text('["x"]', path, [("Content-Type", "text/plain")])
            self.assertEqual(response.status, 404)
        self.assertEqual(session.poll(), "o")
        session.send("y")
        self.assertEqual(session.poll(), 'a["y"]')


class Messages(Conformance):
    def test_that_wait_leave_in_one_frame(self):
        for transport in TRANSPORTS:
            with self.subTest(transport.name):
                session = self.session().opened()
                session.send("a", "b")
                session.send("c")
                self.assertEqual(session.listen(transport).frame(), 'a["a","b","c"]')

    def test_reach_a_poll_that_waits(self):
        for transport in POLLING:
            with self.subTest(transport.name):
                session = self.session().opened()
                listening = session.park(transport)
                self.assertTrue(listening.is_quiet(0.1))
                session.send("x")
                self.assertEqual(transport.unwrap(listening.response().body()), 'a["x"]')

    def test_reach_a_stream_in_order(self):
        for transport in STREAMING:
            with self.subTest(transport.name):
                session = self.session()
                listener = session.listen(transport)
                self.assertEqual(listener.frame(), "o")
                for text in ["a", "b", "c"]:
                    session.send(text)
                came = []
                while len(came) < 3:
                    came += messages(listener.frame())
                self.assertEqual(came, ["a", "b", "c"])

    def test_sent_in_one_go_arrive_in_order_and_once(self):
        session = self.session().opened()
        texts = [str(number) for number in range(500)]
        session.send(*texts)
        self.assertEqual(session.poll_messages(len(texts)), texts)


class SecondReceiver(Conformance):
    def test_is_told_of_the_first_which_stays(self):
        for first in TRANSPORTS:
            for second in TRANSPORTS:
                with self.subTest(first=first.name, second=second.name):
                    session = self.session()
                    if first.streams:
                        listener = session.listen(first)
                        self.assertEqual(listener.frame(), "o")
                    else:
                        parked = session.opened().parked(first)
                    refused = session.listen(second)
                    self.assertEqual(refused.frames(), [ANOTHER])
                    session.send("x")
                    if not first.streams:
                        self.assertEqual(first.unwrap(parked.response().body()), 'a["x"]')
                    else:
                        self.assertEqual(listener.frame(), 'a["x"]')

    def test_may_try_again_on_the_same_connection_when_the_first_has_gone(self):
        session = self.session().opened()
        parked = session.parked(XHR)
        connection = self.connect()
        self.assertEqual(session.listen(XHR, connection).frame(), ANOTHER)
        session.send("x")
        self.assertEqual(parked.response().body(), b'a["x"]\n')
        session.send("y")
        self.assertEqual(session.listen(XHR, connection).frame(), 'a["y"]')


class ClosedByServer(Conformance):
    def test_streams_get_the_opening_and_the_close_and_end(self):
        for transport in STREAMING:
            with self.subTest(transport.name):
                session = self.session("/close")
                self.assertEqual(session.listen(transport).frames(), ["o", AWAY])
                self.assertEqual(session.listen(transport).frames(), [AWAY])

    def test_polls_get_the_opening_then_the_close_each_time(self):
        for transport in POLLING:
            with self.subTest(transport.name):
                session = self.session("/close")
                frames = [session.poll(transport) for _ in range(5)]
                self.assertEqual(frames, ["o", AWAY, AWAY, AWAY, AWAY])

    def test_every_later_receiver_of_any_transport_gets_the_close(self):
        session = self.session("/close")
        self.assertEqual(session.poll(), "o")
        for transport in TRANSPORTS + TRANSPORTS:
            with self.subTest(transport.name):
                self.assertEqual(session.listen(transport).frames(), [AWAY])


class LostReceiver(Conformance):
    """A client that aborts a request and asks again at once is not told that it still listens."""

    def rounds(self, transport, end, make):
        for number in range(ROUNDS):
            session = self.session()
            connection = make(session)
            getattr(connection, end)()
            frame = session.listen(transport).frame()
            self.assertIn(frame, ("o", INTERRUPTED), f"{transport.name}, {end}, round {number}")

    def test_of_a_stream_ends_the_session_at_once(self):
        def listening(transport):
            def make(session):
                listener = session.listen(transport)
                self.assertEqual(listener.frame(), "o")
                return listener.connection
            return make

        for transport in STREAMING:
            for end in ["close", "reset"]:
                self.rounds(transport, end, listening(transport))

    def test_of_a_poll_ends_the_session_at_once(self):
        for transport in POLLING:
            for end in ["close", "reset"]:
                self.rounds(transport, end, lambda session: session.opened().parked(transport))

    def test_with_requests_behind_its_poll_ends_the_session_at_once(self):
        def make(session):
            connection = session.opened().parked(XHR)
            for _ in range(3):
                connection.send("GET", self.url("/echo/info"))
            return connection

        self.rounds(XHR, "close", make)

    def test_takes_the_session_with_it(self):
        session = self.session()
        listener = session.listen(XHR_STREAMING)
        self.assertEqual(listener.frame(), "o")
        session.send("before")
        listener.connection.close()
        again = session.listen(XHR).frame()
        self.assertIn(again, ("o", INTERRUPTED))
        if again == "o":
            session.send("after")
            self.assertEqual(session.poll(), 'a["after"]')

    def test_of_a_poll_that_came_and_left_in_one_breath_blocks_nobody(self):
        for transport in [XHR, JSONP]:
            for number in range(ROUNDS):
                session = self.session().opened()
                session.park(transport).close()
                connection = session.park(transport)
                if connection.is_quiet(0.2):
                    # The second was quicker; the first is the one that was told of the other.
                    session.send("x")
                frame = Listener(transport, connection, connection.response()).frame()
                self.assertIn(frame, ("o", INTERRUPTED, 'a["x"]'), f"{transport.name}, round {number}")


class SameIdOverWebSocket(Conformance):
    def test_is_a_session_of_its_own_each_time(self):
        session = self.session().opened()
        sockets = [self.websocket(session.path + "/websocket") for _ in range(3)]
        for number, socket in enumerate(sockets):
            self.assertEqual(socket.message(), "o")
            socket.send(json.dumps([f"m{number}"]))
        for number, socket in enumerate(sockets):
            self.assertEqual(socket.message(), f'a["m{number}"]')
        sockets[0].connection.close()
        sockets[1].send('["still"]')
        self.assertEqual(sockets[1].message(), 'a["still"]')
        session.send("over http")
        self.assertEqual(session.poll(), 'a["over http"]')

    def test_leaves_nothing_behind_and_is_nothing_for_http(self):
        session = self.session()
        socket = self.websocket(session.path + "/websocket")
        self.assertEqual(socket.message(), "o")
        self.assertFalse(session.exists())
        socket.connection.close()
        again = self.websocket(session.path + "/websocket")
        self.assertEqual(again.message(), "o")


class FramesText(Conformance):
    def test_has_no_spaces_between_the_parts(self):
        session = self.session().opened()
        session.send_text('[ "a" ,\n"b"\t]')
        self.assertEqual(session.poll(), 'a["a","b"]')
        closed = self.session("/close").opened()
        self.assertEqual(closed.poll(), AWAY)
