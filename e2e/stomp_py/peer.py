"""Someone at the other end of a stomp.py connection, as an application would use it."""

import itertools
import queue

import stomp

# How long an answer may take, in seconds.
PATIENCE = 20
CONNECTIONS = {
    "1.0": stomp.StompConnection10,
    "1.1": stomp.StompConnection11,
    "1.2": stomp.StompConnection12,
}

_numbers = itertools.count()


class Peer(stomp.ConnectionListener):
    """Connected on return. Every frame of the server waits in a queue of its kind."""

    def __init__(self, server, version="1.2", login=None, passcode=None, headers=None, wait=True, **options):
        self.version = version
        self.greetings = queue.Queue()
        self.messages = queue.Queue()
        self.receipts = queue.Queue()
        self.errors = queue.Queue()
        self.disconnects = queue.Queue()
        self.beats = queue.Queue()
        self.connection = CONNECTIONS[version]([server.address], reconnect_attempts_max=1, **options)
        self.connection.set_listener("peer", self)
        self.connection.connect(
            login, passcode, wait=wait, with_connect_command=True, **({"headers": headers} if headers else {})
        )
        if wait:
            self.greeting = self.greetings.get(timeout=PATIENCE)

    def on_connected(self, frame):
        self.greetings.put(frame.headers)

    def on_message(self, frame):
        self.messages.put(frame)

    def on_receipt(self, frame):
        self.receipts.put(frame.headers["receipt-id"])

    def on_error(self, frame):
        self.errors.put(frame)

    def on_disconnected(self):
        self.disconnects.put(None)

    def on_heartbeat(self):
        self.beats.put(None)

    def on_heartbeat_timeout(self):
        self.errors.put("stomp.py missed a heart-beat of the server")

    def subscribe(self, destination, id="0", ack="auto", **headers):
        """Subscribes, and waits for the receipt."""
        self._confirmed(lambda receipt: self.connection.subscribe(
            destination, id, ack, headers={**headers, "receipt": receipt}))

    def send(self, destination, body, **headers):
        """Sends, and waits for the receipt."""
        self._confirmed(lambda receipt: self.connection.send(
            destination, body, headers={**headers, "receipt": receipt}))

    def ack(self, frame, **rest):
        """Acknowledges, and waits for the receipt."""
        self._confirmed(lambda receipt: self.connection.ack(*self._name(frame), receipt=receipt, **rest))

    def nack(self, frame):
        """Refuses, and waits for the receipt."""
        self._confirmed(lambda receipt: self.connection.nack(*self._name(frame), receipt=receipt))

    def _name(self, frame):
        if self.version == "1.0":
            return [frame.headers["message-id"]]
        if self.version == "1.1":
            return [frame.headers["message-id"], frame.headers["subscription"]]
        return [frame.headers["ack"]]

    def _confirmed(self, action):
        receipt = f"receipt-{next(_numbers)}"
        action(receipt)
        came = self.receipts.get(timeout=PATIENCE)
        if came != receipt:
            raise AssertionError(f"receipt {came} in place of {receipt}")

    def next(self):
        """The next message, now or when it comes."""
        return self.messages.get(timeout=PATIENCE)

    def bodies(self, number):
        """The bodies of the next messages."""
        return [self.next().body for _ in range(number)]

    def error(self):
        """The next ERROR frame."""
        return self.errors.get(timeout=PATIENCE)

    def closed(self):
        """Waits for the end of the connection."""
        self.disconnects.get(timeout=PATIENCE)

    def leave(self):
        """Says DISCONNECT, and waits for the end of the connection."""
        self.connection.disconnect()
        self.closed()
