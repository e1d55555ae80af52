"""Time zones: Graph's dateTimeTimeZone as an instant, and the day an instant falls on.

A dateTimeTimeZone is a local time without an offset, with up to seven fraction digits, and the name of its time zone:
an IANA name or one of Windows' (dateTimeTimeZone resource; both are seen in the wild). Without a name it is UTC.
"""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from presenced.presence.refused import Refused, required

_EARLIEST = -62135596800.0
_LATEST = 253402300799.0
"""Seconds since 1970: the first of the year 1 and the last of 9999, beyond which no date can be written."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(?:(:\d\d)(?:\.(\d{1,7}))?)?", re.ASCII | re.IGNORECASE)
_OFFSET = re.compile(r".*:.*(?:z|[+-]\d\d(?::?\d\d)?)", re.ASCII | re.IGNORECASE | re.DOTALL)
_ZONE = re.compile(r"[A-Za-z0-9_+./-]{1,64}", re.ASCII)
_NO_ZONES = ("localtime", "posixrules", "factory", "posix/", "right/")
"""Files beside the zones that are none of their names; ``localtime`` would be this machine's."""

_WINDOWS = {name.casefold(): zone for name, zone in WINDOWS_TO_OLSON.items()}


class DateTimeTimeZone(msgspec.Struct, rename="camel"):
    """A local time and the name of its time zone."""

    date_time: str | None = None
    time_zone: str | None = None


def find_zone(name: str) -> ZoneInfo | None:
    """The time zone with this IANA or Windows name, or None."""
    key = _WINDOWS.get(name.casefold(), name)
    if not _ZONE.fullmatch(key) or key.lower().startswith(_NO_ZONES):
        return None
    try:
        return ZoneInfo(key)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # what zoneinfo raises for names like ".." or "Europe"
        return None


def instant(local: DateTimeTimeZone, field: str) -> float:
    """Seconds since 1970 UTC of a dateTimeTimeZone.

    A time that the clocks skip or show twice is the earlier reading of it. Raises Refused(InvalidArgument) naming
    ``field``.
    """
    if local.date_time is None:
        raise required(f"{field}.DateTime")
    zone = find_zone(local.time_zone) if local.time_zone else ZoneInfo("UTC")
    if zone is None:
        raise Refused("InvalidArgument", f"The provided [{field}] names no time zone that is known.")
    if _OFFSET.fullmatch(local.date_time):
        raise Refused(
            "InvalidArgument", f"The provided [{field}] holds an offset from UTC. Put the zone in timeZone instead."
        )
    if not (form := _LOCAL.fullmatch(local.date_time)):
        raise _no_date_time(field)
    try:
        when = datetime.fromisoformat(form[1] + (form[2] or "")).replace(tzinfo=zone)
        offset = when.utcoffset() or timedelta()
    except (ValueError, OverflowError):
        raise _no_date_time(field) from None
    seconds = (when.replace(tzinfo=UTC) - _EPOCH).total_seconds() - offset.total_seconds()
    return min(max(seconds + float(f"0.{form[3] or 0}"), _EARLIEST), _LATEST)


def utc(at: float) -> DateTimeTimeZone:
    """An instant (seconds since 1970 UTC) as a dateTimeTimeZone, with seven fraction digits as Graph writes it."""
    when = (_EPOCH + timedelta(seconds=at)).replace(tzinfo=None)
    return DateTimeTimeZone(when.isoformat(timespec="microseconds") + "0", "UTC")


def end_of_day(now: float, zone_name: str | None) -> float:
    """When the current date ends (seconds since 1970 UTC) where this is the time zone; UTC for None."""
    zone = (find_zone(zone_name) if zone_name else None) or ZoneInfo("UTC")
    today: date = datetime.fromtimestamp(now, zone).date()
    return datetime.combine(today + timedelta(days=1), datetime.min.time(), zone).timestamp()


def _no_date_time(field: str) -> Refused:
    return Refused(
        "InvalidArgument", f"The provided [{field}] is not a date and time such as 2026-10-18T17:05:33.2079781."
    )
