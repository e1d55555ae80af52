"""Client state: the secret of a listener's subscription, in the data folder and locked while that listener lives.

Graph's rule is one subscription for each user and application, so that one left behind by ``kill -9`` is in the way of
the next listener for up to an hour. It may be replaced by the next one if its clientState, which only its owner is
shown, is in a file here that nobody has locked: then a listener on this folder made it, and runs no more. The system
gives the lock back however a process ends. The file is there before the subscription is, so nothing falls in between.
"""

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

_FOLDER = "listeners"
_LONGEST = 200
_KEPT = 2 * 3600.0
"""Seconds that an abandoned one is kept after it was last renewed: twice as long as its subscription can live."""


class ClientState:
    """A new secret, from ``open`` to ``close``. Raises OSError if the folder cannot be written."""

    def __init__(self, data: Path) -> None:
        self.secret = secrets.token_urlsafe(24)
        self._folder = data.expanduser().absolute() / _FOLDER
        self._path = self._folder / secrets.token_hex(8)
        self._held: int | None = None

    def open(self) -> None:
        """Keep the secret, for its owner only, and lock it."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._held = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._held, fcntl.LOCK_EX)
        os.write(self._held, self.secret.encode())

    def renewed(self) -> None:
        """Its subscription lives on."""
        if self._held is not None:
            os.utime(self._held)

    def close(self, *, left: bool) -> None:
        """Let go of it. ``left``: its subscription could not be deleted, so that the next listener may replace it."""
        if self._held is None:
            return
        if not left:
            self._path.unlink(missing_ok=True)
        os.close(self._held)
        self._held = None

    def abandoned(self) -> set[str]:
        """The secrets of listeners on this folder that run no more. Those long ended are removed."""
        return {text for path in self._folder.iterdir() if (text := _abandoned(path)) is not None}


def _abandoned(path: Path) -> str | None:
    with contextlib.suppress(OSError, UnicodeDecodeError), _locked(path) as held:
        if held is None:
            return None
        if os.fstat(held).st_mtime < time.time() - _KEPT:
            path.unlink(missing_ok=True)
            return None
        return os.read(held, _LONGEST).decode() or None
    return None


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int | None]:
    """The file, or None if a listener has it."""
    held = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield held
    finally:
        os.close(held)
