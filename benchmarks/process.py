"""Process: a server that the benchmark starts, waits for, and stops whatever happens."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from benchmarks import cpu

ROOT = Path(__file__).parent.parent
_PATIENCE = 120.0


class ServerFailed(Exception):
    """A server, or a command it needs, did not do its part. The message holds what it said."""


class Process:
    """A server's process on the server core, its output in ``log``. A context manager: leaving it stops the server.

    It gets a session of its own, so that Ctrl-C reaches the benchmark alone, which then stops the servers in order.
    """

    def __init__(self, command: list[str], log: Path, env: dict[str, str] | None = None) -> None:
        self._name = Path(command[0]).name
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                cpu.on_server_core(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=ROOT,
                env=os.environ | (env or {}),
            )

    @property
    def pid(self) -> int:
        """The server's process id; its workers are this process' children."""
        return self._process.pid

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()

    def wait_for_port(self, port: int) -> None:
        """Wait until the server takes connections. Raises ServerFailed."""
        for _ in self._attempts():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return

    def wait_for_line(self, pattern: str) -> str:
        """Wait until the server has printed a line with ``pattern``; the pattern's group. Raises ServerFailed."""
        for _ in self._attempts():
            if found := re.search(pattern + r".*\n", self._said()):
                return found[1]
        raise AssertionError("_attempts ends by raising")

    def _attempts(self) -> Iterator[None]:
        until = time.monotonic() + _PATIENCE
        while True:
            yield
            if self._process.poll() is not None:
                raise ServerFailed(f"{self._name} ended ({self._process.returncode}):\n{self._said()[-3000:]}")
            if time.monotonic() > until:
                raise ServerFailed(f"{self._name} was not ready after {_PATIENCE:.0f} s:\n{self._said()[-3000:]}")
            time.sleep(0.02)

    def _said(self) -> str:
        return self._log.read_text(errors="replace")


def run(command: list[str]) -> str:
    """Run a command to its end; what it printed. Raises ServerFailed."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise ServerFailed(f"{Path(command[0]).name} {' '.join(command[1:])} failed:\n{done.stderr}{done.stdout}")
    return done.stdout


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
