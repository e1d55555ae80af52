"""A real server for tests: `presenced serve` as its own process, on free ports, with its own data folder."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

PRESENCED = str(Path(sys.executable).with_name("presenced"))
_READY = re.compile(r"ready at (http://\S+?)(?: and (https://\S+?))?, data in ")


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without settings of presenced in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PRESENCED_")} | more


def command(*arguments: str, check: bool = True, **more: Any) -> "subprocess.CompletedProcess[str]":
    """Run a presenced command to its end."""
    more.setdefault("env", clean_environment())
    return subprocess.run([PRESENCED, *arguments], check=check, capture_output=True, text=True, timeout=120, **more)


class Server:
    """A running presenced. ``output`` is all it has printed so far, on both streams."""

    def __init__(self, data: Path, *options: str, prefix: tuple[str, ...] = (), **more: Any) -> None:
        self.data = data
        arguments = [*prefix, PRESENCED, "serve", "--data", str(data), "--port", "0", "--tls-port", "0", *options]
        self.process = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=clean_environment(), **more
        )
        self.output = ""
        self.http = self.https = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
            if ready := _READY.search(line):
                self.http, self.https = ready[1], ready[2] or ""
                break
        else:
            self.process.wait(60)
            self.process.stdout.close()
            raise AssertionError(f"the server did not start:\n{self.output}")
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Send it a signal and wait for its end; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(60)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def command(self, *arguments: str, **more: Any) -> str:
        """What a presenced command on this server's folder prints."""
        return command(*arguments, "--data", str(self.data), **more).stdout

    def environment(self) -> dict[str, str]:
        """What `presenced env` says."""
        found: dict[str, str] = json.loads(self.command("env", "--json"))
        return found

    def client(self, *token_options: str, version: str = "v1.0", base: str | None = None) -> httpx.Client:
        """An HTTP client with a token."""
        token = self.command("token", *token_options).strip()
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=f"{base or self.http}/{version}", headers=headers, timeout=60)


@contextlib.contextmanager
def running(data: Path, *options: str, **more: Any) -> Iterator[Server]:
    """A server until the end of the block."""
    server = Server(data, *options, **more)
    try:
        yield server
    finally:
        server.stop()
