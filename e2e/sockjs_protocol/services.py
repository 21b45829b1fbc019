"""The services under test: those at `SOCKJS_URL`, or a program of our own that ends with us."""

import atexit
import os
import subprocess
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get(
    "SOCKJS_SERVICES_BIN",
    str(Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "examples" / "sockjs_services"),
)
# How long the program may take to listen, and to end, in seconds.
PATIENCE = 20


class Services:
    """`address` is where to connect, `base` the path before `/echo` and the others."""

    def __init__(self, url, process=None):
        parts = urlsplit(url)
        self.address = (parts.hostname, parts.port or 80)
        self.base = parts.path.rstrip("/")
        self.process = process

    @classmethod
    def start(cls):
        """Starts the program on a free port."""
        log = tempfile.TemporaryFile("w+")
        process = subprocess.Popen(
            [PROGRAM, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=log, text=True
        )
        late = threading.Timer(PATIENCE, process.kill)
        late.start()
        line = process.stdout.readline()
        late.cancel()
        if not line.startswith("listening http://"):
            log.seek(0)
            raise RuntimeError(f"{PROGRAM} did not start:\n{line}{log.read()}")
        services = cls(line.split()[1], process)
        atexit.register(services.stop)
        return services

    def stop(self):
        """Ends the program, if it is ours."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def open_files(self):
        """How many descriptors the program holds; None where that can't be seen."""
        if self.process is None or not Path("/proc/self/fd").exists():
            return None
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


_lock = threading.Lock()
_shared = None


def shared():
    """The services that all tests use together."""
    global _shared
    with _lock:
        if _shared is None:
            url = os.environ.get("SOCKJS_URL")
            _shared = Services(url) if url else Services.start()
        return _shared


def separate():
    """Services that a test has for itself, where we can start them; else those that all use."""
    return shared() if os.environ.get("SOCKJS_URL") else Services.start()
