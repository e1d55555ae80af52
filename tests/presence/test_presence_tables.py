"""The rules of presence as tables, each row with where it comes from. "spec" is the reference of Graph's presence API,
by section; "ours" is a rule of presenced where the spec is open. Sessions by themselves: test_presence_actions.py and
test_presence_resolve.py."""

from typing import Any

import msgspec
import pytest
from msgspec import UNSET
from tests.presence.bad_requests import BAD_REQUESTS, Bad

from presenced.presence.actions import (
    ClearPresence,
    SetPresence,
    SetUserPreferredPresence,
    clear_presence,
    clear_user_preferred_presence,
    set_presence,
    set_user_preferred_presence,
)
from presenced.presence.calendar import set_calendar
from presenced.presence.out_of_office import LONGEST_REPLY, AutomaticReplies, MailboxSettings, set_mailbox_settings
from presenced.presence.record import Calendar, CalendarEvent, Record, Session, ShowAs
from presenced.presence.refused import Refused
from presenced.presence.resolve import VisibleLocation, next_change, resolve
from presenced.presence.settle import new_record, pass_time
from presenced.presence.states import State
from presenced.presence.status_message import ItemBody, Message, SetStatusMessage, set_status_message
from presenced.presence.time_zones import DateTimeTimeZone
from presenced.presence.work_location import (
    LONGEST_PLACE_ID,
    SetLocation,
    clear_automatic_location,
    clear_location,
    set_automatic_location,
    set_manual_location,
)

NOW = 1_761_393_600.0  # 2025-10-25T12:00:00Z
MIDNIGHT = NOW + 12 * 3600.0
DAY = 86400.0

PREFERRED = [
    # (source, availability, activity, days it holds if nothing is asked)
    ("spec 5.1 [G5]", "Available", "Available", 7),
    ("spec 5.1 [G5]", "Busy", "Busy", 1),
    ("spec 5.1 [G5]", "DoNotDisturb", "DoNotDisturb", 1),
    ("spec 5.1 [G5]", "BeRightBack", "BeRightBack", 7),
    ("spec 5.1 [G5]", "Away", "Away", 7),
    ("spec 5.1 [G5]", "Offline", "OffWork", 7),
]
PREFERRED_LENGTHS = [
    ("spec 5.1 [G5]: example", "PT8H", 28800.0),
    ("spec 5.1 [C15, C17]", "P1D", DAY),
    ("spec 5.1: no range, below setPresence's", "PT1M", 60.0),
    ("spec 5.1: no range", "PT0.125S", 0.125),
    ("spec 5.1: no range, above setPresence's", "P30D", 30 * DAY),
]

