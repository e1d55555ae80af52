"""presenced board: everybody's presence in the terminal, as it changes."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from presenced.cli.board_screen import Screen, print_once
from presenced.cli.board_source import FolderSource, GraphSource, Source
from presenced.cli.connection import run
from presenced.cli.graph_access import graph_options, where_from
from presenced.cli.state_look import KINDS
from presenced.cli.who import asked_for, people_file
from presenced.control import Impossible

_WIDTH = 1000
"""Of a table that does not go to a terminal: no cell is broken into lines, so that grep finds it."""


@click.command()
@click.argument("people", nargs=-1, metavar="[ID-OR-UPN]...")
@people_file
@click.option("--state", "states", multiple=True, type=click.Choice(list(KINDS)), help="Only these; may be repeated.")
@click.option("--search", default="", help="Only those with each of these words in name, title, state or message.")
@click.option(
    "--every",
    type=click.FloatRange(1, 3600),
    default=5,
    show_default=True,
    help="Seconds from one question to the next, with --graph. A folder's server tells changes as they happen.",
)
@graph_options
def board(
    people: tuple[str, ...], file: Path | None, states: tuple[str, ...], search: str, every: float, **values: Any
) -> None:
    """Watch everybody's presence, or that of PEOPLE: a table that changes by itself. q ends it.

    When the output is no terminal, it prints the table once.
    """
    run(_board(people, file, states, search, every, values))


async def _board(
    people: tuple[str, ...],
    file: Path | None,
    states: tuple[str, ...],
    search: str,
    every: float,
    values: dict[str, Any],
) -> None:
    where = where_from(values)
    keys = asked_for(people, file)
    if file is not None and not keys:
        raise Impossible("Nobody is named in the file.")
    source: Source
    if where.graph is None:
        source = FolderSource(where, keys, states, search)
    else:
        source = GraphSource(where, keys, states, search, every)
    console = Console()
    if console.is_terminal and not console.is_dumb_terminal:
        asked = [KINDS[state].label.lower() for state in states] + ([f'"{search}"'] if search.strip() else [])
        await Screen(source, console, ", ".join(asked)).until_stopped()
    else:
        await source.once()
        print_once(source, console if console.is_terminal else Console(width=_WIDTH))
