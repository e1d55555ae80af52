"""Faults: what is to go wrong, in the order it was added; and what does with each request, notification or handshake.

Deterministic: a fault counts what it is about, in the order it comes, and strikes by that count, or by chance with a
fixed seed. Every fault counts all it is about; where several would answer a request, the first does.
"""

import difflib
from collections.abc import Callable, Collection, Mapping
from typing import Literal, NamedTuple

import msgspec

from presenced.clock import Clock
from presenced.emulator.fault import LONGEST_LATENCY, Fault, FaultShown, NewFault
from presenced.emulator.instants import iso
from presenced.emulator.match import READS, Match, names_person
from presenced.emulator.stale import StaleReads
from presenced.identity.caller import Caller
from presenced.identity.tenants import Tenants
from presenced.notify.interception import HandshakeEffect, NotificationEffect
from presenced.notify.notification import Item
from presenced.presence.record import guid
from presenced.presence.refused import Refused
from presenced.service import Service
from presenced.store.base import Store

MOST_FAULTS = 100


class Strike(NamedTuple):
    """What goes wrong with one request (see graph/interception.py)."""

    faults: str
    delay: float
    status: int | None
    retry_after: int | None
    cut: Literal["before", "after", "within"] | None
    stale: Service | None


class _Notification(msgspec.Struct):
    """What a fault asks of a notification's JSON."""

    resource: str = ""


_decode = msgspec.json.Decoder(_Notification).decode