STATES = [
    # (source, session, preferred, events that cover now, out of office, what shows)
    ("spec 12.6: no live session", None, None, [], False, "Offline/Offline"),
    ("spec 5.1 [G5]: only while a session exists", None, "Busy/Busy", [], False, "Offline/Offline"),
    ("ours: the calendar is no session", None, None, ["busy", "meeting"], False, "Offline/Offline"),
    ("spec 7.2: only Available becomes OutOfOffice", None, None, [], True, "Offline/Offline"),
    ("spec 5.1 [G17]: over every session", "DoNotDisturb/Presenting", "Available/Available", [], False, "Available/*"),
    ("spec 5.1 [G17]: calls too", "Busy/InACall", "Away/Away", [], False, "Away/Away"),
    ("spec 5.1 [T21]: appear offline", "Available/Available", "Offline/OffWork", [], False, "Offline/OffWork"),
    ("ours: preferred over the calendar", "Away/Away", "BeRightBack/*", ["busy", "meeting"], False, "BeRightBack/*"),
    ("ours", "Available/Available", None, ["busy"], False, "Busy/Busy"),
    ("ours", "Available/AvailableInactive", None, ["busy"], False, "Busy/Busy"),
    ("ours", "Away/Away", None, ["busy"], False, "Busy/Busy"),
    ("ours: a meeting", "Available/Available", None, ["meeting"], False, "Busy/InAMeeting"),
    ("ours: any of them a meeting", "Away/Away", None, ["busy", "meeting", "busy"], False, "Busy/InAMeeting"),
    ("ours: a busy meeting", "Away/Away", None, ["busy", "tentative meeting"], False, "Busy/Busy"),
    ("ours: a busy meeting", "Away/Away", None, ["oof meeting", "busy"], False, "Busy/Busy"),
    ("ours: unless Busy itself", "Busy/InACall", None, ["meeting"], False, "Busy/InACall"),
    ("ours: unless Busy itself", "Busy/InAConferenceCall", None, ["meeting"], False, "Busy/InAConferenceCall"),
    ("ours: unless DoNotDisturb", "DoNotDisturb/Presenting", None, ["meeting"], False, "DoNotDisturb/Presenting"),
    ("ours: tentative is free", "Available/Available", None, ["tentative"], False, "Available/Available"),
    ("ours: a place, no state", "Available/Available", None, ["workingElsewhere"], False, "Available/Available"),
    ("spec 6.2, 7.2 [G17, G18]: an event", "Available/Available", None, ["oof"], False, "Available/OutOfOffice"),
    ("spec 7.2 [G17]", "Available/Available", None, [], True, "Available/OutOfOffice"),
    ("ours: from whatever source", "Away/Away", "Available/Available", [], True, "Available/OutOfOffice"),
    ("spec 7.2 [G17]: in a call, out of office", "Busy/InACall", None, [], True, "Busy/InACall"),
    ("spec 6.2 [G1]: independent of availability", "Away/Away", None, [], True, "Away/Away"),
    ("ours: nothing else changes", "Available/AvailableInactive", None, [], True, "Available/AvailableInactive"),
    ("ours: nothing else changes", "DoNotDisturb/Presenting", None, ["oof"], True, "DoNotDisturb/Presenting"),
    ("ours: nothing else changes", "Available/Available", "Offline/OffWork", ["oof"], True, "Offline/OffWork"),
    ("ours: nothing else changes", "Available/Available", None, ["oof", "busy"], True, "Busy/Busy"),
    ("ours: nothing else changes", "Available/Available", None, ["oof", "meeting"], True, "Busy/InAMeeting"),
]

OFFICE = SetLocation("office")
BUILDING = SetLocation("office", "building 4")
REMOTE = SetLocation("remote")
NOWHERE = VisibleLocation()
SCHEDULED = VisibleLocation("scheduled", "remote")
LAYERS = [
    # (source, manual, automatic, an event elsewhere, what shows)
    ("spec 6.4 [G19]: nothing set", None, None, False, NOWHERE),
    ("ours: an event elsewhere", None, None, True, SCHEDULED),
    ("spec 6.4 [G8, G19]", None, OFFICE, False, VisibleLocation("automatic", "office")),
    ("spec 6.4 [G8, G19]: automatic > scheduled", None, OFFICE, True, VisibleLocation("automatic", "office")),
    ("spec 6.4 [G8, G19]: manual > automatic", REMOTE, OFFICE, False, VisibleLocation("manual", "remote")),
    ("spec 6.4 [G8, G19]: manual > scheduled", OFFICE, None, True, VisibleLocation("manual", "office")),
    ("spec 6.4: precision counts within a layer", OFFICE, BUILDING, False, VisibleLocation("manual", "office")),
    (
        "spec 1.1 [M1]: unspecified is a type",
        SetLocation("unspecified"),
        BUILDING,
        True,
        VisibleLocation("manual", "unspecified"),
    ),
    ("spec 1.1 [M1]", SetLocation("timeOff"), OFFICE, False, VisibleLocation("manual", "timeOff")),
    ("spec 12.3: any letter case", SetLocation("TIMEOFF"), None, False, VisibleLocation("manual", "timeOff")),
]
PRECISION = [
    # (source, set one after the other, the type and place that show)
    ("spec 6.4 [G8, G19]: the more precise wins", [BUILDING, OFFICE], ("office", "building 4")),
    ("spec 6.4 [G8, G19]: the more precise wins", [OFFICE, BUILDING], ("office", "building 4")),
    ("ours: as precise, the newer", [BUILDING, SetLocation("office", "building 5")], ("office", "building 5")),
    ("ours: another type replaces", [BUILDING, REMOTE], ("remote", None)),
    ("ours: and forgets the place", [BUILDING, REMOTE, OFFICE], ("office", None)),
    ("ours: an empty place is none", [BUILDING, SetLocation("office", "")], ("office", "building 4")),
    ("ours: any letter case", [BUILDING, SetLocation("OFFICE")], ("office", "building 4")),
]


