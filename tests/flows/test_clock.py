"""What a reader sees is exact at the moment of reading, whatever the clock does: stands, jumps ahead, is set back."""

import asyncio

import pytest
from tests.conftest import JONAS, NADIA, Desk
from tests.flows.day import DAY, HOUR, Someone

from presenced.emulator import sample
from presenced.presence.record import Record, Session
from presenced.presence.states import State
from presenced.view import View

BUSY = State("Busy", "InACall")


@pytest.fixture
async def desk(desk: Desk) -> Desk:
    """A desk whose service runs, so that time is folded in as on a server."""
    await desk.app.service.start()
    return desk


@pytest.fixture(autouse=True)
async def stop(desk: Desk) -> object:
    yield
    await desk.app.service.stop()


async def test_a_suspended_laptop_wakes_up_days_later(desk: Desk) -> None:
    jonas = Someone(desk)
    await jonas.session("laptop", "Available", "Available", "PT1H")
    await jonas.prefers("Busy", "Busy")
    asleep = (await jonas.seen())["sequenceNumber"]
    desk.clock.advance(3 * DAY)
    assert await jonas.state() == ("Offline", "Offline")
    await jonas.session("laptop", "Available", "Available", "PT1H")
    assert await jonas.state() == ("Available", "Available")  # chosen for a day, three days ago
    assert (await jonas.seen())["sequenceNumber"] > asleep


async def test_what_readers_saw_end_does_not_come_back_when_the_clock_is_set_back(desk: Desk) -> None:
    jonas = Someone(desk)
    await jonas.session("laptop", "Busy", "InACall", "PT5M")
    desk.clock.advance(300)
    assert await jonas.state() == ("Offline", "Offline")
    ended = (await jonas.seen())["sequenceNumber"]
    desk.clock.advance(-HOUR)
    assert await jonas.state() == ("Offline", "Offline")
    assert (await jonas.seen())["sequenceNumber"] == ended
    await jonas.session("laptop", "Busy", "InACall", "PT5M")
    assert await jonas.state() == ("Busy", "InACall")
    assert (await jonas.seen())["sequenceNumber"] > ended
    desk.clock.advance(299)
    assert await jonas.state() == ("Busy", "InACall")
    desk.clock.advance(1)
    assert await jonas.state() == ("Offline", "Offline")


async def test_an_absence_holds_again_when_the_clock_is_set_back_into_it(desk: Desk) -> None:
    """Under a new number, to every reader alike, and it ends again by itself."""
    desk.clock.at = 1_800_000_000.0
    jonas = Someone(desk)
    await jonas.mailbox(
        automaticRepliesSetting={
            "status": "scheduled",
            "internalReplyMessage": "Away",
            "scheduledStartDateTime": {"dateTime": "2027-01-15T07:00:00", "timeZone": "UTC"},
            "scheduledEndDateTime": {"dateTime": "2027-01-15T08:10:00", "timeZone": "UTC"},
        }
    )
    numbers = [(await jonas.seen())["sequenceNumber"]]
    for seconds, away in ((600, False), (-150, True), (150, False), (-100, True), (100, False)):
        desk.clock.advance(seconds)
        seen = await jonas.seen()
        assert seen["outOfOfficeSettings"]["isOutOfOffice"] is away
        assert (await jonas.sees_own())["outOfOfficeSettings"]["isOutOfOffice"] is away
        numbers.append(seen["sequenceNumber"])
        assert (await jonas.seen())["sequenceNumber"] == numbers[-1]
        await desk.app.service.settle()
        assert (await jonas.seen())["sequenceNumber"] == numbers[-1]
    assert numbers == sorted(set(numbers))


async def test_many_readers_meet_a_clock_set_back(desk: Desk) -> None:
    jonas = Someone(desk)
    await jonas.session("laptop", "Busy", "InACall", "PT5M")
    desk.clock.advance(300)
    seen = await jonas.seen()
    desk.clock.advance(-HOUR)
    assert await asyncio.gather(*(jonas.seen() for _ in range(30))) == [seen] * 30


