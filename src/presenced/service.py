"""Service: the one way in. Look people up, change them, and let time pass.

A read is exact at its own instant: the view drops what has run out before anything is taken from it. A change is one
atomic action on the store; when it returns, it is durable and readers see it. Nothing ticks: one task sleeps until
the soonest change on the store's due list and folds it in, so that the feed has an event for what time did too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from operator import itemgetter

import structlog

from presenced.clock import Clock
from presenced.presence.calendar import has_run_out
from presenced.presence.record import Record, guid
from presenced.presence.refused import Refused
from presenced.presence.settle import is_ahead, new_record, pass_time, set_back
from presenced.store.base import Change, Store, StoreUnavailable, due_at
from presenced.view import PROPERTIES as PROPERTIES
from presenced.view import Presence as Presence
from presenced.view import View, render, render_unknown

Rule = Callable[[Record, float], Record]
"""A presence action with its request bound: (record, now) -> record. It may raise Refused."""

_LONGEST_SLEEP = 30.0
"""Seconds. The due list is looked at this often in any case: a machine's clock may jump while its timers do not."""

_SLEW = 1.0
"""Seconds that a clock may step back without more ado, as it does when it is kept in time."""

_SETTLED_AT_ONCE = 500
_FEED_KEPT = 100_000
_TRIMMED_AT_ONCE = 10_000

log = structlog.get_logger()


