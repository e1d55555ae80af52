"""change(): atomic, one at a time per person, all or nothing; and the reads that follow it."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from presenced.presence.actions import SetPresence, set_presence
from presenced.presence.record import (
    Calendar,
    CalendarEvent,
    OutOfOffice,
    Preferred,
    Profile,
    Record,
    Session,
    StatusMessage,
    WorkLocation,
)
from presenced.presence.settle import new_record
from presenced.presence.states import State
from presenced.store.base import Action, Store

Opened = Callable[[], Awaitable[Store]]

TENANT = "contoso"
ADELE = "11111111-1111-4111-8111-111111111111"
ALEX = "22222222-2222-4222-8222-222222222222"


def known(sequence: int = 1, **facts: object) -> Record:
    return msgspec.structs.replace(Record(1000.0, sequence), **facts)


def keep(record: Record | None) -> Action:
    return lambda _: record


def count(record: Record | None) -> Record:
    """One more than before."""
    return known(1) if record is None else msgspec.structs.replace(record, sequence=record.sequence + 1)


async def read(store: Store, person: str = ADELE, tenant: str = TENANT) -> Record | None:
    (record,) = await store.read(tenant, [person])
    return record


async def test_what_was_changed_is_returned_and_read_back(store: Store) -> None:
    record = known(7, profile=Profile(display_name="Adele"))
    assert await store.change(TENANT, ADELE, keep(record)) == record
    assert await read(store) == record


async def test_an_action_is_given_what_is_known_and_nothing_of_a_stranger(store: Store) -> None:
    given: list[Record | None] = []

    def remember(record: Record | None) -> Record:
        given.append(record)
        return count(record)

    await store.change(TENANT, ADELE, remember)
    await store.change(TENANT, ADELE, remember)
    assert given == [None, known(1)]


async def test_an_action_that_raises_keeps_nothing(store: Store) -> None:
    await store.change(TENANT, ADELE, keep(known(1, profile=Profile("adele@contoso.com"))))

    class NoError(Exception):
        """The caller's own."""

    def fail(record: Record | None) -> Record | None:
        raise NoError

    for person in (ADELE, ALEX):
        with pytest.raises(NoError):
            await store.change(TENANT, person, fail)
    assert await read(store, ALEX) is None
    assert await read(store) == known(1, profile=Profile("adele@contoso.com"))
    assert [change.person for change in await store.feed(0)] == [ADELE]


async def test_returning_the_very_same_record_adds_nothing_to_the_feed(store: Store) -> None:
    heard: list[int] = []
    await store.change(TENANT, ADELE, keep(known(1)))
    store.follow(lambda changes: heard.extend(change.position for change in changes))
    assert await store.change(TENANT, ADELE, lambda record: record) == known(1)
    assert await store.change(TENANT, ALEX, lambda record: record) is None  # nobody stays nobody
    assert len(await store.feed(0)) == 1
    assert heard == []


async def test_an_equal_but_new_record_is_a_change(store: Store) -> None:
    await store.change(TENANT, ADELE, keep(known(1)))
    await store.change(TENANT, ADELE, keep(known(1)))
    assert len(await store.feed(0)) == 2


async def test_a_person_can_be_forgotten_and_come_back(store: Store) -> None:
    await store.change(TENANT, ADELE, keep(known(5)))
    assert await store.change(TENANT, ADELE, keep(None)) is None
    assert await read(store) is None
    assert await store.people(TENANT) == []
    await store.change(TENANT, ADELE, count)
    assert await read(store) == known(1)
    assert [change.record for change in await store.feed(0)] == [known(5), None, known(1)]


async def test_read_answers_in_the_order_asked_with_none_for_strangers(store: Store) -> None:
    await store.change(TENANT, ADELE, keep(known(1)))
    await store.change(TENANT, ALEX, keep(known(2)))
    assert await store.read(TENANT, [ALEX, "nobody", ADELE, ALEX]) == [known(2), None, known(1), known(2)]
    assert await store.read(TENANT, []) == []
    assert await store.read("no tenant", [ADELE]) == [None]


