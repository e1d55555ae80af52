"""The server's process: `presenced serve`, which ends when whoever started it ends, however that came.

Run as ``python -m presenced.testing.server_process FOLDER OPTION…``. Its stdin is a pipe into which nobody writes and
which its parent alone holds open. A pipe ends with its holder, a killed one too, on every Unix; a signal at the
parent's death (PR_SET_PDEATHSIG) is Linux's only, and comes already when the starting thread ends.
"""

import os
import shutil
import signal
import sys
import threading
import time

_GRACE = 10.0
"""Seconds to stop in an orderly way."""


def main() -> None:
    """Serve until a signal, or the end of stdin; then remove the folder, for the parent may not be there to do it."""
    folder, *options = sys.argv[1:]
    signal.signal(signal.SIGTERM, _end)  # until the server has a handler of its own
    threading.Thread(target=_watch, args=(folder,), daemon=True).start()
    try:
        from presenced.cli import main as presenced

        presenced(["serve", *options], prog_name="presenced")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end(number: int, frame: object) -> None:
    sys.exit(128 + number)


def _watch(folder: str) -> None:
    while os.read(0, 1024):  # not sys.stdin, whose lock would disturb the end of the interpreter
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    main()
