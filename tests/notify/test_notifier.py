"""The notifier with a real store, a real client and real receivers: races of changes, owners, failures and the clock.

Each of these was a mistake once, found by a review.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from tests.conftest import SetClock
from tests.notify.endpoint import until
from tests.notify.subscriber import b64, certify, der, rsa_key
from tests.receiver import Receiver

from presenced.notify.addresses import Rules
from presenced.notify.client import CallFailed, WebhookClient
from presenced.notify.notification import Item
from presenced.notify.notifier import Notifier
from presenced.notify.outbox import CONSUMER
from presenced.notify.subscription import Subscription
from presenced.notify.subscriptions import Subscriptions
from presenced.presence.actions import SetPresence, set_presence
from presenced.presence.settle import new_record
from presenced.store.base import Delivery, NewDelivery, StoreUnavailable
from presenced.store.sqlite import SqliteStore

TENANT = "contoso"


class NoTokens:
    """Of validation tokens: none, since these are not about them."""

    def all(self, apps: Any) -> list[str]:
        return []


class Desk:
    """A notifier and all it works with."""

    def __init__(self, store: SqliteStore, clock: SetClock, subscriptions: Subscriptions, receiver: Receiver) -> None:
        self.store, self.clock, self.subscriptions, self.receiver = store, clock, subscriptions, receiver
        self.client = WebhookClient(Rules([], allow_loopback=True))
        self.notifier = self.another()

    def another(self) -> Notifier:
        return Notifier(self.store, self.subscriptions, self.client, NoTokens(), self.clock)  # type: ignore[arg-type]

    def subscription(self, number: int = 0, **more: Any) -> Subscription:
        now = self.clock.now()
        whole: dict[str, Any] = {
            "id": f"s{number}", "tenant": TENANT, "app": "app", "user": f"u{number}", "creator": "c", "resource": "r",
            "ids": ("adele",), "notification_url": self.receiver.url, "expires_at": now + 3600, "authorised_at": now,
            "authorised_until": now + 7200,
        }  # fmt: skip
        return Subscription(**(whole | more))

    async def change(self, activity: str, person: str = "adele") -> None:
        state = "Available" if activity == "Available" else "Busy"
        request = SetPresence("s", state, activity, "PT4H")
        now = self.clock.now()
        await self.store.change(TENANT, person, lambda record: set_presence(record or new_record(now), request, now))

    async def queue(self, *names: Any, subscription: str = "s0", url: str = "", position: int = 1) -> None:
        """Put deliveries that say these names into the outbox, and offer them."""
        body = [msgspec.msgpack.encode(Item(json.dumps({"n": name}).encode(), TENANT, "app")) for name in names]
        url = url or self.receiver.url
        new = [NewDelivery(url, subscription, self.clock.now(), one) for one in body]
        self.notifier._endpoint(url).offer(await self.keep(position, new))

    async def keep(self, position: int, new: list[NewDelivery]) -> list[Delivery]:
        """Put deliveries into the outbox on disk."""
        first = await self.store.reserve(len(new))
        queued = [Delivery(number, *delivery) for number, delivery in enumerate(new, first)]
        await self.store.keep(CONSUMER, position, queued, [])
        return queued

    def told(self) -> list[Any]:
        return [item["n"] for item in self.receiver.items]

    async def rest(self) -> None:
        """Wait until there is nothing to do for the endpoints."""
        await until(lambda: all(endpoint.idle for endpoint in self.notifier.endpoints()))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store, clock, receiver = await SqliteStore.open(tmp_path / "db"), SetClock(), Receiver()
    await receiver.start()
    desk = Desk(store, clock, await Subscriptions.load(store, clock), receiver)
    yield desk
    await desk.notifier.stop()
    await desk.client.close()
    await receiver.stop()
    await store.close()


async def fails(request: web.Request) -> web.StreamResponse:
    return web.Response(status=500)


async def test_a_reminder_undoes_no_renewal_and_revives_nothing(desk: Desk) -> None:
    now = desk.clock.now()
    for number in range(60):
        await desk.subscriptions.add(desk.subscription(number, authorised_at=now - 3500, authorised_until=now + 10))
    reminding = asyncio.create_task(desk.notifier._remind(desk.subscriptions.all()))
    await asyncio.sleep(0)
    renewed = {"expires_at": now + 3000, "authorised_at": now, "authorised_until": now + 9000}
    await desk.subscriptions.change("s59", lambda before: msgspec.structs.replace(before, **renewed))
    await desk.subscriptions.remove("s58")
    await reminding
    again = await Subscriptions.load(desk.store, desk.clock)
    for known in (desk.subscriptions, again):
        last = known.get("s59")
        assert last is not None
        assert (last.expires_at, last.authorised_until, last.reminded) == (now + 3000, now + 9000, False)
        assert known.get("s58") is None
        assert all(one.reminded for one in known.all() if one.id not in ("s58", "s59"))


async def test_deleted_is_deleted_whatever_comes_at_the_same_time(desk: Desk) -> None:
    def change(before: Subscription) -> Subscription:
        return msgspec.structs.replace(before, expires_at=before.expires_at + 60)

    for _ in range(20):
        await desk.subscriptions.add(desk.subscription())
        gone, changed = await asyncio.gather(desk.subscriptions.remove("s0"), desk.subscriptions.change("s0", change))
        assert gone is not None
        assert changed is None
        assert desk.subscriptions.get("s0") is None
        assert await desk.store.documents("subscriptions") == {}


async def test_renewed_at_the_last_moment(desk: Desk) -> None:
    """Whoever comes first wins: it has gone, or it lives and is kept."""
    for _ in range(20):
        await desk.subscriptions.add(desk.subscription(expires_at=desk.clock.now() + 10))
        desk.clock.advance(10)
        later = desk.clock.now() + 600
        gone, changed = await asyncio.gather(
            desk.subscriptions.forget_expired(),
            desk.subscriptions.change("s0", lambda before: msgspec.structs.replace(before, expires_at=later)),  # noqa: B023
        )
        assert bool(gone) != bool(changed)
        assert ("s0" in await desk.store.documents("subscriptions")) == bool(changed)
        await desk.subscriptions.remove("s0")


async def test_reauthorized_while_the_outbox_is_read(desk: Desk) -> None:
    """What was passed over is found again."""
    await desk.subscriptions.add(desk.subscription(0, authorised_until=desk.clock.now() - 1))
    await desk.subscriptions.add(desk.subscription(1))
    endpoint = desk.notifier._endpoint(desk.receiver.url)
    for subscription, names in (("s0", range(3)), ("s1", range(3, 1005))):
        new = [
            NewDelivery(
                desk.receiver.url,
                subscription,
                desk.clock.now(),
                msgspec.msgpack.encode(Item(b'{"n":%d}' % n, "t", "a")),
            )
            for n in names
        ]
        await desk.keep(1, new)
    read = desk.store.outbox

    async def outbox(url: str, after: int = 0, limit: int = 1000) -> Any:
        rows = await read(url, after, limit)
        held = desk.subscriptions.known("s0")
        if after and held is not None and not held.authorised(desk.clock.now()):
            until_later = {"authorised_until": desk.clock.now() + 600}
            now = await desk.subscriptions.change("s0", lambda one: msgspec.structs.replace(one, **until_later))
            assert now is not None
            await desk.notifier.resume(held, now)
        return rows

    desk.store.outbox = outbox  # type: ignore[method-assign, assignment]
    endpoint.read_anew()
    await desk.rest()
    assert sorted(desk.told()) == list(range(1005))
    await until_async(lambda: desk.store.endpoints(), {})


async def test_read_anew_while_others_are_queued_tells_nothing_twice(desk: Desk) -> None:
    await desk.subscriptions.add(desk.subscription())
    for number in range(60):
        queueing = asyncio.create_task(desk.queue(number, position=number + 1))
        for _ in range(number % 7):
            await asyncio.sleep(0)
        desk.notifier._endpoint(desk.receiver.url).read_anew()
        await queueing
    await desk.rest()
    assert sorted(set(desk.told())) == list(range(60))
    assert len(desk.told()) == 60


async def test_a_clock_set_back_delays_nothing(desk: Desk) -> None:
    await desk.subscriptions.add(desk.subscription(expires_at=desk.clock.now() + 9000))
    desk.clock.advance(3600)
    later = desk.clock.now()
    desk.clock.advance(-3600)
    item = msgspec.msgpack.encode(Item(b'{"n":1}', TENANT, "app"))
    await desk.keep(1, [NewDelivery(desk.receiver.url, "s0", later, item)])
    desk.notifier._endpoint(desk.receiver.url).read_anew()
    await desk.queue(2)
    assert len(await desk.receiver.wait_for(2)) == 2


async def test_matching_lets_others_work(desk: Desk) -> None:
    """A change that concerns thousands is queued in portions, and others run in between."""
    certificate = b64(der(certify(rsa_key())))
    rich = {"include_resource_data": True, "certificate": certificate, "certificate_id": "k", "ids": None}
    for number in range(250):
        desk.subscriptions._add(desk.subscription(number, **rich))
    turns, done = 0, False

    async def others() -> None:
        nonlocal turns
        while not done:
            turns += 1
            await asyncio.sleep(0)

    working = asyncio.create_task(others())
    for number in range(10):
        await desk.change("InACall", f"p{number}")
    before, portions = turns, []
    keep = desk.store.keep

    async def counted(consumer: str, position: int, deliveries: Any, told: Any) -> None:
        portions.append((position, len(deliveries)))
        await keep(consumer, position, deliveries, told)

    desk.store.keep = counted  # type: ignore[method-assign]
    desk.receiver.behaviour = fails
    while await desk.notifier._match_some():
        pass
    done = True
    await working
    await desk.notifier._outbox.write()
    assert sum(count for _, count in portions) == 2500
    assert max(count for _, count in portions) <= 1000
    assert [position for position, _ in portions] == sorted(position for position, _ in portions)
    assert portions[-1][0] == 10
    assert turns - before >= 2500 / 50


async def test_told_of_what_happened_while_it_lived(desk: Desk) -> None:
    """Also when it was matched only after the subscription had ended, as after a crash."""
    await desk.notifier.begin(desk.subscription(expires_at=desk.clock.now() + 60))
    await desk.change("InACall")
    desk.clock.advance(60)
    await desk.change("Available")
    await desk.notifier.start()
    (item,) = await desk.receiver.wait_for(1)
    assert item["resource"] == "communications/presences/adele"
    await until(lambda: desk.subscriptions.known("s0") is None)
    await desk.rest()
    assert len(desk.receiver.items) == 1


async def test_a_reminder_keeps_the_place_in_the_feed(desk: Desk) -> None:
    now = desk.clock.now()
    await desk.notifier.begin(desk.subscription())
    reminded = desk.subscription(
        1, authorised_at=now - 3000, authorised_until=now + 10, lifecycle_url=desk.receiver.url
    )
    await desk.notifier.begin(reminded)
    for activity in ("InACall", "Available", "InAConferenceCall") * 3:
        await desk.change(activity)
    await desk.notifier.start()
    await desk.notifier._remind([reminded])
    await until(lambda: len(desk.receiver.items) >= 19)
    await until_async(lambda: desk.store.done(CONSUMER), 9)


async def test_a_store_that_fails_after_the_post(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was told is not told again after what came later."""
    monkeypatch.setattr("presenced.notify.outbox._STORE_WAIT", 0.05)
    monkeypatch.setattr("presenced.notify.endpoint._STORE_WAIT", 0.05)
    await desk.subscriptions.add(desk.subscription())
    keep, failures = desk.store.keep, 3

    async def failing(consumer: str, position: int, rows: Any, told: Any) -> None:
        nonlocal failures
        failures -= bool(told)
        if told and failures >= 0:
            raise StoreUnavailable("disk full")
        await keep(consumer, position, rows, told)

    desk.store.keep = failing  # type: ignore[method-assign, assignment]
    await desk.queue("old")
    await desk.receiver.wait_for(1)
    await desk.queue("new", position=2)
    desk.notifier._endpoint(desk.receiver.url).read_anew()
    await desk.rest()
    assert desk.told() == ["old", "new"]
    await until_async(lambda: desk.store.endpoints(), {})


