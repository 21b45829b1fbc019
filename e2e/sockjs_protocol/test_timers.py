"""Section 4: heartbeats each 25 s, and the end of a session 5 s after its last receiver has gone."""

import time
from contextlib import contextmanager, suppress

from conformance import AWAY, Conformance
from transports import POLLING, STREAMING, XHR, XHR_STREAMING
from websocket import CLOSE, PING, PONG, TEXT
from wire import Ended

DISCONNECT, HEARTBEAT, PONG_DUE = 5, 25, 10
# How much later a timer may go off on a machine that is busy, in seconds, and how much earlier.
LATE, EARLY = 3, 0.5


class Timers(Conformance):
    waits_for_timers = True
    bystander = None

    def passes(self, seconds):
        """So long nothing comes, no end either, to a client that listens to another session all the time."""
        if self.bystander is None:
            self.bystander = self.session().opened().parked(XHR)
        self.assertTrue(self.bystander.is_quiet(seconds), "what one session does disturbs another")

    @contextmanager
    def lasting(self, seconds):
        """What is done within takes as long as the timer says."""
        started = time.monotonic()
        yield
        took = time.monotonic() - started
        self.assertTrue(seconds - EARLY < took < seconds + LATE, f"{took:.1f} s in place of {seconds} s")

    def wait_for_the_end(self, session):
        """Sends nothing but empty arrays until the session is not there any more."""
        deadline = time.monotonic() + DISCONNECT + LATE
        while session.exists():
            self.assertLess(time.monotonic(), deadline, "the session goes on without a receiver")
            self.passes(0.1)


class Disconnect(Timers):
    def test_comes_after_a_poll_and_is_not_put_off_by_sending(self):
        session = self.session().opened()
        with self.lasting(DISCONNECT):
            deadline = time.monotonic() + DISCONNECT + LATE
            while session.send_text('["x"]')[0].status == 204:
                self.assertLess(time.monotonic(), deadline, "the session goes on without a receiver")
                self.passes(0.25)
        self.assertEqual(session.poll(), "o")

    def test_comes_after_a_poll_that_had_to_wait(self):
        session = self.session().opened()
        parked = session.parked(XHR)
        self.assertTrue(parked.is_quiet(DISCONNECT + 1))
        session.send("x")
        self.assertEqual(parked.response().body(), b'a["x"]\n')
        with self.lasting(DISCONNECT):
            self.wait_for_the_end(session)

    def test_comes_after_a_stream_that_has_reached_its_limit(self):
        session = self.session()
        listener = session.listen(XHR_STREAMING)
        self.assertEqual(listener.frame(), "o")
        session.send("y" * 4096)
        listener.frames()
        with self.lasting(DISCONNECT):
            self.wait_for_the_end(session)

    def test_is_counted_from_the_last_poll(self):
        session = self.session().opened()
        for _ in range(3):
            self.passes(DISCONNECT * 0.6)
            session.send("x")
            self.assertEqual(session.poll(), 'a["x"]')
        with self.lasting(DISCONNECT):
            self.wait_for_the_end(session)

    def test_does_not_come_while_somebody_listens(self):
        for_poll = self.session().opened()
        parked = for_poll.park(XHR)
        streams = [(self.session(), transport) for transport in STREAMING]
        listeners = [session.listen(transport) for session, transport in streams]
        self.assertEqual([listener.frame() for listener in listeners], ["o"] * 3)
        self.assertTrue(parked.is_quiet(DISCONNECT + LATE), "an answer to a poll though there is nothing to say")
        for_poll.send("x")
        self.assertEqual(parked.response().body(), b'a["x"]\n')
        for (session, _), listener in zip(streams, listeners):
            session.send("x")
            self.assertEqual(listener.frame(), 'a["x"]')

    def test_forgets_a_session_that_the_server_closed(self):
        polling, streaming = self.session("/close").opened(), self.session("/close")
        self.assertEqual(polling.poll(), AWAY)
        self.passes(DISCONNECT * 0.6)
        self.assertEqual(polling.poll(), AWAY)
        self.assertEqual(streaming.listen(XHR_STREAMING).frames(), ["o", AWAY])
        self.passes(DISCONNECT + LATE)
        self.assertEqual(polling.poll(), "o")
        self.assertEqual(streaming.poll(), "o")

    def test_leaves_a_websocket_alone(self):
        socket = self.websocket()
        self.assertEqual(socket.message(), "o")
        self.assertTrue(socket.connection.is_quiet(DISCONNECT + LATE), "a frame though there is nothing to say")
        socket.send('["x"]')
        self.assertEqual(socket.message(), 'a["x"]')


class Heartbeat(Timers):
    def connect(self, patience=HEARTBEAT + LATE):
        return super().connect(patience)

    def test_comes_to_a_poll_and_completes_it(self):
        sessions = [(self.session().opened(), transport) for transport in POLLING]
        with self.lasting(HEARTBEAT):
            parked = [session.park(transport) for session, transport in sessions]
            frames = [transport.unwrap(connection.response().body())
                      for connection, (_, transport) in zip(parked, sessions)]
        self.assertEqual(frames, ["h", "h"])
        for session, transport in sessions:
            session.send("x")
            self.assertEqual(session.poll(transport), 'a["x"]')

    def test_comes_to_a_stream_which_goes_on(self):
        sessions = [(self.session(), transport) for transport in STREAMING]
        with self.lasting(HEARTBEAT):
            listeners = [session.listen(transport) for session, transport in sessions]
            for listener in listeners:
                self.assertEqual([listener.frame(), listener.frame()], ["o", "h"])
        for (session, _), listener in zip(sessions, listeners):
            session.send("x")
            self.assertEqual(listener.frame(), 'a["x"]')

    def test_comes_to_a_websocket_as_frame_or_ping(self):
        socket = self.websocket()
        self.assertEqual(socket.message(), "o")
        with self.lasting(HEARTBEAT):
            opcode, payload = socket.next_frame()
        self.assertTrue(opcode == PING or (opcode, payload) == (TEXT, b"h"), (opcode, payload))
        if opcode == PING:
            socket.send(payload, PONG)
        socket.send('["x"]')
        self.assertEqual(socket.message(), 'a["x"]')

    def test_as_a_ping_that_is_not_answered_ends_the_websocket(self):
        socket = self.websocket()
        self.assertEqual(socket.message(), "o")
        if socket.next_frame()[0] != PING:
            self.skipTest("the heartbeat is no ping")
        with self.lasting(PONG_DUE), suppress(Ended):
            opcode, payload = socket.next_frame()
            self.assertTrue(opcode == CLOSE or payload.startswith(b"c["), payload)

    def test_does_not_come_to_a_raw_websocket_as_text(self):
        socket = self.websocket("/echo/websocket")
        if not socket.connection.is_quiet(HEARTBEAT + LATE):
            opcode, payload = socket.next_frame()
            self.assertEqual(opcode, PING)
            socket.send(payload, PONG)
        socket.send("x")
        self.assertEqual(socket.message(), "x")
