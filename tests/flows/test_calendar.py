"""A person's presence follows their calendar through a day: told through the API with a clock that can be set."""

import asyncio
import base64
import json
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx
import pytest
from tests.calendar.ics import at, vcalendar, vevent
from tests.conftest import JONAS, NADIA, TOMAS, Desk
from tests.flows.day import Someone

from presenced.emulator import sample

BERLIN = "TZID=Europe/Berlin"
UPN = "jonas@sample.example"
OUTLOOK = "X-MICROSOFT-CDO-BUSYSTATUS:"


def event(start: str, end: str, *lines: str) -> str:
    return vevent(
        f"UID:{start}{end}", f"DTSTART;{BERLIN}:20261020T{start}00", f"DTEND;{BERLIN}:20261020T{end}00", *lines
    )


DAY = vcalendar(
    event("0800", "0900", OUTLOOK + "WORKINGELSEWHERE"),
    event("0900", "1000", "ORGANIZER:mailto:tomas@sample.example"),
    event("1000", "1100", f"ORGANIZER:mailto:{UPN}"),
    event("1100", "1200", OUTLOOK + "TENTATIVE", "ORGANIZER:mailto:tomas@sample.example"),
    event("1130", "1200", OUTLOOK + "FREE"),
    event("1200", "1300", "ORGANIZER:mailto:tomas@sample.example", f"ATTENDEE;PARTSTAT=DECLINED:mailto:{UPN}"),
    event("1300", "1500", OUTLOOK + "OOF"),
    event("1400", "1500", "ORGANIZER:mailto:tomas@sample.example"),
    event("1700", "1800", "ATTENDEE:mailto:tomas@sample.example"),
)


async def give(desk: Desk, text: str = DAY) -> None:
    """What `presenced calendar import` asks of the server."""
    transport = httpx.ASGITransport(desk.app.control)
    async with httpx.AsyncClient(transport=transport, base_url="http://control") as control:
        request = {"user": UPN, "text": base64.b64encode(text.encode()).decode(), "source": "day.ics"}
        answer = await control.post("/calendar/import", json=request)
        assert answer.status_code == 200, answer.text


@pytest.fixture
async def jonas(desk: Desk) -> Someone:
    """Seven o'clock in Berlin, and Jonas' calendar for the day."""
    desk.clock.at = at("2026-10-20 05:00")
    await give(desk)
    return Someone(desk, JONAS)


# in Berlin; what others see of Jonas, who is signed in and at his desk from eight to half past three
DIARY = [
    ("07:59:59", ("Offline", "Offline"), False, "none"),
    ("08:00:00", ("Available", "Available"), False, "remote"),
    ("09:00:00", ("Busy", "InAMeeting"), False, "none"),
    ("10:00:00", ("Busy", "Busy"), False, "none"),
    ("11:00:00", ("Available", "Available"), False, "none"),  # tentative, then free
    ("11:45:00", ("Available", "Available"), False, "none"),
    ("12:30:00", ("Available", "Available"), False, "none"),  # declined
    ("13:00:00", ("Available", "OutOfOffice"), True, "none"),
    ("14:00:00", ("Busy", "InAMeeting"), True, "none"),
    ("15:00:00", ("Available", "Available"), False, "none"),
    ("17:30:00", ("Offline", "Offline"), False, "none"),  # a meeting is no session
]


async def test_a_day_by_the_calendar(desk: Desk, jonas: Someone) -> None:
    for clock, state, away, place in DIARY:
        desk.clock.at = at(f"2026-10-20 {clock}") - 7200
        if "08:00:00" <= clock < "15:30:00":
            await jonas.session("teams", "Available", "Available", "PT1H")
        seen = await jonas.seen()
        assert (seen["availability"], seen["activity"]) == state, clock
        assert seen["outOfOfficeSettings"] == {"message": None, "isOutOfOffice": away}, clock
        shown = "none" if seen["workLocation"]["source"] == "none" else seen["workLocation"]["workLocationType"]
        assert shown == place, clock
        assert seen["workLocation"]["source"] == ("none" if place == "none" else "scheduled")


async def test_a_call_in_a_meeting_shows_as_the_call_and_a_choice_over_both(desk: Desk, jonas: Someone) -> None:
    desk.clock.at = at("2026-10-20 07:10")
    await jonas.session("teams", "Available", "Available")
    await jonas.session("phone", "Busy", "InACall")
    assert await jonas.state() == ("Busy", "InACall")
    await jonas.prefers("Available", "Available", "PT10M")
    assert await jonas.state() == ("Available", "Available")
    desk.clock.advance(600)
    await jonas.is_set("clearPresence", {"sessionId": "phone"})
    assert await jonas.state() == ("Busy", "InAMeeting")


async def test_a_meeting_every_week_goes_on_for_ever(desk: Desk, jonas: Someone) -> None:
    """More of the calendar is worked out when somebody looks, however far the clock has jumped."""
    weekly = vevent(
        "UID:weekly",
        f"DTSTART;{BERLIN}:20261020T090000",
        f"DTEND;{BERLIN}:20261020T100000",
        "RRULE:FREQ=WEEKLY",
        "ORGANIZER:mailto:tomas@sample.example",
    )
    await give(desk, vcalendar(weekly))
    for day, hour in (("2026-10-27", "08:30"), ("2027-07-06", "07:30"), ("2036-01-01", "08:30")):
        desk.clock.at = at(f"{day} {hour}")
        await jonas.session("teams", "Available", "Available", "PT2H")
        assert await jonas.state() == ("Busy", "InAMeeting"), day
        desk.clock.advance(3600)
        await jonas.session("teams", "Available", "Available", "PT2H")
        assert await jonas.state() == ("Available", "Available"), day


