"""Hub: from the feed to every browser that looks, as server-sent events.

What changed in a tenant within a quarter of a second is rendered once, in portions, for all that look at it: the work
per change does not grow with them. What waits for one browser is bounded: one that does not keep up, as any that was
away, is told to load the list anew ("reload") instead of everything it missed.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from presenced.clock import Clock
from presenced.presence.record import Record
from presenced.store.base import Change
from presenced.web import people
from presenced.web.history import History

_PAUSE = 0.25
_MOST_CHANGED = 2000
_PORTION = 50
_MOST_WAITING = 32
MOST_VIEWERS = 200
TICK = 10.0
"""Seconds between the events that say the server is there, and what its clock says."""

_RELOAD = b"event: reload\ndata: {}\n\n"
_encode = msgspec.json.encode


class Viewer:
    """One browser's stream."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._news = asyncio.Event()
        self.ended = False

    def push(self, event: bytes) -> None:
        """Have an event sent; if too many wait, a reload in place of them all."""
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting.clear()
            event = _RELOAD
        if event is not _RELOAD or not self._waiting or self._waiting[-1] is not _RELOAD:
            self._waiting.append(event)
        self._news.set()

    def end(self) -> None:
        """End the stream."""
        self.ended = True
        self._news.set()

    async def events(self, tick: Callable[[], bytes | None]) -> AsyncIterator[bytes]:
        """What is to be sent, with ``tick``'s whenever nothing was for a while; it ends when that is None."""
        while not self.ended:
            if not self._waiting:
                self._news.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(TICK):
                        await self._news.wait()
            if self._waiting:
                yield self._waiting.popleft()
                continue
            event = tick()
            if event is None or self.ended:
                return
            yield event


class _Tenant:
    """Who looks at a tenant, and what of it they are to be told."""

    def __init__(self) -> None:
        self.viewers: set[Viewer] = set()
        self.changed: dict[str, Record | None] = {}
        self.telling: asyncio.Task[None] | None = None


class Hub:
    """All streams of all tenants. It follows the feed from its making."""

    def __init__(self, history: History, clock: Clock) -> None:
        self._history = history
        self._clock = clock
        self._tenants: dict[str, _Tenant] = {}
        self._stamp = 0

    @property
    def stamp(self) -> int:
        """A number that grows with each event: of two rows of a person, the one with the higher number is newer."""
        return self._stamp

    def viewers(self) -> int:
        """How many browsers look."""
        return sum(len(tenant.viewers) for tenant in self._tenants.values())

    @contextmanager
    def viewer(self, tenant: str) -> Iterator[Viewer]:
        """A stream of a tenant's changes, from now until the end of the block."""
        found = self._tenants.setdefault(tenant, _Tenant())
        viewer = Viewer()
        found.viewers.add(viewer)
        try:
            yield viewer
        finally:
            found.viewers.discard(viewer)
            if not found.viewers:
                if found.telling is not None:
                    found.telling.cancel()
                self._tenants.pop(tenant, None)

    def follow(self, changes: Sequence[Change]) -> None:
        """Take in what changed."""
        for change in changes:
            tenant = self._tenants.get(change.tenant)
            if tenant is None:
                continue
            if len(tenant.changed) <= _MOST_CHANGED:  # beyond that it is a reload anyway
                tenant.changed[change.person] = change.record
            if tenant.telling is None:
                tenant.telling = asyncio.create_task(self._tell(change.tenant, tenant))

    def reload(self) -> None:
        """Have everybody load everything anew: the clock was moved, or more is known of the past."""
        self._stamp += 1
        for tenant in self._tenants.values():
            for viewer in tenant.viewers:
                viewer.push(_RELOAD)

    def end(self) -> None:
        """End all streams."""
        for tenant in self._tenants.values():
            for viewer in tenant.viewers:
                viewer.end()

    async def _tell(self, name: str, tenant: _Tenant) -> None:
        try:
            while tenant.changed:
                await asyncio.sleep(_PAUSE)
                changed, tenant.changed = tenant.changed, {}
                self._stamp += 1
                if len(changed) > _MOST_CHANGED:
                    for viewer in tenant.viewers:
                        viewer.push(_RELOAD)
                    continue
                everybody = list(changed.items())
                for first in range(0, len(everybody), _PORTION):
                    event = self._event(name, everybody[first : first + _PORTION])
                    for viewer in tenant.viewers:
                        viewer.push(event)
                    await asyncio.sleep(0)
        finally:
            tenant.telling = None

    def _event(self, tenant: str, changed: Sequence[tuple[str, Record | None]]) -> bytes:
        now = self._clock.now()
        body: dict[str, Any] = {
            "stamp": self._stamp,
            "now": now,
            "people": [
                people.row(self._history, tenant, person, record, now)
                for person, record in changed
                if record is not None
            ],
            "gone": [person for person, record in changed if record is None],
        }
        return b"event: people\ndata: %b\n\n" % _encode(body)


def event(name: str, body: object) -> bytes:
    """A server-sent event."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _encode(body))