def state(pair: str) -> State:
    availability, activity = pair.split("/")
    return State(availability, availability if activity == "*" else activity)


def event(show_as: str, starts: float = NOW - 60.0, ends: float = NOW + 60.0) -> CalendarEvent:
    """ "meeting" is one shown as busy, "oof meeting" one shown as oof."""
    kind: ShowAs = show_as.removesuffix("meeting").strip() or "busy"  # type: ignore[assignment]
    return CalendarEvent(starts, ends, kind, show_as.endswith("meeting"))


def planned(record: Record, *events: CalendarEvent) -> Record:
    return set_calendar(record, Calendar(events), NOW)


def online() -> Record:
    """A person whose client keeps a session Available."""
    signed_in = {"teams": Session(State("Available", "Available"), NOW)}
    return msgspec.structs.replace(new_record(NOW), sessions=signed_in)


def replying(record: Record, text: str | None = None, /, **settings: Any) -> Record:
    return set_mailbox_settings(record, MailboxSettings(AutomaticReplies(**settings)), text, NOW)


def utc(text: str) -> DateTimeTimeZone:
    return DateTimeTimeZone(text, "UTC")


# preferred state


@pytest.mark.parametrize(("source", "availability", "activity", "days"), PREFERRED)
def test_a_preferred_state_holds_its_default_time_and_then_the_sessions_return(
    source: str, availability: str, activity: str, days: int
) -> None:
    asked = SetUserPreferredPresence(availability.lower(), activity.upper())  # spec 12.3: any letter case
    record = set_user_preferred_presence(online(), asked, NOW)
    ends = NOW + days * DAY
    assert resolve(record, NOW).state == (availability, activity), source
    assert resolve(record, ends - 0.125).state == (availability, activity), source
    assert resolve(record, ends).state == ("Available", "Available"), source
    assert next_change(record, NOW) == ends


@pytest.mark.parametrize(("source", "text", "seconds"), PREFERRED_LENGTHS)
def test_a_preferred_state_may_hold_any_time(source: str, text: str, seconds: float) -> None:
    record = set_user_preferred_presence(online(), SetUserPreferredPresence("Away", "Away", text), NOW)
    assert next_change(record, NOW) == NOW + seconds, source


def test_a_preferred_state_is_stored_until_a_session_opens() -> None:
    """spec 5.1 [C18]."""
    record = set_user_preferred_presence(new_record(NOW), SetUserPreferredPresence("Busy", "Busy"), NOW)
    assert resolve(record, NOW) == resolve(new_record(NOW), NOW)  # the call silently changes nothing visible
    record = set_presence(pass_time(record, NOW), SetPresence("app", "Available", "Available"), NOW + 60.0)
    assert resolve(record, NOW + 60.0).state == ("Busy", "Busy")
    assert resolve(record, NOW + 360.0).state == ("Offline", "Offline")
    record = set_presence(pass_time(record, NOW + 400.0), SetPresence("app", "Away", "Away"), NOW + 500.0)
    assert resolve(record, NOW + 500.0).state == ("Busy", "Busy")


def test_a_preferred_state_is_replaced_and_taken_back() -> None:
    record = set_user_preferred_presence(online(), SetUserPreferredPresence("Busy", "Busy", "PT1H"), NOW)
    record = set_user_preferred_presence(record, SetUserPreferredPresence("Away", "Away", "PT2H"), NOW)
    assert resolve(record, NOW + 5400.0).state == ("Away", "Away")
    record = clear_user_preferred_presence(record, None, NOW + 60.0)
    assert resolve(record, NOW + 60.0).state == ("Available", "Available")


def test_taking_back_what_was_not_chosen_is_no_error_and_no_news() -> None:
    """spec 5.2 [T21]."""
    assert clear_user_preferred_presence(online(), None, NOW) == online()


# what shows


