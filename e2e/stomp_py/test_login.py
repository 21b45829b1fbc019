"""How stomp.py logs in, and what it sees where it is refused."""

import base64
import hashlib
import hmac
import json
import queue
import time
import unittest

from peer import Peer
from server import Server

SECRET = "a-secret-that-these-tests-alone-know"
# What `tidings hash` makes of `correct-horse`.
HASH = "$argon2id$v=19$m=19456,t=2,p=1$c2l4dGVlbi1ieXRlcy1vaw$8i+FYgYbUV6TouQRbC7FbXpcLRweKnTRKMNbCupvQwI"
RULES = 'rules = ["allow connect if authenticated", "allow any /topic/staff/** if role staff", "allow any /topic/open"]\n'
USERS = f'[security]\nauthenticator = "users"\n{RULES}[users]\nfile = "{{users}}"\n'
TOKENS = f'[security]\nauthenticator = "jwt"\n{RULES}[jwt]\nsecret = "{SECRET}"\nleeway = "0s"\n'


def token(user, lifetime=3600, secret=SECRET, **claims):
    """A token signed with HS256."""

    def encode(part):
        return base64.urlsafe_b64encode(part).rstrip(b"=")

    now = time.time()
    claims = {"sub": user, "exp": now + lifetime, **claims}
    message = b".".join(encode(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    signature = hmac.new(secret.encode(), message, hashlib.sha256).digest()
    return (message + b"." + encode(signature)).decode()


class Login(unittest.TestCase):
    """In every version; the servers are the same for all tests."""

    @classmethod
    def setUpClass(cls):
        cls.users = Server(USERS, users=f"# one line each\nann:{HASH}:staff\nbob:{HASH}\n")
        cls.tokens = Server(TOKENS)

    @classmethod
    def tearDownClass(cls):
        cls.users.__exit__()
        cls.tokens.__exit__()

    def is_in(self, server, name, **options):
        """Connected under this name, and heard."""
        for version in ("1.0", "1.1", "1.2"):
            with self.subTest(version=version):
                peer = Peer(server, version, **options)
                self.assertEqual(peer.greeting["user-name"], name)
                peer.subscribe("/topic/open")
                peer.send("/topic/open", "in")
                self.assertEqual(peer.bodies(1), ["in"])
                peer.leave()

    def is_refused(self, server, code, **options):
        """An ERROR with this code, and the end."""
        for version in ("1.0", "1.1", "1.2"):
            with self.subTest(version=version):
                peer = Peer(server, version, wait=False, **options)
                error = peer.error()
                self.assertEqual(error.headers["code"], code)
                self.assertNotIn(options.get("passcode") or "no passcode", error.body)
                peer.closed()
                self.assertTrue(peer.greetings.empty())

    def test_a_user_of_the_file_logs_in_with_the_passcode(self):
        self.is_in(self.users, "ann", login="ann", passcode="correct-horse")

    def test_a_wrong_passcode_and_a_wrong_name_are_refused_alike(self):
        self.is_refused(self.users, "bad-credentials", login="ann", passcode="guessed-by-chance")
        self.is_refused(self.users, "bad-credentials", login="nobody", passcode="correct-horse")

    def test_who_shows_nothing_is_told_so(self):
        self.is_refused(self.users, "unauthenticated")
        self.is_refused(self.users, "unauthenticated", login="ann")

    def test_the_roles_of_the_file_count(self):
        ann = Peer(self.users, login="ann", passcode="correct-horse")
        ann.subscribe("/topic/staff/news")
        ann.leave()
        bob = Peer(self.users, login="bob", passcode="correct-horse")
        bob.connection.subscribe("/topic/staff/news", "0", headers={"receipt": "r"})
        error = bob.error()
        self.assertEqual((error.headers["code"], error.headers["receipt-id"]), ("forbidden", "r"))
        bob.closed()

    def test_a_refused_frame_does_not_end_a_session_that_asked_to_go_on(self):
        bob = Peer(self.users, login="bob", passcode="correct-horse", headers={"error-mode": "continue"})
        self.assertEqual(bob.greeting["error-mode"], "continue")
        bob.connection.subscribe("/topic/staff/news", "0", headers={"receipt": "r"})
        self.assertEqual(bob.error().headers["code"], "forbidden")
        bob.subscribe("/topic/open", id="1")
        bob.send("/topic/open", "still here")
        self.assertEqual(bob.bodies(1), ["still here"])
        bob.leave()

    def test_a_token_is_taken_as_the_passcode_whatever_the_login_says(self):
        self.is_in(self.tokens, "ann", login="somebody", passcode=token("ann"))

    def test_a_token_is_taken_as_a_header(self):
        self.is_in(self.tokens, "ann", headers={"Authorization": f"Bearer {token('ann')}"})

    def test_bad_tokens_are_refused(self):
        self.is_refused(self.tokens, "bad-credentials", login="ann", passcode=token("ann", secret=SECRET + "!"))
        self.is_refused(self.tokens, "token-expired", login="ann", passcode=token("ann", lifetime=-60))
        self.is_refused(self.tokens, "bad-credentials", login="ann", passcode="no-token")

    def test_a_session_ends_with_its_token(self):
        peer = Peer(self.tokens, login="ann", passcode=token("ann", lifetime=2))
        self.assertLessEqual(int(peer.greeting["session-expires-in"]), 2000)
        self.assertEqual(peer.error().headers["code"], "token-expired")
        peer.closed()

    def test_a_session_outlives_its_token_by_renewal(self):
        peer = Peer(self.tokens, login="ann", passcode=token("ann", lifetime=2))
        for _ in range(3):
            # Half of the time, as a program would wait.
            self.assertRaises(queue.Empty, peer.errors.get, timeout=1)
            peer.send("/session/token", "", Authorization=f"Bearer {token('ann', lifetime=2)}")
        peer.subscribe("/topic/open")
        peer.send("/topic/open", "still here")
        self.assertEqual(peer.bodies(1), ["still here"])
        peer.leave()


if __name__ == "__main__":
    unittest.main()
