"""A person's day, told through the API with a clock that can be set."""

from datetime import UTC, datetime

from tests.conftest import Desk
from tests.flows.day import DAY, HOUR, Someone

HTML = "<html>\n<body>\n<p>I'm away until Monday.</p>\n<p>Ask &amp; ye shall <b>find</b></p></body></html>"
MONDAY = datetime(2026, 11, 23, tzinfo=UTC).timestamp()


async def test_a_day_at_work(desk: Desk) -> None:
    desk.clock.at = MONDAY + 8 * HOUR
    jonas = Someone(desk)
    assert await jonas.state() == ("Offline", "Offline")

    # signed in on two devices
    await jonas.session("laptop", "Available", "Available")
    await jonas.session("phone", "Away", "Away")
    assert await jonas.state() == ("Available", "Available")

    # joins a call; the laptop keeps itself alive
    desk.clock.advance(4 * 60)
    await jonas.session("laptop", "Available", "Available")
    await jonas.session("softphone", "Busy", "InACall", "PT1H")
    assert await jonas.state() == ("Busy", "InACall")

    # asks not to be disturbed for half an hour, which outranks the call and even someone who presents
    await jonas.prefers("DoNotDisturb", "DoNotDisturb", "PT30M")
    await jonas.session("projector", "DoNotDisturb", "Presenting", "PT5M")
    assert await jonas.state() == ("DoNotDisturb", "DoNotDisturb")
    desk.clock.advance(30 * 60 - 1)
    assert await jonas.state() == ("DoNotDisturb", "DoNotDisturb")
    desk.clock.advance(1)
    assert await jonas.state() == ("Busy", "InACall")  # the aggregate returns

    # hangs up; the laptop has not been touched since
    assert (await jonas.is_set("clearPresence", {"sessionId": "softphone"})).status_code == 200
    assert await jonas.state() == ("Away", "Away")
    await jonas.session("laptop", "Available", "Available")
    assert await jonas.state() == ("Available", "Available")

    # goes home: every session is closed, and what was chosen shows no more
    await jonas.prefers("BeRightBack", "BeRightBack")
    assert await jonas.state() == ("BeRightBack", "BeRightBack")
    for session in ("laptop", "phone"):
        assert (await jonas.is_set("clearPresence", {"sessionId": session})).status_code == 200
    assert await jonas.state() == ("Offline", "Offline")

    # but it is kept, and shows again the next morning
    desk.clock.at = MONDAY + DAY + 8 * HOUR
    await jonas.session("laptop", "Available", "Available")
    assert await jonas.state() == ("BeRightBack", "BeRightBack")
    assert (await jonas.does("clearUserPreferredPresence")).status_code == 200
    assert await jonas.state() == ("Available", "Available")


async def test_a_message_that_ends_at_five_in_paris(desk: Desk) -> None:
    desk.clock.at = MONDAY + 9 * HOUR
    jonas = Someone(desk)
    message = {
        "message": {"content": "In the workshop, back at five.", "contentType": "text"},
        "expiryDateTime": {"dateTime": "2026-11-23T17:00:00.0000000", "timeZone": "Europe/Paris"},
    }
    answer = await jonas.does("setStatusMessage", {"statusMessage": message})
    assert (answer.status_code, answer.content) == (200, b"")
    desk.clock.at = MONDAY + 16 * HOUR - 0.125  # Paris is an hour ahead in November
    assert (await jonas.seen())["statusMessage"] == {"message": message["message"]}
    assert (await jonas.sees_own())["statusMessage"] == {
        "message": message["message"],
        "publishedDateTime": "2026-11-23T09:00:00.0000000Z",
        "expiryDateTime": {"dateTime": "2026-11-23T16:00:00.0000000", "timeZone": "UTC"},
    }
    desk.clock.advance(0.125)
    assert (await jonas.seen())["statusMessage"] is None
    assert (await jonas.sees_own())["statusMessage"] is None