async def test_tenants_do_not_see_each_other(store: Store) -> None:
    await store.change("a", ADELE, keep(known(1)))
    await store.change("b", ADELE, keep(known(2)))
    await store.change("b", ADELE, count)
    assert await read(store, tenant="a") == known(1)
    assert await read(store, tenant="b") == known(3)
    assert await store.people("a") == [(ADELE, known(1))]
    await store.change("a", ADELE, keep(None))
    assert await read(store, tenant="b") == known(3)


async def test_no_concurrent_change_to_one_person_is_lost(store: Store) -> None:
    answers = await asyncio.gather(*(store.change(TENANT, ADELE, count) for _ in range(500)))
    assert await read(store) == known(500)
    assert sorted(answer.sequence for answer in answers if answer) == list(range(1, 501))
    assert [change.record for change in await store.feed(0)] == [known(n) for n in range(1, 501)]


async def test_concurrent_changes_to_many_persons_do_not_mix(store: Store) -> None:
    order = [f"p{number % 100:03}" for number in range(1000)]
    random.Random(1).shuffle(order)
    await asyncio.gather(*(store.change(TENANT, person, count) for person in order))
    assert await store.people(TENANT) == [(f"p{number:03}", known(10)) for number in range(100)]
    feed = await store.feed(0)
    for number in range(100):
        mine = [change.record for change in feed if change.person == f"p{number:03}"]
        assert mine == [known(n) for n in range(1, 11)]


async def test_changes_that_build_on_each_other_before_the_first_is_answered(store: Store) -> None:
    """Add, change, forget, add: each is given what the one before left, though none is kept yet."""
    actions: list[Action] = [count, count, keep(None), count]
    answers = await asyncio.gather(*(store.change(TENANT, ADELE, action) for action in actions))
    assert answers == [known(1), known(2), None, known(1)]
    assert await read(store) == known(1)


async def test_an_answer_without_a_change_of_its_own_waits_for_what_it_is_founded_on(store: Store) -> None:
    """Told "it is so already" or "refused", a caller relies on facts that must not be lost afterwards."""

    def refuse(record: Record | None) -> Record | None:
        assert record == known(1)
        raise LookupError

    told: list[str] = []
    heard: list[str] = []
    store.follow(lambda changes: heard.append("kept"))

    async def same() -> None:
        assert await store.change(TENANT, ADELE, lambda record: record) == known(1)
        told.append(f"same, {heard}")

    async def refused() -> None:
        with pytest.raises(LookupError):
            await store.change(TENANT, ADELE, refuse)
        told.append(f"refused, {heard}")

    await asyncio.gather(store.change(TENANT, ADELE, count), same(), refused())
    assert told == ["same, ['kept']", "refused, ['kept']"]


async def test_a_writer_who_goes_away_harms_no_neighbour(store: Store) -> None:
    writers = [asyncio.create_task(store.change(TENANT, f"p{n:03}", count)) for n in range(100)]
    await asyncio.sleep(0)
    gone = writers[::3]
    for writer in gone:
        writer.cancel()
    outcomes = await asyncio.gather(*writers, return_exceptions=True)
    for number, outcome in enumerate(outcomes):
        if isinstance(outcome, BaseException):
            assert number % 3 == 0
            assert isinstance(outcome, asyncio.CancelledError)
    # a change is whole or absent, and everyone can be changed again
    await asyncio.gather(*(store.change(TENANT, f"p{n:03}", count) for n in range(100)))
    feed = await store.feed(0)
    for number, record in enumerate(await store.read(TENANT, [f"p{n:03}" for n in range(100)])):
        mine = [change.record for change in feed if change.person == f"p{number:03}"]
        assert mine == [known(n) for n in range(1, len(mine) + 1)]
        assert mine[-1] == record
        assert number % 3 == 0 or len(mine) == 2


@pytest.mark.parametrize("gone", [0, 1, 2])
async def test_one_who_goes_away_takes_nobody_along_who_waits_for_the_same_fact(store: Store, gone: int) -> None:
    actions: list[Action] = [count, lambda record: record, lambda record: record]
    callers = [asyncio.create_task(store.change(TENANT, ADELE, action)) for action in actions]
    await asyncio.sleep(0)
    callers[gone].cancel()
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    del outcomes[gone]
    assert outcomes == [known(1)] * 2


