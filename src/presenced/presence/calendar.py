"""Calendar: how a person's calendar gets into the record. What it does to their presence is in resolve.py.

Graph has no presence action for it: Teams follows the Exchange calendar (Teams' page on presence). Here the events come
from iCalendar files (calendar/), worked out for some weeks at a time.
"""

import msgspec

from presenced.presence.record import Calendar, Record
from presenced.presence.settle import settle


def set_calendar(record: Record, calendar: Calendar, now: float) -> Record:
    """The record with this calendar in place of the one it has."""
    return settle(record, msgspec.structs.replace(record, calendar=calendar), now)


def has_run_out(record: Record, now: float) -> bool:
    """Whether more of the person's calendar must be worked out before they can be seen as of ``now``."""
    calendar = record.calendar
    # a clock that was ahead leaves a calendar of days to come
    return calendar.known_until is not None and not calendar.known_from <= now < calendar.known_until
