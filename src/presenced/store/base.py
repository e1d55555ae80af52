"""The store protocol: what presenced asks of a place that keeps facts, and no more than every store can do.

Seven things: one atomic change of one person with its version, reading persons back, an ordered feed of changes, the
place in that feed up to which each consumer is done, an outbox of what is to be told to whom (design decision 4), a
list of persons who change by themselves, and documents (apps, calendars) kept whole. When an awaited write returns, it
is durable.

Instants are seconds since 1970 UTC. tests/contract is the suite that every store passes.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import NamedTuple, Protocol

from presenced.presence.record import Record
from presenced.presence.resolve import next_change, state_at
from presenced.presence.states import UNKNOWN, State

Action = Callable[[Record | None], Record | None]
"""A pure function from what is known of a person (None: nothing) to what shall be known (None: forget them).

It may raise, and then nothing is kept. It runs once in the embedded stores; a store that compares and sets may run it
again on a newer record.
"""


class Change(NamedTuple):
    """One event of the feed: ``record`` is what is known of the person since, None if they were forgotten."""

    position: int
    tenant: str
    person: str
    record: Record | None
    state_changed: bool
    """Whether the person's availability or activity is another than after their change before."""


class NewDelivery(NamedTuple):
    """Something to be told: to which endpoint (a URL), for which subscription, since when (seconds, UTC), and what."""

    endpoint: str
    subscription: str
    queued_at: float
    body: bytes


class Delivery(NamedTuple):
    """A NewDelivery in the outbox; ``id`` grows in the order they were queued."""

    id: int
    endpoint: str
    subscription: str
    queued_at: float
    body: bytes


class StoreUnavailable(Exception):
    """The store cannot keep or read facts now (disk full, folder read-only, ...). What was asked was not kept."""


class NameTaken(Exception):
    """Another person of the tenant already has this userPrincipalName."""


Follower = Callable[[Sequence[Change]], None]


class Store(Protocol):
    """Facts of all tenants. Only ``change`` and ``put`` write."""

    async def change(self, tenant: str, person: str, action: Action) -> Record | None:
        """Apply ``action`` to one person, atomically, and return what is known afterwards.

        An action that returns the very record it was given changes nothing and adds nothing to the feed. Whatever
        the answer, the facts it is founded on are durable by then.
        Raises NameTaken, StoreUnavailable, and whatever ``action`` raises.
        """
        ...

    async def read(self, tenant: str, persons: Sequence[str]) -> list[Record | None]:
        """What is known of each of ``persons``, in their order."""
        ...

    async def people(self, tenant: str, after: str = "", limit: int = 1000) -> list[tuple[str, Record]]:
        """Up to ``limit`` persons of a tenant in the order of their ids, from the first id greater than ``after``."""
        ...

    async def count(self, tenant: str) -> int:
        """How many persons of a tenant are known."""
        ...

    async def find(self, tenant: str, name: str) -> str | None:
        """The person with this userPrincipalName, in any letter case."""
        ...

    def follow(self, follower: Follower) -> None:
        """Call ``follower`` with each run of changes, in feed order: durable by then, but their writers not yet told.

        What a follower raises goes to the event loop's exception handler; it stops neither the others nor the writers.
        """
        ...

    async def feed(self, after: int, limit: int = 1000) -> list[Change]:
        """Up to ``limit`` changes after position ``after``, oldest first."""
        ...

    async def done(self, consumer: str, position: int | None = None) -> int:
        """The position up to which ``consumer`` is done with the feed (0 at first), after moving it to ``position``."""
        ...

    async def trim(self, keep: int) -> None:
        """Drop the oldest of the feed: all but the last ``keep``, and never one that some consumer is not done with."""
        ...

    async def reserve(self, count: int) -> int:
        """The first of so many ids for deliveries that are to be kept later, greater than all before."""
        ...

    async def keep(self, consumer: str, position: int, deliveries: Sequence[Delivery], told: Sequence[int]) -> None:
        """Put deliveries with reserved ids into the outbox, take ``told`` out, move ``consumer``: all, or nothing.

        Those that are there already stay: who was interrupted while this was done may do it again.
        """
        ...

    async def outbox(self, endpoint: str, after: int = 0, limit: int = 1000) -> list[Delivery]:
        """Up to ``limit`` of an endpoint's deliveries after the one with the id ``after``, oldest first."""
        ...

    async def endpoints(self) -> dict[str, int]:
        """The endpoints with something in the outbox, and how much."""
        ...

    async def drop(self, endpoint: str | None = None, subscription: str | None = None, before: float = inf) -> int:
        """Take deliveries out of the outbox untold: of an endpoint, a subscription, or both, queued by ``before``.

        Returns how many.
        """
        ...

    async def move(self, subscription: str, endpoint: str) -> None:
        """Have what waits for a subscription go to another endpoint."""
        ...

    async def due(self, now: float, limit: int = 1000) -> list[tuple[str, str]]:
        """Up to ``limit`` (tenant, person) whose next change by themselves is at or before ``now``, soonest first."""
        ...

    async def next_due(self) -> float | None:
        """The soonest instant at which someone changes by themselves."""
        ...

    async def put(self, collection: str, key: str, document: bytes | None) -> None:
        """Keep ``document`` under ``key``, or forget it (None)."""
        ...

    async def document(self, collection: str, key: str) -> bytes | None:
        """The document under ``key``, if there is one."""
        ...

    async def documents(self, collection: str) -> dict[str, bytes]:
        """All documents of a collection."""
        ...

    async def close(self) -> None:
        """Finish what is under way and let go of everything."""
        ...


def name_of(record: Record | None) -> str | None:
    """The name a person is found by: the userPrincipalName in lower case, since Entra's names ignore case."""
    if record is None or record.profile.user_principal_name is None:
        return None
    return record.profile.user_principal_name.lower()


def due_at(record: Record | None) -> float | None:
    """When a record belongs on the due list: its first change by itself after it was settled."""
    return None if record is None else next_change(record, record.settled_at)


def state_changed(before: Record | None, after: Record | None) -> bool:
    """Whether what two records of a person say at the instants they were settled are different states."""
    return _state(before) != _state(after)


def _state(record: Record | None) -> State:
    return UNKNOWN if record is None else state_at(record, record.settled_at)


def tell(followers: Iterable[Follower], changes: Sequence[Change]) -> None:
    """Call each follower with ``changes``, as ``Store.follow`` promises."""
    for follower in followers:
        try:
            follower(changes)
        except Exception as error:
            context = {"message": f"{follower!r} failed on changes of the feed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
