"""How each HTTP transport frames what it carries."""

import hashlib
import json
import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

# Of the page before the first frame of htmlfile, trimmed, with `@` in place of the callback.
HTMLFILE_HEAD = "c088cafee7fe03bfd5d36f9fb7535ec21dde8b98c37ec2773a8ae445194ef1c0"
CALLBACK = "callback"
JAVASCRIPT = "application/javascript; charset=UTF-8"


@dataclass(frozen=True)
class Transport:
    """A transport by which a client listens; `before` and `after` stand around each frame."""

    name: str
    method: str
    content_type: str
    streams: bool
    before: bytes = b""
    after: bytes = b"\n"
    js_string: bool = False
    needs_callback: bool = False

    @property
    def path(self):
        """Behind the url of the session."""
        return f"/{self.name}?c={CALLBACK}" if self.needs_callback else f"/{self.name}"

    def wrap(self, frame):
        """The bytes that carry a frame without `%` and `<`."""
        text = json.dumps(frame, ensure_ascii=False) if self.js_string else frame
        return self.before + text.encode() + self.after

    def unwrap(self, data):
        """The frame that these bytes carry, and nothing else."""
        fits = data.startswith(self.before) and data.endswith(self.after)
        if not fits or len(data) < len(self.before) + len(self.after):
            raise AssertionError(f"not one frame of {self.name}: {data!r}")
        inner = data[len(self.before):len(data) - len(self.after)]
        if self.name == "eventsource":
            inner = decode_uri(inner)
        if b"\n" in inner or b"\r" in inner:
            raise AssertionError(f"a line break inside a frame of {self.name}: {data!r}")
        text = inner.decode()
        if not self.js_string:
            return text
        if self.name == "htmlfile" and re.search("</|<!--", text):
            raise AssertionError(f"a browser takes this for the end of the script: {data!r}")
        return json.loads(text)

    def check_prelude(self, data):
        """That these are the bytes before the first frame, all of them."""
        if self.name == "xhr_streaming":
            fits = data == b"h" * 2048 + b"\n"
        elif self.name == "eventsource":
            fits = data == b"\r\n"
        else:
            head = re.sub(rb"parent\.[-\w.]+;", b"parent.@;", data.strip())
            fits = (
                len(data) > 1024
                and re.search(rb"> *\r\n\r\n$", data)
                and b"parent." + CALLBACK.encode() + b";" in data
                and hashlib.sha256(head).hexdigest() == HTMLFILE_HEAD
            )
        if not fits:
            raise AssertionError(f"not the prelude of {self.name}: {data!r}")

    def read_prelude(self, response):
        """Reads and checks the bytes before the first frame."""
        if response.chunked:
            self.check_prelude(response.chunk())
        else:
            self.check_prelude(response.until({"htmlfile": b"\r\n\r\n"}.get(self.name, b"\n")))


def decode_uri(data):
    """What decodeURI of JavaScript makes of it, which throws where an escape is none."""
    if re.search(rb"%(?![0-9A-Fa-f]{2})", data):
        raise AssertionError(f"decodeURI throws at {data!r}")
    return unquote_to_bytes(data)


XHR = Transport("xhr", "POST", JAVASCRIPT, streams=False)
XHR_STREAMING = Transport("xhr_streaming", "POST", JAVASCRIPT, streams=True)
EVENTSOURCE = Transport(
    "eventsource", "GET", "text/event-stream", streams=True, before=b"data: ", after=b"\r\n\r\n"
)
HTMLFILE = Transport(
    "htmlfile", "GET", "text/html; charset=UTF-8", streams=True,
    before=b"<script>\np(", after=b");\n</script>\r\n", js_string=True, needs_callback=True,
)
JSONP = Transport(
    "jsonp", "GET", JAVASCRIPT, streams=False,
    before=b"/**/" + CALLBACK.encode() + b"(", after=b");\r\n", js_string=True, needs_callback=True,
)
POLLING = [XHR, JSONP]
STREAMING = [XHR_STREAMING, EVENTSOURCE, HTMLFILE]
TRANSPORTS = POLLING + STREAMING


class Listener:
    """A response by which a client listens: its head and prelude were read and are as they must be."""

    def __init__(self, transport, connection, response):
        self.transport = transport
        self.connection = connection
        self.response = response
        if response.status != 200:
            raise AssertionError(f"{transport.name} answers {response.status} {response.body()!r}")
        if response.header("content-type") != transport.content_type:
            raise AssertionError(f"{transport.name} is of type {response.header('content-type')!r}")
        if transport.streams:
            if response.header("content-length") is not None:
                raise AssertionError(f"a length of a stream: {response.headers}")
            transport.read_prelude(response)

    def frame(self):
        """The next frame: in a chunk of its own where the response is chunked, the whole body where it is polling."""
        if not self.transport.streams:
            return self.transport.unwrap(self.response.body())
        if not self.response.chunked:
            return self.transport.unwrap(self.response.until(self.transport.after))
        frame = self.frame_or_end()
        if frame is None:
            raise AssertionError(f"{self.transport.name} ended, a frame was due")
        return frame

    def frame_or_end(self):
        """The next frame of a chunked stream, None at its end."""
        data = self.response.chunk()
        return self.transport.unwrap(data) if data else None

    def frames(self):
        """All frames until the response ends as it should."""
        if not self.transport.streams:
            return [self.frame()]
        if self.response.chunked:
            return [self.transport.unwrap(chunk) for chunk in iter(self.response.chunk, b"")]
        after = self.transport.after
        parts = self.connection.rest().split(after)
        if parts.pop():
            raise AssertionError(f"{self.transport.name} ended within a frame")
        return [self.transport.unwrap(part + after) for part in parts]

    def check_end(self):
        """That the response ends here, as it should."""
        if self.transport.streams and self.frames():
            raise AssertionError(f"{self.transport.name} goes on where its end was due")