class Service:
    """Presence of all tenants.

    ``add_unknown``: a change to an id nobody knows makes that person known. ``refill(tenant, person)`` works out more
    of a person's calendar.
    """

    def __init__(
        self,
        store: Store,
        view: View,
        clock: Clock,
        *,
        add_unknown: bool = True,
        refill: Callable[[str, str], Awaitable[object]] | None = None,
    ) -> None:
        self._store = store
        self._view = view
        self._clock = clock
        self._add_unknown = add_unknown
        self._refill = refill
        self._latest = 0.0
        self._turning_back = asyncio.Lock()
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

    async def settle(self) -> None:
        """Fold in all that time has done by now, as events of the feed. Raises StoreUnavailable."""
        while await self._settle_due() == _SETTLED_AT_ONCE:
            pass

    def clock_moved(self) -> None:
        """Look at the clock again: it was set."""
        self._wake.set()

    async def presences(
        self, tenant: str, ids: Collection[str], *, own: str | None = None, omit_unknown: bool = False
    ) -> list[bytes]:
        """One JSON presence for each of ``ids`` in their order, however their letters are cased.

        The ids must be distinct; two that differ in case only are answered once. ``own`` is the id of the person who
        asks, if any. An id that names nobody is PresenceUnknown, or left out if ``omit_unknown``.
        """
        entries = self._view.current(tenant, await self._now(), ids)
        try:
            # itemgetter is the quickest look-up of many, a fifth under map(), but it does not make a tuple of one
            found = list(itemgetter(*ids)(entries)) if len(ids) > 1 else [entries[person] for person in ids]
        except KeyError:
            found = await self._presences_one_by_one(tenant, ids, omit_unknown=omit_unknown)
        if own is not None and (entry := entries.get(own)) is not None and entry in found:
            found[found.index(entry)] = await self.presence(tenant, own, own=True) or entry
        return found

    async def joined(self, tenant: str, ids: bytes, start: bytes, *, own: str | None = None) -> bytes | None:
        """``start``, what ``presences`` would say of ``ids`` (of ``entries.pack``), and ``]}``; as quickly as can be.

        None where it takes more than a look at the entries: then ask ``presences``.
        """
        return self._view.join(tenant, await self._now(), ids, start, own)

    async def presence(self, tenant: str, person: str, *, own: bool = False) -> bytes | None:
        """The JSON presence of one person, or None if nobody has that id."""
        now = await self._now()
        if not own and (entry := self._view.current(tenant, now, [person]).get(person)) is not None:
            return entry
        (record,) = await self._records(tenant, [person], now)
        if record is None:
            return None
        return render(person, record, now, own=True) if own else self._view.add(tenant, person, record, now)

    async def page(self, tenant: str, after: str, limit: int) -> tuple[list[bytes], str | None]:
        """The JSON presences of up to ``limit`` persons in the order of their ids, from the first after ``after``.

        With them the id after which the next page begins, None if this is the last.
        """
        people = [person for person, _ in await self._store.people(tenant, after, limit + 1)]
        more = len(people) > limit
        people = people[:limit]
        return await self.presences(tenant, people, omit_unknown=True), people[-1] if more else None

    async def count(self, tenant: str) -> int:
        """How many persons are known in the tenant."""
        return await self._store.count(tenant)

    async def record(self, tenant: str, person: str) -> Record:
        """What is known of a person. Raises Refused(NotFound)."""
        (record,) = await self._store.read(tenant, [person])
        if record is None:
            raise _nobody(person)
        return record

    async def known(self, tenant: str, persons: Sequence[str]) -> list[Record | None]:
        """What is known of each of ``persons``, with as much of their calendars as it takes to see them now."""
        return await self._records(tenant, persons, await self._now())

    async def change(self, tenant: str, person: str, rule: Rule) -> Record:
        """Apply a presence action to one person, durably, and return what is known of them then.

        Raises Refused (from the rule, or NotFound for an unknown id when those are not added) and StoreUnavailable.
        """
        await self._now()

        def action(record: Record | None) -> Record:
            now = self._clock.now()
            if record is None:
                if not self._add_unknown:
                    raise _nobody(person)
                record = new_record(now)
            return rule(record, now)

        changed = await self._store.change(tenant, person, action)
        assert changed is not None
        if self._refill is not None and has_run_out(changed, self._clock.now()):
            # the change has taken the person off the due list, so nobody else would
            await self._refill(tenant, person)
        return changed

    async def _now(self) -> float:
        """The present instant.

        If the clock was set back, whatever had run out by then is folded in first: what readers saw end does not come
        back, and no sequence number goes down.
        """
        now = self._clock.now()
        if now < self._latest:
            async with self._turning_back:
                while due := await self._store.due(self._latest, _SETTLED_AT_ONCE):
                    await self._fold(due, self._latest)
                now = self._clock.now()
                if self._latest - now > _SLEW:
                    self._view.forget()  # calendars and absences are of the clock, and it says otherwise now
                self._latest = now
        self._latest = now
        return now

    async def _records(self, tenant: str, persons: Sequence[str], now: float) -> list[Record | None]:
        """What is known of persons, with as much of their calendars as it takes to see them as of ``now``."""
        records = await self._store.read(tenant, persons)
        ahead = [
            person
            for person, record in zip(persons, records, strict=True)
            if record is not None and is_ahead(record, now)
        ]
        if ahead:
            await asyncio.gather(*(self._store.change(tenant, person, self._set_back) for person in ahead))
            records = await self._store.read(tenant, persons)
        ended = [
            person
            for person, record in zip(persons, records, strict=True)
            if record is not None and has_run_out(record, now)
        ]
        if not ended or self._refill is None:
            return records
        await asyncio.gather(*(self._refill(tenant, person) for person in ended))
        return await self._store.read(tenant, persons)

    def _set_back(self, record: Record | None) -> Record | None:
        now = self._clock.now()
        return set_back(record, now) if record is not None and is_ahead(record, now) else record

    async def _presences_one_by_one(self, tenant: str, ids: Collection[str], *, omit_unknown: bool) -> list[bytes]:
        """Entries of persons some of whom are not rendered yet, not known, or asked for in upper case."""
        found = {guid(person) or person: b"" for person in ids}
        unknown: set[str] = set()
        while True:
            now = await self._now()
            entries = self._view.current(tenant, now, found)
            missing = [person for person in found if person not in entries and person not in unknown]
            if not missing:
                break  # nothing is awaited from here on, so that no entry is forgotten before it is taken
            for person, record in zip(missing, await self._records(tenant, missing, now), strict=True):
                if record is None:
                    unknown.add(person)
                else:
                    self._view.add(tenant, person, record, now)
        for person in found:
            if person not in unknown:
                found[person] = entries[person]
            elif not omit_unknown:
                found[person] = render_unknown(person)
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
                await self.settle()
                await self._sleep()
            except StoreUnavailable as error:
                log.error("cannot keep what time changed; trying again", reason=str(error))
                await asyncio.sleep(1.0)
            except Exception:
                log.exception("time cannot be folded in; trying again")
                await asyncio.sleep(1.0)

    async def _settle_due(self) -> int:
        """Fold in a portion of what is due, as events of the feed. Returns how many were due."""
        now = await self._now()
        due = await self._store.due(now, _SETTLED_AT_ONCE)
        await self._refill_run_out(due, now)
        await self._fold(due, now)
        if self._untrimmed > _TRIMMED_AT_ONCE:
            self._untrimmed = 0
            await self._store.trim(_FEED_KEPT)
        return len(due)

    async def _fold(self, due: Sequence[tuple[str, str]], now: float) -> None:
        """Fold into the records of these (tenant, person) what has run out by ``now``."""

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

    async def _refill_run_out(self, due: Sequence[tuple[str, str]], now: float) -> None:
        """Work out more of the calendars that have run out, before that is folded in: so a crash forgets none."""
        if self._refill is None:
            return
        for tenant, person in due:
            (record,) = await self._store.read(tenant, [person])
            if record is not None and has_run_out(record, now):
                try:
                    await self._refill(tenant, person)
                except StoreUnavailable:
                    raise
                except Exception:  # of one person's calendar; time goes on for the others
                    log.exception("a calendar cannot be worked out", tenant=tenant, person=person)

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


def _nobody(person: str) -> Refused:
    return Refused("NotFound", f"There is no person with the id {person}.")
