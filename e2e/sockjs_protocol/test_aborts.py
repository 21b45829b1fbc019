"""Clients that leave in the middle: the server lives, answers the next request, and keeps nothing of them."""

import time

import services
import websocket
from conformance import INTERRUPTED, Conformance
from transports import JSONP, STREAMING, TRANSPORTS, XHR
from websocket import TEXT, handshake
from wire import PATIENCE

FORM = [("Content-Type", "application/x-www-form-urlencoded")]
CHUNKED = [("Transfer-Encoding", "chunked")]
ENDS = ["close", "reset"]


class Aborts(Conformance):
    def assert_gone(self, session, *where):
        """That the session ends, long before it would for want of a receiver."""
        deadline = time.monotonic() + PATIENCE / 4
        while session.exists() and session.poll() not in ("o", INTERRUPTED):
            self.assertLess(time.monotonic(), deadline, f"the session outlives its receiver: {where}")

    def cut(self, request, at, end):
        """Sends so many bytes of a request and leaves."""
        connection = self.connect()
        connection.write(request[:at])
        getattr(connection, end)()


class CutRequests(Aborts):
    """Cut after every byte of head and body."""

    def sends(self, session):
        """Requests that send, each with the number of positions at which a cut leaves no whole request."""
        connection = self.connect()
        for name, headers, body, missing in [
            ("xhr_send", [], '["cut"]', 1),
            ("xhr_send", CHUNKED, b'3\r\n["c\r\n4;x=y\r\nut"]\r\n0\r\n\r\n', 5),
            ("jsonp_send", FORM, "d=%5B%22cut%22%5D", 1),
            ("jsonp_send", [("Content-Type", "text/plain")], '["cut"]', 1),
        ]:
            request = connection.request_bytes("POST", self.url(f"{session.path}/{name}"), headers, body)
            yield name, request, len(request) - missing + 1

    def test_send_nothing(self):
        session = self.session().opened()
        for name, request, length in self.sends(session):
            for end in ENDS:
                for at in range(length):
                    self.cut(request, at, end)
            session.send("end")
            with self.subTest(name):
                self.assertEqual(session.poll(), 'a["end"]')
            self.assert_alive()

    def test_with_an_end_of_writing_are_never_taken_as_whole(self):
        session = self.session().opened()
        for name, request, length in self.sends(session):
            for at in range(0, length, 3):
                connection = self.connect()
                connection.write(request[:at])
                connection.finish_writing()
                self.assertNotRegex(connection.rest(), rb"^HTTP/1\.1 2", f"{name} cut at {at}")
        session.send("end")
        self.assertEqual(session.poll(), 'a["end"]')

    def test_open_no_session(self):
        for transport in TRANSPORTS:
            session = self.session()
            request = self.connect().request_bytes(transport.method, self.url(session.path + transport.path))
            for end in ENDS:
                for at in range(len(request)):
                    self.cut(request, at, end)
            with self.subTest(transport.name):
                self.assertFalse(session.exists())
                self.assertEqual(session.poll(transport), "o")

    def test_that_were_whole_open_a_session_that_ends_with_them(self):
        for transport in STREAMING:
            for end in ENDS:
                session = self.session()
                request = self.connect().request_bytes(transport.method, self.url(session.path + transport.path))
                self.cut(request, len(request), end)
                self.assert_gone(session, transport.name, end)

    def test_of_pages_and_handshakes_harm_nobody(self):
        connection = self.connect()
        for method, path, headers in [
            ("GET", "/echo", []), ("GET", "/echo/info", []), ("OPTIONS", "/echo/info", [("Origin", "null")]),
            ("GET", "/echo/iframe.html", []), ("GET", "/echo/000/abcdefgh/websocket", handshake()),
            ("GET", "/echo/websocket", handshake()),
        ]:
            request = connection.request_bytes(method, self.url(path), headers)
            for at in range(len(request) + 1):
                self.cut(request, at, ENDS[at % 2])
            self.assert_alive()

    def test_behind_a_whole_one_leave_its_answer(self):
        connection = self.connect()
        request = connection.request_bytes("GET", self.url("/echo"))
        for at in range(0, len(request), 5):
            connection = self.connect()
            connection.write(request + request[:at])
            response = connection.response()
            self.assertEqual((response.status, response.body()), (200, b"Welcome to SockJS!\n"))
            connection.close()
        self.assert_alive()