class Faults:
    """The faults in force. ``operations`` are the names that there are."""

    def __init__(
        self, clock: Clock, store: Store, service: Service, tenants: Tenants, operations: Collection[str]
    ) -> None:
        self._clock = clock
        self._store = store
        self._service = service
        self._tenants = tenants
        self._operations = operations
        self._faults: dict[str, Fault] = {}
        self._stale: dict[str, StaleReads] = {}
        self._last = 0
        self._arm()

    # --- the owner's -----------------------------------------------------------------------------------------------

    async def add(self, new: NewFault) -> FaultShown:
        """Have it go wrong from now on. Raises Refused."""
        check_match(new.match, self._operations, self._tenants.find)
        fault = Fault(new, iso(self._clock.now()))
        stale = await self._remembered(fault) if fault.effect.stale else None
        if len(self._faults) >= MOST_FAULTS:
            raise Refused("InvalidArgument", f"There are {MOST_FAULTS} faults already; remove some first.")
        self._last += 1
        fault.id = str(self._last)
        self._faults[fault.id] = fault
        if stale is not None:
            self._stale[fault.id] = stale
        self._arm()
        return fault.shown()

    def list(self) -> list[FaultShown]:
        """All of them, oldest first."""
        return [fault.shown() for fault in self._faults.values()]

    def get(self, number: str) -> FaultShown:
        """One of them. Raises Refused (NotFound)."""
        return self._known(number).shown()

    def remove(self, number: str) -> FaultShown:
        """Have it go wrong no longer; says what became of it. Raises Refused (NotFound)."""
        shown = self._known(number).shown()
        del self._faults[number]
        self._stale.pop(number, None)
        self._arm()
        return shown

    def clear(self) -> int:
        """Have nothing go wrong any more. Returns how many faults there were."""
        count = len(self._faults)
        self._faults.clear()
        self._stale.clear()
        self._arm()
        return count

    def start_over(self) -> None:
        """As at the start: none, and the next has the first id."""
        self.clear()
        self._last = 0

    def _known(self, number: str) -> Fault:
        if (fault := self._faults.get(number)) is None:
            raise Refused("NotFound", "There is no fault with this id. See: presenced faults list")
        return fault

    async def _remembered(self, fault: Fault) -> StaleReads:
        match = fault.match
        tenants = [match.tenant] if match.tenant else [one.id for one in self._tenants.list()]
        stale = StaleReads(self._service, tenants, match.person, self._clock.now())
        await stale.remember(self._store)
        return stale

    def _arm(self) -> None:
        faults = self._faults.values()
        self._of_requests = [fault for fault in faults if fault.of_requests]
        self._of_notifications = [fault for fault in faults if fault.effect.notification is not None]
        self._of_handshakes = [fault for fault in faults if fault.effect.handshake is not None]

    # --- what goes wrong -------------------------------------------------------------------------------------------

    @property
    def armed(self) -> bool:
        """Whether anything could go wrong with a request."""
        return bool(self._of_requests)

    def strike(
        self, operation: str, caller: Caller, key: str, query: str, body: bytes, headers: Mapping[str, str]
    ) -> Strike | None:
        """What goes wrong with this request: the first status or cut, the first stale reads, and all delays."""
        text = body.decode("utf-8", "replace")
        struck: list[Fault] = []
        ends: Fault | None = None
        stale: Fault | None = None
        for fault in self._of_requests:
            match = fault.match
            if (
                match.operation not in (None, operation)
                or (fault.effect.stale and operation not in READS)
                or not match.is_of(caller.tenant, caller.app)
                or (match.header is not None and not match.header.meets(headers))
                or (match.person is not None and not names_person(match.person, operation, key, query, text))
            ):
                continue
            answers = fault.effect.status is not None or fault.effect.cut is not None
            decided = ends if answers else stale if fault.effect.stale else None
            if not fault.strikes(possible=decided is None):
                continue
            struck.append(fault)
            ends = fault if answers else ends
            stale = fault if fault.effect.stale else stale
        if not struck:
            return None
        return Strike(
            ", ".join(fault.id for fault in struck),
            min(sum(fault.latency for fault in struck), LONGEST_LATENCY),
            None if ends is None else ends.effect.status,
            None if ends is None else ends.retry_after,
            None if ends is None else ends.effect.cut,
            None if stale is None else self._stale[stale.id],
        )

    def of_notification(self, item: Item) -> NotificationEffect | None:
        """What goes wrong with a notification: the first that strikes."""
        effect = None
        for fault in self._of_notifications:
            match = fault.match
            if not match.is_of(item.tenant, item.app):
                continue
            if match.person is not None and match.person not in _decode(item.content).resource.lower():
                continue
            if fault.strikes(possible=effect is None) and fault.effect.notification is not None:
                effect = NotificationEffect(fault.id, fault.effect.notification, fault.delay)
        return effect

    def of_handshake(self, tenant: str, app: str) -> HandshakeEffect | None:
        """What goes wrong with the handshake of a subscriber."""
        effect = None
        for fault in self._of_handshakes:
            if fault.match.is_of(tenant, app) and fault.strikes(possible=effect is None):
                effect = HandshakeEffect(fault.id, timed_out=fault.effect.handshake == "timeout")
        return effect


def check_match(match: Match, operations: Collection[str], find_tenant: Callable[[str], str | None]) -> None:
    """See that there can be what is meant, and write ids as they are compared. Raises Refused."""
    if match.operation is not None and match.operation not in operations:
        begun = [name for name in operations if name.lower().startswith(match.operation.lower())]
        near = [*dict.fromkeys([*begun, *difflib.get_close_matches(match.operation, operations, 3, 0.5)])][:3]
        hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(operations)}."
        raise Refused("InvalidArgument", f"There is no operation {match.operation!r}. {hint}")
    if match.tenant is not None:
        tenant = guid(match.tenant) or find_tenant(match.tenant)
        if tenant is None:
            raise Refused("InvalidArgument", f"There is no tenant {match.tenant!r}; use its id or a domain of its.")
        match.tenant = tenant
    if match.app is not None:
        match.app = guid(match.app) or match.app
    if match.person is not None:
        person = guid(match.person)
        if person is None:
            raise Refused("InvalidArgument", f"The person {match.person!r} is no object id (a GUID).")
        match.person = person
