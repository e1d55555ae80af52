"""Subscriptions: all there are, kept in the store, and found by the person who changes.

Graph allows one presence subscription for each user and application; that rule is in graph/subscriptions.py, with the
reservation here that keeps two creations at one time from both being the first.
"""

import asyncio
import heapq
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

import msgspec

from presenced.clock import Clock
from presenced.notify.subscription import Subscription
from presenced.store.base import Store

_COLLECTION = "subscriptions"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Subscription).decode

Owner = tuple[str, str, str | None]
"""Tenant, application, user."""


class Subscriptions:
    """The subscriptions of all tenants. Make it with ``await Subscriptions.load(store, clock)``."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._all: dict[str, Subscription] = {}
        # by id rather than the subscription itself, which changes; lists, since 10,000 subscriptions of 650 people are
        # millions of entries
        self._by_person: dict[str, dict[str, list[str]]] = defaultdict(dict)
        self._of_everybody: dict[str, list[str]] = defaultdict(list)
        self._by_owner: dict[Owner, list[str]] = defaultdict(list)
        self._endings: list[tuple[float, str]] = []
        self._being_made: set[tuple[str | None, ...]] = set()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @classmethod
    async def load(cls, store: Store, clock: Clock) -> "Subscriptions":
        """All that are kept."""
        loaded = cls(store, clock)
        for document in (await store.documents(_COLLECTION)).values():
            loaded._add(_decode(document))
        return loaded

    def __len__(self) -> int:
        return len(self._all)

    def get(self, subscription: str) -> Subscription | None:
        """The subscription with this id, if it has not expired."""
        found = self._all.get(subscription)
        return found if found is not None and found.expires_at > self._clock.now() else None

    def known(self, subscription: str) -> Subscription | None:
        """The subscription with this id, also when it has expired but is not forgotten yet."""
        return self._all.get(subscription)

    def of(self, owner: Owner) -> list[Subscription]:
        """An owner's subscriptions, oldest first."""
        return [found for key in self._by_owner.get(owner, ()) if (found := self.get(key)) is not None]

    def all(self) -> list[Subscription]:
        """Every subscription that has not expired."""
        return [found for key in list(self._all) if (found := self.get(key)) is not None]

    def watching(self, tenant: str, person: str, at: float) -> list[Subscription]:
        """Those that wanted to hear of a person at an instant, which is now or shortly before."""
        keys = *self._by_person[tenant].get(person, ()), *self._of_everybody.get(tenant, ())
        return [found for key in keys if (found := self._all[key]).expires_at > at]

    @asynccontextmanager
    async def being_made(self, key: tuple[str | None, ...]) -> AsyncIterator[bool]:
        """Reserve a place, such as an owner's, while a subscription is made or moved; False if it is taken."""
        if key in self._being_made:
            yield False
            return
        self._being_made.add(key)
        try:
            yield True
        finally:
            self._being_made.discard(key)

    async def add(self, new: Subscription) -> None:
        """Keep a new subscription, durably."""
        await self._store.put(_COLLECTION, new.id, _encode(new))
        self._add(new)

    async def change(self, subscription: str, change: Callable[[Subscription], Subscription]) -> Subscription | None:
        """Change a subscription, durably and whole; as it is then, or None if it is not there any more."""
        async with self._lock(subscription):
            before = self._all.get(subscription)
            if before is None:
                return None
            changed = change(before)
            if changed is not before:
                await self._store.put(_COLLECTION, subscription, _encode(changed))
                self._all[subscription] = changed
                if changed.expires_at != before.expires_at:
                    heapq.heappush(self._endings, (changed.expires_at, subscription))
            return changed

    async def remove(self, subscription: str) -> Subscription | None:
        """Forget a subscription; it, if it was there."""
        async with self._lock(subscription):
            if subscription not in self._all:
                return None
            await self._store.put(_COLLECTION, subscription, None)
            return self._drop(subscription)

    async def forget_expired(self) -> list[Subscription]:
        """Forget those that have expired; which."""
        now, gone = self._clock.now(), []
        while self._endings and self._endings[0][0] <= now:
            ending, key = heapq.heappop(self._endings)
            async with self._lock(key):  # it may be renewed just now
                found = self._all.get(key)
                if found is None or found.expires_at > now:
                    continue
                try:
                    await self._store.put(_COLLECTION, key, None)
                except BaseException:
                    heapq.heappush(self._endings, (ending, key))
                    raise
                self._drop(key)
                gone.append(found)
        return gone

    def next_ending(self) -> float | None:
        """When the next one may expire."""
        return self._endings[0][0] if self._endings else None

    async def clear(self) -> None:
        """Forget all."""
        for key in list(self._all):
            await self.remove(key)

    def _lock(self, subscription: str) -> asyncio.Lock:
        """One change of a subscription at a time."""
        lock = self._locks.get(subscription)
        if lock is None:
            lock = self._locks[subscription] = asyncio.Lock()
        return lock

    def _add(self, new: Subscription) -> None:
        if new.ids is not None:  # one string for each person, however many subscriptions name them
            new = msgspec.structs.replace(new, ids=tuple(map(sys.intern, new.ids)))
        self._all[new.id] = new
        self._by_owner[new.tenant, new.app, new.user].append(new.id)
        heapq.heappush(self._endings, (new.expires_at, new.id))
        if new.ids is None:
            self._of_everybody[new.tenant].append(new.id)
            return
        people = self._by_person[new.tenant]
        for person in new.ids:
            people.setdefault(person, []).append(new.id)

    def _drop(self, subscription: str) -> Subscription | None:
        gone = self._all.pop(subscription, None)
        if gone is None:
            return None
        _take(self._by_owner, (gone.tenant, gone.app, gone.user), subscription)
        if gone.ids is None:
            _take(self._of_everybody, gone.tenant, subscription)
        for person in gone.ids or ():
            _take(self._by_person[gone.tenant], person, subscription)
        return gone


def _take(lists: "dict[str, list[str]] | dict[Owner, list[str]]", key: "str | Owner", entry: str) -> None:
    """Take an entry out of a list, and an empty list out of the dictionary."""
    entries: list[str] = lists[key]  # type: ignore[index]
    entries.remove(entry)
    if not entries:
        del lists[key]  # type: ignore[arg-type]