class CutResponses(Aborts):
    """Left after every byte of the head, and around and between the frames."""

    def test_of_streams_end_the_session(self):
        for transport in STREAMING:
            for at in self.points(transport):
                session = self.session()
                connection = session.park(transport)
                connection.exactly(at)
                getattr(connection, ENDS[at % 2])()
                self.assert_gone(session, transport.name, at)

    def points(self, transport):
        """Numbers of bytes after which to leave: of the head, the ends of the prelude, the first frame."""
        session = self.session()
        connection = session.park(transport)
        head = connection.until(b"\r\n\r\n")
        opening = b"%x\r\n%b\r\n" % (len(transport.wrap("o")), transport.wrap("o"))
        whole = len(head) + len(connection.until(opening))
        connection.close()
        self.assert_gone(session)
        return [*range(1, len(head) + 12, 3), *range(whole - len(opening) - 8, whole + 1)]

    def test_of_streams_in_the_middle_of_many_frames_end_the_session(self):
        for transport in STREAMING:
            for size in range(1, 4000, 397):
                session = self.session()
                listener = session.listen(transport)
                self.assertEqual(listener.frame(), "o")
                session.send("x" * 3000)
                session.send("x" * 500)
                listener.connection.exactly(min(size, 3000))
                listener.connection.close()
                self.assert_gone(session, transport.name, size)

    def test_of_polls_that_wait_end_the_session(self):
        for transport in [XHR, JSONP]:
            for end in ENDS:
                session = self.session().opened()
                connection = session.parked(transport)
                getattr(connection, end)()
                self.assert_gone(session, transport.name, end)

    def test_of_polls_that_were_answered_leave_the_session(self):
        for transport in [XHR, JSONP]:
            session = self.session().opened()
            session.send("x")
            connection = session.park(transport)
            self.assertEqual(transport.unwrap(connection.response().body()), 'a["x"]')
            connection.reset()
            session.send("y")
            with self.subTest(transport.name):
                self.assertEqual(session.poll(transport), 'a["y"]')


class CutWebSockets(Aborts):
    def test_harm_nobody_wherever_they_are_cut(self):
        for path in ["/echo/000/abcdefgh/websocket", "/echo/websocket"]:
            for fragmented in [False, True]:
                data = websocket.frame(TEXT, '["' + "x" * 150 + '"]', final=not fragmented)
                for at in [*range(16), *range(16, len(data), 20)]:
                    socket = self.websocket(path)
                    socket.connection.write(data[:at])
                    getattr(socket.connection, ENDS[at % 2])()
            self.assert_alive()

    def test_with_an_end_of_writing_are_ended(self):
        for path in ["/echo/000/abcdefgh/websocket", "/echo/websocket"]:
            data = websocket.frame(TEXT, '["cut"]')
            for at in range(len(data)):
                socket = self.websocket(path)
                if path != "/echo/websocket":
                    self.assertEqual(socket.message(), "o")
                socket.connection.write(data[:at])
                socket.connection.finish_writing()
                self.assertNotIn(b"cut", socket.connection.rest(), f"{path} cut at {at}")


class Descriptors(Aborts):
    """With a program of its own, so that nobody else opens any."""

    CLIENTS = 60

    def services(self):
        return self.own

    def setUp(self):
        self.own = services.separate()
        if self.own.open_files() is None:
            self.skipTest("the descriptors of the server can't be seen from here")
        self.addCleanup(self.own.stop)

    def test_are_given_back_when_clients_have_left(self):
        bystander = self.connect()
        bystander.request("GET", self.url("/echo")).body()
        # One of them is that of the bystander.
        before = self.own.open_files()
        for end in ENDS:
            connections = []
            for _ in range(self.CLIENTS):
                for transport in TRANSPORTS:
                    connections.append(self.session().park(transport))
                connections.append(self.websocket().connection)
                connections.append(self.connect())
                connections[-1].write(b"GET /echo/in")
            self.wait_for(bystander, lambda: self.own.open_files() >= before + len(connections))
            for connection in connections:
                getattr(connection, end)()
            with self.subTest(end):
                self.wait_for(bystander, lambda: self.own.open_files() <= before)

    def wait_for(self, bystander, condition):
        """Looks again each time the server has answered one more request."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"{self.own.open_files()} descriptors")
            bystander.request("GET", self.url("/echo")).body()
