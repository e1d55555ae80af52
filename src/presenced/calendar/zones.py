"""Zones: the time zone that a TZID in a calendar names.

Sources: RFC 5545, sections 3.2.19 (TZID) and 3.6.5 (VTIMEZONE). A name that is known, IANA's or one of Windows', is
that zone whatever the file's VTIMEZONE says of it: files carry few of a zone's rules. For other names the VTIMEZONE
counts, in this file alone; the icalendar library would keep it for every later file, of whichever tenant.
"""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from io import StringIO

from dateutil.tz import tzical
from icalendar.prop import vRecur

from presenced.calendar.content_lines import Component, quoted, wrong
from presenced.presence.time_zones import find_zone

_MOST_OBSERVANCES = 100
_YEARLY = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYDAY", "BYMONTHDAY", "WKST"}


class Zones:
    """The time zones of one calendar."""

    def __init__(self, calendar: Component) -> None:
        self._own: dict[str, Component] = {}
        self._found: dict[str, tzinfo] = {}
        self._observances = 0
        for component in calendar.components:
            if component.name == "VTIMEZONE" and (tzid := component.first("TZID")) is not None:
                self._own.setdefault(tzid.value, component)

    def find(self, tzid: str, number: int) -> tzinfo:
        """The zone that ``tzid`` on line ``number`` names. Raises NotACalendar."""
        if tzid not in self._found:
            self._found[tzid] = self._known(tzid) or self._described(tzid, number)
        return self._found[tzid]

    def _known(self, tzid: str) -> tzinfo | None:
        own = self._own.get(tzid)
        location = own.first("X-LIC-LOCATION") if own is not None else None
        for name in (*_names(tzid), *([location.value] if location is not None else ())):
            if (zone := find_zone(name)) is not None:
                return zone
        return None

    def _described(self, tzid: str, number: int) -> tzinfo:
        own = self._own.get(tzid)
        if own is None:
            raise wrong(number, f"the time zone {quoted(tzid)} is not known, and no VTIMEZONE describes it")
        self._observances += len(own.components)
        if self._observances > _MOST_OBSERVANCES:
            raise wrong(own.number, f"more than {_MOST_OBSERVANCES} rules of time zones of its own")
        try:
            zone: tzinfo = tzical(StringIO("\n".join(_lines(own)))).get()
            for month in (1, 7):  # its offsets are looked at only when they are asked for
                datetime(2000, month, 1, tzinfo=zone).utcoffset()
        except Exception as error:  # the library has no one error for what is wrong with a VTIMEZONE
            raise wrong(own.number, f"the VTIMEZONE {quoted(tzid)} cannot be read: {quoted(str(error))}") from error
        return zone


def _names(tzid: str) -> Iterator[str]:
    """The names a zone may be known by, best first."""
    yield tzid
    if tzid.startswith("/"):  # "globally unique": the vendor's prefix before an IANA name
        parts = tzid.strip("/").split("/")
        for first in range(min(len(parts), 6)):
            yield "/".join(parts[first:])


def _lines(zone: Component) -> Iterator[str]:
    """A VTIMEZONE as dateutil reads it, with nothing in it that it does not know. Raises ValueError."""
    yield from ("BEGIN:VTIMEZONE", "TZID:own")
    for observance in zone.components:
        yield f"BEGIN:{observance.name}"
        for line in observance.lines:
            found = line.property()
            if found.name == "RRULE":
                rule = vRecur.from_ical(found.value)
                # else it might change every second since 1601, and all of these would be counted
                if rule.get("FREQ") != ["YEARLY"] or rule.get("INTERVAL", [1])[0] < 1 or set(rule) - _YEARLY:
                    raise ValueError(f"a zone changes by yearly rules, not {found.value}")
            yield f"{found.name}:{found.value}"
        yield f"END:{observance.name}"
    yield "END:VTIMEZONE"
