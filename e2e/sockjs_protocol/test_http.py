"""HTTP beneath the transports: one connection for many requests, requests behind each other, requests in pieces."""

from conformance import AWAY, Conformance, messages
from transports import POLLING, STREAMING, XHR, XHR_STREAMING, Listener
from websocket import WebSocket


class OneConnection(Conformance):
    def test_serves_info_polls_sends_and_streams_in_turn(self):
        connection = self.connect()
        session = self.session()

        def ask(method, path, **rest):
            response = connection.request(method, self.url(path), **rest)
            self.assertTrue(response.keeps_alive, response.headers)
            return response.status, response.body()

        for first in ["o", 'a["z"]', 'a["z"]']:
            self.assertEqual(ask("GET", "/echo/info")[0], 200)
            self.assertEqual(ask("OPTIONS", session.path + "/xhr")[1], b"")
            self.assertEqual(session.listen(XHR, connection).frame(), first)
            self.assertEqual(ask("POST", session.path + "/xhr_send", body='["x"]'), (204, b""))
            self.assertEqual(session.listen(XHR, connection).frame(), 'a["x"]')
            self.assertEqual(ask("POST", session.path + "/xhr_send", body="[")[0], 500)
            self.assertEqual(ask("GET", "/echo")[1], b"Welcome to SockJS!\n")
            self.assertEqual(ask("GET", "/echo/nowhere")[0], 404)
            self.assertEqual(ask("POST", session.path + "/xhr_send", body='["' + "y" * 4096 + '"]'), (204, b""))
            listener = session.listen(XHR_STREAMING, connection)
            self.assertTrue(listener.response.keeps_alive)
            self.assertEqual(len(listener.frames()), 1)
            self.assertEqual(ask("POST", session.path + "/xhr_send", body='["z"]'), (204, b""))

    def test_serves_a_stream_of_each_transport_after_the_other(self):
        connection = self.connect()
        for transport in STREAMING * 2:
            listener = self.session("/close").listen(transport, connection)
            self.assertEqual(listener.frames(), ["o", AWAY])

    def test_serves_a_websocket_after_other_requests(self):
        connection = self.connect()
        connection.request("GET", self.url("/echo/info")).body()
        socket = WebSocket(connection, self.url("/echo/000/abcdefgh/websocket"))
        self.assertEqual(socket.message(), "o")

    def test_ends_where_the_client_wants_it_to(self):
        close = [("Connection", "close")]
        for method, path in [("GET", "/echo"), ("GET", "/echo/info"), ("GET", "/echo/iframe.html"),
                             ("GET", "/echo/nowhere"), ("POST", self.session().path + "/xhr"),
                             ("OPTIONS", "/echo/info"), ("POST", self.session("/close").path + "/xhr_streaming")]:
            with self.subTest(path):
                connection = self.connect()
                response = connection.request(method, self.url(path), close)
                self.assertFalse(response.keeps_alive)
                response.body()
                self.assertEqual(connection.rest(), b"")

    def test_of_http_1_0_ends_after_one_answer(self):
        for method, path in [("GET", "/echo"), ("GET", "/echo/info"), ("GET", "/echo/nowhere"),
                             ("POST", self.session().path + "/xhr")]:
            with self.subTest(path):
                connection = self.connect()
                response = connection.request(method, self.url(path), version="1.0")
                self.assertIsNone(response.header("transfer-encoding"))
                self.assertTrue(response.body())
                self.assertEqual(connection.rest(), b"")

    def test_of_http_1_0_stays_only_where_both_say_so_and_the_length_is_known(self):
        keep = [("Connection", "keep-alive")]
        session = self.session()
        requests = [("GET", "/echo", None), ("GET", "/echo/info", None), ("POST", session.path + "/xhr", None),
                    ("POST", session.path + "/xhr_send", '["x"]'), ("POST", session.path + "/xhr", None)]
        connection = self.connect()
        for method, path, body in requests:
            with self.subTest(path):
                response = connection.request(method, self.url(path), keep, body, "1.0")
                self.assertIn(response.status, (200, 204))
                self.assertIsNone(response.header("transfer-encoding"))
                options = [option.lower() for option in response.all("connection")]
                if "keep-alive" in options:
                    self.assertTrue(response.status == 204 or response.header("content-length") is not None)
                    response.body()
                else:
                    response.body()
                    self.assertEqual(connection.rest(), b"")
                    connection = self.connect()

    def test_of_http_1_0_serves_without_a_host(self):
        connection = self.connect()
        connection.write(b"GET " + self.url("/echo").encode() + b" HTTP/1.0\r\n\r\n")
        response = connection.response()
        self.assertEqual((response.status, response.body()), (200, b"Welcome to SockJS!\n"))


