"""The data folder: what lies in it, who may open it, and how a command finds the server that has it open.

One process has a folder at a time (an exclusive lock on ``lock``). A server notes in ``server.json`` where it listens
and where its control socket is; both are the owner's only, as is the folder.
"""

import fcntl
import os
import tempfile
from pathlib import Path

import msgspec

_LONGEST_SOCKET_PATH = 100
"""Unix allows 107 bytes in a socket's path, macOS 103."""


class FolderUnusable(Exception):
    """The folder cannot be used. The message says why and what to do."""


class FolderTaken(FolderUnusable):
    """Another presenced has the folder open."""


class RunningServer(msgspec.Struct):
    """What a running server notes about itself."""

    pid: int
    socket: str
    http: str
    https: str | None = None


class DataFolder:
    """A data folder that this process has, from ``open`` to ``close``."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.database = self.path / "presenced.db"
        self.keys = self.path / "signing-keys.json"
        self.certificates = self.path / "tls"
        self._note = self.path / "server.json"
        self._lock = self.path / "lock"
        self._held: int | None = None
        self._socket: Path | None = None

    def open(self) -> None:
        """Make the folder if need be, and take it. Raises FolderTaken and FolderUnusable."""
        os.umask(0o077)  # whatever is made in here is the owner's only, also in a folder that others may enter
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            held = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise FolderUnusable(
                f"The data folder {self.path} cannot be written: {error.strerror}. "
                "Choose another with --data, or make it writable."
            ) from error
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(held)
            server = self.running()
            who = f"by the server with process id {server.pid} at {server.http}" if server else "by another command"
            raise FolderTaken(
                f"The data folder {self.path} is in use {who}. Stop that one, or choose another folder with --data."
            ) from error
        self._held = held
        self._note.unlink(missing_ok=True)  # left behind by a server that was killed

    def close(self) -> None:
        """Let go of the folder."""
        if self._held is None:
            return
        self._note.unlink(missing_ok=True)
        if self._socket is not None:
            self._socket.unlink(missing_ok=True)
            if self._socket.parent != self.path:
                self._socket.parent.rmdir()
            self._socket = None
        os.close(self._held)
        self._held = None

    def socket_path(self) -> Path:
        """Where this server's control socket goes: in the folder, or where its path is short enough for a socket."""
        path = self.path / "control.sock"
        if _too_long(path):
            path = Path(tempfile.mkdtemp(prefix="presenced-")) / path.name
            if _too_long(path):  # TMPDIR is deep, as in a build tool's folders
                path.parent.rmdir()
                path = Path(tempfile.mkdtemp(prefix="presenced-", dir="/tmp")) / path.name
        path.unlink(missing_ok=True)
        self._socket = path
        return path

    def note(self, server: RunningServer) -> None:
        """Tell commands where this server is."""
        temporary = self._note.with_suffix(".new")
        temporary.write_bytes(msgspec.json.encode(server))
        temporary.chmod(0o600)
        temporary.replace(self._note)

    def running(self) -> RunningServer | None:
        """The server that has the folder open, as far as it has noted itself."""
        try:
            return msgspec.json.decode(self._note.read_bytes(), type=RunningServer)
        except (OSError, msgspec.MsgspecError):
            return None


def _too_long(path: Path) -> bool:
    return len(os.fsencode(path)) > _LONGEST_SOCKET_PATH
