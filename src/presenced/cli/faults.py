"""presenced faults: have a running server (started with --control) fail in ways that a test decides."""

from typing import Any, TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Table

from presenced.cli.connection import connect_running, run
from presenced.cli.options import settings_from, settings_options
from presenced.cli.terminal import plain
from presenced.emulator.fault import Effect, FaultMatch, FaultShown, NewFault
from presenced.emulator.match import HeaderMatch
from presenced.emulator.traffic import FaultsShown, Removed
from presenced.settings import Settings

T = TypeVar("T")

_WIDTH = 1000
"""Of tables that do not go to a terminal."""


@click.group(invoke_without_command=True)
@settings_options("data")
@click.pass_context
def faults(ctx: click.Context, /, **values: Any) -> None:
    """Have a running server (started with --control) fail as you say: list, add, remove, clear."""
    if ctx.invoked_subcommand is None:
        _list(values)


@faults.command("list")
@settings_options("data")
def list_(**values: Any) -> None:
    """List the faults, with how often each was met and struck."""
    _list(values)


@faults.command()
@settings_options("data")
@click.option("--operation", help="Requests: an operation, such as getPresencesByUserId.")
@click.option("--tenant", help="A tenant, by id or domain.")
@click.option("--app", help="An app, by its id.")
@click.option("--person", help="A person, by object id: in the path, in a bulk read, or in a notification.")
@click.option("--header", help="Requests: NAME or NAME=VALUE of a header they carry.")
@click.option("--nth", type=int, help="Only the nth of these.")
@click.option("--share", type=float, help="A share of these by chance, such as 0.1.")
@click.option("--seed", type=int, help="Of chance, which is the same each time for the same seed.  [default: 0]")
@click.option("--times", type=int, help="At most so often.")
@click.option("--status", type=int, help="Answer 429, 500, 503 or 504.")
@click.option("--retry-after", help="With a status: a duration such as PT5S.  [default: PT10S with 429]")
@click.option("--latency", help="Answer later by a duration such as PT2S, of real time.")
@click.option("--cut", type=click.Choice(["before", "after", "within"]), help="Cut the connection: when?")
@click.option("--stale", is_flag=True, help="Read presence as it is now, whatever it becomes.")
@click.option(
    "--notification", type=click.Choice(["lost", "late", "doubled", "reordered"]), help="What becomes of notifications."
)
@click.option("--delay", help="With late: a duration by the server's clock, such as PT5M.")
@click.option("--handshake", type=click.Choice(["refused", "timeout"]), help="Fail the handshake of subscribers.")
def add(header: str | None, seed: int | None, times: int | None, stale: bool, **values: Any) -> None:
    """Add a fault, and print its id.

    Say which requests or notifications are meant (else all are), and one thing that goes wrong with them.
    """
    match = {name: values.pop(name) for name in ("operation", "tenant", "app", "person", "nth", "share")}
    if seed is not None:
        match["seed"] = seed
    if header is not None:
        name, equals, value = header.partition("=")
        match["header"] = HeaderMatch(name, value if equals else None)
    names = ("status", "retry_after", "latency", "cut", "notification", "delay", "handshake")
    effect = Effect(**{name: values.pop(name) for name in names}, stale=stale or None)
    added = run(_ask(settings_from(values), "POST", "", NewFault(effect, FaultMatch(**match), times), FaultShown))
    click.echo(added.id)


@faults.command()
@settings_options("data")
@click.argument("number", metavar="ID")
def remove(number: str, **values: Any) -> None:
    """Remove a fault, and say how often it struck."""
    if not number.isascii() or not number.isdigit():
        raise click.ClickException(f"{number!r} is not the id of a fault. See: presenced faults list")
    removed = run(_ask(settings_from(values), "DELETE", f"/{number}", None, FaultShown))
    click.echo(f"removed {removed.id}, which struck {removed.struck} of {removed.matched}")


@faults.command()
@settings_options("data")
def clear(**values: Any) -> None:
    """Remove all faults."""
    click.echo(f"removed {run(_ask(settings_from(values), 'DELETE', '', None, Removed)).removed}")


def _list(values: dict[str, Any]) -> None:
    found = run(_ask(settings_from(values), "GET", "", None, FaultsShown)).faults
    table = Table("id", "effect", "of", "met", "struck", box=None, header_style="bold")
    for one in found:
        of = _words(one.match) or "everything"
        if one.times is not None:
            of += f", {one.times} times"
        table.add_row(one.id, plain(_words(one.effect)), plain(of), str(one.matched), str(one.struck))
    Console(width=None if Console().is_terminal else _WIDTH).print(table)
    click.echo(f"{len(found)} faults")


def _words(part: FaultMatch | Effect) -> str:
    said = msgspec.to_builtins(part)
    if "header" in said:
        said["header"] = "=".join(said["header"].values())
    return ", ".join(f"{name} {value}" if value is not True else name for name, value in said.items())


async def _ask(settings: Settings, method: str, path: str, request: object, form: type[T]) -> T:
    async with connect_running(settings) as connection:
        return await connection.control(method, f"/faults{path}", request, form)
