"""View: what readers see, as ready-made JSON per person.

A bulk answer is a join of these entries (design decision 2), so an entry is exactly what another person may see:
of a status message the text only, without its expiry and publishing time (setStatusMessage page). What people may see
of themselves is rendered on demand. An entry that time will change is forgotten at that instant, by ``current``,
which every reader calls first; so nobody sees a state that has run out.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from presenced.entries import Entries
from presenced.presence.calendar import has_run_out
from presenced.presence.record import Record, StatusMessage
from presenced.presence.resolve import next_change, resolve
from presenced.presence.states import UNKNOWN
from presenced.presence.time_zones import DateTimeTimeZone, utc
from presenced.store.base import Change


class _Body(msgspec.Struct, rename="camel"):
    content: str
    content_type: str = "text"


class _StatusMessage(msgspec.Struct, rename="camel", omit_defaults=True):
    message: _Body
    published_date_time: str | None = None
    expiry_date_time: DateTimeTimeZone | None = None


class _OutOfOffice(msgspec.Struct, rename="camel"):
    message: str | None
    is_out_of_office: bool


class _WorkLocation(msgspec.Struct, rename="camel"):
    place_id: str | None
    source: str
    work_location_type: str


class Presence(msgspec.Struct, rename="camel"):
    """Graph's presence resource, in the order of its documented examples."""

    id: str
    availability: str
    activity: str
    status_message: _StatusMessage | None
    out_of_office_settings: _OutOfOffice | None
    work_location: _WorkLocation | None
    sequence_number: str | None


PROPERTIES = tuple(field.encode_name for field in msgspec.structs.fields(Presence))
"""The properties of a presence."""

_encode = msgspec.json.Encoder().encode


def render(person: str, record: Record, now: float, *, own: bool = False) -> bytes:
    """The presence of ``person`` at ``now`` as JSON; ``own`` adds what only the person may see."""
    seen = resolve(record, now)
    place = seen.work_location
    return _encode(
        Presence(
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
    return _encode(Presence(person, UNKNOWN.availability, UNKNOWN.activity, None, None, None, None))


def _render_message(message: StatusMessage | None, *, own: bool) -> _StatusMessage | None:
    if message is None:
        return None
    shown = _StatusMessage(_Body(message.content))
    if own:
        shown.published_date_time = f"{utc(message.published_at).date_time}Z"
        if message.expires_at is not None:
            shown.expiry_date_time = utc(message.expires_at)
    return shown


_FORGOTTEN_AT_ONCE = 1000


class View:
    """Rendered entries of all tenants, and the instants at which some of them stop being true."""

    def __init__(self) -> None:
        self._tenants: dict[str, Entries] = defaultdict(Entries)
        self._ends: list[tuple[float, str, str]] = []
        self._soonest: dict[tuple[str, str], float] = {}

    def current(self, tenant: str, now: float, persons: Iterable[str]) -> Entries:
        """The entries of ``tenant``, those of ``persons`` true at ``now``. Whoever is missing must be added."""
        ends = self._ends
        if ends and ends[0][0] <= now:
            self._forget_ended(tenant, now, persons)
        return self._tenants[tenant]

    def join(self, tenant: str, now: float, ids: bytes, start: bytes, own: str | None) -> bytes | None:
        """The entries of many persons as one text (``Entries.join``); None if they must be looked up one by one."""
        if self._ends and self._ends[0][0] <= now:
            return None
        return self._tenants[tenant].join(ids, start, own)

    def _forget_ended(self, tenant: str, now: float, persons: Iterable[str]) -> None:
        """Forget entries that are no longer true: those of ``persons``, and some of the rest.

        Not all of the rest, so that no reader waits while a million of them end at one instant.
        """
        ends = self._ends
        for _ in range(_FORGOTTEN_AT_ONCE):
            at, of, person = heapq.heappop(ends)
            if self._soonest.get((of, person)) == at:
                self._forget(of, person)
            if not ends or ends[0][0] > now:
                return
        for person in persons:
            if self._soonest.get((tenant, person), now + 1) <= now:
                self._forget(tenant, person)

    def _forget(self, tenant: str, person: str) -> None:
        del self._soonest[tenant, person]
        self._tenants[tenant].pop(person, None)

    def forget(self) -> None:
        """Forget every entry: they were rendered by a clock that was wrong."""
        self._tenants.clear()
        self._ends.clear()
        self._soonest.clear()

    def add(self, tenant: str, person: str, record: Record, now: float) -> bytes:
        """Render a person's entry as of ``now`` and keep it until it stops being true."""
        entry = render(person, record, now)
        self._tenants[tenant][person] = entry
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
            if change.record is None or has_run_out(change.record, now):
                self._tenants[change.tenant].pop(change.person, None)
            else:
                self.add(change.tenant, change.person, change.record, now)
