"""Service: the one way in. Look people up, change them, and let time pass.

A read is exact at its own instant: the view drops what has run out before anything is taken from it. A change is one
atomic action on the store; when it returns, it is durable and readers see it. Nothing ticks: one task sleeps until
the soonest change on the store's due list and folds it in, so that the feed has an event for what time did too.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from operator import itemgetter

import structlog

from presenced.clock import Clock
from presenced.presence.actions import new_record, pass_time
from presenced.presence.record import Record, guid
from presenced.presence.refused import Refused
from presenced.store.base import Change, Store, StoreUnavailable, due_at
from presenced.view import View, render, render_unknown

Rule = Callable[[Record, float], Record]
"""A presence action with its request bound: (record, now) -> record. It may raise Refused."""

_LONGEST_SLEEP = 30.0
"""Seconds. The due list is looked at this often in any case: a machine's clock may jump while its timers do not."""

_SETTLED_AT_ONCE = 500
_FEED_KEPT = 100_000
_TRIMMED_AT_ONCE = 10_000

log = structlog.get_logger()


class Service:
    """Presence of all tenants. ``add_unknown``: a change to an id nobody knows makes that person known."""

    def __init__(self, store: Store, view: View, clock: Clock, *, add_unknown: bool = True) -> None:
        self._store = store
        self._view = view
        self._clock = clock
        self._add_unknown = add_unknown
        self._wake = asyncio.Event()
        self._sleeping_until = 0.0
        self._untrimmed = 0
        self._settling: asyncio.Task[None] | None = None
        store.follow(self._follow)

    async def start(self) -> None:
        """Begin to fold in what time does."""
        self._settling = asyncio.create_task(self._settle_forever())

    async def stop(self) -> None:
        """Stop folding in; what is due stays on the store's due list."""
        if self._settling is not None:
            self._settling.cancel()
            await asyncio.gather(self._settling, return_exceptions=True)

    async def presences(
        self, tenant: str, ids: Collection[str], *, own: str | None = None, omit_unknown: bool = False
    ) -> list[bytes]:
        """One JSON presence for each of ``ids`` in their order, however their letters are cased.

        The ids must be distinct; two that differ in case only are answered once. ``own`` is the id of the person who
        asks, if any. An id that names nobody is PresenceUnknown, or left out if ``omit_unknown``.
        """
        entries = self._view.current(tenant, self._clock.now())
        try:
            # itemgetter is the quickest look-up of many, a fifth under map(), but it does not make a tuple of one
            found = list(itemgetter(*ids)(entries)) if len(ids) > 1 else [entries[person] for person in ids]
        except KeyError:
            found = await self._presences_one_by_one(tenant, ids, omit_unknown=omit_unknown)
        if own is not None and (entry := entries.get(own)) is not None and entry in found:
            found[found.index(entry)] = await self.presence(tenant, own, own=True) or entry
        return found

    async def presence(self, tenant: str, person: str, *, own: bool = False) -> bytes | None:
        """The JSON presence of one person, or None if nobody has that id."""
        now = self._clock.now()
        if not own and (entry := self._view.current(tenant, now).get(person)) is not None:
            return entry
        (record,) = await self._store.read(tenant, [person])
        if record is None:
            return None
        return render(person, record, now, own=True) if own else self._view.add(tenant, person, record, now)

    async def change(self, tenant: str, person: str, rule: Rule) -> None:
        """Apply a presence action to one person, durably.

        Raises Refused (from the rule, or NotFound for an unknown id when those are not added) and StoreUnavailable.
        """

        def action(record: Record | None) -> Record:
            now = self._clock.now()
            if record is None:
                if not self._add_unknown:
                    raise Refused("NotFound", f"There is no person with the id {person}.")
                record = new_record(now)
            return rule(record, now)

        await self._store.change(tenant, person, action)

    async def _presences_one_by_one(self, tenant: str, ids: Collection[str], *, omit_unknown: bool) -> list[bytes]:
        """Entries of persons some of whom are not rendered yet, not known, or asked for in upper case."""
        now = self._clock.now()
        entries = self._view.current(tenant, now)
        found = {guid(person) or person: b"" for person in ids}
        missing = [person for person in found if person not in entries]
        for person, record in zip(missing, await self._store.read(tenant, missing), strict=True):
            if record is not None:
                self._view.add(tenant, person, record, now)
        for person in found:
            found[person] = entries.get(person) or (b"" if omit_unknown else render_unknown(person))
        return [entry for entry in found.values() if entry]

    def _follow(self, changes: Sequence[Change]) -> None:
        self._view.follow(changes, self._clock.now())
        self._untrimmed += len(changes)
        for change in changes:
            at = due_at(change.record)
            if at is not None and at < self._sleeping_until:
                self._wake.set()

    async def _settle_forever(self) -> None:
        while True:
            try:
                settled = await self._settle_due()
                if settled < _SETTLED_AT_ONCE:
                    await self._sleep()
            except StoreUnavailable as error:
                log.error("cannot keep what time changed; trying again", reason=str(error))
                await asyncio.sleep(1.0)

    async def _settle_due(self) -> int:
        """Fold in a portion of what is due, as events of the feed. Returns how many were due."""
        now = self._clock.now()
        due = await self._store.due(now, _SETTLED_AT_ONCE)

        def action(record: Record | None) -> Record | None:
            at = due_at(record)
            # someone may have changed the person since the list was made
            return pass_time(record, now) if record is not None and at is not None and at <= now else record

        outcomes = await asyncio.gather(
            *(self._store.change(tenant, person, action) for tenant, person in due), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        if self._untrimmed > _TRIMMED_AT_ONCE:
            self._untrimmed = 0
            await self._store.trim(_FEED_KEPT)
        return len(due)

    async def _sleep(self) -> None:
        self._wake.clear()
        self._sleeping_until = float("inf")  # whatever changes while we ask is newer than the answer
        soonest = await self._store.next_due()
        now = self._clock.now()
        self._sleeping_until = soonest if soonest is not None else float("inf")
        wait = _LONGEST_SLEEP if soonest is None else min(max(soonest - now, 0.001), _LONGEST_SLEEP)
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            pass