async def test_who_has_deleted_hears_no_more(desk: Desk) -> None:
    await desk.subscriptions.add(desk.subscription(0, lifecycle_url=desk.receiver.url + "/life"))
    await desk.subscriptions.add(desk.subscription(1))
    desk.receiver.behaviour = fails
    await desk.queue(1)
    await desk.queue(2, subscription="s0/lifecycle", url=desk.receiver.url + "/life", position=2)
    await desk.queue(3, subscription="s1", position=3)
    await until(lambda: all(one.counts.failed_posts for one in desk.notifier.endpoints()))
    gone = await desk.subscriptions.remove("s0")
    assert gone is not None
    await desk.notifier.forget(gone)
    desk.receiver.behaviour = None
    desk.clock.advance(30)
    desk.notifier.clock_moved()
    await desk.rest()
    assert desk.told() == [3]
    await until_async(lambda: desk.store.endpoints(), {})


async def test_what_was_not_authorised_to_the_end_is_not_told_after_a_restart(desk: Desk) -> None:
    now = desk.clock.now()
    await desk.subscriptions.add(desk.subscription(authorised_until=now + 10, expires_at=now + 60))
    desk.clock.advance(20)
    await desk.queue("secret")
    await desk.rest()
    desk.clock.advance(100)
    desk.subscriptions = await Subscriptions.load(desk.store, desk.clock)
    desk.notifier = desk.another()
    await desk.notifier.start()
    await until(lambda: desk.subscriptions.known("s0") is None)
    await desk.rest()
    assert desk.told() == []
    await until_async(lambda: desk.store.endpoints(), {})


