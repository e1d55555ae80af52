"""Actions on a person's state: (record, request, now) -> record, or raises Refused.

Sources: Graph's pages presence-setpresence, presence-clearpresence, presence-setuserpreferredpresence and
presence-clearuserpreferredpresence. The pairs are in states.py, what the facts mean to a reader is in resolve.py;
messages, locations and absences have files of their own.
"""

import msgspec

from presenced.presence.durations import parse_duration, parse_duration_within
from presenced.presence.record import Preferred, Record, Session
from presenced.presence.refused import Refused, out_of_range, required
from presenced.presence.resolve import live
from presenced.presence.settle import settle
from presenced.presence.states import PREFERRED_STATES, SESSION_STATES, State, match

SHORTEST_SESSION = 5 * 60.0
LONGEST_SESSION = 4 * 60 * 60.0
DEFAULT_SESSION = 5 * 60.0
MOST_SESSIONS = 500
"""Live sessions of one person. A client that invents a session id per call, every 30 seconds for 4 hours, makes 480."""

LONGEST_SESSION_ID = 256

_DAY = 86400.0
DEFAULT_PREFERRED = {
    "Available": 7 * _DAY,
    "Busy": 1 * _DAY,
    "DoNotDisturb": 1 * _DAY,
    "BeRightBack": 7 * _DAY,
    "Away": 7 * _DAY,
    "Offline": 7 * _DAY,
}
"""Seconds a preferred state lasts if the request does not say (setUserPreferredPresence page)."""


class SetPresence(msgspec.Struct, rename="camel"):
    """The body of setPresence. ``expiration_duration`` is ISO 8601 text, PT5M to PT4H, 5 minutes if left out."""

    session_id: str | None = None
    availability: str | None = None
    activity: str | None = None
    expiration_duration: str | None = None


class ClearPresence(msgspec.Struct, rename="camel"):
    """The body of clearPresence."""

    session_id: str | None = None


class SetUserPreferredPresence(msgspec.Struct, rename="camel"):
    """The body of setUserPreferredPresence. ``expiration_duration`` is ISO 8601 text; no range is documented."""

    availability: str | None = None
    activity: str | None = None
    expiration_duration: str | None = None


def check_set_presence(request: SetPresence) -> Session:
    """The session ``request`` asks for, as if set at instant 0: what can be refused before anyone is looked up.

    Raises Refused(InvalidArgument).
    """
    _check_session_id(request.session_id)
    state = _check_state(request, SESSION_STATES, "setPresence")
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


def check_set_user_preferred_presence(request: SetUserPreferredPresence) -> Preferred:
    """The preferred state ``request`` asks for, as if set at instant 0. Raises Refused(InvalidArgument)."""
    state = _check_state(request, PREFERRED_STATES, "setUserPreferredPresence")
    lasts = DEFAULT_PREFERRED[state.availability]
    if request.expiration_duration is not None:
        lasts = parse_duration(request.expiration_duration, "ExpirationDuration")
        if lasts <= 0:
            raise out_of_range("ExpirationDuration")
    return Preferred(*state, lasts)


def set_user_preferred_presence(record: Record, request: SetUserPreferredPresence, now: float) -> Record:
    """Choose a state, in place of one chosen before. It shows while any session lives.

    Raises Refused(InvalidArgument).
    """
    asked = check_set_user_preferred_presence(request)
    assert asked.expires_at is not None
    preferred = Preferred(asked.availability, asked.activity, now + asked.expires_at)
    return settle(record, msgspec.structs.replace(record, preferred=preferred), now)


def clear_user_preferred_presence(record: Record, request: object, now: float) -> Record:
    """Take the chosen state back. Nothing chosen is no error (ms-teams-cli pull 92)."""
    return settle(record, msgspec.structs.replace(record, preferred=None), now)


def _check_state(request: SetPresence | SetUserPreferredPresence, accepted: tuple[State, ...], action: str) -> State:
    if not request.availability:
        raise required("Availability")
    if not request.activity:
        raise required("Activity")
    state = match(request.availability, request.activity, accepted)
    if state is None:
        pairs = ", ".join(f"{pair.availability}/{pair.activity}" for pair in accepted)
        raise Refused(
            "InvalidArgument",
            f"The provided [Availability] and [Activity] cannot be set together by {action}. "
            f"The pairs that can: {pairs}.",
        )
    return state


def _check_session_id(session_id: str | None) -> None:
    if not session_id:
        raise required("SessionId")
    if len(session_id) > LONGEST_SESSION_ID:
        raise Refused("InvalidArgument", f"The provided [SessionId] is longer than {LONGEST_SESSION_ID} characters.")
