"""Resolve: what a reader sees of a person at an instant, and when that changes by itself.

Rules held here: aggregation of sessions, the fade of Available after 5 and 10 minutes, expiry, the preferred state
that shows only while a session lives, the out-of-office window, and the sequence number.
Sources: the setPresence and setUserPreferredPresence pages, the concept page "Manage presence state", the
presenceStatusMessage and outOfOfficeSettings resources.
"""

from collections.abc import Iterator

import msgspec

from presenced.presence.record import Record, Session, StatusMessage, WorkLocation
from presenced.presence.states import AWAY, INACTIVE, OFFLINE, State, strength

FADE = 300.0
"""Seconds after which an Available session turns AvailableInactive, and again after which it turns Away."""


class Visible(msgspec.Struct, frozen=True):
    """What can be seen of a person at one instant; ``sequence`` grows with each change of anything else in it."""

    state: State
    status_message: StatusMessage | None
    out_of_office: bool
    out_of_office_message: str | None
    work_location: WorkLocation
    sequence: int


def resolve(record: Record, now: float) -> Visible:
    """What a reader sees of ``record`` at ``now`` (seconds, UTC)."""
    return _visible(record, now, sequence(record, now))


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


def live(session: Session, now: float) -> bool:
    """Whether the session still counts at ``now``; at the very instant of its expiry it no longer does."""
    return session.expires_at is None or now < session.expires_at


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
    if message is not None and message.expires_at is not None and now >= message.expires_at:
        message = None
    absence = record.out_of_office
    away = (
        absence is not None
        and (absence.starts_at is None or absence.starts_at <= now)
        and (absence.ends_at is None or now < absence.ends_at)
    )
    return Visible(
        state=_aggregate(record, now),
        status_message=message,
        out_of_office=away,
        out_of_office_message=absence.message if absence is not None and away else None,
        work_location=record.work_location,
        sequence=number,
    )


def _aggregate(record: Record, now: float) -> State:
    best = None
    for session in record.sessions.values():
        if live(session, now):
            state = session_state(session, now)
            rank = strength(state), session.set_at
            if best is None or rank >= best[0]:
                best = rank, state
    if best is None:
        return OFFLINE
    return record.preferred or best[1]


def _instants(record: Record) -> Iterator[float]:
    """Every instant at which a fact of the record begins, fades or runs out."""
    for session in record.sessions.values():
        if session.expires_at is not None:
            yield session.expires_at
            if session.state.availability == "Available":
                for fade in (session.set_at + FADE, session.set_at + 2 * FADE):
                    if fade < session.expires_at:
                        yield fade
    if record.status_message is not None and record.status_message.expires_at is not None:
        yield record.status_message.expires_at
    if record.out_of_office is not None:
        for edge in (record.out_of_office.starts_at, record.out_of_office.ends_at):
            if edge is not None:
                yield edge
