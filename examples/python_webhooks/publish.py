"""Sends a message through the HTTP API, from a program or by hand:

python publish.py /topic/rooms/tea '{"from": "the kitchen", "text": "tea is ready"}'
"""

import json
import os
import sys
from urllib.request import Request, urlopen

URL = os.environ.get("TIDINGS_URL", "http://127.0.0.1:8080")
KEY = os.environ["TIDINGS__API__KEYS"].split(",")[0]


def publish(destination, value):
    """Sends `value` as JSON. Raises `urllib.error.HTTPError` where the server refuses it."""
    message = json.dumps({"destination": destination, "json": value}).encode()
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    request = Request(f"{URL}/api/v1/messages", message, headers)
    with urlopen(request, timeout=5) as answer:
        answer.read()


if __name__ == "__main__":
    publish(sys.argv[1], json.loads(sys.argv[2]))
