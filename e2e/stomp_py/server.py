"""The real program in a process of its own."""

import os
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get(
    "TIDINGS_BIN", str(Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "tidings")
)
# How long the program may take to listen, and to end, in seconds.
PATIENCE = 20


class Server:
    """In development mode, or as `config` (TOML) says. Ends with the `with` block."""

    def __init__(self, config=None):
        flags = ["--listen", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
        self._config = None
        if config is not None:
            self._config = tempfile.NamedTemporaryFile("w", suffix=".toml")
            self._config.write(config)
            self._config.flush()
            flags = ["serve", "--config", self._config.name, *flags]
        self._log = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [PROGRAM, *flags], stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        late = threading.Timer(PATIENCE, self._process.kill)
        late.start()
        self.http = self._listening("http://")
        self.address = self._listening("tcp://")
        late.cancel()

    def _listening(self, scheme):
        for line in self._process.stdout:
            url = line.split()[1]
            if url.startswith(scheme):
                host, port = url.removeprefix(scheme).rsplit(":", 1)
                return host, int(port)
        self._log.seek(0)
        raise RuntimeError(f"{PROGRAM} did not start:\n{self._log.read()}")

    def terminate(self):
        """Asks the program to end, without waiting."""
        self._process.send_signal(signal.SIGTERM)

    def exit_code(self):
        """Waits for the end of the program."""
        return self._process.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.terminate()
        try:
            self.exit_code()
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()
        if self._config is not None:
            self._config.close()
