"""presenced apps: register and list the apps that may ask for tokens."""

from pathlib import Path
from typing import Any

import click
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from presenced.apps_control import AppRequest, AppShown
from presenced.cli.connection import connect, run
from presenced.cli.options import settings_from, settings_options
from presenced.control import ListRequest
from presenced.settings import Settings


@click.group()
def apps() -> None:
    """The apps that may ask for tokens."""


@apps.command("add")
@settings_options("data")
@click.argument("name")
@click.option(
    "--permission",
    "permissions",
    multiple=True,
    required=True,
    help="A permission the app has, such as Presence.Read.All; may be repeated.",
)
@click.option("--delegated", is_flag=True, help="The permissions are for use with a person signed in.")
@click.option(
    "--certificate",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The app proves itself with this certificate (PEM) instead of a secret.",
)
@click.option(
    "--public",
    is_flag=True,
    help="People sign in to it on their own machine or device; it has no secret. Implies --delegated.",
)
@click.option(
    "--redirect-uri",
    "redirect_uris",
    multiple=True,
    metavar="URI",
    help="Where people come back to after signing in: a server's address, or with --public the machine's own "
    "(http://localhost, with any port); may be repeated. Implies --delegated.",
)
@click.option(
    "--spa-redirect-uri",
    "spa_redirect_uris",
    multiple=True,
    metavar="URI",
    help="The same for a page that asks for tokens by itself (single-page application); may be repeated.",
)
@click.option("--tenant", help="The id of the tenant; made if there is none.  [default: the folder's own]")
@click.option("--json", "as_json", is_flag=True, help="A JSON object instead of text.")
def add(
    name: str,
    permissions: tuple[str, ...],
    delegated: bool,
    certificate: Path | None,
    public: bool,
    redirect_uris: tuple[str, ...],
    spa_redirect_uris: tuple[str, ...],
    tenant: str | None,
    as_json: bool,
    **values: Any,
) -> None:
    """Register an app under NAME. Its secret is shown once; only a hash is kept."""
    der = None if certificate is None else _read_certificate(certificate)
    request = AppRequest(
        name,
        list(permissions),
        delegated,
        der,
        public,
        list(redirect_uris),
        list(spa_redirect_uris),
        tenant,
    )
    shown = run(_add(settings_from(values), request))
    if as_json:
        click.echo(msgspec.json.encode(shown).decode())
        return
    click.echo(f"tenant id: {shown.tenant}\nclient id: {shown.id}")
    if shown.secret is not None:
        click.echo(f"secret:    {shown.secret}\nThe secret is shown this once; only its hash is kept.")


@apps.command("list")
@settings_options("data")
@click.option("--tenant", help="The id of the tenant.  [default: the folder's own]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of text.")
def list_apps(tenant: str | None, as_json: bool, **values: Any) -> None:
    """List the apps of a tenant."""
    for shown in run(_list(settings_from(values), tenant)):
        if as_json:
            click.echo(msgspec.json.encode(shown).decode())
            continue
        click.echo(f"{shown.id}  {shown.name}")
        for kind, granted in (
            ("application", shown.application_permissions),
            ("delegated", shown.delegated_permissions),
        ):
            if granted:
                click.echo(f"    {kind}: {', '.join(granted)}")
        if shown.public:
            click.echo("    public")
        for uri in shown.redirect_uris:
            click.echo(f"    redirect URI: {uri}")
        for uri in shown.spa_redirect_uris:
            click.echo(f"    redirect URI of a page: {uri}")


def _read_certificate(file: Path) -> bytes:
    try:
        return x509.load_pem_x509_certificate(file.read_bytes()).public_bytes(Encoding.DER)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{file} cannot be read as a certificate in PEM: {error}") from error


async def _add(settings: Settings, request: AppRequest) -> AppShown:
    async with connect(settings) as connection:
        return await connection.ask("/apps/add", request, AppShown)


async def _list(settings: Settings, tenant: str | None) -> list[AppShown]:
    async with connect(settings) as connection:
        return await connection.ask("/apps/list", ListRequest(tenant), list[AppShown])
