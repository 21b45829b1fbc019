"""The example `examples/python_webhooks`: the real program, the back end, and stomp.py as the clients."""

import json
import os
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "stomp_py"))
os.environ["TIDINGS__WEBHOOK__SECRET"] = "a secret for this test".replace(" ", "-")
os.environ["TIDINGS__API__KEYS"] = "a key for this test".replace(" ", "-")

from back_end import FOLDER, BackEnd  # noqa: E402
from peer import Peer  # noqa: E402
from server import Server  # noqa: E402

ROOM, WHISPERS, ERRORS = "/topic/rooms/tea", "/user/queue/whispers", "/user/queue/errors"


class PythonWebhooks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.running = ExitStack()
        cls.addClassCleanup(cls.running.close)
        cls.back_end = cls.running.enter_context(BackEnd())
        cls.server = cls.running.enter_context(Server(cls.back_end.configuration()))
        cls.url = "http://%s:%d" % cls.server.http
        cls.back_end.start(cls.url)

    def peer(self, login, *destinations):
        peer = Peer(self.server, login=login)
        self.addCleanup(peer.leave)
        for number, destination in enumerate(destinations):
            peer.subscribe(destination, str(number))
        return peer

    def says(self, peer, destination, value):
        peer.send(destination, json.dumps(value))

    def assertHears(self, peer, destination, value):
        frame = peer.next()
        self.assertEqual((frame.headers["destination"], json.loads(frame.body)), (destination, value))

    def test_a_room_hears_what_is_said_and_who_comes_later_gets_it(self):
        topic, room = "/topic/rooms/green", "/app/rooms/green"
        ada, bob = self.peer("ada", topic), self.peer("bob", topic)
        self.says(ada, room, {"text": " hello "})
        line = {"from": "ada", "text": "hello"}
        self.assertHears(ada, topic, line)
        self.assertHears(bob, topic, line)
        bob.subscribe(room, "later")
        self.assertHears(bob, room, [line])
        self.assertTrue(ada.messages.empty())

    def test_names_that_need_escapes_arrive_as_they_are(self):
        zoe = self.peer("Zoë 100%", "/topic/rooms/caf\u00e9 50%")
        self.says(zoe, "/app/rooms/caf\u00e9 50%", {"text": "\u2615"})
        self.assertHears(zoe, "/topic/rooms/caf\u00e9 50%", {"from": "Zoë 100%", "text": "\u2615"})

    def test_a_whisper_reaches_all_windows_of_one_user_and_nobody_else(self):
        ada, eve = self.peer("ada", WHISPERS), self.peer("eve", WHISPERS)
        here, there = self.peer("bob", WHISPERS), self.peer("bob", WHISPERS)
        self.says(ada, "/app/whisper/bob", {"text": "psst"})
        for bob in (here, there):
            self.assertHears(bob, WHISPERS, {"from": "ada", "text": "psst"})
        # What comes after it has come; so would have the whisper.
        for other in (ada, eve):
            other.subscribe(ROOM, "last")
            self.assertTrue(other.messages.empty())

    def test_only_the_sender_hears_what_was_wrong_and_stays(self):
        ada, elsewhere = self.peer("ada", ERRORS, ROOM), self.peer("ada", ERRORS, ROOM)
        for body, words in (
            ('{"text": "  "}', "text: String should have at least 1 character"),
            ("{}", "text: Field required"),
            ("not json", "body: Invalid JSON"),
        ):
            ada.connection.send("/app/rooms/tea", body)
            frame = ada.next()
            self.assertEqual(frame.headers["destination"], ERRORS)
            self.assertEqual(frame.headers["code"], "invalid-payload")
            self.assertIn(words, frame.body)
        self.says(ada, "/app/rooms/tea", {"text": "still here"})
        for one in (ada, elsewhere):
            self.assertHears(one, ROOM, {"from": "ada", "text": "still here"})

    def test_who_comes_and_goes_is_told(self):
        watch = self.peer(None, "/topic/present")
        joan = Peer(self.server, login="joan")
        self.hears_until(watch, lambda names: "joan" in names)
        joan.leave()
        self.hears_until(watch, lambda names: "joan" not in names)

    def hears_until(self, watch, wanted):
        while not wanted(json.loads(watch.next().body)):
            pass

    def test_the_script_publishes_by_hand(self):
        ada = self.peer("ada", ROOM)
        line = {"from": "the kitchen", "text": "tea is ready"}
        command = [sys.executable, "publish.py", ROOM, json.dumps(line)]
        subprocess.run(command, cwd=FOLDER, env={**os.environ, "TIDINGS_URL": self.url}, check=True)
        self.assertHears(ada, ROOM, line)

    def test_what_tidings_has_not_signed_is_refused(self):
        for headers in (
            {},
            {"Tidings-Signature": "sha256=" + 64 * "0", "Tidings-Timestamp": str(int(time.time()))},
            {"Tidings-Signature": "\u00e9"},
        ):
            url = f"http://127.0.0.1:{self.back_end.port}/rooms"
            request = urllib.request.Request(url, b'{"text": "hello"}', headers, method="POST")
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=20)
            self.assertEqual(refused.exception.code, 401)
            refused.exception.close()


if __name__ == "__main__":
    unittest.main()
