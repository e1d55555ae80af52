"""The outbox: what is to be told, and whether a change of the feed is news of a person's state."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from presenced.presence.actions import ClearPresence, SetPresence, clear_presence, set_presence
from presenced.presence.record import Profile, Record
from presenced.presence.settle import new_record, pass_time
from presenced.presence.status_message import ItemBody, Message, SetStatusMessage, set_status_message
from presenced.store.base import Delivery, NewDelivery, Store

Opened = Callable[[], Awaitable[Store]]

TENANT, PERSON = "contoso", "adele"
ONE, OTHER = "https://one.example/hook", "https://other.example/hook"


def due(endpoint: str, number: int) -> NewDelivery:
    return NewDelivery(endpoint, f"s{number % 3}", number / 8, b'{"n":%d}' % number)


async def enqueue(store: Store, position: int, new: list[NewDelivery]) -> list[Delivery]:
    """Put deliveries into the outbox."""
    first = await store.reserve(len(new))
    queued = [Delivery(number, *delivery) for number, delivery in enumerate(new, first)]
    await store.keep("notify", position, queued, [])
    return queued


async def delivered(store: Store, ids: list[int]) -> None:
    """Take deliveries out of it."""
    await store.keep("notify", await store.done("notify"), [], ids)


async def test_deliveries_wait_in_order_until_they_are_delivered(store: Store) -> None:
    assert await enqueue(store, 0, []) == []
    first = await enqueue(store, 3, [due(ONE, 0), due(OTHER, 1), due(ONE, 2)])
    second = await enqueue(store, 4, [due(ONE, 3)])
    queued = [*first, *second]
    assert [(one.endpoint, one.subscription, one.queued_at, one.body) for one in queued] == [
        due(ONE, 0),
        due(OTHER, 1),
        due(ONE, 2),
        due(ONE, 3),
    ]
    assert sorted({one.id for one in queued}) == [one.id for one in queued]
    assert await store.outbox(ONE) == [queued[0], queued[2], queued[3]]
    assert await store.outbox(ONE, queued[0].id, 1) == [queued[2]]
    assert dict(await store.endpoints()) == {ONE: 3, OTHER: 1}
    assert await store.done("notify") == 4
    await delivered(store, [queued[0].id, queued[3].id, 999_999])
    await delivered(store, [])
    assert await store.outbox(ONE) == [queued[2]]
    await delivered(store, [queued[1].id, queued[2].id])
    assert dict(await store.endpoints()) == {}
    assert await store.outbox(OTHER) == []


async def test_dropping(store: Store) -> None:
    await enqueue(store, 1, [due(endpoint, n) for endpoint in (ONE, OTHER) for n in range(6)])
    assert await store.drop(endpoint=ONE, before=2 / 8) == 3
    assert [one.queued_at for one in await store.outbox(ONE)] == [3 / 8, 4 / 8, 5 / 8]
    assert await store.drop(subscription="s1") == 3
    assert await store.drop(subscription="s1") == 0
    assert dict(await store.endpoints()) == {ONE: 2, OTHER: 4}
    assert await store.drop(endpoint=OTHER, subscription="s0", before=0.0) == 1
    assert await store.drop(endpoint="https://nobody.example") == 0
    assert await store.drop(endpoint=OTHER) == 3
    assert dict(await store.endpoints()) == {ONE: 2}


async def test_no_id_is_given_twice(store: Store) -> None:
    seen: set[int] = set()
    for _ in range(3):
        batches = await asyncio.gather(*(enqueue(store, n, [due(ONE, n), due(ONE, n)]) for n in range(20)))
        ids = {one.id for batch in batches for one in batch}
        assert len(ids) == 40
        assert not ids & seen
        seen |= ids
        await delivered(store, sorted(ids))


async def test_what_waits_outlives_a_restart(store: Store, reopen: Opened) -> None:
    queued = await enqueue(store, 7, [due(ONE, n) for n in range(5)])
    await delivered(store, [queued[0].id, queued[-1].id])
    again = await reopen()
    assert await again.outbox(ONE) == queued[1:-1]
    assert await again.done("notify") == 7
    (later,) = await enqueue(again, 8, [due(ONE, 9)])
    assert later.id > queued[-1].id


ACTIONS: list[tuple[str, Callable[[Record | None], Record | None], bool]] = [
    ("a person becomes known, who was PresenceUnknown", lambda _: new_record(0.0), True),
    ("a session", lambda record: set_presence(record or new_record(0.0), busy("a"), 10.0), True),
    (
        "another session, the same state",
        lambda record: set_presence(record or new_record(0.0), busy("b"), 20.0),
        False,
    ),
    (
        "a message is no state",
        lambda record: set_status_message(
            record or new_record(0.0), SetStatusMessage(Message(ItemBody("Hello"))), 30.0
        ),
        False,
    ),
    (
        "nor is a name",
        lambda record: msgspec.structs.replace(record or new_record(0.0), profile=Profile(display_name="Adele")),
        False,
    ),
    (
        "one of two ends",
        lambda record: clear_presence(record or new_record(0.0), ClearPresence("a"), 40.0),
        False,
    ),
    ("time folded in before its time", lambda record: pass_time(record or new_record(0.0), 50.0), False),
    ("time ends the other session", lambda record: pass_time(record or new_record(0.0), 320.0), True),
    ("the person is forgotten", lambda _: None, True),
]


def busy(session: str) -> SetPresence:
    return SetPresence(session, "Busy", "InACall", "PT5M")


async def test_which_changes_are_news_of_a_persons_state(store: Store) -> None:
    for _, action, _ in ACTIONS:
        await store.change(TENANT, PERSON, action)
    changes = await store.feed(0)
    assert [(change.state_changed, what) for change, (what, _, _) in zip(changes, ACTIONS, strict=True)] == [
        (news, what) for what, _, news in ACTIONS
    ]


async def test_followers_and_the_feed_agree_on_what_is_news(store: Store) -> None:
    heard: list[bool] = []
    store.follow(lambda changes: heard.extend(change.state_changed for change in changes))
    for _, action, _ in ACTIONS:
        await store.change(TENANT, PERSON, action)
    assert heard == [change.state_changed for change in await store.feed(0)] == [news for _, _, news in ACTIONS]


@pytest.mark.parametrize("size", [0, 100_000])
async def test_any_body_is_kept_to_the_letter(store: Store, size: int) -> None:
    body = bytes(range(256)) * (size // 256)
    (queued,) = await enqueue(store, 1, [NewDelivery(ONE, "s", 0.1, body)])
    assert await store.outbox(ONE) == [queued]
    assert queued.body == body


async def test_what_is_kept_with_reserved_ids(store: Store, reopen: Opened) -> None:
    (before,) = await enqueue(store, 1, [due(ONE, 0)])
    first = await store.reserve(3)
    assert first > before.id
    assert await store.reserve(2) == first + 3
    reserved = [Delivery(first + number, *due(ONE, number)) for number in range(3)]
    assert await store.outbox(ONE) == [before], "reserving keeps nothing"
    await store.keep("notify", 4, [reserved[2], reserved[0]], [before.id])
    assert await store.outbox(ONE) == [reserved[0], reserved[2]]
    assert await store.done("notify") == 4
    await store.keep("notify", 4, [reserved[2], reserved[0]], [before.id])
    assert await store.outbox(ONE) == [reserved[0], reserved[2]], "once more is no more"
    await store.keep("notify", 5, [reserved[1]], [reserved[1].id, reserved[0].id, 999_999])
    again = await reopen()
    assert await again.outbox(ONE) == [reserved[2]]
    assert await again.done("notify") == 5
    assert await again.reserve(1) > reserved[2].id


async def test_what_waits_for_a_subscription_moves_to_another_endpoint(store: Store) -> None:
    queued = await enqueue(store, 1, [due(ONE, n) for n in range(6)])
    await store.move("s1", OTHER)
    await store.move("nobody", OTHER)
    assert [one.id for one in await store.outbox(OTHER)] == [queued[1].id, queued[4].id]
    assert len(await store.outbox(ONE)) == 4
    assert dict(await store.endpoints()) == {ONE: 4, OTHER: 2}
