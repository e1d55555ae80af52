"""Seed record: what a seed says of a person, as a record at an instant; and a record as a seed would say it.

Pure, as the rules in presence/ are: the same person at the same instant makes the same record.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import msgspec

from presenced.emulator.instants import EARLIEST, LATEST, parse_instant
from presenced.emulator.seed import (
    SeedEvent,
    SeedLocation,
    SeedMessage,
    SeedPerson,
    SeedPreferred,
    SeedReplies,
    SeedSession,
)
from presenced.presence.durations import parse_duration
from presenced.presence.record import (
    Calendar,
    CalendarEvent,
    OutOfOffice,
    Preferred,
    Profile,
    Record,
    Session,
    StatusMessage,
    WorkLocation,
)
from presenced.presence.refused import Refused
from presenced.presence.settle import new_record, settle
from presenced.presence.states import CLIENT_STATES, PREFERRED_STATES, State
from presenced.presence.time_zones import find_zone


class PartWrong(Exception):
    """A part of what a seed says of a person cannot be. ``path`` is where it stands from the person on."""

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


def profile_of(person: SeedPerson) -> Profile:
    """What the directory says of a person."""
    return Profile(person.user_principal_name, person.display_name, person.mail, person.job_title)


def record_of(person: SeedPerson, before: Record | None, calendar: Calendar, now: float) -> Record:
    """What a seed says of a person, put in at ``now`` (seconds since 1970 UTC), after what was known ``before``.

    ``calendar`` is worked out from the person's iCalendar text; their events take its place. Raises PartWrong.
    """
    before = before or new_record(now)
    if person.time_zone is not None and find_zone(person.time_zone) is None:
        raise PartWrong(("timeZone",), f"There is no time zone {person.time_zone[:64]!r}.")
    message = person.message
    made = msgspec.structs.replace(
        before,
        profile=profile_of(person),
        sessions=_sessions(person, now),
        preferred=_preferred(person.preferred, now),
        status_message=None
        if message is None
        else StatusMessage(
            message.content,
            _at(message.published, ("message", "published"), now, now),
            _end(message.expires, ("message", "expires"), now),
        ),
        out_of_office=_replies(person.automatic_replies, now),
        manual_location=_location(person.manual_location, "manualLocation", now),
        automatic_location=_location(person.automatic_location, "automaticLocation", now),
        calendar=_events(person.events, now) if person.events else calendar,
        time_zone=person.time_zone,
    )
    return settle(before, made, now)


def is_timed(person: SeedPerson) -> bool:
    """Whether what is known of the person depends on when the seed was put in, in a way that can be seen."""
    replies, message = person.automatic_replies, person.message
    ends = [
        *(session.expires for session in person.sessions),
        *(part.expires for part in (person.preferred, person.manual_location, person.automatic_location) if part),
        *((message.expires, message.published or "PT0S") if message else ()),
        *((replies.starts, replies.ends) if replies else ()),
    ]
    return bool(person.events) or any(end is not None for end in ends)


def person_of(
    person: str, record: Record, now: float, *, password_hash: str | None, calendar: str | None
) -> SeedPerson:
    """A person as a seed put in at ``now`` would have to say what is known of them. What has run out is left out."""
    profile, replies = record.profile, record.out_of_office
    preferred, message = record.preferred, record.status_message
    return SeedPerson(
        id=person,
        user_principal_name=profile.user_principal_name,
        display_name=profile.display_name,
        mail=profile.mail,
        job_title=profile.job_title,
        password_hash=password_hash,
        time_zone=record.time_zone,
        sessions=tuple(
            SeedSession(
                id=name,
                availability=session.state.availability,  # type: ignore[arg-type]
                activity=session.state.activity,  # type: ignore[arg-type]
                since=None if session.expires_at is None else _until(session.set_at, now),
                expires=_until(session.expires_at, now),
            )
            for name, session in record.sessions.items()
            if _lives(session, now)
        ),
        preferred=SeedPreferred(
            availability=preferred.availability,  # type: ignore[arg-type]
            activity=preferred.activity,  # type: ignore[arg-type]
            expires=_until(preferred.expires_at, now),
        )
        if preferred is not None and _lives(preferred, now)
        else None,
        message=SeedMessage(
            content=message.content,
            published=_until(message.published_at, now),
            expires=_until(message.expires_at, now),
        )
        if message is not None and _lives(message, now)
        else None,
        automatic_replies=None
        if replies is None
        else SeedReplies(
            status=replies.status,
            message=replies.message,
            internal_reply=None if replies.internal_reply == replies.message else replies.internal_reply,
            external_reply=replies.external_reply,
            external_audience=replies.external_audience,
            starts=_until(replies.starts_at, now),
            ends=_until(replies.ends_at, now),
        ),
        manual_location=_place(record.manual_location, now),
        automatic_location=_place(record.automatic_location, now),
        calendar=calendar,
        events=()
        if calendar is not None
        else tuple(
            SeedEvent(
                starts=_duration(event.starts_at - now),
                ends=_duration(event.ends_at - now),
                show_as=event.show_as,
                meeting=event.is_meeting,
            )
            for event in record.calendar.events
            if event.ends_at > now
        ),
    )


def instant_of(text: str, path: tuple[str | int, ...], now: float) -> float:
    """Seconds since 1970 UTC of an instant as a seed writes it, if it is put in at ``now``. Raises PartWrong."""
    at: float | None = None
    if text.lstrip("+-")[:1] in ("P", "p"):
        with suppress(Refused):
            at = now + parse_duration(text, "Instant")
    else:
        at = parse_instant(text)
    if at is None:
        message = f"{text[:64]!r} is neither a duration such as PT1H nor an instant such as 2026-11-24T17:00:00Z."
        raise PartWrong(path, message)
    if not EARLIEST <= at <= LATEST:
        raise PartWrong(path, f"{text[:64]!r} is not an instant from 1970 to 9998.")
    return at


def _sessions(person: SeedPerson, now: float) -> dict[str, Session]:
    sessions: dict[str, Session] = {}
    for number, one in enumerate(person.sessions):
        path: tuple[str | int, ...] = ("sessions", number)
        if one.id in sessions:
            raise PartWrong((*path, "id"), f"The person has two sessions with the id {one.id!r}.")
        state = _state(one, path, CLIENT_STATES)
        set_at = _at(one.since, (*path, "since"), now, now)
        expires_at = _end(one.expires, (*path, "expires"), now)
        sessions[one.id] = Session(state, set_at, expires_at)
    return sessions


def _preferred(asked: SeedPreferred | None, now: float) -> Preferred | None:
    if asked is None:
        return None
    state = _state(asked, ("preferred",), PREFERRED_STATES)
    return Preferred(*state, _end(asked.expires, ("preferred", "expires"), now))


def _state(asked: SeedSession | SeedPreferred, path: tuple[str | int, ...], accepted: tuple[State, ...]) -> State:
    of = [state for state in accepted if state.availability == asked.availability]
    found = [state for state in of if state.activity == asked.activity] if asked.activity is not None else of[:1]
    if found:
        return found[0]
    pairs = ", ".join(f"{state.availability}/{state.activity}" for state in of or accepted)
    activity = "" if asked.activity is None else f"/{asked.activity}"
    raise PartWrong(path, f"{asked.availability}{activity} cannot be here. These can: {pairs}.")


def _replies(asked: SeedReplies | None, now: float) -> OutOfOffice | None:
    if asked is None:
        return None
    starts, ends = (
        None if text is None else instant_of(text, ("automaticReplies", name), now)
        for name, text in (("starts", asked.starts), ("ends", asked.ends))
    )
    if starts is not None and ends is not None and ends <= starts:
        raise PartWrong(("automaticReplies", "ends"), "Automatic replies end after they start.")
    message, internal = asked.message, asked.internal_reply
    return OutOfOffice(
        message=internal if message is None else message,
        starts_at=starts,
        ends_at=ends,
        status=asked.status,
        internal_reply=message if internal is None else internal,
        external_reply=asked.external_reply,
        external_audience=asked.external_audience,
    )


def _location(asked: SeedLocation | None, name: str, now: float) -> WorkLocation | None:
    if asked is None:
        return None
    return WorkLocation(asked.type, asked.place_id, _end(asked.expires, (name, "expires"), now))


def _events(asked: tuple[SeedEvent, ...], now: float) -> Calendar:
    events = []
    for number, one in enumerate(asked):
        path = ("events", number)
        starts, ends = instant_of(one.starts, (*path, "starts"), now), instant_of(one.ends, (*path, "ends"), now)
        if ends <= starts:
            raise PartWrong((*path, "ends"), "An event ends after it starts.")
        events.append(CalendarEvent(starts, ends, one.show_as, one.meeting))
    return Calendar(tuple(sorted(events, key=lambda event: event.starts_at)))


def _at(text: str | None, path: tuple[str | int, ...], now: float, otherwise: float) -> float:
    return otherwise if text is None else instant_of(text, path, now)


def _end(text: str | None, path: tuple[str | int, ...], now: float) -> float | None:
    return None if text is None else instant_of(text, path, now)


def _lives(fact: Any, now: float) -> bool:
    return fact.expires_at is None or now < fact.expires_at


def _place(location: WorkLocation | None, now: float) -> SeedLocation | None:
    if location is None or not _lives(location, now):
        return None
    return SeedLocation(type=location.type, place_id=location.place_id, expires=_until(location.expires_at, now))


def _until(at: float | None, now: float) -> str | None:
    """An end or a beginning; beyond what a seed can say it is none."""
    return None if at is None or not EARLIEST <= at <= LATEST else _duration(at - now)


def _duration(seconds: float) -> str:
    text: str = msgspec.to_builtins(timedelta(seconds=round(seconds, 6)))
    return text
