"""The clock set back: whatever happens at whatever time, the sequence number goes on growing and nothing breaks.

A mere look at an earlier time may show an earlier state; the number counts from one action or fold to the next.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from tests.presence.bad_requests import BAD_REQUESTS
from tests.presence.oracle import PREFERRED_DAYS, SESSION_PAIRS

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
from presenced.presence.out_of_office import AutomaticReplies, MailboxSettings, set_mailbox_settings
from presenced.presence.record import Calendar, CalendarEvent, Record
from presenced.presence.refused import Refused
from presenced.presence.resolve import Visible, next_change, resolve
from presenced.presence.settle import new_record, pass_time
from presenced.presence.status_message import ItemBody, Message, SetStatusMessage, set_status_message
from presenced.presence.time_zones import DateTimeTimeZone
from presenced.presence.work_location import (
    SetLocation,
    clear_automatic_location,
    clear_location,
    set_automatic_location,
    set_manual_location,
)

START = 1_761_393_600.0  # 2025-10-25T12:00:00Z
SHIFTS = st.sampled_from([0.0, 0.0, 0.125, 60.0, 300.0, 600.0, 7200.0, 1e5]) | st.sampled_from(
    [-0.125, -60.0, -300.0, -600.0, -7200.0, -1e5]
)
Step = tuple[Callable[..., Record], tuple[Any, ...]]


def step(action: Callable[..., Record], *request: Any) -> Step:
    return action, request


def event(offset: float, lasts: float, show_as: str, is_meeting: bool) -> CalendarEvent:
    return CalendarEvent(START + offset, START + offset + lasts, show_as, is_meeting)  # type: ignore[arg-type]


MOMENTS = [f"2025-10-{day}T{hour}:00:00" for day in (24, 25, 26) for hour in (11, 12, 13)]
GOOD_STEPS: list[Step] = [
    *(
        step(set_presence, SetPresence(name, *pair, duration))
        for name in "abc"
        for pair in SESSION_PAIRS
        for duration in (None, "PT20M")
    ),
    *(step(clear_presence, ClearPresence(name)) for name in "abc"),
    *(
        step(set_user_preferred_presence, SetUserPreferredPresence(*pair, duration))
        for pair in PREFERRED_DAYS
        for duration in ("PT1M", None)
    ),
    step(clear_user_preferred_presence, None),
    step(set_status_message, SetStatusMessage(Message(ItemBody("Lunch", "text")))),
    *(
        step(set_status_message, SetStatusMessage(Message(ItemBody("Until", "text"), DateTimeTimeZone(at, "UTC"))))
        for at in MOMENTS
    ),
    step(set_status_message, SetStatusMessage(None)),
    *(
        step(set_mailbox_settings, MailboxSettings(AutomaticReplies(status, UNSET, "Away")), "Away")
        for status in ("disabled", "alwaysEnabled", "scheduled")
    ),
    *(
        step(set_mailbox_settings, MailboxSettings(replies), None)
        for at in MOMENTS
        for replies in (
            AutomaticReplies(scheduled_start_date_time=DateTimeTimeZone(at, "UTC")),
            AutomaticReplies(scheduled_end_date_time=DateTimeTimeZone(at, "UTC")),
        )
    ),
    *(step(set_mailbox_settings, MailboxSettings(UNSET, zone), None) for zone in ("Europe/Berlin", "Etc/GMT+12")),
    *(
        step(action, SetLocation(kind, place))
        for action in (set_manual_location, set_automatic_location)
        for kind in ("office", "remote")
        for place in (None, "building 4")
    ),
    step(clear_location, None),
    step(clear_automatic_location, None),
]
PLANS = st.builds(
    event,
    st.sampled_from([-7200.0, -300.0, 0.0, 300.0, 7200.0]),
    st.sampled_from([60.0, 3600.0, 1e5]),
    st.sampled_from(["busy", "oof", "workingElsewhere", "tentative"]),
    st.booleans(),
)
CALENDARS = st.lists(PLANS, max_size=3).map(
    lambda events: step(set_calendar, Calendar(tuple(sorted(events, key=lambda e: e.starts_at))))
)
BAD_STEPS = st.sampled_from([step(bad.action, bad.request, *bad.text) for bad in BAD_REQUESTS])
STEPS = st.sampled_from([step(pass_time)] * 12 + GOOD_STEPS) | CALENDARS | BAD_STEPS
RUNS = st.lists(st.tuples(SHIFTS, STEPS), max_size=30)
FACTS = (
    "sessions",
    "preferred",
    "status_message",
    "out_of_office",
    "manual_location",
    "automatic_location",
    "calendar",
)


def without_number(visible: Visible) -> Visible:
    return msgspec.structs.replace(visible, sequence=0)


@settings(max_examples=600)
@given(RUNS)
def test_the_sequence_number_never_goes_back_and_grows_with_every_change(run: list[tuple[float, Step]]) -> None:
    now = START
    record = new_record(now)
    last, last_at = resolve(record, now), now
    for shift, (action, request) in run:
        now += shift
        before = msgspec.msgpack.encode(record)
        looked = resolve(record, now)
        at = next_change(record, now)
        assert at is None or at > now
        try:
            after = action(record, *request, now)
        except Refused:
            after = record
        assert msgspec.msgpack.encode(record) == before
        if after is record:
            continue
        record = after
        seen = resolve(record, now)
        assert seen.sequence >= last.sequence
        if without_number(seen) != without_number(last):
            assert seen.sequence > last.sequence
        elif now == last_at:
            assert seen.sequence == last.sequence, "a number for no news"
        if action is pass_time:
            assert without_number(seen) == without_number(looked)
        last, last_at = seen, now


@settings(max_examples=300)
@given(RUNS, SHIFTS, SHIFTS)
def test_a_record_that_was_folded_stays_folded(run: list[tuple[float, Step]], ahead: float, back: float) -> None:
    now = START
    record = new_record(now)
    for shift, (action, request) in run:
        now += abs(shift)
        try:
            record = action(record, *request, now)
        except Refused:
            continue
    later = now + abs(ahead)
    folded = pass_time(record, later)
    earlier = later - abs(back)
    again = pass_time(folded, earlier)
    for fact in FACTS:
        assert getattr(again, fact) == getattr(folded, fact), "what had run out came back, or something else went"
    assert without_number(resolve(again, earlier)) == without_number(resolve(folded, earlier))
    assert resolve(again, earlier).sequence >= resolve(folded, later).sequence
    if without_number(resolve(again, earlier)) == without_number(resolve(folded, later)):
        assert resolve(again, earlier).sequence == resolve(folded, later).sequence, "a number for no news"


@pytest.mark.parametrize("bad", BAD_REQUESTS, ids=lambda bad: bad.action.__name__)
def test_what_is_refused_is_refused_at_any_time(bad: Any) -> None:
    record = set_presence(new_record(START), SetPresence("a", "Away", "Away"), START)
    for now in (START - 1e6, START, START + 1e6):
        with pytest.raises(Refused):
            bad.action(record, bad.request, *bad.text, now)


def test_of_two_calls_the_one_set_last_shows_even_if_the_clock_was_set_back() -> None:
    record = set_presence(new_record(START), SetPresence("a", "Busy", "InACall", "PT1H"), START)
    record = set_presence(record, SetPresence("b", "Busy", "InAConferenceCall", "PT1H"), START - 60.0)
    assert resolve(record, START - 60.0).state.activity == "InAConferenceCall"
