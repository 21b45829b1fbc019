"""What a webhook of Tidings says, once it is certain that Tidings says it."""

import hashlib
import hmac
import json
import os
import time
from dataclasses import dataclass
from urllib.parse import unquote

from fastapi import HTTPException, Request
from starlette.datastructures import Headers

SECRET = os.environ["TIDINGS__WEBHOOK__SECRET"].encode()
SIGNED = ["Timestamp", "Request-Id", "Kind", "Destination", "Session", "User", "Stomp-Headers"]
# How old a request may be, in seconds; an older one is somebody's copy.
MAX_AGE = 300


@dataclass(frozen=True)
class Told:
    headers: Headers
    body: bytes

    @property
    def kind(self) -> str:
        """`message` for SEND, `subscribe` for SUBSCRIBE."""
        return self.headers["Tidings-Kind"]

    @property
    def user(self) -> str:
        return unquote(self.headers.get("Tidings-User", "")) or "somebody"

    def variable(self, name: str) -> str:
        return unquote(self.headers[f"Tidings-Variable-{name}"])

    def json(self):
        return json.loads(self.body)


async def genuine(request: Request) -> Told:
    """Refuses what Tidings has not signed, or not lately."""
    body = await request.body()
    lines = "".join(request.headers.get(f"Tidings-{name}", "") + "\n" for name in SIGNED)
    digest = hmac.new(SECRET, lines.encode() + body, hashlib.sha256).hexdigest()
    shown = request.headers.get("Tidings-Signature", "").encode()
    if not hmac.compare_digest(shown, f"sha256={digest}".encode()):
        raise HTTPException(401, "the signature is not right")
    if abs(time.time() - int(request.headers["Tidings-Timestamp"])) > MAX_AGE:
        raise HTTPException(401, "the request is too old")
    return Told(request.headers, body)
