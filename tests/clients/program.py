"""Program: one language's checks, by the contract in README.md."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

HERE = Path(__file__).parent
CHECKS = ("snippet", "ids-650", "ids-651", "reads", "actions", "batch", "subscriptions", "retry-429")
"""What every Graph SDK does. SDKs that only sign in have checks of their own."""

_INSTALL_SECONDS = 3600
_RUN_SECONDS = 1200
_LACKING = 3
_LINE = re.compile(r"(ok|not ok) ([a-z0-9.-]+/[a-z0-9-]+)(?:: (.*))?")


class Lacking(Exception):
    """The language's toolchain is not on this machine; the text says which."""


class Broken(Exception):
    """A program did not keep to the contract, or could not be installed; the text says how."""


def languages() -> list[str]:
    """Those with a program."""
    return sorted(run.parent.name for run in HERE.glob("*/run"))


class Program:
    """The published clients of one language."""

    def __init__(self, language: str, environment: dict[str, str], folder: Path | None = None) -> None:
        self.language = language
        self._environment = environment
        self._folder = folder or HERE / language

    def install(self) -> None:
        """Raises Lacking or Broken."""
        code, printed, wrong = self._start([str(self._folder / "install")], _INSTALL_SECONDS, None)
        if code == _LACKING:
            raise Lacking(printed.strip() or f"{self.language} is not installed")
        if code:
            raise Broken(f"install ended with {code}:\n{printed}{wrong}".rstrip())

    def run(self, names: Iterable[str] = (), heard: Callable[[str], None] = lambda line: None) -> dict[str, str | None]:
        """Run the checks, all without names: what each said, None if it is ok. ``heard`` gets each line as it comes.

        Raises Broken when what was said does not fit together: nothing, not all, or an exit code that says otherwise.
        """
        names = list(names)
        code, printed, wrong = self._start([str(self._folder / "run"), *names], _RUN_SECONDS, heard)
        found = {line[2]: line[3] or "no reason given" if line[1] == "not ok" else None for line in _lines(printed)}
        failed = any(reason is not None for reason in found.values())
        if code not in (0, 1) or (code == 1) != failed:
            raise Broken(f"run ended with {code}:\n{printed}{wrong}".rstrip())
        missing = (set(names) or _expected(found)) - set(found)
        return found | dict.fromkeys(sorted(missing), "not reported") if found else _nothing(printed, wrong)

    def _start(self, arguments: list[str], seconds: int, heard: Callable[[str], None] | None) -> tuple[int, str, str]:
        """Exit code and what was printed. Whatever it started ends with it."""
        printed = ""
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as wrong,
            subprocess.Popen(
                arguments,
                stdout=subprocess.PIPE,
                stderr=wrong,
                env=self._environment,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            ) as process,
            _killed_after(process, seconds),
        ):
            assert process.stdout is not None
            for line in process.stdout:
                printed += line
                if heard:
                    heard(line.rstrip())
            process.wait()
            wrong.seek(0)
            return process.returncode, printed, wrong.read()[-20_000:]


@contextlib.contextmanager
def _killed_after(process: "subprocess.Popen[str]", seconds: int) -> Iterator[None]:
    timer = threading.Timer(seconds, _kill, (process,))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        _kill(process)


def _kill(process: "subprocess.Popen[str]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _lines(printed: str) -> list[re.Match[str]]:
    return [line for line in map(_LINE.fullmatch, printed.splitlines()) if line]


def _expected(found: dict[str, str | None]) -> set[str]:
    """All checks of every Graph SDK that reported one."""
    reported = [name.split("/") for name in found]
    return {f"{sdk}/{known}" for sdk, check in reported if check in CHECKS for known in CHECKS}


def _nothing(printed: str, wrong: str) -> dict[str, str | None]:
    raise Broken(f"run reported nothing:\n{printed}{wrong}".rstrip())
