"""Rings: the last entries of a log, for each tenant apart, so that one that is busy pushes out nothing of another's."""

import heapq
from collections import OrderedDict, deque
from collections.abc import Callable
from operator import attrgetter
from typing import Generic, Protocol, TypeVar

MOST_ENTRIES = 1000
MOST_BYTES = 4 * 1024 * 1024
"""Of one tenant."""

MOST_TENANTS = 32
"""Of more of them the log forgets who asked nothing for the longest time."""


class Entry(Protocol):
    """What a log keeps."""

    @property
    def number(self) -> int: ...
    @property
    def tenant(self) -> str | None: ...


E = TypeVar("E", bound=Entry)


class Rings(Generic[E]):
    """The last entries. Their numbers grow, whatever is forgotten. ``added`` hears of each new one."""

    def __init__(self) -> None:
        self._rings: OrderedDict[str | None, deque[tuple[E, int]]] = OrderedDict()
        self._bytes: dict[str | None, int] = {}
        self._last = 0
        self.listeners: list[Callable[[E], None]] = []

    def next_number(self) -> int:
        """The number of the entry that is added next."""
        self._last += 1
        return self._last

    def add(self, entry: E, size: int) -> None:
        """Keep an entry, which takes about so many bytes."""
        tenant = entry.tenant
        ring = self._rings.get(tenant)
        if ring is None:
            if len(self._rings) >= MOST_TENANTS:
                del self._bytes[self._rings.popitem(last=False)[0]]
            ring = self._rings[tenant] = deque()
            self._bytes[tenant] = 0
        self._rings.move_to_end(tenant)
        ring.append((entry, size))
        self._bytes[tenant] += size
        while len(ring) > MOST_ENTRIES or (self._bytes[tenant] > MOST_BYTES and len(ring) > 1):
            self._bytes[tenant] -= ring.popleft()[1]
        for listener in [*self.listeners]:
            listener(entry)

    def since(self, after: int = 0, tenant: str | None = None) -> list[E]:
        """The entries after the one with this number, oldest first: a tenant's, or all."""
        rings = list(self._rings.values()) if tenant is None else [self._rings.get(tenant, deque())]
        found = [[entry for entry, _ in ring if entry.number > after] for ring in rings]
        return list(heapq.merge(*found, key=attrgetter("number")))

    def clear(self) -> int:
        """Forget all. Returns how many there were."""
        count = sum(map(len, self._rings.values()))
        self._rings.clear()
        self._bytes.clear()
        return count
