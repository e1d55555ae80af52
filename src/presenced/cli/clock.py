"""presenced clock: the clock of a running server that was started with --control."""

from typing import Any

import click

from presenced.cli.connection import connect_running, run
from presenced.cli.options import settings_from, settings_options
from presenced.emulator.emulator import ClockAdvance, ClockChange
from presenced.emulator.time_control import ClockState
from presenced.settings import Settings


@click.group(invoke_without_command=True)
@settings_options("data")
@click.pass_context
def clock(ctx: click.Context, /, **values: Any) -> None:
    """The clock of a running server (started with --control): say it, stop it, set it, move it on."""
    if ctx.invoked_subcommand is None:
        _ask(values, "GET", "/clock", None)


@clock.command()
@settings_options("data")
@click.argument("at", required=False)
def freeze(at: str | None, **values: Any) -> None:
    """Have the clock stand still, now or at an instant such as 2026-11-24T17:00:00Z."""
    _ask(values, "POST", "/clock", ClockChange(at, True))


@clock.command("set")
@settings_options("data")
@click.argument("at")
def set_(at: str, **values: Any) -> None:
    """Set the clock to an instant, as when a suspended machine wakes up or somebody corrects it."""
    _ask(values, "POST", "/clock", ClockChange(at))


@clock.command()
@settings_options("data")
@click.argument("duration")
def advance(duration: str, **values: Any) -> None:
    """Move the clock on by a DURATION such as PT5M or P1D, with all that happens meanwhile, in order."""
    _ask(values, "POST", "/clock/advance", ClockAdvance(duration))


@clock.command("go-on")
@settings_options("data")
def go_on(**values: Any) -> None:
    """Have a clock that stands still go on."""
    _ask(values, "POST", "/clock", ClockChange(frozen=False))


@clock.command()
@settings_options("data")
def reset(**values: Any) -> None:
    """Have it be the machine's clock again."""
    _ask(values, "POST", "/clock/reset", None)


def _ask(values: dict[str, Any], method: str, path: str, request: object) -> None:
    state = run(_state(settings_from(values), method, path, request))
    click.echo(state.now + (" (standing still)" if state.frozen else ""))


async def _state(settings: Settings, method: str, path: str, request: object) -> ClockState:
    async with connect_running(settings) as connection:
        return await connection.control(method, path, request, ClockState)
