"""Waiting for what happens by itself."""

import os
import time
from collections.abc import Callable
from pathlib import Path

_WAIT = 60.0


def wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _WAIT
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_gone(server: int) -> bool:
    try:
        os.kill(server, 0)
    except ProcessLookupError:
        return True
    # a zombie, whose parent has not looked at it yet, is gone as well
    return Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
