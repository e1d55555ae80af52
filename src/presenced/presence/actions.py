"""Actions: one function per Graph action, (record, request, now) -> record, or raises Refused.

Sources: Graph's pages presence-setpresence and presence-clearpresence. The pairs are in states.py, what the facts
mean to a reader is in resolve.py.
"""

import msgspec

from presenced.presence.durations import parse_duration_within
from presenced.presence.record import Profile, Record, Session
from presenced.presence.refused import Refused, required
from presenced.presence.resolve import following, live, resolve
from presenced.presence.states import SESSION_STATES, match

SHORTEST_SESSION = 5 * 60.0
LONGEST_SESSION = 4 * 60 * 60.0
DEFAULT_SESSION = 5 * 60.0
MOST_SESSIONS = 500
"""Live sessions of one person. A client that invents a session id per call, every 30 seconds for 4 hours, makes 480."""

LONGEST_SESSION_ID = 256


class SetPresence(msgspec.Struct, rename="camel"):
    """The body of setPresence. ``expiration_duration`` is ISO 8601 text, PT5M to PT4H, 5 minutes if left out."""

    session_id: str | None = None
    availability: str | None = None
    activity: str | None = None
    expiration_duration: str | None = None


class ClearPresence(msgspec.Struct, rename="camel"):
    """The body of clearPresence."""

    session_id: str | None = None


def check_set_presence(request: SetPresence) -> Session:
    """The session ``request`` asks for, as if set at instant 0: what can be refused before anyone is looked up.

    Raises Refused(InvalidArgument).
    """
    _check_session_id(request.session_id)
    if not request.availability:
        raise required("Availability")
    if not request.activity:
        raise required("Activity")
    state = match(request.availability, request.activity, SESSION_STATES)
    if state is None:
        pairs = ", ".join(f"{accepted.availability}/{accepted.activity}" for accepted in SESSION_STATES)
        raise Refused(
            "InvalidArgument",
            "The provided [Availability] and [Activity] cannot be set together by setPresence. "
            f"The pairs that can: {pairs}.",
        )
    lasts = DEFAULT_SESSION
    if request.expiration_duration is not None:
        lasts = parse_duration_within(
            request.expiration_duration, "ExpirationDuration", SHORTEST_SESSION, LONGEST_SESSION
        )
    return Session(state, 0.0, lasts)


def set_presence(record: Record, request: SetPresence, now: float) -> Record:
    """Open or renew the application's session; both of its clocks, fade and expiry, start again.

    Raises Refused(InvalidArgument).
    """
    asked = check_set_presence(request)
    sessions = {name: session for name, session in record.sessions.items() if live(session, now)}
    assert request.session_id is not None
    assert asked.expires_at is not None
    if request.session_id not in sessions and len(sessions) >= MOST_SESSIONS:
        raise Refused(
            "InvalidArgument",
            f"The person has {MOST_SESSIONS} live presence sessions, the most there can be. "
            "Use one sessionId per application, the application's id.",
        )
    # last in the dict: of two sessions set at one instant, the one set later shows
    sessions.pop(request.session_id, None)
    sessions[request.session_id] = Session(asked.state, now, now + asked.expires_at)
    return settle(record, msgspec.structs.replace(record, sessions=sessions), now)


def check_clear_presence(request: ClearPresence) -> None:
    """Raises Refused(InvalidArgument) if ``request`` names no session."""
    _check_session_id(request.session_id)


def clear_presence(record: Record, request: ClearPresence, now: float) -> Record:
    """End the application's session.

    Raises Refused(InvalidArgument), or Refused(NotFound) when the person has no such live session.
    """
    check_clear_presence(request)
    sessions = {name: session for name, session in record.sessions.items() if live(session, now)}
    if request.session_id is None or sessions.pop(request.session_id, None) is None:
        raise Refused("NotFound", "The person has no presence session with this sessionId.")
    return settle(record, msgspec.structs.replace(record, sessions=sessions), now)


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
    sessions = {name: session for name, session in record.sessions.items() if live(session, now)}
    return settle(record, msgspec.structs.replace(record, sessions=sessions), now)


def _check_session_id(session_id: str | None) -> None:
    if not session_id:
        raise required("SessionId")
    if len(session_id) > LONGEST_SESSION_ID:
        raise Refused("InvalidArgument", f"The provided [SessionId] is longer than {LONGEST_SESSION_ID} characters.")