class RequestsBehindEachOther(Conformance):
    """Those that are not safe are worked off one after the other (RFC 9112, section 9.3.2)."""

    def test_are_answered_in_order(self):
        connection = self.connect()
        paths = ["/echo", "/echo/info", "/echo/nowhere", "/echo/iframe.html", "/echo"] * 4
        connection.write(b"".join(connection.request_bytes("GET", self.url(path)) for path in paths))
        kinds = [connection_answer(connection) for _ in paths]
        plain, json, html = "text/plain", "application/json", "text/html"
        expected = [(200, plain), (200, json), (404, None), (200, html), (200, plain)] * 4
        self.assertEqual([(status, None if status == 404 else kind) for status, kind in kinds], expected)

    def test_with_bodies_are_answered_in_order(self):
        session = self.session().opened()
        connection = self.connect()
        send = self.url(session.path + "/xhr_send")
        chunked = [("Transfer-Encoding", "chunked")]
        connection.write(
            connection.request_bytes("POST", send, body='["a"]')
            + connection.request_bytes("POST", send, chunked, b'5\r\n["b"]\r\n0\r\n\r\n')
            + connection.request_bytes("POST", send, body="[")
            + connection.request_bytes("POST", send, body='["c"]')
            + connection.request_bytes("POST", self.url(session.path + "/xhr"))
        )
        statuses = []
        for _ in range(4):
            response = connection.response()
            response.body()
            statuses.append(response.status)
        self.assertEqual(statuses, [204, 204, 500, 204])
        self.assertEqual(connection.response().body(), b'a["a","b","c"]\n')

    def test_wait_for_a_poll_before_them(self):
        for transport in POLLING:
            with self.subTest(transport.name):
                session = self.session().opened()
                connection = session.park(transport)
                connection.send("GET", self.url("/echo"))
                self.assertTrue(connection.is_quiet(0.1))
                session.send("x")
                self.assertEqual(Listener(transport, connection, connection.response()).frame(), 'a["x"]')
                self.assertEqual(connection.response().body(), b"Welcome to SockJS!\n")

    def test_wait_for_a_stream_before_them(self):
        for transport in STREAMING:
            with self.subTest(transport.name):
                session = self.session()
                connection = session.park(transport)
                connection.send("GET", self.url("/echo"))
                listener = Listener(transport, connection, connection.response())
                self.assertEqual(listener.frame(), "o")
                session.send("y" * 4096)
                self.assertEqual(messages(listener.frame()), ["y" * 4096])
                listener.check_end()
                self.assertEqual(connection.response().body(), b"Welcome to SockJS!\n")

    def test_poll_again_and_again(self):
        session = self.session()
        connection = self.connect()
        for _ in range(4):
            session.park(XHR, connection)
        frames = [Listener(XHR, connection, connection.response()).frame()]
        for text in ["a", "b", "c"]:
            session.send(text)
            frames.append(Listener(XHR, connection, connection.response()).frame())
        self.assertEqual(frames, ["o", 'a["a"]', 'a["b"]', 'a["c"]'])


class RequestsInPieces(Conformance):
    def requests(self, connection, session):
        """Requests of each kind, with the status of their answers."""
        form = [("Content-Type", "application/x-www-form-urlencoded")]
        chunked = [("Transfer-Encoding", "chunked")]
        for method, path, headers, body, status in [
            ("GET", "/echo/info", [], None, 200),
            ("OPTIONS", "/echo/info", [], None, (200, 204)),
            ("POST", session.path + "/xhr_send", [], '["ü"]', 204),
            ("POST", session.path + "/xhr_send", chunked, b'2;x\r\n["\r\n3\r\nx"]\r\n0\r\n\r\n', 204),
            ("POST", session.path + "/jsonp_send", form, "d=%5B%22x%22%5D", 200),
            ("GET", session.path + "/jsonp?c=cb", [], None, 200),
        ]:
            status = status if isinstance(status, tuple) else (status,)
            yield connection.request_bytes(method, self.url(path), headers, body), status

    def test_of_a_byte_each_are_understood(self):
        connection = self.connect()
        for request, statuses in self.requests(connection, self.session().opened()):
            for at in range(len(request)):
                connection.write(request[at:at + 1])
            response = connection.response()
            response.body()
            self.assertIn(response.status, statuses)

    def test_are_understood_wherever_they_are_cut(self):
        connection = self.connect()
        session = self.session().opened()
        sent = 0
        for request, statuses in self.requests(connection, session):
            if b"/jsonp?" in request:
                continue
            for at in range(1, len(request)):
                connection.write(request[:at])
                connection.write(request[at:])
                response = connection.response()
                response.body()
                self.assertIn(response.status, statuses)
                sent += b"_send" in request
        session.send("end")
        self.assertEqual(session.poll_messages(sent + 1)[sent:], ["end"])

    def test_need_neither_body_nor_length(self):
        for headers in [[], [("Content-Length", "0")], [("Content-Type", "text/plain")]]:
            for transport in [XHR, XHR_STREAMING]:
                session = self.session()
                self.assertEqual(session.listen(transport, headers=headers).frame(), "o")

    def test_with_a_body_that_nobody_asked_for_do_not_shift_what_follows(self):
        connection = self.connect()
        session = self.session()
        for number in range(2):
            response = connection.request("POST", self.url(session.path + "/xhr"), body="GET / HTTP/1.1\r\n\r\n")
            self.assertEqual(response.body(), b"o\n" if number == 0 else b'a["x"]\n')
            session.send("x")
            response = connection.request("GET", self.url("/echo"))
            self.assertEqual(response.body(), b"Welcome to SockJS!\n")


def connection_answer(connection):
    """Status and media type of the next answer, whose body was read."""
    response = connection.response()
    response.body()
    return response.status, (response.header("content-type") or "").split(";")[0]
