"""Notifier: follows the feed, finds who is to be told, and sees that they are.

Every change of a person's availability or activity becomes a delivery for each subscription that watches them. It is
offered to its endpoint (endpoint.py), which tells it at least once; what is not told at once goes to disk together with
the place in the feed (outbox.py), so that a crash loses nothing. What is in memory is bounded.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import islice
from math import inf

import msgspec
import structlog
from yarl import URL

from presenced.clock import Clock
from presenced.notify.client import WebhookClient
from presenced.notify.endpoint import KEEP_TRYING, Endpoint
from presenced.notify.endpoint_state import EndpointState
from presenced.notify.intercepted_endpoint import InterceptedEndpoint
from presenced.notify.interception import Interceptor
from presenced.notify.notification import Item, Spelling, change_item, lifecycle_item
from presenced.notify.outbox import MOST_UNWRITTEN, Outbox
from presenced.notify.subscription import Subscription, reminder_of
from presenced.notify.subscriptions import Subscriptions
from presenced.notify.validation_tokens import ValidationTokens
from presenced.presence.resolve import state_at
from presenced.presence.states import UNKNOWN
from presenced.store.base import Change, NewDelivery, Store, StoreUnavailable

_AT_ONCE = 500
_MOST_FRESH = 5000
_UNTOLD_KEPT = 1000
"""Changes that concern nobody are not noted as done one by one."""

_WITHOUT_PAUSE = 50
"""Deliveries made at once: encrypting one takes some 50 us, and others wait meanwhile."""

_MOST_IDLE = 10_000
"""Endpoints, and hosts, that are remembered though there is nothing to do for them."""

_LONGEST_SLEEP = 30.0
_GLANCE = 0.002
"""Seconds."""

_encode = msgspec.msgpack.Encoder().encode

log = structlog.get_logger()


class Notifier:
    """Deliveries of all tenants. Start it before requests are served; stop it after."""

    def __init__(
        self,
        store: Store,
        subscriptions: Subscriptions,
        client: WebhookClient,
        tokens: ValidationTokens,
        clock: Clock,
        spelling: Spelling = "documented",
    ) -> None:
        self._store = store
        self._subscriptions = subscriptions
        self._client = client
        self._tokens = tokens
        self._clock = clock
        self._spelling = spelling
        self._fresh: deque[Change] = deque(maxlen=_MOST_FRESH)
        self._announced = -1  # the newest change there is, as far as that is known
        self._telling = asyncio.Lock()
        self._news = asyncio.Event()
        self._moved = asyncio.Event()
        self._endpoints: dict[str, Endpoint] = {}
        self._most_endpoints = self._most_states = _MOST_IDLE
        self._states: dict[str, EndpointState] = {}
        self._paused: set[str] = set()
        self.generation = 0
        """How often everything was forgotten."""
        self._outbox = Outbox(store)
        self.interceptor: Interceptor | None = None
        self._make_endpoint: Callable[..., Endpoint] = Endpoint
        self._looking = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        store.follow(self._follow)

    def intercept(self, interceptor: Interceptor) -> None:
        """Have something come between notifications and their subscribers. To be called before the start."""
        self.interceptor, self._make_endpoint = interceptor, partial(InterceptedEndpoint, interceptor)

    async def start(self) -> None:
        """Go on where the last run stopped."""
        self._endpoints.clear()
        await self._outbox.start()
        for url in await self._store.endpoints():
            self._endpoint(url).read_anew()
        self._tasks = [asyncio.create_task(self._match_forever()), asyncio.create_task(self._watch_subscriptions())]
        self._news.set()

    async def stop(self) -> None:
        """Stop; what is not delivered yet waits in the outbox for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await asyncio.gather(*(endpoint.stop() for endpoint in self._endpoints.values()))
        await self._outbox.stop()

    async def clear(self) -> None:
        """Forget all subscriptions, what waits for them, and what was seen of their endpoints; tell nobody anything."""
        self.generation += 1
        running = self.running
        await self.stop()
        await self._subscriptions.clear()
        for url in await self._store.endpoints():
            await self._store.drop(endpoint=url)
        self._states.clear()
        self._paused.clear()
        if running:
            await self.start()

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped since."""
        return bool(self._tasks)

    def clock_moved(self) -> None:
        """Have everything that waits for an instant look at the clock again."""
        self._moved.set()
        self._moved = asyncio.Event()

    async def catch_up(self) -> None:
        """Do all that is due by the clock, which was moved; return when it is done or waits for a later instant."""
        self.clock_moved()
        await self._look_after_subscriptions()
        while self.running and not self._rests():  # noqa: ASYNC110
            await asyncio.sleep(_GLANCE)  # what remains is waiting for other machines' answers

    def next_event(self, now: float) -> float | None:
        """The next instant after ``now`` at which a delivery is due, or something befalls a subscription."""
        instants = [endpoint.next_event for endpoint in self._endpoints.values()]
        for one in self._subscriptions.all():
            instants.append(one.expires_at)
            if not one.reminded:
                instants.append(one.reminder_at())
        return min((at for at in instants if at is not None and at > now), default=None)

    def _rests(self) -> bool:
        """Whether there is nothing to do until a later instant."""
        now = self._clock.now()
        if self._news.is_set() or self._telling.locked() or self._outbox.position < self._announced:
            return False
        return all(one.rests(now) for one in self._endpoints.values())

    def endpoints(self) -> list[Endpoint]:
        """The endpoints that something is or was delivered to, since the start."""
        return list(self._endpoints.values())

    async def begin(self, subscription: Subscription) -> None:
        """Keep a new subscription, which shall hear of what changes from now on. Raises StoreUnavailable."""
        async with self._telling:
            # else what was not matched yet, or is matched again after a restart, would be told to the new one
            while await self._match_some():
                pass
            await self._outbox.write()
        await self._subscriptions.add(subscription)
        if subscription.reminder_at() < self._clock.now() + _LONGEST_SLEEP:
            self.clock_moved()  # its reminder may come before anything that was waited for

    async def resume(self, before: Subscription, now: Subscription) -> None:
        """The subscription was authorised anew, perhaps with another URL: deliver there what has waited."""
        if before.notification_url != now.notification_url:
            await self._outbox.write()
            await self._store.move(now.id, now.notification_url)
            self._endpoint(before.notification_url).forget(now.id)
            self._endpoint(now.notification_url).read_anew()
        elif now.id in self._paused:
            self._endpoint(now.notification_url).read_anew()
        self._paused.discard(now.id)
        self.clock_moved()

    async def forget(self, subscription: Subscription) -> None:
        """The subscription was deleted, or may not be told any more: drop what waits for it."""
        self._paused.discard(subscription.id)
        await self._outbox.write()
        for url, name in (
            (subscription.notification_url, subscription.id),
            (subscription.lifecycle_url, _lifecycle(subscription)),
        ):
            if url is not None:
                if (endpoint := self._endpoints.get(url)) is not None:
                    endpoint.forget(name)
                await self._store.drop(subscription=name)

    def _follow(self, changes: Sequence[Change]) -> None:
        self._fresh.extend(changes)  # what does not fit any more is read from the feed
        self._announced = changes[-1].position
        self._news.set()

    async def _match_forever(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                more = True
                while more:
                    async with self._telling:
                        more = await self._match_some()
            except Exception as error:
                if isinstance(error, StoreUnavailable):
                    log.error("changes cannot be told; trying again", reason=str(error))
                else:
                    log.exception("changes cannot be told; trying again")
                await asyncio.sleep(1.0)
                self._news.set()

    async def _match_some(self) -> bool:
        """Match the next changes; whether there were any."""
        changes = await self._changes()
        if changes:
            await self._match(changes)
        return bool(changes)

    async def _changes(self) -> list[Change]:
        """The changes after the last that were matched."""
        position = self._outbox.position
        while self._fresh and self._fresh[0].position <= position:
            self._fresh.popleft()
        if self._fresh and self._fresh[0].position == position + 1:
            return [self._fresh.popleft() for _ in range(min(len(self._fresh), _AT_ONCE))]
        if position == self._announced:
            return []
        return await self._store.feed(position, _AT_ONCE)

    async def _match(self, changes: list[Change]) -> None:
        """Offer these changes to the endpoints of those who are to be told."""
        now = self._clock.now()
        for change in changes:
            made = self._of_change(change, now)
            while some := list(islice(made, _WITHOUT_PAUSE)):
                if self._outbox.unwritten >= MOST_UNWRITTEN:
                    await self._outbox.write()
                await self._offer(some)
                if len(some) == _WITHOUT_PAUSE:
                    await asyncio.sleep(0)  # others have waited for some milliseconds
            self._outbox.position = change.position
        await self._outbox.note(_UNTOLD_KEPT)

    def _of_change(self, change: Change, now: float) -> Iterator[NewDelivery]:
        if not change.state_changed:
            return
        record = change.record
        state = UNKNOWN if record is None else state_at(record, record.settled_at)
        at = now if record is None else min(now, record.settled_at)
        for subscription in self._subscriptions.watching(change.tenant, change.person, at):
            if self._state(subscription.notification_url).name(now) == "drop":
                self._endpoint(subscription.notification_url).counts.dropped += 1
                continue
            try:
                item = change_item(subscription, change.person, state, self._spelling)
            except Exception:  # of one subscription; the others shall hear all the same
                log.exception("a notification cannot be made", subscription=subscription.id)
                continue
            yield _delivery(subscription.notification_url, subscription, now, item)

    async def _offer(self, deliveries: list[NewDelivery]) -> None:
        by_endpoint = defaultdict(list)
        for delivery in await self._outbox.take(deliveries):
            by_endpoint[delivery.endpoint].append(delivery)
        for url, queued in by_endpoint.items():
            self._endpoint(url).offer(queued)

    def _endpoint(self, url: str) -> Endpoint:
        endpoint = self._endpoints.get(url)
        if endpoint is None:
            self._forget_idle_endpoints()
            endpoint = self._endpoints[url] = self._make_endpoint(
                url,
                self._store,
                self._clock,
                self._client,
                self._tokens,
                self._state(url),
                self._outbox,
                self._wait,
                self._held,
            )
        return endpoint

    def _forget_idle_endpoints(self) -> None:
        if len(self._endpoints) >= self._most_endpoints:
            self._endpoints = {url: one for url, one in self._endpoints.items() if not one.idle}
            self._most_endpoints = max(_MOST_IDLE, 2 * len(self._endpoints))  # else all are looked at for each new one

    def _state(self, url: str) -> EndpointState:
        host = _host(url)  # Graph counts by host
        state = self._states.get(host)
        if state is None:
            self._forget_quiet_hosts()
            state = self._states[host] = EndpointState()
        return state

    def _forget_quiet_hosts(self) -> None:
        if len(self._states) < self._most_states:
            return
        now = self._clock.now()
        used = {_host(url) for url in self._endpoints}  # an endpoint has its host's state for itself
        self._states = {
            host: state for host, state in self._states.items() if host in used or not state.forgettable(now)
        }
        self._most_states = max(_MOST_IDLE, 2 * len(self._states))

    def _held(self, subscription: str) -> bool:
        found = self._subscriptions.known(subscription)
        # what happened while a subscription lived is told also when it has ended since, if that was allowed to the end
        if found is None or found.authorised(min(self._clock.now(), found.expires_at)):
            return False
        self._paused.add(subscription)
        return True

    async def _wait(self, at: float) -> None:
        moved = self._moved
        wait = min(max(at - self._clock.now(), 0.001), _LONGEST_SLEEP)
        try:
            async with asyncio.timeout(wait):
                await moved.wait()
        except TimeoutError:
            pass

    # --- the life of subscriptions ------------------------------------------------------------------------------

    async def _watch_subscriptions(self) -> None:
        while True:
            soonest, moved = inf, self._moved
            try:
                await self._look_after_subscriptions()
                soonest = min((one.reminder_at() for one in self._subscriptions.all() if not one.reminded), default=inf)
            except StoreUnavailable as error:
                log.error("subscriptions cannot be kept; trying again", reason=str(error))
            except Exception:
                log.exception("subscriptions cannot be looked after; trying again")
            if not moved.is_set():  # else the clock was moved meanwhile
                await self._wait(min(soonest, self._clock.now() + _LONGEST_SLEEP))

    async def _look_after_subscriptions(self) -> None:
        async with self._looking:
            await self._end_subscriptions()
            await self._remind(self._subscriptions.all())

    async def _end_subscriptions(self) -> None:
        """Forget those that have expired, and drop what waits for owners who had not authorised it to the end."""
        async with self._telling:
            while await self._match_some():
                pass  # they are still to hear of what happened while they lived
            await self._outbox.write()  # after a crash they could not be matched again
            gone = await self._subscriptions.forget_expired()
        for one in gone:
            if not one.authorised(one.expires_at):
                await self.forget(one)
        too_old = self._clock.now() - KEEP_TRYING
        for key in list(self._paused):
            held = self._subscriptions.known(key)
            if held is not None and (count := await self._store.drop(subscription=key, before=too_old)):
                self._endpoint(held.notification_url).counts.dropped += count

    async def _remind(self, subscriptions: Iterable[Subscription]) -> None:
        """Ask owners whose token is about to end to reauthorize, once each."""
        now = self._clock.now()
        due = [
            one
            for one in subscriptions
            if not one.reminded and one.reminder_at() <= now and one.reminder_at() < one.expires_at
        ]
        for subscription in due:
            if subscription.lifecycle_url is not None:
                item = lifecycle_item(subscription, "reauthorizationRequired")
                delivery = _delivery(subscription.lifecycle_url, subscription, now, item)
                await self._offer([delivery._replace(subscription=_lifecycle(subscription))])
                await self._outbox.write()  # it is in no feed
            await self._subscriptions.change(subscription.id, reminder_of(subscription))


@lru_cache(10_000)
def _host(url: str) -> str:
    return (URL(url).host or "").lower()


def _lifecycle(subscription: Subscription) -> str:
    """What deliveries about the subscription itself are queued for: they go out also while it may not be told."""
    return f"{subscription.id}/lifecycle"


def _delivery(url: str, subscription: Subscription, now: float, item: Item) -> NewDelivery:
    return NewDelivery(url, subscription.id, now, _encode(item))
