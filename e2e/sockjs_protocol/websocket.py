"""WebSocket (RFC 6455), the client's end."""

import base64
import hashlib
import os
import struct

from wire import Ended

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def handshake(**changes):
    """The headers of a handshake; None leaves one out."""
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
    }
    for name, value in changes.items():
        headers[name.replace("_", "-")] = value
    return [(name, value) for name, value in headers.items() if value is not None]


def frame(opcode, payload, final=True, masked=True):
    """A frame as a client sends it."""
    if isinstance(payload, str):
        payload = payload.encode()
    length = len(payload)
    bit = 0x80 if masked else 0
    if length < 126:
        head = bytes([bit | length])
    elif length < 65536:
        head = bytes([bit | 126]) + struct.pack(">H", length)
    else:
        head = bytes([bit | 127]) + struct.pack(">Q", length)
    head = bytes([(0x80 if final else 0) | opcode]) + head
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


class WebSocket:
    """Connected on return."""

    def __init__(self, connection, path, headers=None):
        headers = handshake() if headers is None else headers
        self.connection = connection
        self.response = connection.request("GET", path, headers)
        if self.response.status != 101:
            raise AssertionError(f"no WebSocket: {self.response.status} {self.response.body()!r}")
        key = dict(headers)["Sec-WebSocket-Key"]
        digest = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        if self.response.header("sec-websocket-accept") != base64.b64encode(digest).decode():
            raise AssertionError(f"accepts another key: {self.response.headers}")

    def send(self, payload, opcode=TEXT):
        self.connection.write(frame(opcode, payload))

    def next_frame(self):
        """Opcode and payload of the next frame."""
        first, second = self.connection.exactly(2)
        if second & 0x80:
            raise AssertionError("a server does not mask")
        if first & 0xF0 != 0x80:
            raise AssertionError(f"in several frames or with an extension that nobody asked for: {first:#x}")
        length = second & 0x7F
        if length == 126:
            length = struct.unpack(">H", self.connection.exactly(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", self.connection.exactly(8))[0]
        return first & 0x0F, self.connection.exactly(length)

    def message(self):
        """The next text message."""
        opcode, payload = self.next_frame()
        if opcode != TEXT:
            raise AssertionError(f"frame {opcode} with {payload!r} in place of a text")
        return payload.decode()

    def closed(self):
        """Waits for the end of the connection; the close code and reason, None where there was no close frame."""
        try:
            opcode, payload = self.next_frame()
        except Ended:
            return None
        if opcode != CLOSE:
            raise AssertionError(f"frame {opcode} with {payload!r} in place of the end")
        try:
            self.send(payload, CLOSE)
        except OSError:
            pass  # Already gone.
        if self.connection.rest():
            raise AssertionError("bytes after the close frame")
        if not payload:
            return 1005, ""
        return struct.unpack(">H", payload[:2])[0], payload[2:].decode()
