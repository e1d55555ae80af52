"""presenced run: a server for as long as a command runs.

It is a wrapper as `env` and `timeout` are: the command has the terminal, gets the signals, and says the exit code; what
goes wrong before it is 125 (the server), 126 (the command cannot be run) or 127 (there is no such command).
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from presenced.cli.options import settings_flags, settings_from, settings_options
from presenced.settings import options
from presenced.testing.control import ControlError
from presenced.testing.presenced import Presenced
from presenced.testing.process import ServerDied

_OWN = (
    "data",
    "host",
    "port",
    "tls",
    "tls_port",
    "tls_cert",
    "tls_key",
    "seed",
    "sample",
    "control",
    "admin_token",
    "public_url",
)
"""What is decided here."""
_SETTINGS = tuple(field for field in options() if field not in _OWN)
_PASSED_ON = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_FROM_TERMINALS = (signal.SIGINT, signal.SIGQUIT)
_SERVER_FAILED, _CANNOT_RUN, _NOT_FOUND = 125, 126, 127


@click.command(context_settings={"allow_interspersed_args": False})
@settings_options("seed", *_SETTINGS)
@click.option("--tls/--no-tls", default=True, show_default=True, help="Listen for HTTPS too.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def run(ctx: click.Context, /, command: tuple[str, ...], tls: bool, **values: Any) -> None:
    """Run a COMMAND, such as tests in any language, with a server of its own.

    The server listens on free ports, holds the sample tenant or --seed, and can be controlled; it is gone when the
    command ends. The command finds it by the variables that `presenced env` prints, and trusts its certificate by
    SSL_CERT_FILE, REQUESTS_CA_BUNDLE, NODE_EXTRA_CA_CERTS and, for Java, the store that PRESENCED_TRUST_STORE names;
    `presenced` commands in it mean this server. Its exit code is the command's.

    Use it as:  presenced run -- npm test
    """
    named = os.sep in command[0] and Path(command[0]).exists()
    if not named and shutil.which(command[0]) is None:
        _fail(_NOT_FOUND, f"There is no command {command[0]!r} to run.")
    try:
        settings = settings_from(values)
        with Presenced(seed=settings.seed, tls=tls, options=settings_flags(settings, _SETTINGS)) as server:
            code = _Command(command, _environment(server)).run()
    except OSError as error:
        _fail(_SERVER_FAILED, f"{error.filename} cannot be read: {error.strerror}.")
    except (ServerDied, ControlError, ValueError) as error:
        _fail(_SERVER_FAILED, str(error))
    ctx.exit(code)


def _environment(server: Presenced) -> dict[str, str]:
    mine = {name: value for name, value in server.variables.items() if value is not None}
    # nothing that is said to presenced outside: with PRESENCED_GRAPH, `presenced set` would change real people
    others = {
        name: value
        for name, value in os.environ.items()
        if name not in server.variables and not name.startswith("PRESENCED_")
    }
    return others | mine | server.java_trust | {"PRESENCED_DATA": str(server.data)}


def _fail(code: int, message: str) -> None:
    click.echo(f"presenced run: {message}", err=True)
    sys.exit(code)


class _Command:
    """A command that has the terminal, and to which signals are passed on."""

    def __init__(self, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
        self._arguments = arguments
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def run(self) -> int:
        """Its exit code as a shell says it."""
        before = {number: signal.getsignal(number) for number in _PASSED_ON}
        for number, handler in before.items():
            if handler != signal.SIG_IGN:  # as nohup has it, for the command too
                signal.signal(number, self._pass_on)
        try:
            self._process = subprocess.Popen(self._arguments, env=self._environment)  # noqa: S603  what it is for
            for early in self._early:
                self._process.send_signal(early)
            code = self._process.wait()
        except OSError as error:
            _fail(_CANNOT_RUN, f"{self._arguments[0]!r} cannot be run: {error.strerror}.")
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return code if code >= 0 else 128 - code

    def _pass_on(self, number: int, frame: object) -> None:
        if number in _FROM_TERMINALS and _in_foreground():
            return  # Ctrl-C: the terminal has sent it to the command itself
        if self._process is None:
            self._early.append(number)
        else:
            self._process.send_signal(number)


def _in_foreground() -> bool:
    """Whether this process's group is the one that its terminal sends signals to."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
