"""ServerProcess: a `presenced serve` of its own, from its start to its end.

It listens on free ports, keeps its data in a new temporary folder, and takes nothing from presenced.toml or from
PRESENCED_… variables, so that a test finds the same server on every machine. It is in a session of its own: Ctrl-C ends
the tests, and these end it.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from presenced.folder import DataFolder, RunningServer

_PATIENCE = 60.0
"""Seconds for a start or a stop."""
_MOST_OUTPUT = 20_000
"""Bytes of its output that are shown."""


class ServerDied(RuntimeError):
    """The server did not start, or has ended without being asked to. The message has what it printed last."""


class ServerProcess:
    """A server's process. ``options`` are those of `presenced serve`."""

    def __init__(self, options: Sequence[str]) -> None:
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._output: int | None = None
        self._told = False
        self._socket: Path | None = None
        self.folder = Path()

    @property
    def data(self) -> DataFolder:
        """Its data folder."""
        return DataFolder(self.folder / "data")

    def start(self) -> RunningServer:
        """Start it; returns when it answers. Raises ServerDied."""
        self.folder = Path(tempfile.mkdtemp(prefix="presenced-"))
        # a file without a name: it needs no thread to empty it, and is there to be read after any end
        self._output, written = _nameless()
        arguments = [sys.executable, "-m", "presenced.testing.server_process", str(self.folder), *self._options]
        ports = ["--data", str(self.data.path), "--host", "127.0.0.1", "--port", "0", "--tls-port", "0"]
        try:
            self._process = subprocess.Popen(  # noqa: S603
                [*arguments, *ports],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,  # what it tells people at its start; what goes wrong is on stderr
                stderr=written,
                cwd=self.folder,
                env={name: value for name, value in os.environ.items() if not name.startswith("PRESENCED_")},
                start_new_session=True,
            )
        finally:
            os.close(written)
        try:
            server = self._ready()
            self._socket = Path(server.socket)
            return server
        except BaseException:  # Ctrl-C, too
            self._kill()
            raise

    def stop(self) -> None:
        """End it and remove its folder. Raises ServerDied if it had ended before and nobody was told."""
        process, told = self._process, self._told
        if process is None:
            return
        died = self.died()
        try:
            stopped = _end(process)
            if died is None and not stopped:  # it was ending just then
                died = self._death(process.returncode)
        finally:
            self._process = None
            self._clear()
        if died is not None and not told:
            raise died

    def died(self, within: float = 0) -> ServerDied | None:
        """What to raise if it has ended without being asked to, or does ``within`` seconds."""
        if self._process is None:
            return None
        try:
            code = self._process.wait(within)
        except subprocess.TimeoutExpired:
            return None
        self._told = True
        return self._death(code)

    def _death(self, code: int) -> ServerDied:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return ServerDied(f"The presenced server {how}. {self._said()}")

    def _said(self) -> str:
        """The last of its log."""
        if self._output is None:
            return ""
        size = os.fstat(self._output).st_size
        # pread, since the place in the file is shared with the server, which writes there
        said = os.pread(self._output, _MOST_OUTPUT, max(0, size - _MOST_OUTPUT)).decode("utf-8", "replace").rstrip()
        return f"It had printed:\n{said}" if said else "It had printed nothing."

    def _ready(self) -> RunningServer:
        data, deadline = self.data, time.monotonic() + _PATIENCE
        while (server := data.running()) is None:
            if died := self.died():
                raise died
            if time.monotonic() > deadline:
                raise ServerDied(f"The presenced server is not ready after {_PATIENCE:g} seconds. {self._said()}")
            time.sleep(0.005)
        return server

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            _close_input(self._process)
            self._process = None
        self._clear()

    def _clear(self) -> None:
        if self._output is not None:
            os.close(self._output)
            self._output = None
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._socket is not None and self._socket.exists():  # in a folder of its own, and the server was killed
            shutil.rmtree(self._socket.parent, ignore_errors=True)


def _nameless() -> tuple[int, int]:
    """A new file without a name, opened for reading, and again for appending."""
    descriptor, name = tempfile.mkstemp(prefix="presenced-")
    try:
        return descriptor, os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    finally:
        Path(name).unlink()


def _end(process: "subprocess.Popen[bytes]") -> bool:
    """End it, and whether it ended because it was told to."""
    process.terminate()
    try:
        return process.wait(_PATIENCE) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    finally:
        _close_input(process)


def _close_input(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
