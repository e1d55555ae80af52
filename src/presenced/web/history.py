"""History: since when people's presence is what it is, and what it was before, as far as the feed remembers.

Kept in memory only, and only once somebody has looked at the board: then what the feed still holds is read (the last
100,000 changes of all tenants), and the feed is followed from there. Of each person the last 50 steps are kept, of
all together 200,000; the oldest are forgotten first.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from presenced.presence.record import Record
from presenced.presence.resolve import resolve
from presenced.presence.states import State
from presenced.store.base import Change, Store, StoreUnavailable

MOST_OF_ONE = 50
_MOST = 200_000
_LONGEST_MESSAGE = 140
_AT_ONCE = 200

log = structlog.get_logger()


class Step(NamedTuple):
    """What could be seen of a person from an instant on (seconds since 1970 UTC). ``state`` None: they were gone."""

    at: float
    state: State | None
    message: str = ""
    out_of_office: bool = False


Key = tuple[str, str]
"""Tenant and person."""


class History:
    """The steps of everybody. It follows the feed from its making, but keeps nothing before ``begin``."""

    def __init__(self, store: Store, most: int = _MOST) -> None:
        self._store = store
        self._most = most
        self._steps: dict[Key, deque[Step]] = {}
        self._order: deque[tuple[Key, Step]] = deque()
        self._told = 0
        self._reading: asyncio.Task[None] | None = None
        self._live = False
        store.follow(self._follow)

    def begin(self, done: Callable[[], None]) -> None:
        """Read what the feed holds, once, and call ``done`` when that is known."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(done))

    async def stop(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def clear(self) -> None:
        """Forget what was: people are seen to begin with their next change."""
        self._steps.clear()
        self._order.clear()

    def of(self, tenant: str, person: str) -> Sequence[Step]:
        """A person's steps, oldest first."""
        return tuple(self._steps.get((tenant, person), ()))

    def since(self, tenant: str, person: str, state: State) -> float | None:
        """Since when the person's availability and activity are ``state``; None if that is not remembered."""
        since = None
        for step in reversed(self._steps.get((tenant, person), ())):
            if step.state != state:
                break
            since = step.at
        return since

    async def _read(self, done: Callable[[], None]) -> None:
        position = 0
        try:
            while not self._live:
                changes = await self._store.feed(position, _AT_ONCE)
                self._take(changes)
                if changes:
                    position = changes[-1].position
                elif position >= self._told:
                    self._live = True  # nothing is awaited since the feed said that there is no more
                await asyncio.sleep(0)
        except StoreUnavailable as error:
            log.error("the history of the board cannot be read", reason=str(error))
            self._live = True
        done()

    def _follow(self, changes: Sequence[Change]) -> None:
        self._told = changes[-1].position
        if self._live:
            self._take(changes)

    def _take(self, changes: Sequence[Change]) -> None:
        for change in changes:
            key = change.tenant, change.person
            steps = self._steps.get(key)
            step = _step(change.record, steps[-1].at if steps else 0.0)
            if steps and steps[-1][1:] == step[1:]:
                continue
            if steps is None:
                steps = self._steps[key] = deque()
            steps.append(step)
            self._order.append((key, step))
            if len(steps) > MOST_OF_ONE:
                steps.popleft()
        while len(self._order) > self._most:
            self._forget(*self._order.popleft())

    def _forget(self, key: Key, step: Step) -> None:
        """Forget a step, unless the limit on one person has done so; of people who are there never what holds now."""
        steps = self._steps.get(key)
        if steps is None or steps[0] is not step:
            return
        if len(steps) > 1:
            steps.popleft()
        elif step.state is None:
            del self._steps[key]


def _step(record: Record | None, before: float) -> Step:
    if record is None:
        return Step(before, None)
    seen = resolve(record, record.settled_at)
    # the sequence number is the microsecond in which this could first be seen, unless the clock was set back
    at = min(seen.sequence / 1e6, record.settled_at)
    message = seen.status_message.content[:_LONGEST_MESSAGE] if seen.status_message else ""
    return Step(at, seen.state, message, seen.out_of_office)
