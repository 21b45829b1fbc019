"""HTTP/1.0 and 1.1 as bytes on a socket, chunk by chunk."""

import re
import select
import socket
import struct

# How long the next bytes may take, in seconds.
PATIENCE = 10


class Ended(AssertionError):
    """The connection ended where more bytes were due."""


class Connection:
    """One TCP connection. No read waits longer than its patience."""

    def __init__(self, address, patience=PATIENCE):
        self._socket = socket.create_connection(address, PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(patience)
        self._buffer = b""
        self._host = "%s:%d" % address

    # --- bytes ---

    def write(self, data):
        self._socket.sendall(data)

    def finish_writing(self):
        """No more bytes come from us; we still read."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # The other end was quicker.

    def close(self):
        self._socket.close()

    def reset(self):
        """Ends the connection as a process that dies: with RST in place of FIN."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def _fill(self):
        try:
            data = self._socket.recv(65536)
        except ConnectionError:
            data = b""
        self._buffer += data
        return bool(data)

    def exactly(self, number):
        """The next bytes, so many."""
        while len(self._buffer) < number:
            if not self._fill():
                raise Ended(f"{number} bytes were due, the connection ended after {self._buffer!r}")
        data, self._buffer = self._buffer[:number], self._buffer[number:]
        return data

    def until(self, end):
        """The next bytes up to and with `end`."""
        while end not in self._buffer:
            if not self._fill():
                raise Ended(f"{end!r} was due, the connection ended after {self._buffer!r}")
        return self.exactly(self._buffer.index(end) + len(end))

    def rest(self):
        """All bytes until the other end closes."""
        while self._fill():
            pass
        data, self._buffer = self._buffer, b""
        return data

    def is_quiet(self, seconds):
        """Whether nothing comes, no end either, for so long."""
        return not self._buffer and not select.select([self._socket], [], [], seconds)[0]

    def fileno(self):
        """For `select`."""
        return self._socket.fileno()

    # --- requests and responses ---

    def request_bytes(self, method, path, headers=(), body=None, version="1.1"):
        """A request; a body gets a content-length unless the headers say how long it is."""
        lines = [f"{method} {path} HTTP/{version}", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in headers]
        names = {name.lower() for name, _ in headers}
        if isinstance(body, str):
            body = body.encode()
        if body is not None and not names & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")

    def send(self, method, path, headers=(), body=None, version="1.1"):
        self.write(self.request_bytes(method, path, headers, body, version))

    def response(self, method="GET"):
        """The head of the next response; the body is read by its methods."""
        return Response(self, method)

    def request(self, method, path, headers=(), body=None, version="1.1"):
        self.send(method, path, headers, body, version)
        return self.response(method)


class Response:
    """A response whose head was read."""

    def __init__(self, connection, method):
        self.connection = connection
        lines = connection.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/(1\.[01]) (\d{3})(?: .*)?", lines[0])
        if not match:
            raise AssertionError(f"not a status line: {lines[0]!r}")
        self.version, self.status = match[1], int(match[2])
        self.headers = []
        for line in lines[1:-2]:
            name, colon, value = line.partition(":")
            if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
                raise AssertionError(f"not a header line: {line!r}")
            self.headers.append((name.lower(), value.strip()))
        self._has_body = method != "HEAD" and self.status >= 200 and self.status not in (204, 304)
        self.chunked = self.header("transfer-encoding") == "chunked"
        self._ended = False
        self._left = b""

    def all(self, name):
        """The values of a header, in order."""
        return [value for key, value in self.headers if key == name]

    def header(self, name):
        """The value of a header, None if absent; twice is a fault."""
        values = self.all(name)
        if len(values) > 1:
            raise AssertionError(f"{name} stands twice: {values}")
        return values[0] if values else None

    @property
    def keeps_alive(self):
        """Whether another request may follow on the connection (RFC 9112, section 9.3)."""
        options = [option.strip().lower() for option in ",".join(self.all("connection")).split(",")]
        if "close" in options:
            return False
        return self.version == "1.1" or "keep-alive" in options

    def chunk(self):
        """The next chunk; empty at the regular end of the body."""
        if not self.chunked:
            raise AssertionError(f"not chunked: {self.headers}")
        if self._ended:
            return b""
        size = int(self.connection.until(b"\r\n").split(b";")[0], 16)
        if size == 0:
            self._ended = True
            while self.connection.until(b"\r\n") != b"\r\n":
                pass
            return b""
        data = self.connection.exactly(size + 2)
        if data[-2:] != b"\r\n":
            raise AssertionError(f"a chunk ends with {data[-2:]!r}")
        return data[:-2]

    def until(self, end):
        """Bytes of a body that ends with the connection, up to and with `end`."""
        return self.connection.until(end)

    def body(self):
        """The rest of the body."""
        if not self._has_body:
            return b""
        if self.chunked:
            return b"".join(iter(self.chunk, b""))
        length = self.header("content-length")
        return self.connection.rest() if length is None else self.connection.exactly(int(length))
