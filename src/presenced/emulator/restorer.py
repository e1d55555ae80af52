"""Restorer: makes a store hold what a baseline says, in milliseconds.

It touches only what is not as the baseline has it: documents that differ, people who were changed since, and those of
whom the seed says something that is counted from when it is put in. Sequence numbers go on growing all the same, so
that a client which remembers the last one it saw takes what it sees for new.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

import msgspec

from presenced.emulator.baseline import COLLECTIONS, Baseline
from presenced.presence.record import Record
from presenced.store.base import Change, Store, name_of

_AT_ONCE = 1000

Key = tuple[str, str]
"""Tenant and person."""

Become = Callable[[Key, Record | None], Record | None]
"""From who a person is, and what is known of them, to what shall be."""


class Restorer:
    """Makes a store hold what a baseline says."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._touched: set[Key] | None = None  # None: anything may have been
        self._making: dict[Key, Record | None] = {}

    def watch(self, *, put_in: bool) -> None:
        """Follow the feed, to know what was changed since the last time; ``put_in``: nothing was changed so far."""
        self._touched = set() if put_in else None
        self._store.follow(self._follow)

    def anything(self) -> None:
        """Look at everybody the next time: another baseline is to be restored."""
        self._touched = None

    async def restore(self, baseline: Baseline, now: float) -> None:
        """Have the store hold the baseline, put in at ``now``, and nothing else. Raises StoreUnavailable."""
        anything = self._touched is None
        touched = await self._everybody() if self._touched is None else self._touched
        self._touched = set()
        try:
            await self._change((key for key in touched if key not in baseline.people), lambda key, record: None)
            known = {key for key, made in baseline.people.items() if anything or made.timed or key in touched}
            await self._free_names(baseline, known & touched)
            await self._put(baseline, known, now, there=self._store.documents)
        except BaseException:
            self._touched = None
            raise
        finally:
            self._making.clear()

    async def add(self, baseline: Baseline, now: float) -> None:
        """Add the baseline, put in at ``now``, to what the store holds. Raises StoreUnavailable."""

        async def nothing(collection: str) -> dict[str, bytes]:
            return {}

        await self._put(baseline, baseline.people, now, there=nothing)
        self._making.clear()

    async def _put(
        self,
        baseline: Baseline,
        people: Iterable[Key],
        now: float,
        there: Callable[[str], Awaitable[dict[str, bytes]]],
    ) -> None:
        first, *others = COLLECTIONS  # people's calendars are there before the people are
        await self._documents(await there(first), baseline.documents, first)
        await self._change(people, lambda key, record: baseline.people[key].record(record, now))
        for collection in others:
            await self._documents(await there(collection), baseline.documents, collection)

    async def _documents(self, there: dict[str, bytes], all_wanted: dict[str, dict[str, bytes]], name: str) -> None:
        wanted = all_wanted[name]
        changes: dict[str, bytes | None] = dict.fromkeys(there.keys() - wanted.keys())
        changes |= {key: document for key, document in wanted.items() if there.get(key) != document}
        await asyncio.gather(*(self._store.put(name, key, document) for key, document in changes.items()))

    async def _free_names(self, baseline: Baseline, people: set[Key]) -> None:
        """Take from people the names that are not theirs, for they may be others'."""

        def nameless(key: Key, record: Record | None) -> Record | None:
            if record is None or name_of(record) == _name(baseline, key):
                return record
            return msgspec.structs.replace(
                record, profile=msgspec.structs.replace(record.profile, user_principal_name=None)
            )

        await self._change(people, nameless)

    async def _change(self, people: Iterable[Key], become: Become) -> None:
        keys = list(people)
        for start in range(0, len(keys), _AT_ONCE):
            await asyncio.gather(*(self._change_one(key, become) for key in keys[start : start + _AT_ONCE]))

    async def _change_one(self, key: Key, become: Become) -> None:
        def action(record: Record | None) -> Record | None:
            made = become(key, record)
            self._making[key] = made
            return made

        await self._store.change(*key, action)

    async def _everybody(self) -> set[Key]:
        found: set[Key] = set()
        for tenant in await self._store.documents("tenants"):
            after = ""
            while people := await self._store.people(tenant, after, _AT_ONCE):
                found.update((tenant, person) for person, _ in people)
                after = people[-1][0]
        return found

    def _follow(self, changes: Sequence[Change]) -> None:
        if self._touched is None:
            return
        for change in changes:
            key = change.tenant, change.person
            if self._making.get(key, change) is not change.record:  # else it is as this made it
                self._touched.add(key)


def _name(baseline: Baseline, key: Key) -> str | None:
    name = baseline.people[key].person.user_principal_name
    return None if name is None else name.lower()
