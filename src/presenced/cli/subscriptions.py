"""presenced subscriptions and presenced deliveries: who is subscribed, and what became of what they were to be told."""

import re
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from presenced.cli.connection import connect, run
from presenced.cli.options import settings_from, settings_options
from presenced.cli.terminal import in_words, instant, plain
from presenced.control import ListRequest
from presenced.notify_control import DeliveriesRequest, EndpointShown, SubscriptionShown
from presenced.settings import Settings

_WIDTH = 1000
"""Of tables that do not go to a terminal: no cell is broken into lines, so that grep finds it."""

_STYLES = {"normal": "green", "slow": "yellow", "drop": "bold red"}


@click.command()
@settings_options("data")
@click.option("--tenant", help="The id of the tenant.  [default: the folder's own]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of a table.")
def subscriptions(tenant: str | None, as_json: bool, **values: Any) -> None:
    """List who is subscribed to whose presence.

    A paused subscription is one whose token has ended: what it should be told waits until it is authorised anew.
    """
    found = run(_subscriptions(settings_from(values), tenant))
    if as_json:
        _print_json(found)
        return
    columns = ("id", "app", "user", "resource", "url", "expires in", "authorised until", "paused")
    table = Table(*columns, box=None, header_style="bold")
    for one in found:
        table.add_row(
            one.id,
            one.app,
            one.user or "(the app)",
            plain(_resource(one)),
            plain(one.notification_url, 60),
            in_words(one.expires_in),
            instant(one.authorised_until),
            "[bold red]yes[/]" if one.paused else "no",
        )
    _print(table)
    click.echo(f"{len(found)} subscriptions")


@click.command()
@settings_options("data")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of a table.")
def deliveries(as_json: bool, **values: Any) -> None:
    """List the endpoints of notifications: what waits, what was delivered since the server started, what failed.

    Of a folder without a running server only what waits is known.
    """
    found = run(_deliveries(settings_from(values)))
    if as_json:
        _print_json(found)
        return
    columns = ("url", "waiting", "delivered", "failed posts", "dropped", "next try", "state", "last error")
    table = Table(*columns, box=None, header_style="bold")
    for one in found:
        style = _STYLES.get(one.state or "", "none")
        table.add_row(
            plain(one.url, 80),
            str(one.waiting),
            *("-" if count is None else str(count) for count in (one.delivered, one.failed_posts, one.dropped)),
            "-" if one.next_try is None else instant(one.next_try),
            f"[{style}]{one.state or '-'}[/]",
            plain(one.last_error or "-"),
        )
    _print(table)
    click.echo(f"{len(found)} endpoints")


async def _subscriptions(settings: Settings, tenant: str | None) -> list[SubscriptionShown]:
    async with connect(settings) as connection:
        return await connection.ask("/subscriptions/list", ListRequest(tenant), list[SubscriptionShown])


async def _deliveries(settings: Settings) -> list[EndpointShown]:
    async with connect(settings) as connection:
        return await connection.ask("/deliveries/list", DeliveriesRequest(), list[EndpointShown])


def _resource(one: SubscriptionShown) -> str:
    """The resource, without the list of ids if there are several."""
    if one.people is None:
        return "everybody"
    if one.people == 1:
        return re.sub(r"^/?communications/presences", "…", one.resource.strip(), flags=re.IGNORECASE)[:70]
    return f"…?$filter=id in (…{one.people} people)"


def _print_json(rows: list[Any]) -> None:
    for row in rows:
        click.echo(msgspec.json.encode(row).decode())


def _print(table: Table) -> None:
    Console(width=None if Console().is_terminal else _WIDTH).print(table)
