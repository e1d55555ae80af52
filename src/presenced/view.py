"""View: what readers see, as ready-made JSON per person.

A bulk answer is a join of these entries (design decision 2), so an entry is exactly what another person may see:
of a status message the text only, without its expiry and publishing time (setStatusMessage page). What people may see
of themselves is rendered on demand. An entry that time will change is forgotten at that instant, by ``current``,
which every reader calls first; so nobody sees a state that has run out.
"""

import heapq
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from presenced.presence.record import Record, StatusMessage
from presenced.presence.resolve import next_change, resolve
from presenced.presence.states import UNKNOWN
from presenced.store.base import Change

Entries = dict[str, bytes]
"""Of one tenant: a person's id in lower case, and the JSON that others may see of that person."""


class _Body(msgspec.Struct, rename="camel"):
    content: str
    content_type: str = "text"


class _DateTimeTimeZone(msgspec.Struct, rename="camel"):
    date_time: str
    time_zone: str = "UTC"


class _StatusMessage(msgspec.Struct, rename="camel", omit_defaults=True):
    message: _Body
    published_date_time: str | None = None
    expiry_date_time: _DateTimeTimeZone | None = None


class _OutOfOffice(msgspec.Struct, rename="camel"):
    message: str | None
    is_out_of_office: bool


class _WorkLocation(msgspec.Struct, rename="camel"):
    place_id: str | None
    source: str
    work_location_type: str


class _Presence(msgspec.Struct, rename="camel"):
    """Graph's presence resource, in the order of its documented examples."""

    id: str
    availability: str
    activity: str
    status_message: _StatusMessage | None
    out_of_office_settings: _OutOfOffice | None
    work_location: _WorkLocation | None
    sequence_number: str | None


_encode = msgspec.json.Encoder().encode


def render(person: str, record: Record, now: float, *, own: bool = False) -> bytes:
    """The presence of ``person`` at ``now`` as JSON; ``own`` adds what only the person may see."""
    seen = resolve(record, now)
    place = seen.work_location
    return _encode(
        _Presence(
            person,
            seen.state.availability,
            seen.state.activity,
            _render_message(seen.status_message, own=own),
            _OutOfOffice(seen.out_of_office_message, seen.out_of_office),
            _WorkLocation(place.place_id, place.source, place.type),
            # fixed width, so that it sorts as text (presence resource: "lexicographically sortable")
            f"{seen.sequence:020d}",
        )
    )


def render_unknown(person: str) -> bytes:
    """The presence of an id that names nobody."""
    return _encode(_Presence(person, UNKNOWN.availability, UNKNOWN.activity, None, None, None, None))


def _render_message(message: StatusMessage | None, *, own: bool) -> _StatusMessage | None:
    if message is None:
        return None
    shown = _StatusMessage(_Body(message.content))
    if own:
        shown.published_date_time = _instant(message.published_at) + "Z"
        if message.expires_at is not None:
            shown.expiry_date_time = _DateTimeTimeZone(_instant(message.expires_at))
    return shown


def _instant(at: float) -> str:
    """UTC with seven fraction digits, as Graph writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0")


class View:
    """Rendered entries of all tenants, and the instants at which some of them stop being true."""

    def __init__(self) -> None:
        self._tenants: dict[str, Entries] = {}
        self._ends: list[tuple[float, str, str]] = []
        self._soonest: dict[tuple[str, str], float] = {}

    def current(self, tenant: str, now: float) -> Entries:
        """The entries of ``tenant`` that hold at ``now``. Whoever is missing must be rendered with ``add``."""
        ends = self._ends
        while ends and ends[0][0] <= now:
            at, of, person = heapq.heappop(ends)
            if self._soonest.get((of, person)) == at:
                del self._soonest[of, person]
                self._tenants[of].pop(person, None)
        entries = self._tenants.get(tenant)
        if entries is None:
            entries = self._tenants[tenant] = {}
        return entries

    def add(self, tenant: str, person: str, record: Record, now: float) -> bytes:
        """Render a person's entry as of ``now`` and keep it until it stops being true."""
        entry = render(person, record, now)
        self.current(tenant, now)[person] = entry
        end = next_change(record, now)
        if end is not None:
            # An entry that is renewed keeps its earlier end: when that comes it is merely rendered once more. So the
            # heap does not grow with every renewal.
            soonest = self._soonest.get((tenant, person))
            if soonest is None or end < soonest:
                self._soonest[tenant, person] = end
                heapq.heappush(self._ends, (end, tenant, person))
        return entry

    def follow(self, changes: Sequence[Change], now: float) -> None:
        """Take in what changed."""
        for change in changes:
            if change.record is None:
                self.current(change.tenant, now).pop(change.person, None)
            else:
                self.add(change.tenant, change.person, change.record, now)
