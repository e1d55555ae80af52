"""Calendars over a store: what is kept, the window that reaches the record, and what ends it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from tests.calendar.ics import OTHER, at, vcalendar, vevent
from tests.conftest import SetClock

from presenced.calendar.calendars import Calendars
from presenced.calendar.content_lines import NotACalendar
from presenced.presence.record import Calendar, CalendarEvent, Profile, Record
from presenced.presence.refused import Refused
from presenced.presence.settle import new_record, pass_time
from presenced.store.base import Store
from presenced.store.memory import MemoryStore
from presenced.store.sqlite import SqliteStore

DAY = 86400.0
WINDOW = 31 * DAY + 35_544
"""With this person's own share of three days."""
NOW = at("2026-10-20 12:00")
TENANT, KIM = "tenant", "kim"
STAND_UP = vevent("UID:1", "DTSTART;TZID=Europe/Berlin:20200101T090000", "DURATION:PT15M", "RRULE:FREQ=DAILY", OTHER)
LUNCH = vevent("UID:2", "DTSTART:20261020T120000", "DURATION:PT1H")
TEXT = vcalendar(STAND_UP, LUNCH).encode()


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path):  # type: ignore[no-untyped-def]
    store = MemoryStore() if request.param == "memory" else await SqliteStore.open(tmp_path / "facts")
    profile = Profile("kim@example.com", mail="k.doe@example.com")
    await store.change(TENANT, KIM, lambda _: new_record(NOW, profile))
    yield store
    await store.close()


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def calendars(store: Store, clock: SetClock) -> Calendars:
    return Calendars(store, clock)


async def known(store: Store) -> Record:
    (record,) = await store.read(TENANT, [KIM])
    assert record is not None
    return record


async def set_zone(store: Store, zone: str | None) -> None:
    def action(record: Record | None) -> Record:
        assert record is not None
        return msgspec.structs.replace(record, time_zone=zone)

    await store.change(TENANT, KIM, action)


async def test_the_window_reaches_the_record(store: Store, calendars: Calendars) -> None:
    summary = await calendars.put(TENANT, KIM, TEXT, "kim.ics")
    calendar = (await known(store)).calendar
    assert calendar.known_until == summary.until == NOW + WINDOW
    starts = [datetime.fromtimestamp(event.starts_at, UTC) for event in calendar.events]
    assert starts[0] == datetime(2026, 10, 20, 7, tzinfo=UTC)  # what ended before yesterday's noon is left out
    assert starts[-1] == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert summary.events == len(starts) == 33
    lunch = CalendarEvent(NOW, NOW + 3600, "busy")
    assert lunch in calendar.events
    assert (summary.next, summary.time_zone) == (lunch, "UTC")


async def test_the_person_s_zone_counts_and_may_change(store: Store, calendars: Calendars) -> None:
    for zone, hour, key in (("Europe/Berlin", 10, "Europe/Berlin"), ("Tokyo Standard Time", 3, "Asia/Tokyo")):
        await set_zone(store, zone)
        summary = await calendars.put(TENANT, KIM, TEXT, "kim.ics")
        assert summary.time_zone == key
        assert (
            CalendarEvent(at(f"2026-10-20 {hour:02}:00"), at(f"2026-10-20 {hour + 1:02}:00"), "busy")
            in (await known(store)).calendar.events
        )
    await set_zone(store, None)
    await calendars.refill(TENANT, KIM)
    assert CalendarEvent(NOW, NOW + 3600, "busy") in (await known(store)).calendar.events


async def test_both_addresses_are_the_person_s(store: Store, calendars: Calendars) -> None:
    own = ("ATTENDEE;PARTSTAT=DECLINED:mailto:K.Doe@example.com", "ATTENDEE;PARTSTAT=DECLINED:mailto:KIM@example.com")
    for line in own:
        text = vcalendar(vevent("DTSTART:20261020T120000", "DURATION:PT1H", line, OTHER)).encode()
        assert (await calendars.put(TENANT, KIM, text, "kim.ics")).events == 0


async def test_it_is_worked_out_anew_from_what_is_kept(store: Store, clock: SetClock) -> None:
    await Calendars(store, clock).put(TENANT, KIM, TEXT, "kim.ics")
    clock.advance(40 * DAY)
    # as the service does before; and another process than the one that took the calendar
    await store.change(TENANT, KIM, lambda record: record and pass_time(record, clock.now()))
    assert not (await known(store)).calendar.events
    await Calendars(store, clock).refill(TENANT, KIM)
    calendar = (await known(store)).calendar
    assert calendar.known_until == NOW + 40 * DAY + WINDOW
    assert (len(calendar.events), calendar.events[0].starts_at) == (32, at("2026-11-29 08:00"))
    assert calendar.events[0].is_meeting


