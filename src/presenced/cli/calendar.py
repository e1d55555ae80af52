"""presenced calendar: give a person a calendar that their presence follows, or take it away."""

import asyncio
import sys
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import click
import httpx
from rich.console import Console

from presenced.calendar.calendars import Summary
from presenced.calendar.content_lines import MOST_BYTES
from presenced.cli.connection import connect, run
from presenced.cli.options import settings_from, settings_options
from presenced.control import CalendarImport, Impossible, PersonRequest
from presenced.presence.record import CalendarEvent
from presenced.settings import Settings

_PATIENCE = 30.0
_MOST_REDIRECTS = 5
_KINDS = {
    "busy": "an appointment",
    "tentative": "a tentative event",
    "oof": "out of office",
    "workingElsewhere": "working elsewhere",
}


@click.group()
def calendar() -> None:
    """The calendars that people's presence follows."""


@calendar.command("import")
@settings_options("data")
@click.argument("source")
@click.option("--user", required=True, help="The id or userPrincipalName of the person.")
@click.option("--tenant", help="The id of the tenant.  [default: the folder's own]")
def import_calendar(source: str, user: str, tenant: str | None, **values: Any) -> None:
    """Make SOURCE a person's calendar, in place of the one they have.

    SOURCE is an iCalendar file (.ics), its http, https or webcal address, or - for standard input. It is read this
    once: import it again when it has changed.
    """
    summary = run(_import(settings_from(values), source, user, tenant))
    click.echo(_described(summary))


@calendar.command("remove")
@settings_options("data")
@click.option("--user", required=True, help="The id or userPrincipalName of the person.")
@click.option("--tenant", help="The id of the tenant.  [default: the folder's own]")
def remove_calendar(user: str, tenant: str | None, **values: Any) -> None:
    """Forget a person's calendar."""
    there = run(_remove(settings_from(values), PersonRequest(user, tenant)))
    click.echo(f"The calendar of {user} is forgotten." if there else f"{user} has no calendar.")


async def _import(settings: Settings, source: str, user: str, tenant: str | None) -> Summary:
    if urlsplit(source).scheme.lower() in ("http", "https", "webcal", "webcals"):
        address, name = _address(source)
        # on a terminal only; elsewhere nothing is shown
        with Console(stderr=True).status(f"Fetching the calendar from {urlsplit(name).hostname}"):
            text = await _fetch(address, name)
    else:
        text, name = _read(source)
    async with connect(settings) as connection:
        return await connection.ask("/calendar/import", CalendarImport(user, text, name, tenant), Summary)


async def _remove(settings: Settings, request: PersonRequest) -> bool:
    async with connect(settings) as connection:
        return await connection.ask("/calendar/remove", request, bool)


def _read(source: str) -> tuple[bytes, str]:
    """The text of a file or of standard input, and its name."""
    if source == "-":
        return sys.stdin.buffer.read(MOST_BYTES + 1), "standard input"
    try:
        with Path(source).open("rb") as file:
            return file.read(MOST_BYTES + 1), PurePosixPath(source).name
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise Impossible(f"{source} cannot be read: {reason}") from error


def _address(source: str) -> tuple[str, str]:
    """The address to fetch, and the same without a password that may be in it, for messages and for the record."""
    try:
        parts = urlsplit(source)
        scheme = "https" if parts.scheme.lower().startswith("webcal") else parts.scheme.lower()
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError as error:
        raise Impossible(f"{source} is not an address: {error}") from error
    if not host:
        raise Impossible(f"{source} is not an address: it names no host.")
    bare = f"[{host}]{port}" if ":" in host else f"{host}{port}"
    return urlunsplit(parts._replace(scheme=scheme)), urlunsplit(parts._replace(scheme=scheme, netloc=bare))


async def _fetch(address: str, name: str) -> bytes:
    """What is at an address. Raises Impossible with the reason if nothing is to be had."""
    try:
        async with (
            asyncio.timeout(_PATIENCE),
            httpx.AsyncClient(follow_redirects=True, max_redirects=_MOST_REDIRECTS, timeout=_PATIENCE) as client,
            client.stream("GET", address, headers={"Accept": "text/calendar, */*;q=0.1"}) as answer,
        ):
            if answer.status_code != 200:
                raise Impossible(f"{name} answered {answer.status_code} {answer.reason_phrase}.")
            text = bytearray()
            async for part in answer.aiter_bytes():
                text += part
                if len(text) > MOST_BYTES:
                    raise Impossible(f"{name} is larger than {MOST_BYTES // 1_000_000} MB.")
            return bytes(text)
    except (TimeoutError, httpx.TimeoutException):
        raise Impossible(f"{name} did not answer within {_PATIENCE:.0f} seconds.") from None
    except httpx.TooManyRedirects:
        raise Impossible(f"{name} leads on to other addresses more than {_MOST_REDIRECTS} times.") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise Impossible(f"{name} cannot be fetched: {reason.splitlines()[0]}") from error


def _described(summary: Summary) -> str:
    zone = ZoneInfo(summary.time_zone)
    until = _day(datetime.fromtimestamp(summary.until, zone))
    some = "1 event" if summary.events == 1 else f"{summary.events} events" if summary.events else "No events"
    if summary.next is None:
        return f"{some} until {until}."
    return f"{some} until {until}; next: {_event(summary.next, zone)}."


def _event(event: CalendarEvent, zone: ZoneInfo) -> str:
    begins, ends = (datetime.fromtimestamp(at, zone) for at in (event.starts_at, event.ends_at))
    kind = "a meeting" if event.show_as == "busy" and event.is_meeting else _KINDS[event.show_as]
    last = "" if begins.date() == ends.date() else f"{_day(ends)} "
    return f"{begins:%A} {_day(begins)} {begins:%H:%M} to {last}{ends:%H:%M} ({zone.key}), {kind}"


def _day(when: datetime) -> str:
    return f"{when.day} {when:%B %Y}"
