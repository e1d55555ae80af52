"""Intercepted endpoint: an endpoint with somebody between it and its subscriber, who has notifications go astray.

A lost notification counts as told. One that is late, or waits to be overtaken, is put aside: it stays in the outbox,
and comes back to the front of the queue at its instant, by the server's clock. One that is doubled goes out once more
by itself. What goes wrong with a notification is asked once, when it is first about to be sent, so that a POST that is
tried again meets nothing new.
"""

import asyncio
import contextlib
from collections import defaultdict, deque
from typing import Any, NamedTuple

import msgspec

from presenced.notify.client import Answer, CallFailed, Kind
from presenced.notify.endpoint import FIRST_TIMEOUT, HEADERS, Endpoint
from presenced.notify.interception import Interceptor, NotificationEffect, Post
from presenced.notify.notification import Item, collection
from presenced.store.base import Delivery

OVERTAKEN_WITHIN = 60.0
"""Seconds that a reordered notification waits for the next of its subscription; then it goes out as it is."""

_MOST_ASKED = 5000

_decode = msgspec.msgpack.Decoder(Item).decode


class _Aside(NamedTuple):
    """A delivery that comes back at ``at``, or right behind the next of its subscription to be overtaken by it."""

    at: float
    delivery: Delivery
    to_be_overtaken: bool


class InterceptedEndpoint(Endpoint):
    """The deliveries to one URL, each of which the interceptor is asked about."""

    def __init__(self, interceptor: Interceptor, *parts: Any) -> None:
        super().__init__(*parts)
        self._interceptor = interceptor
        self._asked: dict[int, NotificationEffect | None] = {}
        self._aside: dict[int, _Aside] = {}
        self._bringing_back: dict[int, asyncio.Task[None]] = {}

    @property
    def idle(self) -> bool:
        return super().idle and not self._aside

    @property
    def next_event(self) -> float | None:
        instants = [self.next_try, *(one.at for one in self._aside.values())]
        return min((at for at in instants if at is not None), default=None)

    def rests(self, now: float) -> bool:
        busy = self._working is not None and not (self.next_try is not None and self.next_try > now)
        return not busy and all(one.at > now for one in self._aside.values())

    def forget(self, subscription: str) -> None:
        super().forget(subscription)
        for key, one in list(self._aside.items()):
            if one.delivery.subscription == subscription:
                del self._aside[key]

    async def stop(self) -> None:
        tasks = list(self._bringing_back.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await super().stop()

    def _is_aside(self, delivery: int) -> bool:
        return delivery in self._aside

    async def _deliver(self, batch: list[Delivery]) -> bool:
        batch = self._sift(batch)
        if not batch:
            return True
        doubled = [one for one in batch if (effect := self._asked.get(one.id)) and effect.kind == "doubled"]
        told = await super()._deliver(batch)
        if told and doubled:
            with contextlib.suppress(CallFailed):  # the first of the two has arrived
                await self._post(doubled, FIRST_TIMEOUT, "first")
        if told:
            for one in batch:
                self._asked.pop(one.id, None)
        return told

    async def _post(self, batch: list[Delivery], timeout: float, kind: Kind) -> Answer:  # noqa: ASYNC109
        try:
            answer = await super()._post(batch, timeout, kind)
        except CallFailed as failed:
            if not failed.busy:
                self._record(batch, error=failed.reason, seconds=failed.seconds)
            raise
        self._record(batch, answer=answer, seconds=answer.seconds)
        return answer

    def _record(self, batch: list[Delivery], **came: Any) -> None:
        """Tell the interceptor what was sent: of each tenant what is its own, for a POST may be of several."""
        by_tenant: dict[str, list[tuple[Item, NotificationEffect | None]]] = defaultdict(list)
        for delivery in batch:
            item = _decode(delivery.body)
            by_tenant[item.tenant].append((item, self._asked.get(delivery.id)))
        for tenant, sent in by_tenant.items():
            items = tuple(item for item, _ in sent)
            apps = {(item.tenant, item.app) for item in items if item.rich}
            faults = tuple(dict.fromkeys(effect.fault for _, effect in sent if effect is not None))
            body = collection(list(items), self._tokens.all(apps))
            self._interceptor.posted(Post(False, self.url, tenant, None, HEADERS, body, faults, items, **came))

    def _sift(self, batch: list[Delivery]) -> list[Delivery]:
        """Those of the batch that are to be sent now, in the order in which they are.

        The queue has them in that order, too, and lacks what is lost or put aside.
        """
        self._forget_asked()
        sent: list[Delivery] = []
        lost: list[Delivery] = []
        now = self._clock.now()
        for delivery in batch:
            effect = self._effect(delivery)
            kind = None if effect is None else effect.kind
            if kind == "lost":
                lost.append(delivery)
            elif effect is not None and kind == "late":
                self._put_aside(_Aside(now + effect.seconds, delivery, to_be_overtaken=False))
            elif kind == "reordered" and not self._waiting(delivery.subscription):
                self._put_aside(_Aside(now + OVERTAKEN_WITHIN, delivery, to_be_overtaken=True))
            else:
                sent.append(delivery)
                if (overtaken := self._waiting(delivery.subscription)) is not None:
                    sent.append(self._aside.pop(overtaken.delivery.id).delivery)
        if lost:
            self.counts.delivered += len(lost)
            self._done(lost)
            for one in lost:
                self._asked.pop(one.id, None)
        of_batch = {one.id for one in (*batch, *sent)}
        self._queue = deque([*sent, *(one for one in self._queue if one.id not in of_batch)])
        return sent

    def _forget_asked(self) -> None:
        """Forget what was asked about deliveries that are gone, such as those of subscriptions that were deleted."""
        if len(self._asked) > _MOST_ASKED:
            here = {one.id for one in self._queue} | self._aside.keys()
            self._asked = {key: effect for key, effect in self._asked.items() if key in here}

    def _effect(self, delivery: Delivery) -> NotificationEffect | None:
        """What goes wrong with a delivery now."""
        if delivery.id not in self._asked:
            effect = self._asked[delivery.id] = self._interceptor.of_notification(_decode(delivery.body))
            return effect
        effect = self._asked[delivery.id]
        return effect if effect is not None and effect.kind == "doubled" else None  # it was put aside once already

    def _waiting(self, subscription: str) -> _Aside | None:
        """What of a subscription waits to be overtaken."""
        return next(
            (one for one in self._aside.values() if one.to_be_overtaken and one.delivery.subscription == subscription),
            None,
        )

    def _put_aside(self, one: _Aside) -> None:
        key = one.delivery.id
        self._aside[key] = one
        task = self._bringing_back[key] = asyncio.create_task(self._bring_back(one))
        task.add_done_callback(lambda _: self._bringing_back.pop(key, None))

    async def _bring_back(self, one: _Aside) -> None:
        """Put it back into the queue when it is due, unless it was overtaken or forgotten by then."""
        key = one.delivery.id
        while key in self._aside and self._clock.now() < one.at:
            await self._wait(one.at)
        if self._aside.pop(key, None) is not None:
            place = next((place for place, other in enumerate(self._queue) if other.id > key), len(self._queue))
            self._queue.insert(place, one.delivery)
            self._work()

    def _done(self, batch: list[Delivery]) -> None:
        super()._done(sorted(batch, key=lambda one: one.id))
