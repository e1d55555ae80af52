"""Subscriptions: all there are, kept in the store, and found by the person who changes.

Graph allows one presence subscription for each user and application; that rule is in graph/subscriptions.py, with the
reservation here that keeps two creations at one time from both being the first.
"""

import heapq
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

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
        self._being_made: set[Owner] = set()

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

    def of(self, owner: Owner) -> list[Subscription]:
        """An owner's subscriptions, oldest first."""
        return [found for key in self._by_owner.get(owner, ()) if (found := self.get(key)) is not None]

    def all(self) -> list[Subscription]:
        """Every subscription that has not expired."""
        return [found for key in list(self._all) if (found := self.get(key)) is not None]

    def watching(self, tenant: str, person: str) -> Iterable[Subscription]:
        """Those that want to hear of a person."""
        for keys in (self._by_person[tenant].get(person, ()), self._of_everybody.get(tenant, ())):
            for key in keys:
                if (found := self.get(key)) is not None:
                    yield found

    @asynccontextmanager
    async def being_made(self, owner: Owner) -> AsyncIterator[bool]:
        """Reserve the owner's place while their subscription is made; False if they are making another."""
        if owner in self._being_made:
            yield False
            return
        self._being_made.add(owner)
        try:
            yield True
        finally:
            self._being_made.discard(owner)

    async def put(self, subscription: Subscription) -> None:
        """Keep a new subscription, or a changed one under its id, durably."""
        await self._store.put(_COLLECTION, subscription.id, _encode(subscription))
        if subscription.id in self._all:
            self._all[subscription.id] = subscription
            heapq.heappush(self._endings, (subscription.expires_at, subscription.id))
        else:
            self._add(subscription)

    async def remove(self, subscription: str) -> Subscription | None:
        """Forget a subscription; it, if it was there."""
        await self._store.put(_COLLECTION, subscription, None)
        return self._drop(subscription)

    async def forget_expired(self) -> list[Subscription]:
        """Forget those that have expired; which."""
        now, gone = self._clock.now(), []
        while self._endings and self._endings[0][0] <= now:
            _, key = heapq.heappop(self._endings)
            found = self._all.get(key)
            if found is not None and found.expires_at <= now:
                await self._store.put(_COLLECTION, key, None)
                self._drop(key)
                gone.append(found)
        return gone

    def next_ending(self) -> float | None:
        """When the next one may expire."""
        return self._endings[0][0] if self._endings else None

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
