"""The OpenAPI document against the running program: Schemathesis draws requests from it, good and bad, and judges the
answers by it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "stomp_py"))

import requests  # noqa: E402
from crowd import Crowd  # noqa: E402
from server import Server  # noqa: E402

KEY = "a-key-that-only-this-suite-knows"

# Wrong keys are part of what is tried, so they are not counted here. No request waits for memory.
CONFIG = f"""
[api]
enabled = true
keys = ["{KEY}"]
failed_keys_per_minute = 0

[http]
listen = "127.0.0.1:0"
"""

# All but `positive_data_acceptance`: what a schema cannot say, such as the prefixes of destinations, is refused with 422.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ignored_auth",
]

# Requests drawn for each operation, beside those that try every limit of its schema.
EXAMPLES = "25"

SEED = "7"

# Seconds; most of the time is Schemathesis's own.
PATIENCE = 300



def requests_by_status(url, statuses):
    """How many requests of each operation were answered with one of these, as the metrics have it."""
    counts = {}
    for line in requests.get(f"{url}/metrics", timeout=10).text.splitlines():
        name, _, count = line.rpartition(" ")
        if name.startswith("tidings_api_requests_total{") and any(f'status="{one}"' in name for one in statuses):
            operation = name.split('operation="')[1].split('"')[0]
            counts[operation] = counts.get(operation, 0) + int(count)
    return counts


def main():
    with Server(CONFIG) as server, Crowd(server.address), tempfile.TemporaryDirectory() as folder:
        admin = "http://%s:%d" % Server._listening(server, "http://")
        # From a file, or the operation that gives the document would be left out.
        document = Path(folder) / "openapi.json"
        url = "http://%s:%d" % server.http
        described = requests.get(f"{url}/api/v1/openapi.json", timeout=10)
        document.write_bytes(described.content)
        authorization = f"Bearer {KEY}"
        environment = {
            **os.environ,
            "PYTHONPATH": str(HERE),
            "SCHEMATHESIS_HOOKS": "hooks",
            "TIDINGS_API": url,
            "TIDINGS_AUTHORIZATION": authorization,
        }
        command = [
            str(Path(sys.executable).parent / "st"), "run", str(document), "--url", url,
            "--header", f"Authorization: {authorization}",
            "--checks", ",".join(CHECKS), "--max-examples", EXAMPLES, "--seed", SEED, "--continue-on-failure",
            # How long it takes to draw a request says nothing of the server.
            "--suppress-health-check", "filter_too_much,too_slow",
        ]  # fmt: skip
        ended = subprocess.run(command, env=environment, cwd=folder, timeout=PATIENCE)
        operations = [
            operation["operationId"]
            for path in described.json()["paths"].values()
            for operation in path.values()
        ]
        done = requests_by_status(admin, [200])
        refused = requests_by_status(admin, [400, 404, 405, 413, 415, 422])
        for operation in operations:
            print(f"{operation}: {done.get(operation, 0)} done, {refused.get(operation, 0)} refused")
        never = [operation for operation in operations if operation not in done]
        if never:
            print(f"never done, so not tested: {', '.join(never)}")
        return ended.returncode or bool(never)


if __name__ == "__main__":
    sys.exit(main())