async def test_people_come_in_order_of_their_ids_page_by_page(store: Store) -> None:
    ids = ["a", "B", "b", "aa", "ä", "z", "Ω", "10", "9", "\U0001f600", "\uffff", "a b"]
    for number, person in enumerate(ids):
        await store.change(TENANT, person, keep(known(number)))
        await store.change("another", f"not {person}", keep(known(number)))
    pages, after = [], ""
    while page := await store.people(TENANT, after, limit=5):
        pages.append([person for person, _ in page])
        after = page[-1][0]
    assert [len(page) for page in pages] == [5, 5, 2]
    assert [person for page in pages for person in page] == sorted(ids)
    assert await store.people(TENANT, "zz\U0010ffff") == [("ä", known(4)), ("Ω", known(6)), *await _last_two(store)]
    assert dict(await store.people(TENANT)) == {person: known(number) for number, person in enumerate(ids)}
    assert await store.people("no tenant") == []


async def _last_two(store: Store) -> list[tuple[str, Record]]:
    return [("\uffff", known(10)), ("\U0001f600", known(9))]


states = st.builds(State, st.text(max_size=5), st.text(max_size=5))
instants = st.floats(allow_nan=False, allow_infinity=False)
records = st.builds(
    Record,
    instants,
    st.integers(0, 2**63 - 1),
    st.builds(Profile, *[st.none() | st.text(max_size=9)] * 2),
    st.dictionaries(st.text(max_size=5), st.builds(Session, states, instants, st.none() | instants), max_size=3),
    st.none() | st.builds(Preferred, st.text(max_size=5), st.text(max_size=5), st.none() | instants),
    st.none() | st.builds(StatusMessage, st.text(), instants, st.none() | instants),
    st.none() | st.builds(OutOfOffice, st.none() | st.text(), st.none() | instants, st.none() | instants),
    *[st.none() | st.builds(WorkLocation, st.sampled_from(["office", "remote"]), st.text(), st.none() | instants)] * 2,
    st.builds(
        Calendar,
        st.lists(
            st.builds(CalendarEvent, instants, instants, st.sampled_from(["busy", "oof"]), st.booleans()), max_size=3
        ).map(tuple),
        st.none() | instants,
    ),
    st.none() | st.text(),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(person=st.text(min_size=1, max_size=9), record=records)
async def test_any_record_is_kept_to_the_letter(store: Store, person: str, record: Record) -> None:
    record = msgspec.structs.replace(record, profile=Profile(f"{person}@x", record.profile.display_name))
    await store.change(person, person, keep(record))
    assert await read(store, person, person) == record
    assert (await store.feed(0, 100_000))[-1].record == record
    assert await store.people(person) == [(person, record)]


async def test_text_that_cannot_be_written_down_fails_alone(store: Store) -> None:
    """Half a surrogate pair has no bytes. Whatever becomes of such a write, its neighbours are kept, its name free."""
    half = "\ud800"
    writes = [
        store.change(TENANT, ADELE, count),
        store.change(TENANT, half, count),
        store.change(TENANT, "half", keep(known(1, profile=Profile("alex@contoso.com", half)))),
        store.change(TENANT, ALEX, count),
    ]
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert outcomes[0] == outcomes[3] == known(1)
    assert await store.read(TENANT, [ADELE, ALEX]) == [known(1), known(1)]
    if isinstance(outcomes[2], BaseException):
        await store.change(TENANT, ALEX, keep(known(2, profile=Profile("alex@contoso.com"))))
        assert await store.find(TENANT, "alex@contoso.com") == ALEX


async def test_everything_known_is_there_after_a_restart(reopen: Opened) -> None:
    store = await reopen()
    request = SetPresence("app", "Busy", "InACall", "PT1H")
    busy = set_presence(new_record(1000.0, Profile("adele@contoso.com")), request, 1000.0)
    await store.change(TENANT, ADELE, keep(busy))
    await store.change(TENANT, ALEX, keep(known(2)))
    await store.change(TENANT, ALEX, keep(None))
    store = await reopen()
    assert await store.read(TENANT, [ADELE, ALEX]) == [busy, None]
    assert await store.people(TENANT) == [(ADELE, busy)]
    assert await store.find(TENANT, "adele@contoso.com") == ADELE
    assert await store.next_due() == 4600.0
    assert [change.record for change in await store.feed(0)] == [busy, known(2), None]