@pytest.mark.parametrize(("source", "session", "preferred", "events", "away", "shows"), STATES)
def test_each_layer_of_the_state(
    source: str, session: str | None, preferred: str | None, events: list[str], away: bool, shows: str
) -> None:
    record = new_record(NOW)
    if session:
        faded = session == "Available/AvailableInactive"
        was = Session(State("Available", "Available"), NOW - 300.0, NOW + 300.0) if faded else None
        record = msgspec.structs.replace(record, sessions={"app": was or Session(state(session), NOW, NOW + 300.0)})
    if preferred:
        record = set_user_preferred_presence(record, SetUserPreferredPresence(*state(preferred)), NOW)
    record = planned(record, *(event(show_as) for show_as in events))
    if away:
        record = replying(record, status="alwaysEnabled")
    assert resolve(record, NOW).state == state(shows), source
    assert resolve(pass_time(record, NOW), NOW).state == state(shows), source


@pytest.mark.parametrize("show_as", ["busy", "meeting", "oof", "workingElsewhere", "tentative"])
def test_an_event_covers_its_start_and_not_its_end(show_as: str) -> None:
    record, free = planned(online(), event(show_as, NOW + 10.0, NOW + 20.0)), online()
    looks = [
        msgspec.structs.replace(resolve(record, NOW + after), sequence=0)
        == msgspec.structs.replace(resolve(free, NOW + after), sequence=0)
        for after in (0.0, 9.875, 10.0, 19.875, 20.0)
    ]
    assert looks == ([True] * 5 if show_as == "tentative" else [True, True, False, False, True])


def test_events_that_follow_each_other_and_overlap_each_count() -> None:
    record = planned(online(), event("busy", NOW, NOW + 30.0), event("meeting", NOW + 10.0, NOW + 20.0))
    shown = [resolve(record, NOW + after).state.activity for after in (0.0, 10.0, 20.0, 30.0)]
    assert shown == ["Busy", "InAMeeting", "Busy", "Available"]
    assert [next_change(record, NOW + after) for after in (0.0, 10.0, 20.0)] == [NOW + 10.0, NOW + 20.0, NOW + 30.0]


def test_the_end_of_what_is_known_of_a_calendar_stays_when_time_is_folded_in() -> None:
    record = set_calendar(online(), Calendar((event("busy"),), NOW + DAY), NOW)
    folded = pass_time(record, NOW + 120.0)
    assert folded.calendar == Calendar((), NOW + DAY, NOW + 120.0)
    assert next_change(folded, NOW + 120.0) == NOW + DAY


def test_a_calendar_replaces_the_one_before() -> None:
    record = planned(planned(online(), event("busy")), event("oof"))
    assert resolve(record, NOW).state == ("Available", "OutOfOffice")
    assert resolve(planned(record), NOW).state == ("Available", "Available")


# out of office


@pytest.mark.parametrize(
    ("source", "settings", "events", "out", "message"),
    [
        ("mailboxSettings: a new mailbox", {}, [], False, None),
        ("mailboxSettings", {"status": "disabled"}, [], False, None),
        ("spec 6.2 [G18]", {"status": "alwaysEnabled"}, [], True, "Gone"),
        ("any letter case", {"status": "ALWAYSENABLED"}, [], True, "Gone"),
        (
            "mailboxSettings: always, whatever the window",
            {"status": "alwaysEnabled", "scheduled_end_date_time": utc("2025-10-01T00:00:00")},
            [],
            True,
            "Gone",
        ),
        ("ours: an absent edge is open", {"status": "scheduled"}, [], True, "Gone"),
        (
            "spec 6.2 [G18]: from its start",
            {"status": "scheduled", "scheduled_start_date_time": utc("2025-10-25T12:00:00")},
            [],
            True,
            "Gone",
        ),
        (
            "spec 6.2 [G18]: not before its start",
            {"status": "scheduled", "scheduled_start_date_time": utc("2025-10-25T12:00:00.1250000")},
            [],
            False,
            None,
        ),
        (
            "ours: not at its end",
            {"status": "scheduled", "scheduled_end_date_time": utc("2025-10-25T12:00:00")},
            [],
            False,
            None,
        ),
        ("spec 6.2 [G18]: an event", {"status": "disabled"}, ["oof"], True, None),
        ("ours: both", {"status": "alwaysEnabled"}, ["oof"], True, "Gone"),
        ("ours: a meeting is no absence", {"status": "disabled"}, ["meeting", "busy"], False, None),
    ],
)
def test_who_is_out_of_office_and_what_their_message_is(
    source: str, settings: dict[str, Any], events: list[str], out: bool, message: str | None
) -> None:
    record = replying(online(), "Gone", internal_reply_message="<p>Gone</p>", **settings)
    seen = resolve(planned(record, *(event(show_as) for show_as in events)), NOW)
    assert (seen.out_of_office, seen.out_of_office_message) == (out, message), source