async def test_nothing_to_refill(store: Store, calendars: Calendars) -> None:
    before = await store.feed(0)
    await calendars.refill(TENANT, KIM)
    await calendars.refill(TENANT, "nobody")
    assert await store.feed(0) == before
    assert await store.read(TENANT, ["nobody"]) == [None]


async def test_a_newer_calendar_replaces_the_older(store: Store, calendars: Calendars) -> None:
    await calendars.put(TENANT, KIM, TEXT, "kim.ics")
    assert (await calendars.put(TENANT, KIM, vcalendar(LUNCH).encode(), "new.ics")).events == 1
    await calendars.refill(TENANT, KIM)
    assert len((await known(store)).calendar.events) == 1
    with pytest.raises(NotACalendar):
        await calendars.put(TENANT, KIM, b"no calendar", "kim.ics")
    await calendars.refill(TENANT, KIM)
    assert len((await known(store)).calendar.events) == 1


async def test_an_empty_calendar_is_one(store: Store, calendars: Calendars) -> None:
    summary = await calendars.put(TENANT, KIM, vcalendar().encode(), "kim.ics")
    assert (summary.events, summary.next) == (0, None)
    assert (await known(store)).calendar == Calendar((), NOW + WINDOW, NOW - DAY)


async def test_remove(store: Store, calendars: Calendars) -> None:
    await calendars.put(TENANT, KIM, TEXT, "kim.ics")
    assert await calendars.remove(TENANT, KIM)
    assert (await known(store)).calendar == Calendar()
    assert await store.documents(Calendars.COLLECTION) == {}
    assert not await calendars.remove(TENANT, KIM)
    assert not await calendars.remove(TENANT, "nobody")
    assert await store.read(TENANT, ["nobody"]) == [None]


async def test_an_unknown_person(store: Store, calendars: Calendars) -> None:
    with pytest.raises(Refused) as refused:
        await calendars.put(TENANT, "nobody", TEXT, "kim.ics")
    assert refused.value.code == "NotFound"
    with pytest.raises(Refused):
        await calendars.put("another tenant", KIM, TEXT, "kim.ics")
    assert await store.documents(Calendars.COLLECTION) == {}


@pytest.mark.parametrize("damage", ["not msgpack", "not zlib", "not a calendar", "nothing"])
async def test_a_calendar_that_cannot_be_read_is_tried_again_after_a_day(
    store: Store, calendars: Calendars, damage: str
) -> None:
    await calendars.put(TENANT, KIM, TEXT, "kim.ics")
    key = f"{TENANT}/{KIM}"
    kept = msgspec.msgpack.decode(await store.document(Calendars.COLLECTION, key) or b"")
    documents = {
        "not msgpack": b"\xc1",
        "not zlib": msgspec.msgpack.encode(kept | {"text": b"not zlib"}),
        "not a calendar": msgspec.msgpack.encode(kept | {"text": b"x\x9c\x03\x00\x00\x00\x00\x01"}),
        "nothing": None,
    }
    await store.put(Calendars.COLLECTION, key, documents[damage])
    await calendars.refill(TENANT, KIM)
    # so that nobody tries again at each read
    again = Calendar() if damage == "nothing" else Calendar((), NOW + DAY, NOW - DAY)
    assert (await known(store)).calendar == again


class Hasty(MemoryStore):
    """A store whose owner deletes Kim as soon as a document of theirs is kept."""

    async def put(self, collection: str, key: str, document: bytes | None) -> None:
        await super().put(collection, key, document)
        await self.change(TENANT, KIM, lambda _: None)


async def test_someone_deleted_while_their_calendar_is_read_leaves_nothing(clock: SetClock) -> None:
    store = Hasty()
    await store.change(TENANT, KIM, lambda _: new_record(NOW))
    with pytest.raises(Refused):
        await Calendars(store, clock).put(TENANT, KIM, TEXT, "kim.ics")
    assert await store.documents(Calendars.COLLECTION) == {}
    assert await store.read(TENANT, [KIM]) == [None]


async def test_the_last_of_several_at_once_wins(store: Store, calendars: Calendars) -> None:
    texts = [
        vcalendar(*(vevent(f"UID:{n}", "DTSTART:20261020T120000", "DURATION:PT1H") for n in range(size))).encode()
        for size in (200, 100, 1)
    ]
    puts = [asyncio.create_task(calendars.put(TENANT, KIM, text, "kim.ics")) for text in texts]
    refills = [asyncio.create_task(calendars.refill(TENANT, KIM)) for _ in range(3)]
    summaries = await asyncio.gather(*puts)
    await asyncio.gather(*refills)
    assert [summary.events for summary in summaries] == [200, 100, 1]
    assert len((await known(store)).calendar.events) == 1
    await calendars.refill(TENANT, KIM)
    assert len((await known(store)).calendar.events) == 1
    assert not calendars._locks  # nor does anything stay of who has been waited for
