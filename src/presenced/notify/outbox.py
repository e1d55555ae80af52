"""Outbox: what is to be told, on its way into the store's outbox and out of it again.

The feed is durable, and so is the place in it up to which everything is either told or in the outbox on disk: a crash
only has the changes since then matched again. So what is matched need not be written at once. It is offered to its
endpoint, and twenty times a second what was not told meanwhile is written, what was told is taken out, and the place in
the feed moved, all in one transaction. An endpoint that answers at once costs no row at all; a crash tells again at
most what was told in the last twentieth of a second or so, which "at least once" allows.
"""

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from presenced.store.base import Delivery, NewDelivery, Store, StoreUnavailable

CONSUMER = "notify"
_TOGETHER = 0.05
_STORE_WAIT = 5.0
"""Seconds: how long the first waits for others, and how long until a store that failed is tried again."""

MOST_UNWRITTEN = 1000
"""Deliveries; with more of them the matching waits for the store."""

log = structlog.get_logger()


class Outbox:
    """Deliveries of all endpoints. ``position`` is the place in the feed up to which all changes were matched."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.position = 0
        self._noted = 0
        self._unwritten: dict[int, Delivery] = {}
        self._being_written: set[int] = set()
        self._told: set[int] = set()
        self._writing = asyncio.Lock()
        self._later: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read how far the last run came."""
        self.position = self._noted = await self._store.done(CONSUMER)

    @property
    def unwritten(self) -> int:
        """How many deliveries are in memory alone."""
        return len(self._unwritten)

    async def take(self, deliveries: Sequence[NewDelivery]) -> list[Delivery]:
        """Deliveries of the changes after ``position``, which is to be moved when all of a change's were taken."""
        first = await self._store.reserve(len(deliveries))
        queued = [Delivery(number, *delivery) for number, delivery in enumerate(deliveries, first)]
        self._unwritten.update((delivery.id, delivery) for delivery in queued)
        self._write_later()
        return queued

    def told(self, ids: Iterable[int]) -> None:
        """These were answered 2xx."""
        for number in ids:
            if number not in self._being_written and self._unwritten.pop(number, None) is not None:
                continue  # it never was on disk
            self._told.add(number)
        self._write_later()

    def was_told(self, delivery: int) -> bool:
        """Whether a delivery on disk was told already."""
        return delivery in self._told

    async def write(self) -> None:
        """Have the disk know everything. Raises StoreUnavailable."""
        async with self._writing:
            position, told, rows = self.position, set(self._told), list(self._unwritten.values())
            if position == self._noted and not told and not rows:
                return
            self._being_written = set(self._unwritten)
            try:
                await self._store.keep(CONSUMER, position, rows, sorted(told))
            finally:
                self._being_written = set()
            for row in rows:
                del self._unwritten[row.id]
            self._told -= told
            self._noted = position

    async def note(self, least: int) -> None:
        """Note the place in the feed if it is ``least`` changes further than what is noted. Raises StoreUnavailable."""
        if self.position - self._noted >= least:
            await self.write()

    async def stop(self) -> None:
        """Have the disk know what it can; the rest is matched or told again after the next start."""
        if self._later is not None:
            self._later.cancel()
            await asyncio.gather(self._later, return_exceptions=True)
        try:
            await self.write()
        except StoreUnavailable as error:
            log.error("the outbox could not be written; some of it will be told again", reason=str(error))

    def _write_later(self) -> None:
        if self._later is None:
            self._later = asyncio.create_task(self._write_soon())

    async def _write_soon(self) -> None:
        wait = _TOGETHER
        try:
            while self._unwritten or self._told:
                await asyncio.sleep(wait)
                try:
                    await self.write()
                except StoreUnavailable as error:
                    log.error("the outbox cannot be written; trying again", reason=str(error))
                    wait = _STORE_WAIT
        finally:
            self._later = None
