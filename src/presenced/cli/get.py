"""presenced get: the presence of people, of a data folder's server or of Graph itself."""

from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from presenced.cli.connection import run
from presenced.cli.graph_access import Where, graph, graph_options, where_from
from presenced.cli.presence_shown import PresenceShown, shown
from presenced.cli.state_look import state_text
from presenced.cli.terminal import printable
from presenced.cli.who import Found, asked_for, find, people_file, say_missing
from presenced.control import Impossible

_WIDTH = 160
"""Of a table that does not go to a terminal."""


@click.command()
@click.argument("people", nargs=-1, metavar="ID-OR-UPN...")
@people_file
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, as Graph has it, instead of a table.")
@graph_options
def get(people: tuple[str, ...], file: Path | None, as_json: bool, **values: Any) -> None:
    """Show the presence of people, by id or userPrincipalName; "me" is who a token speaks for.

    Any number of them, read in calls of 650.
    """
    found, presences = run(_get(people, file, as_json, values))
    if as_json:
        for person in found.ids:
            if person in presences:
                click.echo(msgspec.json.encode(presences[person]).decode())
    else:
        _print(found, presences)
    say_missing(found.missing)
    if found.missing:
        raise SystemExit(1)


async def _get(
    people: tuple[str, ...], file: Path | None, as_json: bool, values: dict[str, Any]
) -> tuple[Found, dict[str, dict[str, Any]]]:
    if not people and file is None:
        raise click.UsageError("Say whose presence: ids or userPrincipalNames, or --file.")
    where: Where = where_from(values)
    keys = asked_for(people, file)
    if not keys:
        raise Impossible("Nobody is named in the file.")
    async with graph(where) as client:
        found = await find(client, keys, names=not as_json)
        return found, await client.presences(found.ids)


def _print(found: Found, presences: dict[str, dict[str, Any]]) -> None:
    console = Console(width=None if Console().is_terminal else _WIDTH)
    table = Table("name", "state", "message", "location", box=None, header_style="bold")
    for person in found.ids:
        one: PresenceShown = shown(presences.get(person, {}))
        known = found.known.get(person)
        table.add_row(
            Text(printable(known.name if known else person)),
            state_text(one.availability, one.activity, one.is_out_of_office, console),
            Text(printable(one.message)),
            Text(one.location),
        )
    console.print(table)
