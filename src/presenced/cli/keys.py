"""presenced keys: the keys that sign this server's tokens."""

from typing import Any

import click

from presenced.cli.connection import connect, run
from presenced.cli.options import settings_from, settings_options
from presenced.control import RotateRequest
from presenced.settings import Settings


@click.group()
def keys() -> None:
    """The keys that sign tokens."""


@keys.command()
@settings_options("data")
@click.option("--revoke", is_flag=True, help="Refuse at once what older keys signed, instead of letting it run out.")
def rotate(revoke: bool, **values: Any) -> None:
    """Sign with a new key from now on."""
    click.echo(f"Tokens are signed with the key {run(_rotate(settings_from(values), RotateRequest(revoke)))} now.")


async def _rotate(settings: Settings, request: RotateRequest) -> str:
    async with connect(settings) as connection:
        return (await connection.ask("/keys/rotate", request, dict[str, str]))["kid"]
