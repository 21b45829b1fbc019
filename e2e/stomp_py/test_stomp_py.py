"""stomp.py, unmodified, over TCP against the real program."""

import unittest

from peer import Peer
from server import Server

QUICK_BEATS = '[stomp]\nheart_beat_send = "200ms"\nheart_beat_receive = "200ms"\n'


class EveryVersion:
    """What holds in 1.0, 1.1 and 1.2; the server is one for all tests of a version."""

    version = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def peer(self, **options):
        peer = Peer(self.server, self.version, **options)
        self.addCleanup(peer.connection.disconnect)
        return peer

    def test_connects_in_its_version_and_leaves(self):
        peer = Peer(self.server, self.version, login="ada")
        self.assertEqual(peer.greeting["version"], self.version)
        self.assertEqual(peer.greeting["user-name"], "ada")
        peer.leave()

    def test_a_topic_reaches_every_subscriber_in_order(self):
        peers = [self.peer() for _ in range(3)]
        for peer in peers:
            peer.subscribe("/topic/order")
        bodies = [str(number) for number in range(100)]
        for body in bodies[:-1]:
            peers[0].connection.send("/topic/order", body)
        peers[0].send("/topic/order", bodies[-1])
        for peer in peers:
            self.assertEqual(peer.bodies(100), bodies)
            self.assertTrue(peer.messages.empty())

    def test_a_body_of_many_bytes_and_characters_arrives_as_it_was(self):
        peer = self.peer()
        peer.subscribe("/topic/body")
        body = "grüße 🎉\x00\n" * 60_000
        peer.send("/topic/body", body, **{"content-type": "text/plain"})
        message = peer.next()
        self.assertEqual(message.headers["content-type"], "text/plain")
        self.assertTrue(message.body == body)

    def test_bytes_arrive_as_they_were(self):
        peer = self.peer(auto_decode=False)
        peer.subscribe("/topic/bytes")
        body = bytes(range(256)) * 16
        peer.send("/topic/bytes", body)
        self.assertEqual(peer.next().body, body)

    def test_what_is_unsubscribed_is_silent(self):
        peer = self.peer()
        peer.subscribe("/topic/gone", id="gone")
        peer.subscribe("/topic/stays", id="stays")
        peer.connection.unsubscribe(id="gone")
        peer.send("/topic/gone", "gone")
        peer.send("/topic/stays", "stays")
        self.assertEqual(peer.bodies(1), ["stays"])
        self.assertTrue(peer.messages.empty())

    def test_a_queue_keeps_messages_and_an_acknowledgement_covers_the_earlier_ones(self):
        queue = f"/queue/client-{self.version}"
        first = Peer(self.server, self.version)
        for body in "abc":
            first.send(queue, body)
        first.subscribe(queue, ack="client")
        _, b, _ = first.next(), first.next(), first.next()
        first.ack(b)
        first.leave()
        second = self.peer()
        second.subscribe(queue)
        again = second.next()
        self.assertEqual((again.body, again.headers["redelivered"]), ("c", "true"))

    def test_a_transaction_takes_effect_at_its_commit(self):
        peer = self.peer()
        peer.subscribe("/topic/transaction")
        transaction = peer.connection.begin()
        peer.send("/topic/transaction", "inside", transaction=transaction)
        peer.send("/topic/transaction", "outside")
        peer.connection.commit(transaction)
        self.assertEqual(peer.bodies(2), ["outside", "inside"])

    def test_an_aborted_transaction_leaves_nothing(self):
        queue = f"/queue/abort-{self.version}"
        peer = self.peer()
        peer.subscribe(queue, ack="client")
        peer.send(queue, "a")
        a = peer.next()
        transaction = peer.connection.begin()
        peer.send(queue, "never", transaction=transaction)
        peer.ack(a, transaction=transaction)
        peer.connection.abort(transaction)
        peer.send(queue, "b")
        self.assertEqual(peer.bodies(1), ["b"])
        peer.ack(a)

    def test_an_unknown_destination_is_an_error_and_the_end(self):
        peer = Peer(self.server, self.version)
        peer.connection.send("/nowhere", "x", receipt="r")
        error = peer.error()
        self.assertEqual(error.headers["code"], "unknown-destination")
        self.assertEqual(error.headers["receipt-id"], "r")
        peer.closed()


class FromVersion11(EveryVersion):
    """What 1.0 does not have."""

    def test_headers_with_special_characters_arrive_as_they_were(self):
        peer = self.peer()
        peer.subscribe("/topic/headers")
        headers = {"colon": "a:b", "lines": "one\ntwo", "spaces": " both ", "größe": "日本"}
        peer.send("/topic/headers", "x", **headers)
        came = peer.next().headers
        self.assertEqual({name: came[name] for name in headers}, headers)

    def test_only_what_was_acknowledged_individually_is_gone(self):
        queue = f"/queue/individual-{self.version}"
        first = Peer(self.server, self.version)
        for body in "abc":
            first.send(queue, body)
        first.subscribe(queue, ack="client-individual")
        _, b, _ = first.next(), first.next(), first.next()
        first.ack(b)
        first.leave()
        second = self.peer()
        second.subscribe(queue)
        self.assertEqual(second.bodies(2), ["a", "c"])

    def test_a_refused_message_comes_again(self):
        queue = f"/queue/refused-{self.version}"
        peer = self.peer()
        peer.subscribe(queue, ack="client-individual")
        peer.send(queue, "try again")
        peer.nack(peer.next())
        again = peer.next()
        self.assertEqual((again.body, again.headers["delivery-count"]), ("try again", "2"))
        peer.ack(again)

    def test_heart_beats_go_both_ways(self):
        with Server(QUICK_BEATS) as server:
            peer = Peer(server, self.version, heartbeats=(200, 200))
            self.assertEqual(peer.greeting["heart-beat"], "200,200")
            # More than twice the interval passes in silence, and neither side hangs up.
            for _ in range(10):
                peer.beats.get(timeout=20)
            peer.send("/topic/alive", "x")
            self.assertTrue(peer.errors.empty())
            peer.leave()


class Version10(EveryVersion, unittest.TestCase):
    version = "1.0"


class Version11(FromVersion11, unittest.TestCase):
    version = "1.1"


class Version12(FromVersion11, unittest.TestCase):
    version = "1.2"


class Shutdown(unittest.TestCase):
    def test_every_version_is_told_what_was_sent_is_delivered_and_the_program_ends_with_0(self):
        with Server() as server:
            peers = [Peer(server, version) for version in ("1.0", "1.1", "1.2")]
            for peer in peers:
                peer.subscribe("/topic/last")
            peers[0].send("/topic/last", "last words")
            server.terminate()
            for peer in peers:
                self.assertEqual(peer.bodies(1), ["last words"])
                self.assertEqual(peer.error().headers["code"], "shutdown")
                peer.closed()
            self.assertEqual(server.exit_code(), 0)


if __name__ == "__main__":
    unittest.main()
