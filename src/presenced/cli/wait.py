"""presenced wait: until requests or notifications have come, so that scripts never sleep."""

from typing import Any

import click
import msgspec

from presenced.cli.connection import connect_running, run
from presenced.cli.log import line_of
from presenced.cli.options import settings_from, settings_options
from presenced.emulator.log_entries import DeliveryEntry, RequestEntry
from presenced.emulator.traffic import DeliveriesShown, RequestsShown
from presenced.settings import Settings


@click.command()
@settings_options("data")
@click.argument("what", type=click.Choice(["requests", "deliveries"]))
@click.option("--operation", help="Requests: an operation, such as getPresencesByUserId or token.")
@click.option("--tenant", help="A tenant, by id or domain.")
@click.option("--app", help="An app, by its id.")
@click.option("--person", help="A person, by object id: in the path, in a bulk read, or in a notification.")
@click.option("--status", type=int, help="Answered so. Deliveries: any 2xx, unless this says otherwise.")
@click.option("--kind", type=click.Choice(["notification", "handshake"]), help="Deliveries: of which kind.")
@click.option("--count", type=int, help="So many; of deliveries, so many notifications.  [default: 1]")
@click.option("--after", type=int, help="Only what comes after the entry of this number in the log.")
@click.option("--within", help="A duration of real time.  [default: PT10S; a minute at most]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with headers and bodies.")
def wait(what: str, as_json: bool, **given: Any) -> None:
    """Wait until requests have come to a running server (started with --control), or deliveries were made.

    What the log has already counts. Ends with 0 and shows them, or with 1 and what came instead.
    """
    asked = {name: given.pop(name) for name in ("count", "after", "within")}
    match = {name: given.pop(name) for name in ("operation", "tenant", "app", "person", "status", "kind")}
    body = {"for": what, "match": _said(match), **_said(asked)}
    for entry in run(_wait(settings_from(given), what, body)):
        click.echo(msgspec.json.encode(entry).decode() if as_json else line_of(entry))


def _said(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


async def _wait(settings: Settings, what: str, body: dict[str, Any]) -> list[RequestEntry] | list[DeliveryEntry]:
    async with connect_running(settings) as connection:
        if what == "requests":
            return (await connection.control("POST", "/wait", body, RequestsShown)).requests
        return (await connection.control("POST", "/wait", body, DeliveriesShown)).deliveries