@pytest.mark.parametrize("steps", [[-1, -1, -1], [5, -10, 5, -0.001], [DAY, -DAY], [-DAY, 3 * DAY, -DAY]])
async def test_sequence_numbers_grow_over_a_nervous_clock(desk: Desk, steps: list[float]) -> None:
    jonas = Someone(desk)
    last = (await jonas.seen())["sequenceNumber"]
    for step in steps * 4:
        for availability, activity in (("Busy", "InACall"), ("Away", "Away")):
            await jonas.session("laptop", availability, activity, "PT4H")
            assert await jonas.state() == (availability, activity)
            number = (await jonas.seen())["sequenceNumber"]
            assert number > last
            last = number
        desk.clock.advance(step)
        assert (await jonas.seen())["sequenceNumber"] >= last
        last = (await jonas.seen())["sequenceNumber"]


async def test_time_alone_makes_events_in_the_feed(desk: Desk) -> None:
    jonas = Someone(desk)
    await jonas.session("laptop", "Available", "Available", "PT1H")
    await jonas.prefers("Away", "Away", "PT2M")
    before = len(await desk.app.store.feed(0, 10_000))
    for at in (120, 180, 300, 3000):
        desk.clock.advance(at)
        await desk.app.service.settle()  # the machine's timers do not follow this clock
        changes = await desk.app.store.feed(0, 10_000)
        assert len(changes) == before + 1
        assert (changes[-1].person, changes[-1].record and changes[-1].record.settled_at) == (JONAS, desk.clock.now())
        before += 1


def ended(*, at: float = 100.0) -> Record:
    return Record(0.0, 1, sessions={"s": Session(BUSY, 0.0, at)})


def test_everybody_ends_at_one_instant() -> None:
    """However many entries end at once, a reader sees the people asked for as they are, and does not wait for all."""
    view = View()
    people = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(5_000)]
    for tenant in ("one", "another"):
        for person in people:
            view.add(tenant, person, ended(), 0.0)
    asked = people[4_000:4_650]

    def shown(now: float) -> int:
        entries = view.current("one", now, asked)
        return sum(person in entries for person in asked)

    assert shown(99.0) == len(asked)
    assert not shown(100.0)
    for person in asked:
        view.add("one", person, ended(at=200.0), 100.0)
    assert shown(100.0) == len(asked)  # renewed; what is left of the old ends is void
    while len(view.current("one", 100.0, asked)) > len(asked):
        pass
    assert shown(100.0) == len(view.current("one", 100.0, asked)) == len(asked)
    assert not len(view.current("another", 100.0, ()))
    assert not len(view.current("one", 200.0, asked))


async def test_a_crowd_goes_home_at_one_instant(desk: Desk) -> None:
    """5,000 sessions end together: every read is right at once, and the feed has an event for each person."""
    store, service = desk.app.store, desk.app.service
    people = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(5_000)]
    now = desk.clock.now()
    record = Record(now, 1, sessions={"s": Session(BUSY, now, now + 600)})
    await asyncio.gather(*(store.change(sample.TENANT, person, lambda _: record) for person in people))
    position = (await store.feed(0, 100_000))[-1].position
    reader = desk.client("Presence.Read.All")
    for at, activity in ((599.999, "InACall"), (600.0, "Offline")):
        desk.clock.at = now + at
        for start in range(0, 5_000, 650):
            ids = [NADIA, *people[start : start + 649]]
            found = (await reader.post("/communications/getPresencesByUserId", json={"ids": ids})).json()["value"]
            assert {presence["activity"] for presence in found[1:]} == {activity}
            assert found[0]["activity"] == "InAMeeting"
    await service.settle()
    changes = await store.feed(position, 100_000)
    assert len(changes) == 5_000
    assert {change.person for change in changes} == set(people)
    assert await store.next_due() is None or (await store.next_due() or 0) > now + 600
