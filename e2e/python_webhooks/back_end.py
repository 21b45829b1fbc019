"""`examples/python_webhooks` in a process of its own, as its README starts it."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "python_webhooks"
# How long it may take to start, and to end, in seconds.
PATIENCE = 30


class BackEnd:
    """Has its port from the beginning, and answers after `start`."""

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._process = None

    def configuration(self):
        """`tidings.toml` of the example, but for the port."""
        text = (FOLDER / "tidings.toml").read_text()
        assert "127.0.0.1:9000" in text
        return text.replace("127.0.0.1:9000", f"127.0.0.1:{self.port}")

    def start(self, tidings):
        number = self._socket.fileno()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "back_end:app", "--fd", str(number), "--no-access-log"],
            cwd=FOLDER,
            env={**os.environ, "TIDINGS_URL": tidings},
            pass_fds=[number],
            stderr=subprocess.PIPE,
            text=True,
        )
        late = threading.Timer(PATIENCE, self._process.kill)
        late.start()
        said = []
        for line in self._process.stderr:
            said.append(line)
            if "Application startup complete" in line:
                break
        else:
            raise RuntimeError("".join(said))
        late.cancel()
        # Read on, so that it never waits for a reader; what it says shows when a test fails.
        threading.Thread(target=self._show, daemon=True).start()

    def _show(self):
        for line in self._process.stderr:
            sys.stderr.write(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._socket.close()
