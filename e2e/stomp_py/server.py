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
    """In development mode, or as `config` (TOML) says, `{users}` in it a file with these lines. Ends with the `with` block."""

    def __init__(self, config=None, users=None):
        flags = ["--listen", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
        self._files = []
        if users is not None:
            config = config.replace("{users}", self._file(users))
        if config is not None:
            flags = ["serve", "--config", self._file(config), *flags]
        self._log = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [PROGRAM, *flags], stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        late = threading.Timer(PATIENCE, self._process.kill)
        late.start()
        self.http = self._listening("http://")
        self.address = self._listening("tcp://")
        late.cancel()

    def _file(self, text):
        file = tempfile.NamedTemporaryFile("w")
        file.write(text)
        file.flush()
        self._files.append(file)
        return file.name

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
        for file in self._files:
            file.close()