def test_members_of_the_mailbox_settings_that_are_left_out_stay() -> None:
    record = replying(
        new_record(NOW),
        "Gone",
        status="scheduled",
        external_audience="contactsOnly",
        internal_reply_message="<p>Gone</p>",
        external_reply_message="Away",
        scheduled_start_date_time=utc("2025-10-25T00:00:00"),
        scheduled_end_date_time=utc("2025-10-26T00:00:00"),
    )
    kept = record.out_of_office
    assert kept is not None
    assert (kept.starts_at, kept.ends_at) == (MIDNIGHT - DAY, MIDNIGHT)
    assert (kept.internal_reply, kept.external_reply, kept.external_audience) == ("<p>Gone</p>", "Away", "contactsOnly")
    for name, value, member, then in [
        ("status", "disabled", "status", "disabled"),
        ("external_audience", "ALL", "external_audience", "all"),
        ("external_reply_message", "Elsewhere", "external_reply", "Elsewhere"),
        ("scheduled_start_date_time", None, "starts_at", None),
        ("scheduled_end_date_time", None, "ends_at", None),
        ("scheduled_end_date_time", utc("2025-11-01T00:00:00"), "ends_at", MIDNIGHT + 6 * DAY),
    ]:
        changed = replying(record, **{name: value}).out_of_office
        assert changed == msgspec.structs.replace(kept, **{member: then}), name
    changed = replying(record, "Back soon", internal_reply_message="<b>Back soon</b>").out_of_office
    assert changed == msgspec.structs.replace(kept, message="Back soon", internal_reply="<b>Back soon</b>")
    assert replying(record, internal_reply_message=None).out_of_office == msgspec.structs.replace(
        kept, message=None, internal_reply=None
    )
    assert set_mailbox_settings(record, MailboxSettings(), None, NOW) == record
    assert resolve(set_mailbox_settings(record, MailboxSettings(None), None, NOW), NOW).out_of_office is False


@pytest.mark.parametrize("edge", ["scheduled_start_date_time", "scheduled_end_date_time"])
def test_scheduled_replies_end_after_they_start_also_in_two_requests(edge: str) -> None:
    """ours."""
    window = {
        "scheduled_start_date_time": utc("2025-10-25T00:00:00"),
        "scheduled_end_date_time": utc("2025-10-26T00:00:00"),
    }
    other = next(value for name, value in window.items() if name != edge)
    record = replying(online(), status="scheduled", **window)
    with pytest.raises(Refused, match=r"InvalidArgument: .*\[ScheduledEndDateTime\]"):
        replying(record, **{edge: other})
    assert not resolve(replying(record, status="disabled", **{edge: other}), NOW).out_of_office


# status message


