"""presenced log: the last requests and deliveries of a running server that was started with --control."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import click
import msgspec

from presenced.cli.connection import connect_running, run
from presenced.cli.options import settings_from, settings_options
from presenced.cli.terminal import printable
from presenced.emulator.log_entries import DeliveryEntry, RequestEntry
from presenced.emulator.rings import MOST_ENTRIES
from presenced.emulator.traffic import DeliveriesShown, RequestsShown
from presenced.settings import Settings

_GLANCE = 0.5
"""Seconds between looks at a log that is followed."""

_LONGEST_BODY = 2000


@click.command()
@settings_options("data")
@click.option("--deliveries", is_flag=True, help="What was sent to webhooks, not what was asked.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--bodies", is_flag=True, help="With bodies.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with headers and bodies.")
@click.option("--tenant", help="Of one tenant only, by id or domain.")
@click.option("--limit", type=click.IntRange(1, MOST_ENTRIES), default=50, show_default=True, help="How many to begin.")
def log(
    deliveries: bool, follow: bool, bodies: bool, as_json: bool, tenant: str | None, limit: int, **values: Any
) -> None:
    """Show the last requests to a running server (started with --control) and its answers, secrets masked."""
    query: dict[str, Any] = {"limit": limit} | ({} if tenant is None else {"tenant": tenant})

    def show(entry: RequestEntry | DeliveryEntry) -> None:
        if as_json:
            click.echo(msgspec.json.encode(entry).decode())
            return
        click.echo(line_of(entry))
        for sign, body in (("  > ", entry.request_body), ("  < ", entry.response_body)) if bodies else ():
            if body:
                click.echo(sign + printable(body, _LONGEST_BODY))

    run(_show(settings_from(values), "deliveries" if deliveries else "requests", query, show, follow=follow))


async def _show(settings: Settings, what: str, query: dict[str, Any], show: Any, *, follow: bool) -> None:
    form: Any = DeliveriesShown if what == "deliveries" else RequestsShown
    async with connect_running(settings) as connection:
        while True:
            found = await connection.control("GET", f"/log/{what}?{urlencode(query)}", None, form)
            entries = getattr(found, what)
            for entry in entries:
                show(entry)
            if not follow:
                return
            query |= {"limit": MOST_ENTRIES, "after": entries[-1].number if entries else query.get("after", 0)}
            await asyncio.sleep(_GLANCE)


def line_of(entry: RequestEntry | DeliveryEntry) -> str:
    """An entry on one line: number, time, what was asked or sent, what came of it, how long it took, for whom."""
    status = str(entry.status or "-")
    words = [f"{entry.number:>5}", entry.at[11:23], status, f"{entry.duration * 1000:8.1f} ms"]
    if isinstance(entry, RequestEntry):
        words += ["  in a batch:" if entry.part else "", entry.method, entry.path, _by(entry)]
    else:
        count = len(entry.notifications)
        words += ["handshake" if entry.kind == "handshake" else f"{count} notification{'s' * (count != 1)}", entry.url]
    if entry.faults:
        words.append(f"(fault {', '.join(entry.faults)})")
    if entry.problem:
        words.append(entry.problem)
    return " ".join(printable(word, 300) for word in words if word)


def _by(entry: RequestEntry) -> str:
    return f"by {entry.user or entry.app}" if entry.user or entry.app else ""