async def test_what_is_held_for_four_hours_is_dropped_and_counted(desk: Desk) -> None:
    now = desk.clock.now()
    await desk.subscriptions.add(desk.subscription(authorised_until=now - 1, expires_at=now + 90_000))
    await desk.notifier.start()
    await desk.queue(1, 2)
    await desk.rest()
    desk.clock.advance(4 * 3600 + 1)
    desk.notifier.clock_moved()
    await until_async(lambda: desk.store.endpoints(), {})
    (endpoint,) = desk.notifier.endpoints()
    assert endpoint.counts.dropped == 2


async def test_a_clock_that_moves_while_subscriptions_are_looked_after(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is due by it is done at once, not when the longest sleep is over."""
    monkeypatch.setattr("presenced.notify.notifier._LONGEST_SLEEP", 7200.0)
    await desk.subscriptions.add(desk.subscription())
    forget, looked = desk.subscriptions.forget_expired, 0

    async def forget_expired() -> list[Subscription]:
        nonlocal looked
        looked += 1
        gone = await forget()
        if looked == 1:
            desk.clock.advance(3601)
            desk.notifier.clock_moved()
        return gone

    desk.subscriptions.forget_expired = forget_expired  # type: ignore[method-assign]
    await desk.notifier.start()
    await until(lambda: looked == 2)


async def test_another_url_takes_over_what_waits(desk: Desk) -> None:
    new = Receiver()
    await new.start()
    before = desk.subscription()
    await desk.subscriptions.add(before)
    await desk.subscriptions.add(desk.subscription(1))
    desk.receiver.behaviour = fails
    await desk.queue(1, 2)
    await desk.queue(3, subscription="s1", position=2)
    await until(lambda: bool(desk.notifier.endpoints()[0].counts.failed_posts))
    moved = await desk.subscriptions.change("s0", lambda one: msgspec.structs.replace(one, notification_url=new.url))
    assert moved is not None
    await desk.notifier.resume(before, moved)
    await desk.queue(4, url=new.url, position=3)
    assert [item["n"] for item in await new.wait_for(3)] == [1, 2, 4]
    desk.receiver.behaviour = None
    desk.clock.advance(60)
    desk.notifier.clock_moved()
    await desk.rest()
    assert desk.told() == [3]
    await new.stop()


async def test_hosts_that_hang_leave_room_for_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many endpoints hang when they are tried again, what works is called at once."""
    hanging, calls = asyncio.Event(), 0

    async def hang(request: web.Request) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        hanging.set()
        await asyncio.sleep(600)
        return web.Response()

    dead = Receiver()
    dead.behaviour = hang
    await dead.start("0.0.0.0")
    waiting = []
    for number in range(1, 201):  # 800 calls want to be made at a time, to as many hosts as loopback has addresses
        url = dead.url.replace("0.0.0.0", f"127.0.1.{number}")
        waiting += [asyncio.create_task(failed(desk.client, url)) for _ in range(4)]
    async with asyncio.timeout(60):
        while calls < 128:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    answer = await desk.client.post(desk.receiver.url, b'{"value":[]}', {}, 3.0, 0)
    assert answer.status == 202
    assert calls == 128
    await dead.stop()
    await asyncio.gather(*waiting)


async def test_a_host_that_hung_gets_no_first_calls_for_its_other_urls(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred hosts that hang, each with a new URL for each change, want more connections than there are."""
    monkeypatch.setattr("presenced.notify.endpoint.FIRST_TIMEOUT", 0.05)
    monkeypatch.setattr("presenced.notify.endpoint_state.LINGERS", 0.01)
    monkeypatch.setattr("presenced.notify.client.MOST_OF_KIND", {"retry": 20, "handshake": 5})
    monkeypatch.setattr("presenced.notify.client.MOST_CALLS", 40)
    await desk.client.close()
    desk.client = WebhookClient(Rules([], allow_loopback=True))
    desk.notifier = desk.another()
    held = 0

    async def hang(request: web.Request) -> web.StreamResponse:
        nonlocal held
        held += 1
        await asyncio.sleep(600)
        return web.Response()

    dead = Receiver()
    dead.behaviour = hang
    await dead.start("0.0.0.0")
    hosts = [dead.url.replace("0.0.0.0", f"127.0.2.{number}") for number in range(1, 101)]
    for url in hosts:
        await desk.queue("first", url=url + "/first")
    await until(lambda: all(one.counts.failed_posts for one in desk.notifier.endpoints()))
    monkeypatch.setattr("presenced.notify.endpoint.FIRST_TIMEOUT", 60.0)
    held = 0
    for url in hosts:
        await desk.queue("other", url=url + "/other", position=2)
    await until(lambda: held == 20)
    await desk.queue("healthy", position=3)
    await desk.receiver.wait_for(1)
    assert desk.told() == ["healthy"]
    assert held == 20
    await desk.notifier.stop()
    await dead.stop()


async def test_hosts_that_were_quiet_are_forgotten(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """And those that answered lately, or have something to be told, are not."""
    monkeypatch.setattr("presenced.notify.notifier._MOST_IDLE", 100)
    notifier = desk.notifier = desk.another()
    notifier._state("https://answered.example/").answered(desk.clock.now(), 0.1)
    used = notifier._endpoint("https://used.example/")
    for number in range(1000):
        notifier._state(f"https://host{number}.example/")
    assert len(notifier._states) <= 100
    assert "answered.example" in notifier._states
    assert notifier._state("https://used.example/other") is used.state
    desk.clock.advance(601)
    for number in range(1000):
        notifier._state(f"https://host{number}.example/")
    assert "answered.example" not in notifier._states
    assert notifier._state("https://used.example/other") is used.state


async def failed(client: WebhookClient, url: str) -> None:
    with pytest.raises(CallFailed):
        await client.post(url, b"{}", {}, 60.0, 0, "retry")


async def until_async(found: Callable[[], Any], expected: Any) -> None:
    """Wait for something that has to be asked for."""
    async with asyncio.timeout(30):
        while await found() != expected:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_ten_thousand_subscriptions_of_650_people(desk: Desk) -> None:
    """Matching looks at those only that watch whoever changed."""
    people = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(20_000)]
    asked: list[str] = []
    for number in range(10_000):
        first = number * 13 % len(people)
        ids = tuple((people + people)[first : first + 650]) if first > 19_350 else tuple(people[first : first + 650])
        desk.subscriptions._add(desk.subscription(number, ids=ids))
    watching = [one.id for one in desk.subscriptions.all() if one.ids is not None and people[777] in one.ids]
    assert 0 < len(watching) < 1000
    get = desk.subscriptions._all

    class Counted(dict[str, Subscription]):
        def __getitem__(self, key: str) -> Subscription:
            asked.append(key)
            return super().__getitem__(key)

    desk.subscriptions._all = Counted(get)
    await desk.change("InACall", people[777])
    await desk.change("InACall", "00000000-0000-4000-8000-00000000ffff")  # whom nobody watches
    desk.receiver.behaviour = fails
    while await desk.notifier._match_some():
        pass
    await desk.notifier._outbox.write()
    queued = await desk.store.outbox(desk.receiver.url)
    assert sorted(one.subscription for one in queued) == sorted(watching) == sorted(asked)


async def dawdles(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(0.05)
    return web.Response()


async def five_answers(desk: Desk) -> None:
    await desk.notifier.begin(desk.subscription(expires_at=desk.clock.now() + 9000))
    await desk.notifier.start()
    desk.receiver.behaviour = dawdles
    for number, activity in enumerate(["InACall", "Available"] * 2 + ["InAConferenceCall"], 1):
        await desk.change(activity)
        await desk.receiver.wait_for(number)
        await desk.rest()


async def test_an_endpoint_that_is_slow(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its news are delayed by ten minutes."""
    monkeypatch.setattr("presenced.notify.endpoint_state.SLOW", 0.02)
    await five_answers(desk)
    await desk.change("Available")
    await until(lambda: desk.notifier.endpoints()[0].next_try is not None)
    assert desk.notifier.endpoints()[0].next_try == desk.clock.now() + 600
    assert len(desk.receiver.items) == 5
    desk.clock.advance(600)
    desk.notifier.clock_moved()
    await desk.receiver.wait_for(6)


async def test_an_endpoint_that_is_late(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its news are dropped and counted for ten minutes, and then let through again."""
    monkeypatch.setattr("presenced.notify.endpoint_state.LATE", 0.02)
    await five_answers(desk)
    await desk.change("Available")
    await until(lambda: desk.notifier.endpoints()[0].counts.dropped == 1)
    desk.clock.advance(601)
    await desk.change("InACall")
    await desk.receiver.wait_for(6)
    await desk.rest()
    assert len(desk.receiver.items) == 6


async def test_stopped_while_the_outbox_is_written(desk: Desk) -> None:
    """What is on disk by then is told after the next start, and hinders nobody's changes."""
    await desk.notifier.begin(desk.subscription())
    desk.receiver.behaviour = fails
    await desk.change("InACall")
    while await desk.notifier._match_some():
        pass
    writing = asyncio.create_task(desk.notifier._outbox.write())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await asyncio.gather(desk.change("Available"), desk.notifier._outbox.write())
    assert dict(await desk.store.endpoints()) == {desk.receiver.url: 1}