@pytest.mark.parametrize(
    ("source", "request_", "content"),
    [
        ("spec 6.1 [G7]: example", Message(ItemBody("Hey", "text")), "Hey"),
        ("spec 12.3: any letter case", Message(ItemBody("Hey", "TEXT")), "Hey"),
        ("ours: text if nothing is said", Message(ItemBody("Hey")), "Hey"),
        ("spec 6.1 [C21]: kept as it is", Message(ItemBody("Hey<pinnednote></pinnednote>", "text")), None),
        ("ours: 1024 characters", Message(ItemBody("x" * 1024, "text")), None),
        ("ours: characters, not bytes or halves", Message(ItemBody("\U0001f600" * 1024, "text")), None),
        ("spec 6.1 [C12, O9]: empty content clears", Message(ItemBody("", "text")), ""),
        ("ours: white space clears", Message(ItemBody(" \n\t", "text")), ""),
        ("ours: no content clears", Message(ItemBody(None, "text")), ""),
        ("ours: no message clears", Message(), ""),
        ("spec 1.2 [M1]: null clears", None, ""),
    ],
)
def test_a_status_message_is_published_or_cleared(source: str, request_: Message | None, content: str | None) -> None:
    before = set_status_message(new_record(NOW - 60.0), SetStatusMessage(Message(ItemBody("Before"))), NOW - 60.0)
    seen = resolve(set_status_message(before, SetStatusMessage(request_), NOW), NOW)
    assert seen.sequence > resolve(before, NOW).sequence, source
    if content == "":
        assert seen.status_message is None, source
        return
    message = seen.status_message
    assert message is not None
    body = request_.message if request_ else None
    assert body is not None
    assert (message.content, message.published_at, message.expires_at) == (content or body.content, NOW, None), source


@pytest.mark.parametrize(
    ("source", "expiry", "ends"),
    [
        ("spec 6.1 [G7]", utc("2025-10-25T12:00:10"), NOW + 10.0),
        ("spec 6.1 [G7]: Windows zone", DateTimeTimeZone("2025-10-25T05:00:00.1250000", "Pacific Standard Time"), None),
        ("spec 1.1 [T9]: IANA zone", DateTimeTimeZone("2025-10-25T14:00:00.125", "Europe/Berlin"), None),
        ("spec 1.1 [M1]: no zone", DateTimeTimeZone("2025-10-25T12:00:00.125"), None),
        ("spec 6.1 [C21]: never", utc("9999-12-30T23:00:00"), 253_402_210_800.0),
    ],
)
def test_a_status_message_ends_at_its_expiry(source: str, expiry: DateTimeTimeZone, ends: float | None) -> None:
    ends = NOW + 0.125 if ends is None else ends
    record = set_status_message(new_record(NOW), SetStatusMessage(Message(ItemBody("Lunch"), expiry)), NOW)
    for at in (NOW, ends - 0.125):
        message = resolve(record, at).status_message
        assert message is not None, source
        assert message.expires_at == ends, source
    assert resolve(record, ends).status_message is None, source
    with pytest.raises(Refused, match=r"InvalidArgument: .*\[ExpiryDateTime\]"):  # ours: it is over at this instant
        set_status_message(new_record(NOW), SetStatusMessage(Message(ItemBody("Lunch"), expiry)), ends)


# work location


@pytest.mark.parametrize(("source", "manual", "automatic", "elsewhere", "shows"), LAYERS)
def test_manual_over_automatic_over_scheduled(
    source: str, manual: SetLocation | None, automatic: SetLocation | None, elsewhere: bool, shows: VisibleLocation
) -> None:
    record = planned(new_record(NOW), *([event("workingElsewhere", NOW, NOW + 3 * DAY)] if elsewhere else []))
    if manual:
        record = set_manual_location(record, manual, NOW)
    if automatic:
        record = set_automatic_location(record, automatic, NOW)
    assert resolve(record, NOW).work_location == shows, source
    assert resolve(record, MIDNIGHT - 0.125).work_location == shows, source
    assert resolve(record, MIDNIGHT).work_location == (SCHEDULED if elsewhere else NOWHERE), source
    without_automatic = resolve(clear_automatic_location(record, None, NOW), NOW).work_location  # spec 6.4 [G11]
    assert without_automatic == (shows if shows.source != "automatic" else SCHEDULED if elsewhere else NOWHERE)
    cleared = resolve(clear_location(record, None, NOW), NOW).work_location  # spec 6.4 [G10]
    assert cleared == (SCHEDULED if elsewhere else NOWHERE)


@pytest.mark.parametrize(("source", "requests", "shows"), PRECISION)
@pytest.mark.parametrize("action", [set_manual_location, set_automatic_location])
def test_within_a_layer_the_more_precise_wins(
    source: str, requests: list[SetLocation], shows: tuple[str, str | None], action: Any
) -> None:
    record = new_record(NOW)
    for number, asked in enumerate(requests):
        record = action(record, asked, NOW + number)
    place = resolve(record, NOW + 10.0).work_location
    assert (place.type, place.place_id) == shows, source


