"""Runs a presenced command in a process that kills itself, as with kill -9, at a named point.

    python die_at.py MODULE:FUNCTION before|after COUNT PROGRAM ARGUMENT...

``after`` is when the function has returned, or for a coroutine has been awaited, for the COUNT-th time.
"""

import functools
import importlib
import inspect
import os
import runpy
import signal
import sys
from typing import Any


def die_at(where: str, when: str, count: int) -> None:
    """Put the death of this process into a function."""
    module, _, path = where.partition(":")
    *parents, name = path.split(".")
    owner = functools.reduce(getattr, parents, importlib.import_module(module))
    real = getattr(owner, name)
    left = count

    def reached(point: str) -> None:
        nonlocal left
        if point == when:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    @functools.wraps(real)
    def plain(*arguments: Any, **more: Any) -> Any:
        reached("before")
        result = real(*arguments, **more)
        reached("after")
        return result

    @functools.wraps(real)
    async def awaited(*arguments: Any, **more: Any) -> Any:
        reached("before")
        result = await real(*arguments, **more)
        reached("after")
        return result

    setattr(owner, name, awaited if inspect.iscoroutinefunction(real) else plain)


if __name__ == "__main__":
    die_at(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    sys.argv = sys.argv[4:]
    runpy.run_path(sys.argv[0], run_name="__main__")
