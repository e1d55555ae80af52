"""Endpoint: the deliveries to one URL, one POST at a time, in the order they were queued.

One at a time, so that an older state of a person never follows a newer one. What comes while a POST is under way goes
with the next. A POST succeeds with any 2xx within 3 seconds at first, 10 seconds when it is tried again; after a
failure the wait doubles, with jitter, and what is older than four hours is dropped when it fails once more (page
"Deliver change notifications through webhooks"; the steps in between are not published).
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec
import structlog
from yarl import URL

from presenced.clock import Clock
from presenced.notify.client import Answer, CallFailed, Kind, WebhookClient
from presenced.notify.endpoint_state import EndpointState
from presenced.notify.notification import Item, collection
from presenced.notify.outbox import Outbox
from presenced.notify.validation_tokens import ValidationTokens
from presenced.store.base import Delivery, Store, StoreUnavailable

FIRST_TIMEOUT, RETRY_TIMEOUT = 3.0, 10.0
KEEP_TRYING = 4 * 3600.0
FIRST_WAIT, LONGEST_WAIT = 2.0, 600.0
"""Seconds."""

MOST_ITEMS = 100
MOST_BYTES = 512 * 1024
"""In one POST."""

_STORE_WAIT = 5.0
_IN_MEMORY = 1000
"""Deliveries of one endpoint; the rest stays on disk."""

HEADERS = {"Content-Type": "application/json; charset=utf-8"}
_decode = msgspec.msgpack.Decoder(Item).decode

log = structlog.get_logger()


class Wait(Protocol):
    """Sleep until an instant of the clock, or until the clock was moved."""

    async def __call__(self, at: float) -> None: ...


class Counts(msgspec.Struct):
    """What has become of deliveries since the start."""

    delivered: int = 0
    failed_posts: int = 0
    dropped: int = 0


class Endpoint:
    """The deliveries to one URL. ``held(subscription)``: its deliveries must wait until it is authorised again."""

    def __init__(
        self,
        url: str,
        store: Store,
        clock: Clock,
        client: WebhookClient,
        tokens: ValidationTokens,
        state: EndpointState,
        outbox: Outbox,
        wait: Wait,
        held: Callable[[str], bool],
    ) -> None:
        self.url = url
        self.host = URL(url).host or ""
        self.counts = Counts()
        self.last_error: str | None = None
        self.next_try: float | None = None
        self.state = state
        self._store = store
        self._clock = clock
        self._client = client
        self._tokens = tokens
        self._wait = wait
        self._held = held
        self._queue: deque[Delivery] = deque()
        self._more_on_disk = False
        self._last_read = self._newest = 0
        self._edition = 0  # of the queue; another one has what it did not have, or lacks what it had
        self._outbox = outbox
        self._failures = 0
        self._try_again_at = 0.0
        self._working: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return self._working is None

    def offer(self, deliveries: Iterable[Delivery]) -> None:
        """Take deliveries that were just put into the outbox."""
        for delivery in deliveries:
            self._newest = delivery.id
            if delivery.id <= self._last_read:
                continue  # it was read from the outbox before it was offered
            if self._more_on_disk or len(self._queue) >= _IN_MEMORY:
                self._more_on_disk = True
            else:
                self._queue.append(delivery)
                self._last_read = delivery.id
        self._work()

    def read_anew(self) -> None:
        """Look through the outbox from its beginning: after a start, or when a subscription may go on."""
        self._last_read, self._more_on_disk = 0, True
        self._edition += 1
        self._queue.clear()
        self._work()

    def forget(self, subscription: str) -> None:
        """Tell nothing more for this subscription."""
        self._edition += 1
        self._queue = deque(one for one in self._queue if one.subscription != subscription)

    @property
    def next_event(self) -> float | None:
        """When something is to be done next (seconds since 1970 UTC), if that is known."""
        return self.next_try

    def rests(self, now: float) -> bool:
        """Whether there is nothing to do at ``now``."""
        return self.idle or (self.next_try is not None and self.next_try > now)

    async def stop(self) -> None:
        """Stop. What was not delivered stays in the outbox."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)

    def _work(self) -> None:
        if self._working is None:
            self._working = asyncio.create_task(self._deliver_all())

    async def _deliver_all(self) -> None:
        try:
            while True:
                try:
                    while batch := await self._next():
                        edition = self._edition
                        await self._until_due(batch)
                        if edition == self._edition:
                            await self._deliver(batch)
                    return
                except StoreUnavailable as error:
                    log.error("the outbox cannot be used; trying again", endpoint=self.host, reason=str(error))
                    await asyncio.sleep(_STORE_WAIT)
        except Exception:
            log.exception("deliveries to an endpoint failed; they go on with the next change", endpoint=self.host)
        finally:
            self._working = None
            self.next_try = None

    async def _next(self) -> list[Delivery]:
        """The deliveries that go out next, still in the queue; none if there are none that may."""
        while True:
            if not self._queue and self._more_on_disk:
                await self._read()
            while self._queue and self._held(self._queue[0].subscription):
                self._queue.popleft()  # it stays in the outbox, and read_anew() will find it
            if self._queue or not self._more_on_disk:
                break
        batch: list[Delivery] = []
        size = 0
        for delivery in self._queue:
            size += len(delivery.body)
            if batch and (len(batch) == MOST_ITEMS or size > MOST_BYTES):
                break
            if not self._held(delivery.subscription):
                batch.append(delivery)
        return batch

    async def _read(self) -> None:
        edition = self._edition
        await self._outbox.write()  # what is not on disk yet could not be read
        known = self._newest
        rows = await self._store.outbox(self.url, self._last_read, _IN_MEMORY)
        if edition != self._edition:
            return  # it is to be read from the beginning
        self._queue.extend(row for row in rows if not self._outbox.was_told(row.id) and not self._is_aside(row.id))
        if rows:
            self._last_read = rows[-1].id
        # whatever is offered while there is more on disk stays there, so that nothing overtakes it
        self._more_on_disk = len(rows) == _IN_MEMORY or self._newest > max(known, self._last_read)

    def _is_aside(self, delivery: int) -> bool:
        """Whether a delivery is neither in the queue nor told, and yet not to be read from disk."""
        return False

    async def _until_due(self, batch: list[Delivery]) -> None:
        now = self._clock.now()
        due = self.state.send_at(batch[0].queued_at, now)
        if self._failures:
            due = max(due, min(self._try_again_at, now + LONGEST_WAIT))  # the clock may have been set back
        while (now := self._clock.now()) < due:
            self.next_try = due
            await self._wait(due)
        self.next_try = None

    async def _post(self, batch: list[Delivery], timeout: float, kind: Kind) -> Answer:  # noqa: ASYNC109
        """Send these, in one POST. Raises CallFailed."""
        items = [_decode(delivery.body) for delivery in batch]
        tokens = self._tokens.all({(item.tenant, item.app) for item in items if item.rich})
        return await self._client.post(self.url, collection(items, tokens), HEADERS, timeout, 0, kind)

    async def _deliver(self, batch: list[Delivery]) -> bool:
        """Tell these; whether they were told."""
        timeout = RETRY_TIMEOUT if self._failures else FIRST_TIMEOUT
        seconds = 0.0
        try:
            answer = await self._post(batch, timeout, "retry" if self._failures or self.state.lingers else "first")
            seconds = answer.seconds
            error = None if 200 <= answer.status < 300 else f"It answered {answer.status}."
        except CallFailed as failed:
            seconds, error = failed.seconds, failed.reason
            if failed.busy:
                return False
        now = self._clock.now()
        self.state.answered(now, seconds)
        if error is None:
            self._failures = 0
            self.last_error = None
            self.counts.delivered += len(batch)
            self._done(batch)
            return True
        self._failures += 1
        wait = min(FIRST_WAIT * 2 ** (self._failures - 1), LONGEST_WAIT)
        self._try_again_at = now + wait * random.uniform(0.8, 1.2)  # noqa: S311  no secret
        self.last_error = error
        self.counts.failed_posts += 1
        if any(now - delivery.queued_at >= KEEP_TRYING for delivery in batch):
            await self._outbox.write()  # what is not on disk yet could not be dropped there
            dropped = await self._store.drop(endpoint=self.url, before=now - KEEP_TRYING)
            self.counts.dropped += dropped
            log.warning("deliveries were dropped after four hours", endpoint=self.host, count=dropped, reason=error)
            self._queue = deque(one for one in self._queue if now - one.queued_at < KEEP_TRYING)
        return False

    def _done(self, batch: list[Delivery]) -> None:
        told = {delivery.id for delivery in batch}
        while self._queue and self._queue[0].id in told:
            self._queue.popleft()
        if self._queue and self._queue[0].id <= batch[-1].id:  # some of a held subscription were passed over
            self._queue = deque(one for one in self._queue if one.id not in told)
        self._outbox.told(told)
