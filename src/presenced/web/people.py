"""People: what the board shows of a person, as a row of the list and in full.

A row is what any colleague may see (the presence resource), with the directory's names. In full there are also the
facts it comes from (sessions, preferred state, when they end): for the owner, and for people of themselves.
"""

from collections.abc import Sequence

import msgspec

from presenced.clock import Clock
from presenced.presence.record import Record
from presenced.presence.resolve import Visible, live, next_change, resolve, session_state
from presenced.service import Service
from presenced.store.base import Store
from presenced.web.history import History

LONGEST_MESSAGE = 280
_MOST_INSTANTS = 64


class Row(msgspec.Struct, rename="camel", omit_defaults=True):
    """A person in the list. ``since`` (seconds, UTC) is when availability and activity became what they are."""

    id: str
    availability: str
    activity: str
    since: float
    display_name: str | None = None
    user_principal_name: str | None = None
    job_title: str | None = None
    message: str | None = None
    is_out_of_office: bool = False
    work_location: str | None = None


class SessionShown(msgspec.Struct, rename="camel"):
    """A session: what was set, what it counts as now, and when it ends (None: when its client does)."""

    id: str
    availability: str
    activity: str
    shown_availability: str
    shown_activity: str
    set_at: float
    expires_at: float | None


class PreferredShown(msgspec.Struct, rename="camel"):
    """The preferred state; ``shows``: a session lives, so that readers see it."""

    availability: str
    activity: str
    expires_at: float | None
    shows: bool


class MessageShown(msgspec.Struct, rename="camel"):
    """The status message, whole."""

    content: str
    published_at: float
    expires_at: float | None


class NextChange(msgspec.Struct, rename="camel"):
    """The first instant at which readers will see something else if nobody does anything, and the state then."""

    at: float
    availability: str
    activity: str


class StepShown(msgspec.Struct, rename="camel", omit_defaults=True):
    """A step of a person's history."""

    at: float
    availability: str
    activity: str
    message: str = ""
    is_out_of_office: bool = False


class Full(msgspec.Struct, rename="camel"):
    """A person in full."""

    row: Row
    sessions: list[SessionShown]
    preferred: PreferredShown | None
    status_message: MessageShown | None
    out_of_office_message: str | None
    work_location_source: str
    next_change: NextChange | None
    history: list[StepShown]
    has_calendar: bool


class Page(msgspec.Struct):
    """People in the order of their ids; ``next`` is the last id if there are more, ``total`` how many in the tenant.

    ``stamp``: what the hub tells with a higher one is newer.
    """

    stamp: int
    now: float
    total: int
    people: list[Row]
    next: str | None


async def page(
    service: Service, store: Store, history: History, clock: Clock, stamp: int, tenant: str, after: str, limit: int
) -> Page:
    """Up to ``limit`` of a tenant's people after the id ``after``. ``stamp`` was read before anything here is."""
    ids = [person for person, _ in await store.people(tenant, after, limit + 1)]
    more, ids = len(ids) > limit, ids[:limit]
    records = await service.known(tenant, ids)
    now = clock.now()
    rows = [
        row(history, tenant, person, record, now)
        for person, record in zip(ids, records, strict=True)
        if record is not None
    ]
    return Page(stamp, now, await service.count(tenant), rows, ids[-1] if more else None)


def row(history: History, tenant: str, person: str, record: Record, now: float) -> Row:
    """A person's row as of ``now``."""
    return _row(history, tenant, person, record, resolve(record, now))


def full(history: History, tenant: str, person: str, record: Record, now: float) -> Full:
    """A person in full as of ``now``."""
    seen = resolve(record, now)
    sessions = [
        SessionShown(name, *session.state, *session_state(session, now), session.set_at, session.expires_at)
        for name, session in record.sessions.items()
        if live(session, now)
    ]
    preferred, message = record.preferred, seen.status_message
    return Full(
        row=_row(history, tenant, person, record, seen),
        sessions=sessions[::-1],
        preferred=None
        if preferred is None or not live(preferred, now)
        else PreferredShown(preferred.availability, preferred.activity, preferred.expires_at, bool(sessions)),
        status_message=None
        if message is None
        else MessageShown(message.content, message.published_at, message.expires_at),
        out_of_office_message=seen.out_of_office_message,
        work_location_source=seen.work_location.source,
        next_change=_next_visible(record, seen, now),
        history=_steps(history, tenant, person, now),
        has_calendar=record.calendar.known_until is not None,
    )


def _row(history: History, tenant: str, person: str, record: Record, seen: Visible) -> Row:
    profile, place = record.profile, seen.work_location.type
    since = history.since(tenant, person, seen.state)
    return Row(
        id=person,
        availability=seen.state.availability,
        activity=seen.state.activity,
        # what is not remembered is as old as the last visible change of anything
        # a number that was given while the clock was ahead is of no instant that has been
        since=min(seen.sequence / 1e6, record.settled_at) if since is None else since,
        display_name=profile.display_name,
        user_principal_name=profile.user_principal_name,
        job_title=profile.job_title,
        message=seen.status_message.content[:LONGEST_MESSAGE] if seen.status_message else None,
        is_out_of_office=seen.out_of_office,
        work_location=None if place == "unspecified" else place,
    )


def _next_visible(record: Record, seen: Visible, now: float) -> NextChange | None:
    at = now
    for _ in range(_MOST_INSTANTS):
        after = next_change(record, at)
        if after is None or after == record.calendar.known_until:  # what is not worked out yet is not known
            return None
        at = after
        then = resolve(record, at)
        if msgspec.structs.replace(then, sequence=seen.sequence) != seen:
            return NextChange(at, *then.state)
    return None


def _steps(history: History, tenant: str, person: str, now: float) -> list[StepShown]:
    """A person's history, newest first. A clock that was set back leaves steps behind that are still to come."""
    steps: Sequence[StepShown] = [
        StepShown(step.at, *step.state, step.message, step.out_of_office)
        for step in reversed(history.of(tenant, person))
        if step.state is not None
    ]
    return list(steps)
