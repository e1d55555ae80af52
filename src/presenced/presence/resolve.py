"""Resolve: what a reader sees of a person at an instant, and when that changes by itself.

Rules held here: aggregation of sessions and the calendar, the fade of Available after 5 and 10 minutes, expiry, the
preferred state that shows only while a session lives, out of office, the layers of work location, and the sequence
number. Sources: the setPresence and setUserPreferredPresence pages, the concept page "Manage presence state", the
setManualLocation page, and the presenceStatusMessage, outOfOfficeSettings and userWorkLocation resources.
"""

from collections.abc import Iterator

import msgspec

from presenced.presence.record import (
    CalendarEvent,
    OutOfOffice,
    Preferred,
    Record,
    Session,
    StatusMessage,
    WorkLocation,
    WorkLocationSource,
    WorkLocationType,
)
from presenced.presence.states import (
    AVAILABLE,
    AVAILABLE_OUT_OF_OFFICE,
    AWAY,
    BUSY,
    IN_A_MEETING,
    INACTIVE,
    OFFLINE,
    State,
    strength,
)

FADE = 300.0
"""Seconds after which an Available session turns AvailableInactive, and again after which it turns Away."""


class VisibleLocation(msgspec.Struct, frozen=True):
    """Where a person works, and which layer says so (userWorkLocation)."""

    source: WorkLocationSource = "none"
    type: WorkLocationType = "unspecified"
    place_id: str | None = None


class Visible(msgspec.Struct, frozen=True):
    """What can be seen of a person at one instant; ``sequence`` grows with each change of anything else in it."""

    state: State
    status_message: StatusMessage | None
    out_of_office: bool
    out_of_office_message: str | None
    work_location: VisibleLocation
    sequence: int


def resolve(record: Record, now: float) -> Visible:
    """What a reader sees of ``record`` at ``now`` (seconds, UTC)."""
    return _visible(record, now, sequence(record, now))


def state_at(record: Record, now: float) -> State:
    """The availability and activity of ``record`` at ``now`` (seconds, UTC): resolve's, for less."""
    return _visible(record, now, 0).state


def next_change(record: Record, now: float) -> float | None:
    """The first instant after ``now`` at which a fact in ``record`` runs out or begins, or None.

    What a reader sees may stay the same at that instant (a fading session behind a stronger one).
    """
    return min((at for at in _instants(record) if at > now), default=None)


def sequence(record: Record, now: float) -> int:
    """The sequence number at ``now``: microseconds since 1970 of the last visible change, but always growing.

    Every instant between ``settled_at`` and ``now`` at which something visible changed takes one step, so the number
    depends only on the record and the time, whoever computes it and however often.
    """
    number = record.sequence
    before = _visible(record, record.settled_at, 0)
    for at in sorted({at for at in _instants(record) if record.settled_at < at <= now}):
        after = _visible(record, at, 0)
        if after != before:
            number, before = following(number, at), after
    return number


def following(number: int, at: float) -> int:
    """The sequence number after ``number`` for a change at ``at``; it grows even when the clock was set back."""
    return max(number + 1, int(at * 1_000_000))


def live(fact: Session | Preferred | StatusMessage | WorkLocation, now: float) -> bool:
    """Whether a fact still counts at ``now``; at the very instant of its expiry it no longer does."""
    return fact.expires_at is None or now < fact.expires_at


def session_state(session: Session, now: float) -> State:
    """The state of a live session at ``now``, faded if it is time.

    Only Available fades (setPresence page), and not the session of a client that is known to be there.
    """
    if session.expires_at is None or session.state.availability != "Available":
        return session.state
    if now >= session.set_at + 2 * FADE:
        return AWAY
    if now >= session.set_at + FADE:
        return INACTIVE
    return session.state


def _visible(record: Record, now: float, number: int) -> Visible:
    message = record.status_message
    replies = record.out_of_office
    replying = replies is not None and _replying(replies, now)
    events = [event for event in record.calendar.events if event.starts_at <= now < event.ends_at]
    # either makes a person out of office: automatic replies, or an event shown as such (outOfOfficeSettings resource)
    away = replying or any(event.show_as == "oof" for event in events)
    state = _aggregate(record, events, now)
    return Visible(
        state=AVAILABLE_OUT_OF_OFFICE if away and state == AVAILABLE else state,
        status_message=message if message is not None and live(message, now) else None,
        out_of_office=away,
        out_of_office_message=replies.message if replies is not None and replying else None,
        work_location=_location(record, events, now),
        sequence=number,
    )


def _replying(replies: OutOfOffice, now: float) -> bool:
    if replies.status != "scheduled":
        return replies.status == "alwaysEnabled"
    return (replies.starts_at is None or replies.starts_at <= now) and (
        replies.ends_at is None or now < replies.ends_at
    )


def _aggregate(record: Record, events: list[CalendarEvent], now: float) -> State:
    best = None
    for session in record.sessions.values():
        if live(session, now):
            state = session_state(session, now)
            rank = strength(state)
            if best is None or rank >= best[0]:  # of equals the one set last, which is later in the dictionary
                best = rank, state
    if best is None:
        return OFFLINE
    preferred = record.preferred
    if preferred is not None and live(preferred, now):
        return State(preferred.availability, preferred.activity)
    busy = [event for event in events if event.show_as == "busy"]
    # a session that is as busy says more: a call in a meeting shows as the call
    if busy and strength(BUSY) > best[0]:
        return IN_A_MEETING if any(event.is_meeting for event in busy) else BUSY
    return best[1]


def _location(record: Record, events: list[CalendarEvent], now: float) -> VisibleLocation:
    """Manual over automatic over scheduled (setManualLocation page)."""
    manual, automatic = record.manual_location, record.automatic_location
    if manual is not None and live(manual, now):
        return VisibleLocation("manual", manual.type, manual.place_id)
    if automatic is not None and live(automatic, now):
        return VisibleLocation("automatic", automatic.type, automatic.place_id)
    if any(event.show_as == "workingElsewhere" for event in events):
        return VisibleLocation("scheduled", "remote")
    return VisibleLocation()


def _instants(record: Record) -> Iterator[float]:
    """Every instant at which a fact of the record begins, fades or runs out."""
    for session in record.sessions.values():
        yield from _fading(session)
    endings = (record.preferred, record.status_message, record.manual_location, record.automatic_location)
    for fact in (*record.sessions.values(), *endings):
        if fact is not None and fact.expires_at is not None:
            yield fact.expires_at
    replies = record.out_of_office
    if replies is not None and replies.status == "scheduled":
        yield from (edge for edge in (replies.starts_at, replies.ends_at) if edge is not None)
    for event in record.calendar.events:
        yield event.starts_at
        yield event.ends_at
    if record.calendar.known_until is not None:
        # what is known of the calendar ends like any other fact: whoever looks later must work out more of it first
        yield record.calendar.known_until


def _fading(session: Session) -> Iterator[float]:
    if session.expires_at is not None and session.state.availability == "Available":
        for fade in (session.set_at + FADE, session.set_at + 2 * FADE):
            if fade < session.expires_at:
                yield fade
