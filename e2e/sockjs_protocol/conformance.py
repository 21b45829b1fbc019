"""What the tests share: requests to the services, and sessions."""

import itertools
import json
import random
import select
import string
import unittest
from urllib.parse import quote_plus

import services
from transports import XHR, Listener
from websocket import WebSocket
from wire import PATIENCE, Connection

UNCACHED = "no-store, no-cache, no-transform, must-revalidate, max-age=0"
PLAIN = "text/plain; charset=UTF-8"
AWAY = 'c[3000,"Go away!"]'
ANOTHER = 'c[2010,"Another connection still open"]'
INTERRUPTED = 'c[1002,"Connection interrupted"]'

_names = itertools.count()


class Conformance(unittest.TestCase):
    """A test against the services; its connections end with it."""

    maxDiff = 2000

    def services(self):
        return services.shared()

    def connect(self, patience=PATIENCE):
        connection = Connection(self.services().address, patience)
        self.addCleanup(connection.close)
        return connection

    def url(self, path):
        """The path of a service as it stands in a request."""
        return self.services().base + path

    def request(self, method, path, headers=(), body=None, version="1.1"):
        """The response to a request on a connection of its own, and its body."""
        connection = self.connect()
        response = connection.request(method, self.url(path), headers, body, version)
        body = response.body()
        connection.close()
        return response, body

    def get(self, path, **rest):
        return self.request("GET", path, **rest)

    def post(self, path, **rest):
        return self.request("POST", path, **rest)

    def session(self, service="/echo", name=None):
        return Session(self, service, name)

    def websocket(self, path="/echo/000/abcdefgh/websocket", headers=None):
        return WebSocket(self.connect(), self.url(path), headers)

    def assert_alive(self):
        response, body = self.get("/echo")
        self.assertEqual((response.status, body), (200, b"Welcome to SockJS!\n"))

    def assert_error(self, answer, text):
        """That a request was refused with 500 and this text."""
        response, body = answer
        self.assertEqual(response.status, 500)
        self.assertIn(text, body.decode())


class Session:
    """A session by its url, which the server need not know."""

    def __init__(self, case, service, name):
        self.case = case
        letters = "".join(random.choices(string.ascii_lowercase, k=8))
        self.name = name or f"{letters}{next(_names)}"
        self.path = f"{service}/000/{self.name}"

    def listen(self, transport, connection=None, headers=(), version="1.1"):
        """A response of this transport, of which head and prelude were read."""
        connection = connection or self.case.connect()
        url = self.case.url(self.path + transport.path)
        response = connection.request(transport.method, url, headers, version=version)
        return Listener(transport, connection, response)

    def park(self, transport, connection=None):
        """A request of this transport, of which no answer was read yet."""
        connection = connection or self.case.connect()
        connection.send(transport.method, self.case.url(self.path + transport.path))
        return connection

    def parked(self, transport):
        """A poll that has come and waits: of two at once, that one which is not told of the other."""
        pair = [self.park(transport), self.park(transport)]
        told, _, _ = select.select(pair, [], [], PATIENCE)
        self.case.assertEqual(len(told), 1, "of two polls at once one is answered")
        frame = Listener(transport, told[0], told[0].response()).frame()
        self.case.assertEqual(frame, ANOTHER)
        told[0].close()
        pair.remove(told[0])
        return pair[0]

    def poll(self, transport=XHR):
        """The frame that a request on a connection of its own gets."""
        listener = self.listen(transport)
        frame = listener.frame()
        listener.connection.close()
        return frame

    def opened(self):
        """Opens it with a poll."""
        self.case.assertEqual(self.poll(), "o")
        return self

    def poll_messages(self, number):
        """So many messages, which waited and so leave in one frame."""
        came = messages(self.poll())
        self.case.assertEqual(len(came), number)
        return came

    def send_text(self, body, path="/xhr_send", headers=(), **rest):
        return self.case.post(self.path + path, body=body, headers=headers, **rest)

    def send(self, *messages):
        """Sends messages, which the server takes."""
        response, body = self.send_text(json.dumps(list(messages), ensure_ascii=False))
        self.case.assertEqual((response.status, body), (204, b""))

    def send_form(self, text):
        """The answer to a form with this text in the field `d`."""
        form = [("Content-Type", "application/x-www-form-urlencoded")]
        return self.send_text("d=" + quote_plus(text), "/jsonp_send", form)

    def exists(self):
        """Whether the server takes what is sent to it."""
        response, _ = self.send_text("[]")
        self.case.assertIn(response.status, (204, 404))
        return response.status == 204


def messages(frame):
    """What a frame of messages carries."""
    if not frame.startswith("a"):
        raise AssertionError(f"{frame[:100]!r} in place of messages")
    return json.loads(frame[1:])
