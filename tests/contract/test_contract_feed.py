"""The feed: positions, followers, what consumers are done with, trimming. Also the due list and documents."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import pytest

from presenced.presence.actions import SetPresence, set_presence
from presenced.presence.record import OutOfOffice, Record, Session, StatusMessage
from presenced.presence.resolve import next_change
from presenced.presence.settle import new_record, pass_time
from presenced.presence.states import State
from presenced.store.base import Action, Change, Store, StoreUnavailable

Opened = Callable[[], Awaitable[Store]]

TENANT = "contoso"
AVAILABLE = State("Available", "Available")


def keep(record: Record | None) -> Action:
    return lambda _: record


def count(record: Record | None) -> Record:
    """One more than before."""
    return Record(0.0, 1) if record is None else msgspec.structs.replace(record, sequence=record.sequence + 1)


async def write(store: Store, number: int) -> None:
    await asyncio.gather(*(store.change(TENANT, f"p{n % 7}", count) for n in range(number)))


async def positions(store: Store) -> list[int]:
    return [change.position for change in await store.feed(0, 1_000_000)]


async def test_the_feed_names_who_changed_and_what_is_known_since(store: Store) -> None:
    await store.change("a", "adele", keep(Record(0.0, 1)))
    await store.change("b", "alex", keep(Record(0.0, 2)))
    await store.change("a", "adele", keep(None))
    first, second, third = await store.feed(0)
    assert first == Change(first.position, "a", "adele", Record(0.0, 1), True)
    assert second == Change(first.position + 1, "b", "alex", Record(0.0, 2), True)
    assert third == Change(first.position + 2, "a", "adele", None, True)


async def test_positions_grow_one_by_one_without_gaps_and_begin_after_zero(store: Store) -> None:
    await write(store, 100)
    with pytest.raises(LookupError):
        await store.change(TENANT, "p0", _raise)
    await store.change(TENANT, "p0", lambda record: record)
    await store.put("apps", "a", b"a")
    await store.done("webhooks", 3)
    await write(store, 100)
    assert await positions(store) == list(range(1, 201))


def _raise(record: Record | None) -> Record | None:
    raise LookupError


async def test_the_feed_is_read_in_pages_from_any_position(store: Store) -> None:
    await write(store, 25)
    assert [change.position for change in await store.feed(10, limit=5)] == [11, 12, 13, 14, 15]
    assert [change.position for change in await store.feed(22, limit=5)] == [23, 24, 25]
    assert await store.feed(25) == []
    assert await store.feed(10**15) == []


async def test_followers_hear_every_change_in_feed_order(store: Store) -> None:
    heard: list[Change] = []
    store.follow(heard.extend)
    await write(store, 300)
    await store.change(TENANT, "p0", keep(None))
    assert heard == await store.feed(0)
    assert [change.position for change in heard] == list(range(1, 302))


async def test_followers_hear_of_a_change_when_readers_see_it_and_before_its_writer_is_told(store: Store) -> None:
    log: list[str] = []
    durable: list[asyncio.Task[list[Change]]] = []

    def follower(changes: Sequence[Change]) -> None:
        log.append("heard")
        # asked at this very moment, the feed has it: it is durable already
        durable.append(asyncio.get_running_loop().create_task(store.feed(0)))

    async def writer() -> None:
        await store.change(TENANT, "adele", count)
        log.append("told")

    store.follow(follower)
    await writer()
    assert log == ["heard", "told"]
    assert [change.person for change in await durable[0]] == ["adele"]


async def test_two_followers_hear_the_same_and_one_that_comes_later_hears_what_is_new(store: Store) -> None:
    first: list[Change] = []
    second: list[Change] = []
    late: list[Change] = []
    store.follow(first.extend)
    store.follow(second.extend)
    await write(store, 10)
    store.follow(late.extend)
    await write(store, 5)
    assert first == second == await store.feed(0)
    assert late == await store.feed(10)


async def test_a_follower_that_fails_keeps_nobody_waiting(store: Store) -> None:
    reports: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(str(context["exception"])))
    heard: list[Change] = []

    def broken(changes: Sequence[Change]) -> None:
        raise RuntimeError("a bug in a follower")

    store.follow(broken)
    store.follow(heard.extend)
    async with asyncio.timeout(5):
        await store.change(TENANT, "adele", count)
        await store.change(TENANT, "adele", count)
    assert [change.record for change in heard] == [Record(0.0, 1), Record(0.0, 2)]
    assert reports == ["a bug in a follower"] * 2


async def test_a_consumer_begins_at_zero_and_remembers_where_it_is(store: Store) -> None:
    await write(store, 10)
    assert await store.done("webhooks") == 0
    assert await store.done("webhooks", 4) == 4
    assert await store.done("webhooks") == 4
    assert await store.done("another") == 0
    assert await store.done("webhooks", 7) == 7


async def test_trim_keeps_the_last_so_many(store: Store) -> None:
    await write(store, 20)
    await store.trim(30)
    assert await positions(store) == list(range(1, 21))
    await store.trim(5)
    assert await positions(store) == list(range(16, 21))
    await store.trim(5)
    assert await positions(store) == list(range(16, 21))
    await store.trim(0)
    assert await positions(store) == []


async def test_trim_never_drops_what_some_consumer_is_not_done_with(store: Store) -> None:
    await write(store, 20)
    await store.done("fast", 18)
    await store.done("slow", 12)
    await store.trim(0)
    assert await positions(store) == list(range(13, 21))
    await store.done("slow", 20)
    await store.trim(0)
    assert await positions(store) == [19, 20]


async def test_a_consumer_that_only_asked_holds_the_whole_feed(store: Store) -> None:
    await write(store, 20)
    await store.done("new")
    await store.trim(0)
    assert await positions(store) == list(range(1, 21))


async def test_a_position_is_never_given_twice_not_even_after_everything_was_trimmed(store: Store) -> None:
    await write(store, 10)
    await store.trim(0)
    await write(store, 3)
    assert await positions(store) == [11, 12, 13]


async def test_positions_go_on_after_a_restart(reopen: Opened) -> None:
    store = await reopen()
    await write(store, 10)
    await store.done("webhooks", 8)
    store = await reopen()
    assert await positions(store) == list(range(1, 11))
    await write(store, 1)
    await store.trim(0)
    assert await positions(store) == [9, 10, 11]
    await store.done("webhooks", 11)
    await store.trim(0)
    store = await reopen()
    assert await positions(store) == []
    await write(store, 2)
    assert await positions(store) == [12, 13]
    assert await store.done("webhooks") == 11


async def test_the_due_list_has_everyone_who_changes_by_themselves_soonest_first(store: Store) -> None:
    records = {
        "nothing": Record(100.0, 1),
        "kept by a client": Record(100.0, 1, sessions={"teams": Session(AVAILABLE, 100.0)}),
        "fades": Record(100.0, 1, sessions={"a": Session(AVAILABLE, 100.0, 3700.0)}),
        "expires": Record(100.0, 1, sessions={"a": Session(State("Busy", "InACall"), 100.0, 460.25)}),
        "message": Record(100.0, 1, status_message=StatusMessage("x", 0.0, 250.0)),
        "leaves": Record(100.0, 1, out_of_office=OutOfOffice(None, 300.0, 900.0)),
        "has left": Record(400.0, 1, out_of_office=OutOfOffice(None, 300.0, 900.0)),
        "long over": Record(1000.0, 1, status_message=StatusMessage("x", 0.0, 250.0)),
    }
    for person, record in records.items():
        await store.change(TENANT, person, keep(record))
    expected = [
        ((TENANT, "message"), 250.0),
        ((TENANT, "leaves"), 300.0),
        ((TENANT, "fades"), 400.0),
        ((TENANT, "expires"), 460.25),
        ((TENANT, "has left"), 900.0),
    ]
    for key, at in expected:
        assert next_change(records[key[1]], records[key[1]].settled_at) == at
        until = [other for other, other_at in expected if other_at <= at]
        assert await store.due(at) == until
        assert await store.due(at - 0.0001) == until[:-1]
    assert await store.next_due() == 250.0
    assert await store.due(1e12, limit=2) == [key for key, _ in expected[:2]]


async def test_working_off_the_due_list_comes_to_an_end(store: Store) -> None:
    for n in range(20):
        at = 1000.0 + n / 3
        request = SetPresence("app", "Available", "Available", "PT1H")
        await store.change(TENANT, f"p{n}", keep(set_presence(new_record(at), request, at)))
    wakes = 0
    while (now := await store.next_due()) is not None:
        wakes += 1
        due = await store.due(now)
        assert due
        for tenant, person in due:

            def fold(record: Record | None, now: float = now) -> Record | None:
                assert record is not None
                assert next_change(record, record.settled_at) == now
                return pass_time(record, now)

            await store.change(tenant, person, fold)
        assert await store.due(now) == []
    assert wakes == 60  # fade, fade, expiry, for each of twenty


async def test_the_due_list_follows_changes_and_removal(store: Store) -> None:
    fades = Record(100.0, 1, sessions={"a": Session(AVAILABLE, 100.0, 3700.0)})
    await store.change("b", "adele", keep(fades))
    await store.change("a", "adele", keep(fades))
    assert await store.due(400.0) == [("a", "adele"), ("b", "adele")]
    await store.change("a", "adele", keep(Record(100.0, 2)))
    assert await store.due(400.0) == [("b", "adele")]
    await store.change("b", "adele", keep(None))
    assert await store.due(400.0) == []
    assert await store.next_due() is None


async def test_documents_are_kept_by_collection_and_key(store: Store) -> None:
    assert await store.documents("apps") == {}
    await store.put("apps", "a", b"\x00\xff")
    await store.put("apps", "b", b"")
    await store.put("keys", "a", b"another")
    assert await store.documents("apps") == {"a": b"\x00\xff", "b": b""}
    await store.put("apps", "a", b"newer")
    await store.put("apps", "b", None)
    await store.put("apps", "never there", None)
    assert await store.documents("apps") == {"a": b"newer"}
    assert await store.documents("keys") == {"a": b"another"}
    assert await store.document("apps", "a") == b"newer"
    assert await store.document("keys", "a") == b"another"
    assert await store.document("apps", "b") is None
    assert await store.document("elsewhere", "a") is None


async def test_the_last_of_concurrent_puts_wins(store: Store) -> None:
    await asyncio.gather(*(store.put("apps", "a", str(n).encode()) for n in range(50)))
    assert await store.documents("apps") == {"a": b"49"}


async def test_documents_and_changes_survive_a_restart_together(reopen: Opened) -> None:
    store = await reopen()
    await asyncio.gather(store.put("apps", "a", b"a"), write(store, 5), store.put("apps", "b", b"b"))
    await store.put("apps", "b", None)
    store = await reopen()
    assert await store.documents("apps") == {"a": b"a"}
    assert len(await store.feed(0)) == 5


async def test_what_was_asked_before_closing_is_kept(reopen: Opened) -> None:
    store = await reopen()
    asked = [asyncio.create_task(store.change(TENANT, f"p{n}", count)) for n in range(50)]
    await asyncio.sleep(0)
    store = await reopen()
    assert await asyncio.gather(*asked) == [Record(0.0, 1)] * 50
    assert len(await store.people(TENANT)) == 50


async def test_a_closed_store_says_so_and_can_be_closed_again(reopen: Opened) -> None:
    store = await reopen()
    await store.close()
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.change(TENANT, "adele", count)
    with pytest.raises(StoreUnavailable):
        await store.people(TENANT)
