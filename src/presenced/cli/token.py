"""presenced token: a bearer token of the local issuer."""

import re
from typing import Any

import click

from presenced.cli.connection import connect, run
from presenced.cli.options import settings_from, settings_options
from presenced.control import TokenRequest
from presenced.settings import Settings

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Lifetime(click.ParamType[int]):
    """Seconds, written as 90s, 15m, 1h or 1d."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        parts = re.fullmatch(r"([0-9]{1,6})([smhd]?)", value.strip())
        if parts is None:
            self.fail(f"{value!r} is not a duration such as 90s, 15m or 1h", param, ctx)
        return int(parts[1]) * _UNITS[parts[2] or "s"]


@click.command()
@settings_options("data")
@click.option("--app", help="The id of the app.  [default: the first that has permissions of this kind]")
@click.option("--user", help="The id or userPrincipalName of the person signed in; without it the app is alone.")
@click.option(
    "--permission",
    "permissions",
    multiple=True,
    help="A permission to put into the token; may be repeated.  [default: the app's]",
)
@click.option("--lifetime", type=Lifetime(), default="1h", show_default=True, help="How long it lives: 90s, 15m, 1h.")
@click.option("--tenant", help="The id of the tenant.  [default: the folder's own]")
def token(
    app: str | None,
    user: str | None,
    permissions: tuple[str, ...],
    lifetime: int,
    tenant: str | None,
    **values: Any,
) -> None:
    """Print a bearer token, for an app alone or for a person.

    Use it as:  curl -H "Authorization: Bearer $(presenced token)" ...
    """
    request = TokenRequest(app, user, list(permissions), lifetime, tenant)
    click.echo(run(_token(settings_from(values), request)))


async def _token(settings: Settings, request: TokenRequest) -> str:
    async with connect(settings) as connection:
        answer = await connection.ask("/token", request, dict[str, Any])
        return str(answer["token"])
