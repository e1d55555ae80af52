"""presenced env: what a client needs, as shell exports."""

import json
import shlex
from typing import Any

import click

from presenced.cli.connection import connect, run
from presenced.cli.options import settings_from, settings_options
from presenced.control import Environment, EnvironmentRequest
from presenced.environment import environment
from presenced.settings import Settings
from presenced.tls import DevelopmentTls


@click.command()
@settings_options("data", "host", "port", "tls", "tls_port", "tls_cert")
@click.option("--app", help="The id of the app to show.  [default: the first with application permissions]")
@click.option("--tenant", help="The id of the tenant.  [default: the folder's own]")
@click.option("--json", "as_json", is_flag=True, help="A JSON object instead of shell exports.")
def env(app: str | None, tenant: str | None, as_json: bool, **values: Any) -> None:
    """Print what a client needs to call this server.

    Use it as:  eval "$(presenced env)"
    """
    found, notes = run(_environment(settings_from(values), EnvironmentRequest(tenant, app)))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        if value is not None:
            click.echo(f"export {name}={shlex.quote(value)}")
    for note in notes:
        click.echo(f"# {note}")


async def _environment(settings: Settings, request: EnvironmentRequest) -> tuple[dict[str, str | None], list[str]]:
    async with connect(settings) as connection:
        known = await connection.ask("/environment", request, Environment)
        if connection.server is not None:
            http, https = connection.server.http, connection.server.https
        else:
            http = f"http://{settings.host}:{settings.port}"
            https = f"https://localhost:{settings.tls_port}" if settings.tls else None
        authority = DevelopmentTls(connection.folder.certificates).authority
        own_certificate = settings.tls_cert is not None
        found = environment(http, https, known.tenant, known.app, known.secret, None if own_certificate else authority)
        return found, _notes(known, https)


def _notes(known: Environment, https: str | None) -> list[str]:
    notes = []
    if known.app is None:
        notes.append("AZURE_CLIENT_ID: there is no app yet. Make one: presenced apps add NAME --permission PERMISSION")
    elif known.secret is None:
        notes.append("AZURE_CLIENT_SECRET: only its hash is kept. It was shown when the app was added.")
    if https is None:
        notes.append("AZURE_AUTHORITY_HOST: Microsoft's sign-in libraries need HTTPS. Start: presenced serve --tls")
    return notes
