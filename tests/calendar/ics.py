"""Small iCalendar files for tests, and their events written briefly."""

from collections.abc import Collection
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from presenced.calendar.icalendar_file import read_events

ME = "kim@example.com"
OTHER = "ATTENDEE:mailto:lee@example.com"


def at(text: str) -> float:
    """Seconds since 1970 of a UTC time such as 2026-10-20 or 2026-10-20 09:30."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def vevent(*lines: str) -> str:
    return "\n".join(("BEGIN:VEVENT", *lines, "END:VEVENT"))


def vcalendar(*parts: str) -> str:
    return "\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", *parts, "END:VCALENDAR", "")).replace("\n", "\r\n")


def read(
    text: str | bytes,
    start: str = "2026-10-19",
    end: str = "2026-11-02",
    zone: str | None = "Europe/Berlin",
    me: Collection[str] = (ME,),
) -> list[str]:
    """The events of two weeks, in the second of which Europe's clocks go back, as "20 09:00-10:00 busy meeting" (UTC).

    Whatever does not end on the day it starts is written in full.
    """
    found = []
    for event in read_events(text, at(start), at(end), ZoneInfo(zone) if zone else None, me):
        begins, ends = (datetime.fromtimestamp(instant, UTC) for instant in (event.starts_at, event.ends_at))
        when = f"{begins:%d %H:%M}-{ends:%H:%M}"
        if begins.date() != ends.date():
            when = f"{begins:%m-%d %H:%M} - {ends:%m-%d %H:%M}"
        found.append(f"{when} {event.show_as}" + (" meeting" if event.is_meeting else ""))
    return found
