"""Calendar: what a person's calendar does to their presence is in resolve.py; this puts it into the record.

Graph has no presence action for it: Teams follows the Exchange calendar (Teams' page on presence). The events come
from iCalendar files (calendar/), worked out for some weeks at a time.
"""

import msgspec

from presenced.presence.record import Calendar, Record
from presenced.presence.settle import settle

REFILL_AHEAD = 86400.0
"""Seconds before the end of what is known at which more of the calendar should be worked out."""


def set_calendar(record: Record, calendar: Calendar, now: float) -> Record:
    """The record with this calendar in place of the one it has."""
    return settle(record, msgspec.structs.replace(record, calendar=calendar), now)


def runs_out(record: Record, now: float) -> bool:
    """Whether more of the person's calendar must be worked out before they can be seen as of ``now``."""
    return record.calendar.known_until is not None and record.calendar.known_until <= now


def refill_is_due(record: Record, now: float) -> bool:
    """Whether it is time to work out more of the person's calendar."""
    return record.calendar.known_until is not None and record.calendar.known_until - REFILL_AHEAD <= now