async def test_all_day_is_a_day_where_the_person_is(desk: Desk, jonas: Someone) -> None:
    await give(desk, vcalendar(vevent("UID:x", "DTSTART;VALUE=DATE:20261021", OUTLOOK + "OOF")))
    for zone, first in (("UTC", "2026-10-21 00:00"), ("Tokyo Standard Time", "2026-10-20 15:00")):
        await jonas.mailbox(timeZone=zone)
        desk.clock.at = at(first) - 1
        assert (await jonas.seen())["outOfOfficeSettings"]["isOutOfOffice"] is False
        desk.clock.advance(1)
        assert (await jonas.seen())["outOfOfficeSettings"]["isOutOfOffice"] is True
        desk.clock.at = at("2026-10-20 05:00")


async def test_who_is_deleted_leaves_no_calendar(desk: Desk, jonas: Someone) -> None:
    assert list(await desk.app.store.documents("calendars")) == [f"{sample.TENANT}/{JONAS}"]
    directory = desk.client("User.ReadWrite.All")
    assert (await directory.delete(f"/users/{JONAS}")).status_code == 204
    assert await desk.app.store.documents("calendars") == {}
    # another who is given the id has their days to themself
    assert (await directory.post("/users", json={"id": JONAS, "userPrincipalName": UPN})).status_code == 201
    desk.clock.at = at("2026-10-20 11:30")
    assert (await jonas.seen())["outOfOfficeSettings"]["isOutOfOffice"] is False


DAILY = vcalendar(
    vevent(
        "UID:daily",
        f"DTSTART;{BERLIN}:20261001T090000",
        f"DTEND;{BERLIN}:20261001T110000",
        "RRULE:FREQ=DAILY",
        OUTLOOK + "OOF",
    )
)


@pytest.mark.parametrize("days", [2, 30, 365, 4000])
async def test_a_clock_that_was_far_ahead_is_corrected(desk: Desk, jonas: Someone, days: int) -> None:
    await give(desk, DAILY)
    desk.clock.at = at("2026-10-20 08:00")
    for moved in (days * 86400.0, -days * 86400.0, days * 86400.0, 3600.0, -days * 86400.0):
        desk.clock.advance(moved)
        away = (await jonas.seen())["outOfOfficeSettings"]["isOutOfOffice"]
        assert away == (9 <= datetime.fromtimestamp(desk.clock.now(), ZoneInfo("Europe/Berlin")).hour < 11), moved
        await desk.app.service.settle()
    desk.clock.at = at("2026-10-21 08:30")
    assert (await jonas.seen())["outOfOfficeSettings"]["isOutOfOffice"] is True


async def test_a_change_after_the_calendar_has_run_out(desk: Desk, jonas: Someone) -> None:
    """It is not seen without the calendar, and the calendar goes on by itself."""
    await give(desk, DAILY)
    desk.clock.at = at("2027-02-01 08:30")
    await jonas.session("teams", "Available", "Available")
    assert await jonas.state() == ("Available", "OutOfOffice")
    await desk.app.service.settle()
    assert await desk.app.store.next_due() is not None
    desk.clock.at = at("2027-02-01 10:00")
    await jonas.session("teams", "Available", "Available")
    assert await jonas.state() == ("Available", "Available")


async def test_known_people_stay_known_while_a_calendar_is_worked_out(desk: Desk, jonas: Someone) -> None:
    """An entry that ends while another's calendar is worked out is rendered anew, not taken for nobody's."""
    await give(desk, DAILY)
    tomas = Someone(desk, TOMAS)
    await tomas.session("app", "DoNotDisturb", "Presenting", "PT5M")
    desk.clock.at = at("2027-02-01 08:30")
    await tomas.session("app", "DoNotDisturb", "Presenting", "PT5M")
    assert await tomas.state() == ("DoNotDisturb", "Presenting")
    bulk = asyncio.create_task(desk.app.service.presences(sample.TENANT, [TOMAS, JONAS]))
    await asyncio.sleep(0)  # it has begun on the calendar
    desk.clock.advance(300)
    await Someone(desk, NADIA).state()  # whoever reads forgets what has ended, of others too
    states = [json.loads(entry)["activity"] for entry in await bulk]
    assert states == ["Away", "Offline"]


async def test_time_goes_on_for_others_when_a_calendar_fails(
    desk: Desk, jonas: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    await give(desk, DAILY)

    async def fail(tenant: str, person: str) -> None:
        raise RuntimeError("as a test")

    monkeypatch.setattr(desk.app.service, "_refill", fail)
    desk.clock.at = at("2027-02-01 08:30")
    tomas = Someone(desk, TOMAS)
    await tomas.session("app", "Busy", "InACall", "PT5M")
    desk.clock.advance(300)
    before = len(await desk.app.store.feed(0, 100_000))
    await desk.app.service.settle()
    assert {change.person for change in (await desk.app.store.feed(0, 100_000))[before:]} == {JONAS, TOMAS}
