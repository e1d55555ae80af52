"""A terminal for tests: a pseudo-terminal with a presenced command in it, and what its screen shows."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from typing import Any

from tests.running import PRESENCED, clean_environment

WAIT = 60.0
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_HOME = "\x1b[H"


class Terminal:
    """A command on a terminal of so many lines and columns. ``output`` is all that it has written to it."""

    def __init__(self, *arguments: str, lines: int = 20, columns: int = 120, **variables: str) -> None:
        self._ours, theirs = pty.openpty()
        self._size(lines, columns)
        environment = clean_environment(TERM="xterm-256color", LANG="C.UTF-8") | variables
        environment.pop("NO_COLOR", None) if "NO_COLOR" not in variables else None
        for name in ("COLUMNS", "LINES"):
            environment.pop(name, None)
        self.process = subprocess.Popen(
            [PRESENCED, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
        )
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs
        self.output = ""

    def _size(self, lines: int, columns: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, lines: int, columns: int) -> None:
        """As when a window is dragged."""
        self._size(lines, columns)
        self.process.send_signal(signal.SIGWINCH)

    def read(self) -> bool:
        """Take in what is written within a tenth of a second; whether there was anything."""
        ready, _, _ = select.select([self._ours], [], [], 0.1)
        if ready:
            with contextlib.suppress(OSError):
                self.output += os.read(self._ours, 1 << 16).decode("utf-8", "replace")
                return True
        return False

    def screen(self) -> list[str]:
        """The lines of the last whole picture."""
        pictures = self.output.split(_HOME)
        whole = pictures[-1] if self.process.poll() is not None or len(pictures) < 3 else pictures[-2]
        return [line.rstrip() for line in _CODES.sub("", whole).split("\n")]

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first place on the screen with ``pattern``, once it is there."""
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            wrote = self.read()
            if found := re.search(pattern, "\n".join(self.screen()), re.MULTILINE):
                return found
            if not wrote and self.process.poll() is not None:
                break
        raise AssertionError((pattern, self.screen(), self.process.poll()))

    def press(self, keys: bytes) -> None:
        """Keys, as a terminal sends them."""
        os.write(self._ours, keys)

    def end(self) -> int:
        """Wait for its end; its exit code."""
        deadline = time.monotonic() + WAIT
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read()
        code = self.process.wait(1)
        while self.read():
            pass
        return code

    def colours(self) -> set[str]:
        """The colours and the like that were used."""
        return set(_COLOURS.findall(self.output)) - {"\x1b[0m"}

    def restored(self) -> bool:
        """Whether the terminal is as it was: its modes, its ordinary screen, its cursor."""
        shown = self.output.rfind("\x1b[?1049l") >= self.output.rfind("\x1b[?1049h")
        cursor = self.output.rfind("\x1b[?25h") >= self.output.rfind("\x1b[?25l")
        return termios.tcgetattr(self._theirs) == self.before and shown and cursor

    def close(self) -> None:
        """End it, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(WAIT)
        os.close(self._ours)
        os.close(self._theirs)


@contextlib.contextmanager
def terminal(*arguments: str, **more: Any) -> Iterator[Terminal]:
    """A command on a terminal until the end of the block."""
    opened = Terminal(*arguments, **more)
    try:
        yield opened
    finally:
        opened.close()
