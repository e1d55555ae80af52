"""Settle: a record after a change or the passing of time, with its sequence number carried on.

The sequence number grows with everything a reader can see change (presence resource: "lexicographically sortable").
"""

import msgspec

from presenced.presence.record import Calendar, Profile, Record
from presenced.presence.resolve import following, live, resolve


def new_record(now: float, profile: Profile | None = None) -> Record:
    """A person who has just become known, and has no session."""
    return Record(settled_at=now, sequence=following(0, now), profile=profile or Profile())


def settle(before: Record, after: Record, now: float) -> Record:
    """``after`` with its sequence number continued from ``before``: one step more if a reader can tell them apart."""
    # what readers saw last, even if the clock has stepped back since
    seen = resolve(before, max(now, before.settled_at))
    kept = msgspec.structs.replace(after, settled_at=now, sequence=seen.sequence)
    if resolve(kept, now) != seen:
        kept = msgspec.structs.replace(kept, sequence=following(seen.sequence, now))
    return kept


def pass_time(record: Record, now: float) -> Record:
    """The record with what has run out by ``now`` folded in: nothing a reader sees changes."""
    preferred, message = record.preferred, record.status_message
    manual, automatic = record.manual_location, record.automatic_location
    lasting = msgspec.structs.replace(
        record,
        sessions={name: session for name, session in record.sessions.items() if live(session, now)},
        preferred=preferred if preferred is None or live(preferred, now) else None,
        status_message=message if message is None or live(message, now) else None,
        manual_location=manual if manual is None or live(manual, now) else None,
        automatic_location=automatic if automatic is None or live(automatic, now) else None,
        calendar=_ahead(record.calendar, now),
    )
    return settle(record, lasting, now)


def is_ahead(record: Record, now: float) -> bool:
    """Whether the clock was set back since, and by it readers would see something else than they saw last."""
    if now >= record.settled_at:
        return False
    last = resolve(record, record.settled_at)
    return msgspec.structs.replace(resolve(record, now), sequence=last.sequence) != last


def set_back(record: Record, now: float) -> Record:
    """The record settled anew by a clock that was set back: what goes by the clock holds again, with a new number."""
    return settle(record, record, now)


def _ahead(calendar: Calendar, now: float) -> Calendar:
    """The calendar without what is over, of which nothing is known from then on."""
    events = tuple(event for event in calendar.events if event.ends_at > now)
    if len(events) == len(calendar.events):
        return calendar
    return Calendar(events, calendar.known_until, now)