def test_a_place_is_not_kept_from_another_layer_or_another_day() -> None:
    record = set_manual_location(new_record(NOW), BUILDING, NOW)
    record = set_automatic_location(record, OFFICE, NOW)
    assert resolve(clear_automatic_location(record, None, NOW), NOW).work_location.place_id == "building 4"
    assert record.automatic_location is not None
    assert record.automatic_location.place_id is None
    tomorrow = set_manual_location(record, OFFICE, MIDNIGHT)
    assert resolve(tomorrow, MIDNIGHT).work_location == VisibleLocation("manual", "office")


def test_a_place_and_a_reply_may_be_as_long_as_their_longest() -> None:
    place = "x" * LONGEST_PLACE_ID
    record = set_manual_location(new_record(NOW), SetLocation("office", place), NOW)
    assert resolve(record, NOW).work_location.place_id == place
    replying(record, internal_reply_message="x" * LONGEST_REPLY, external_reply_message="x" * LONGEST_REPLY)


@pytest.mark.parametrize(
    ("source", "zone", "ends"),
    [
        ("ours: UTC by default", None, "2025-10-26T00:00:00"),
        ("ours: where the person is", "Europe/Berlin", "2025-10-25T22:00:00"),
        ("spec 1.1 [G7]: Windows' name", "W. Europe Standard Time", "2025-10-25T22:00:00"),
        ("ours: behind UTC", "Pacific Standard Time", "2025-10-26T07:00:00"),
        ("ours: ahead of UTC, tomorrow already", "Pacific/Kiritimati", "2025-10-26T10:00:00"),
    ],
)
def test_a_location_holds_for_the_persons_date(source: str, zone: str | None, ends: str) -> None:
    settled = set_mailbox_settings(new_record(NOW), MailboxSettings(UNSET, zone), None, NOW)
    record = set_manual_location(settled, REMOTE, NOW)
    until = next_change(record, NOW)
    assert until is not None
    same = set_status_message(settled, SetStatusMessage(Message(ItemBody("x"), utc(ends))), NOW).status_message
    assert same is not None
    assert until == same.expires_at, source
    moved = set_mailbox_settings(record, MailboxSettings(UNSET, "Asia/Tokyo"), None, NOW)
    assert next_change(moved, NOW) == until, "ours: changing the zone later does not move what is set"


def test_without_a_time_zone_a_date_is_one_of_utc_again() -> None:
    record = set_mailbox_settings(new_record(NOW), MailboxSettings(UNSET, "Asia/Tokyo"), None, NOW)
    record = set_mailbox_settings(record, MailboxSettings(UNSET, None), None, NOW)
    assert next_change(set_manual_location(record, REMOTE, NOW), NOW) == MIDNIGHT


# what is refused


@pytest.mark.parametrize("bad", BAD_REQUESTS, ids=lambda bad: f"{bad.action.__name__}: {bad.source}")
def test_what_is_refused_names_what_is_wrong_and_changes_nothing(bad: Bad) -> None:
    record = set_presence(online(), SetPresence("app", "Away", "Away"), NOW)
    before = msgspec.msgpack.encode(record)
    with pytest.raises(Refused) as refused:
        bad.action(record, bad.request, *bad.text, NOW)
    assert refused.value.code == "InvalidArgument"
    assert bad.says in refused.value.message
    assert msgspec.msgpack.encode(record) == before


def test_clearing_a_session_that_is_not_there_is_the_only_not_found() -> None:
    """spec 4.4 [G4]; 12.4."""
    expired = set_presence(new_record(NOW), SetPresence("app", "Away", "Away"), NOW - 300.0)
    for record in (new_record(NOW), expired):
        with pytest.raises(Refused) as refused:
            clear_presence(record, ClearPresence("app"), NOW)
        assert refused.value.code == "NotFound"
    for clearing in (clear_user_preferred_presence, clear_location, clear_automatic_location):
        assert clearing(new_record(NOW), None, NOW) == new_record(NOW)
    assert set_status_message(new_record(NOW), SetStatusMessage(None), NOW) == new_record(NOW)
