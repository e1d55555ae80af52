"""presenced board-link: a new one-time link to the live board of a running server."""

from typing import Any

import click

from presenced.cli.connection import connect_running, run
from presenced.cli.options import settings_from, settings_options
from presenced.control import BoardLink, BoardLinkRequest
from presenced.settings import Settings


@click.command("board-link")
@settings_options("data", "public_url")
def board_link(**values: Any) -> None:
    """Print a one-time link to the live board.

    Whoever opens it first sees everything and may change everyone's presence, as the owner of the server. It is good
    for ten minutes.
    """
    click.echo(run(_board_link(settings_from(values))))


async def _board_link(settings: Settings) -> str:
    async with connect_running(settings) as connection:
        link = await connection.ask("/board/link", BoardLinkRequest(), BoardLink)
        assert connection.server is not None
        return address(settings.public_url or connection.server.http, link.secret)


def address(base_url: str, secret: str) -> str:
    """The link. Its secret is in the fragment, which browsers send to nobody."""
    return f"{base_url.rstrip('/')}/#link={secret}"
