"""The store that forgets everything when closed: for tests, and the plainest reading of the protocol in base.py."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from math import inf

from presenced.presence.record import Record
from presenced.store.base import (
    Action,
    Change,
    Delivery,
    Follower,
    NameTaken,
    due_at,
    name_of,
    state_changed,
    tell,
)


class MemoryStore:
    """A Store in dictionaries."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], Record] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._feed: list[Change] = []
        self._position = 0
        self._done: dict[str, int] = {}
        self._outbox: dict[int, Delivery] = {}
        self._last_delivery = 0
        self._documents: dict[str, dict[str, bytes]] = {}
        self._followers: list[Follower] = []

    async def change(self, tenant: str, person: str, action: Action) -> Record | None:
        before = self._records.get((tenant, person))
        after = action(before)
        if after is before:
            return after
        name = name_of(after)
        if name is not None and self._names.get((tenant, name), person) != person:
            raise NameTaken(name)
        if (old := name_of(before)) is not None:
            self._names.pop((tenant, old), None)
        if name is not None:
            self._names[tenant, name] = person
        if after is None:
            self._records.pop((tenant, person), None)
        else:
            self._records[tenant, person] = after
        self._position += 1
        change = Change(self._position, tenant, person, after, state_changed(before, after))
        self._feed.append(change)
        tell(self._followers, [change])
        return after

    async def read(self, tenant: str, persons: Sequence[str]) -> list[Record | None]:
        return [self._records.get((tenant, person)) for person in persons]

    async def people(self, tenant: str, after: str = "", limit: int = 1000) -> list[tuple[str, Record]]:
        known = sorted(person for of, person in self._records if of == tenant and person > after)
        return [(person, self._records[tenant, person]) for person in known[:limit]]

    async def count(self, tenant: str) -> int:
        return sum(of == tenant for of, _ in self._records)

    async def find(self, tenant: str, name: str) -> str | None:
        return self._names.get((tenant, name.lower()))

    def follow(self, follower: Follower) -> None:
        self._followers.append(follower)

    async def feed(self, after: int, limit: int = 1000) -> list[Change]:
        return [change for change in self._feed if change.position > after][:limit]

    async def done(self, consumer: str, position: int | None = None) -> int:
        if position is not None:
            self._done[consumer] = position
        return self._done.setdefault(consumer, 0)

    async def trim(self, keep: int) -> None:
        needed = min([self._position - keep, *self._done.values()])
        self._feed = [change for change in self._feed if change.position > needed]

    async def reserve(self, count: int) -> int:
        first = self._last_delivery + 1
        self._last_delivery += count
        return first

    async def keep(self, consumer: str, position: int, deliveries: Sequence[Delivery], told: Sequence[int]) -> None:
        self._outbox |= {delivery.id: delivery for delivery in deliveries}
        self._outbox = dict(sorted(self._outbox.items()))
        self._take_out(told)
        self._done[consumer] = position

    async def outbox(self, endpoint: str, after: int = 0, limit: int = 1000) -> list[Delivery]:
        waiting = (one for one in self._outbox.values() if one.endpoint == endpoint and one.id > after)
        return list(islice(waiting, limit))

    async def endpoints(self) -> dict[str, int]:
        return Counter(one.endpoint for one in self._outbox.values())

    async def drop(self, endpoint: str | None = None, subscription: str | None = None, before: float = inf) -> int:
        dropped = [
            one.id
            for one in self._outbox.values()
            if endpoint in (None, one.endpoint) and subscription in (None, one.subscription) and one.queued_at <= before
        ]
        self._take_out(dropped)
        return len(dropped)

    def _take_out(self, ids: Sequence[int]) -> None:
        for number in ids:
            self._outbox.pop(number, None)

    async def move(self, subscription: str, endpoint: str) -> None:
        for one in list(self._outbox.values()):
            if one.subscription == subscription:
                self._outbox[one.id] = one._replace(endpoint=endpoint)

    async def due(self, now: float, limit: int = 1000) -> list[tuple[str, str]]:
        waiting = sorted((at, key) for key, record in self._records.items() if (at := due_at(record)) is not None)
        return [key for at, key in waiting if at <= now][:limit]

    async def next_due(self) -> float | None:
        return min((at for record in self._records.values() if (at := due_at(record)) is not None), default=None)

    async def put(self, collection: str, key: str, document: bytes | None) -> None:
        if document is None:
            self._documents.get(collection, {}).pop(key, None)
        else:
            self._documents.setdefault(collection, {})[key] = document

    async def document(self, collection: str, key: str) -> bytes | None:
        return self._documents.get(collection, {}).get(key)

    async def documents(self, collection: str) -> dict[str, bytes]:
        return dict(self._documents.get(collection, {}))

    async def close(self) -> None:
        pass