async def test_works_at_home_then_comes_in(desk: Desk) -> None:
    desk.clock.at = MONDAY + 8 * HOUR
    jonas = Someone(desk)
    assert await jonas.place() == ("none", "unspecified", None)
    for action, body, place in (
        ("setAutomaticLocation", {"workLocationType": "remote"}, ("automatic", "remote", None)),
        ("setManualLocation", {"workLocationType": "office"}, ("manual", "office", None)),
        ("setManualLocation", {"workLocationType": "office", "placeId": "b1"}, ("manual", "office", "b1")),
        ("setManualLocation", {"workLocationType": "office"}, ("manual", "office", "b1")),  # more precise wins
        ("setAutomaticLocation", {"workLocationType": "office", "placeId": "b2"}, ("manual", "office", "b1")),
        ("clearAutomaticLocation", None, ("manual", "office", "b1")),
        ("setAutomaticLocation", {"workLocationType": "office", "placeId": "b2"}, ("manual", "office", "b1")),
        ("setManualLocation", {"workLocationType": "remote"}, ("manual", "remote", None)),
        ("clearLocation", {}, ("none", "unspecified", None)),
        ("setAutomaticLocation", {"workLocationType": "office", "placeId": "b2"}, ("automatic", "office", "b2")),
    ):
        answer = await jonas.does(action, body)
        assert (answer.status_code, answer.content) == (204, b""), answer.text
        assert await jonas.place() == place
    desk.clock.at = MONDAY + DAY - 1
    assert await jonas.place() == ("automatic", "office", "b2")
    desk.clock.advance(1)  # a location is one of the current date
    assert await jonas.place() == ("none", "unspecified", None)


async def test_the_current_date_is_the_persons(desk: Desk) -> None:
    desk.clock.at = MONDAY + 23 * HOUR
    jonas = Someone(desk)
    assert (await jonas.mailbox(timeZone="W. Europe Standard Time"))["timeZone"] == "W. Europe Standard Time"
    await jonas.does("setManualLocation", {"workLocationType": "timeOff"})
    desk.clock.advance(2 * HOUR)  # midnight UTC has passed, and it is Tuesday in Berlin since before the call
    assert await jonas.place() == ("manual", "timeOff", None)
    desk.clock.at = MONDAY + DAY + 23 * HOUR
    assert await jonas.place() == ("none", "unspecified", None)


async def test_a_holiday(desk: Desk) -> None:
    desk.clock.at = MONDAY
    jonas = Someone(desk)
    replies = {
        "status": "scheduled",
        "externalAudience": "all",
        "internalReplyMessage": HTML,
        "externalReplyMessage": "Away.",
        "scheduledStartDateTime": {"dateTime": "2026-11-24T09:00:00", "timeZone": "Europe/Berlin"},
        "scheduledEndDateTime": {"dateTime": "2026-11-30T00:00:00.0000000", "timeZone": "W. Europe Standard Time"},
    }
    kept = (await jonas.mailbox(automaticRepliesSetting=replies))["automaticRepliesSetting"]
    assert kept == replies | {
        "scheduledStartDateTime": {"dateTime": "2026-11-24T08:00:00.0000000", "timeZone": "UTC"},
        "scheduledEndDateTime": {"dateTime": "2026-11-29T23:00:00.0000000", "timeZone": "UTC"},
    }
    not_away = {"message": None, "isOutOfOffice": False}
    away = {"message": "I'm away until Monday.\nAsk & ye shall find", "isOutOfOffice": True}
    desk.clock.at = MONDAY + DAY + 8 * HOUR - 1
    await jonas.session("laptop", "Available", "Available")
    assert ((await jonas.seen())["outOfOfficeSettings"], await jonas.state()) == (not_away, ("Available", "Available"))
    desk.clock.advance(1)
    assert ((await jonas.seen())["outOfOfficeSettings"], await jonas.state()) == (away, ("Available", "OutOfOffice"))
    await jonas.session("phone", "Busy", "InACall", "PT5M")
    assert ((await jonas.seen())["outOfOfficeSettings"], await jonas.state()) == (away, ("Busy", "InACall"))
    desk.clock.advance(4 * HOUR)
    assert ((await jonas.seen())["outOfOfficeSettings"], await jonas.state()) == (away, ("Offline", "Offline"))
    # back early
    await jonas.mailbox(automaticRepliesSetting={"status": "disabled"})
    assert (await jonas.seen())["outOfOfficeSettings"] == not_away
    # and away again, with what was written before
    again = await jonas.mailbox(automaticRepliesSetting={"status": "alwaysEnabled"})
    assert again["automaticRepliesSetting"]["internalReplyMessage"] == replies["internalReplyMessage"]
    assert (await jonas.seen())["outOfOfficeSettings"] == away
