"""Any run of everything that can happen to a person's presence, and of passing time, against an oracle (oracle.py)
that works another way."""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec import UNSET, UnsetType
from tests.presence.bad_requests import BAD_REQUESTS, Bad
from tests.presence.oracle import PREFERRED_DAYS, SESSION_PAIRS, Event, Note, Oracle, Pair, Place, Replies, Seen

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
from presenced.presence.record import Calendar, CalendarEvent, Record, Session
from presenced.presence.refused import Refused
from presenced.presence.resolve import Visible, next_change, resolve
from presenced.presence.settle import new_record, pass_time
from presenced.presence.states import State
from presenced.presence.status_message import ItemBody, Message, SetStatusMessage, set_status_message
from presenced.presence.time_zones import DateTimeTimeZone
from presenced.presence.work_location import (
    SetLocation,
    clear_automatic_location,
    clear_location,
    set_automatic_location,
    set_manual_location,
)

START = 1_761_393_600.0  # Saturday, 25 October 2025, noon: half a day before Berlin's clocks go back
DAY = 86400.0
SESSION_DURATIONS: list[tuple[str | None, float]] = [
    (None, 300.0),
    ("PT5M", 300.0),
    ("PT5M0.125S", 300.125),
    ("PT9M59S", 599.0),
    ("PT10M", 600.0),
    ("PT10M1S", 601.0),
    ("0:20:00", 1200.0),
    ("PT1H", 3600.0),
    ("PT4H", 14400.0),
]
PREFERRED_DURATIONS: list[tuple[str | None, float | None]] = [
    (None, None),
    ("PT0.125S", 0.125),
    ("PT1M", 60.0),
    ("PT8H", 28800.0),
    ("P1D", DAY),
    ("P400D", 400 * DAY),
]
ZONES: list[tuple[str | None, str]] = [
    # (as it is set, its IANA name)
    (None, "UTC"),
    ("UTC", "UTC"),
    ("Europe/Berlin", "Europe/Berlin"),
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("India Standard Time", "Asia/Kolkata"),
    ("America/Havana", "America/Havana"),  # its clocks change at midnight
    ("Line Islands Standard Time", "Pacific/Kiritimati"),
    ("Dateline Standard Time", "Etc/GMT+12"),
]
# eighths of a second are exact in binary, so the oracle's sums are the code's sums
EIGHTHS = st.integers(0, 20_000).map(lambda eighths: eighths / 8)
LEAPS = st.sampled_from([0.0, 0.125, 1.0, 240.0, 299.875, 300.0, 300.125, 600.0, 3600.0, 14400.0, DAY, 1e6])
AHEAD = EIGHTHS | LEAPS
NEARBY = st.integers(-8 * 7200, 8 * 7200).map(lambda eighths: eighths / 8) | st.sampled_from([-DAY, 0.0, DAY])
ENDS = st.none() | st.just(UNSET) | st.just(UNSET) | NEARBY
ANY_CASE = st.sampled_from([str, str, str.lower, str.upper])
PAIRS = st.sampled_from([*SESSION_PAIRS, ("Available", "Available"), ("Available", "Available"), ("Away", "Away")])
SESSIONS = st.sampled_from(["a", "b", "c", "d"])
LOCATION_TYPES = ["unspecified", "office", "remote", "timeOff"]
SETTERS = {"manual": set_manual_location, "automatic": set_automatic_location}
TAKEN_BACK: list[tuple[Callable[..., Record], tuple[Any, ...], Callable[[Oracle], None]]] = [
    (clear_user_preferred_presence, (None,), Oracle.prefer_nothing),
    (clear_user_preferred_presence, (None,), Oracle.prefer_nothing),
    (set_status_message, (SetStatusMessage(None),), Oracle.say_nothing),
    (set_status_message, (SetStatusMessage(Message(ItemBody("", "text"))),), Oracle.say_nothing),
    (set_status_message, (SetStatusMessage(Message(ItemBody(" \t\r\n"))),), Oracle.say_nothing),
    (set_mailbox_settings, (MailboxSettings(None), None), lambda oracle: oracle.reply(Replies())),
    (clear_location, (None,), lambda oracle: oracle.work_nowhere("manual")),
    (clear_automatic_location, (None,), lambda oracle: oracle.work_nowhere("automatic")),
]


def event(offset: float, lasts: float, show_as: str, is_meeting: bool) -> Event:
    return Event(offset, offset + lasts, show_as, is_meeting)


EVENTS = st.lists(
    st.builds(
        event,
        NEARBY | st.sampled_from([-60.0, 0.0, 60.0]),  # many of them cover now, and each other
        AHEAD | st.sampled_from([600.0, 3600.0, 14400.0]),
        st.sampled_from(["tentative", "busy", "busy", "busy", "oof", "workingElsewhere"]),
        st.booleans(),
    ),
    max_size=4,
)


def local(at: float, zone: str | None, iana: str, seventh: bool = False) -> DateTimeTimeZone:
    """This instant as clients write it; in UTC if the local time is one that the clocks show twice."""
    there = datetime.fromtimestamp(at, ZoneInfo(iana))
    if there.fold:
        return local(at, "UTC", "UTC", seventh)
    text = there.replace(tzinfo=None).isoformat(timespec="microseconds" if seventh or at % 1 else "seconds")
    return DateTimeTimeZone(text + "0" if seventh else text, zone)


def seen(record: Record, now: float) -> Seen:
    """What readers of ``record`` see, in the oracle's terms."""
    return in_the_oracles_terms(resolve(record, now))


def in_the_oracles_terms(visible: Visible) -> Seen:
    message = visible.status_message
    note = Note(message.content, message.published_at, message.expires_at) if message else None
    location = visible.work_location
    place = Place(location.source, location.type, location.place_id)
    return Seen(*visible.state, note, visible.out_of_office, visible.out_of_office_message, place)


class Presence(RuleBasedStateMachine):
    """One person. ``folded`` has lived through the same as ``record``, with time folded in now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.oracle = Oracle(START)
        self.record = self.folded = new_record(START)
        self.last_look = seen(self.record, START), self.oracle.number

    @property
    def now(self) -> float:
        return self.oracle.at

    def act(self, action: Callable[..., Record], *request: Any) -> None:
        """Both records go through ``action``; the ones given stay as they were, and so does the outcome."""
        before = msgspec.msgpack.encode(self.record), msgspec.msgpack.encode(self.folded)
        after = action(self.record, *request, self.now)
        assert action(self.record, *request, self.now) == after, "the same inputs gave another result"
        folded = action(self.folded, *request, self.now)
        assert (msgspec.msgpack.encode(self.record), msgspec.msgpack.encode(self.folded)) == before, "a record changed"
        self.record, self.folded = after, folded

    def refuse(self, code: str, action: Callable[..., Record], *request: Any) -> str:
        """Both records refuse ``action`` in the same words and stay as they were."""
        messages = set()
        for record in (self.record, self.folded):
            before = msgspec.msgpack.encode(record)
            with pytest.raises(Refused) as refused:
                action(record, *request, self.now)
            assert refused.value.code == code
            assert msgspec.msgpack.encode(record) == before, "the record given was changed"
            messages.add(refused.value.message)
        assert len(messages) == 1
        return messages.pop()

    # sessions

    @initialize(kept=st.none() | PAIRS)
    def sign_in(self, kept: Pair | None) -> None:
        """A client may keep a session alive by itself, which neither fades nor expires until it is cleared."""
        if kept is not None:
            sessions = {"teams": Session(State(*kept), START)}
            self.record = self.folded = msgspec.structs.replace(self.record, sessions=sessions)
            self.oracle.keep_session("teams", kept)
            self.last_look = seen(self.record, START), self.oracle.number

    @rule(session=SESSIONS, pair=PAIRS, duration=st.sampled_from(SESSION_DURATIONS))
    def set_presence(self, session: str, pair: Pair, duration: tuple[str | None, float]) -> None:
        self.act(set_presence, SetPresence(session, *pair, duration[0]))
        self.oracle.open_session(session, pair, duration[1])
        again = set_presence(self.record, SetPresence(session, *pair, duration[0]), self.now)
        assert resolve(again, self.now) == resolve(self.record, self.now), "the same at the same instant is no news"

    @rule(pair=PAIRS, case=ANY_CASE)
    def set_presence_under_a_new_name(self, pair: Pair, case: Callable[[str], str]) -> None:
        name = f"fresh {self.oracle.written}"
        self.act(set_presence, SetPresence(name, case(pair[0]), case(pair[1])))
        self.oracle.open_session(name, pair, 300.0)

    @rule(session=SESSIONS | st.just("teams"))
    def clear_presence(self, session: str) -> None:
        request = ClearPresence(session)
        if session in self.oracle.live(self.now):
            self.act(clear_presence, request)
            self.oracle.close_session(session)
        else:
            self.refuse("NotFound", clear_presence, request)

    # preferred state

    @rule(pair=st.sampled_from([*PREFERRED_DAYS]), duration=st.sampled_from(PREFERRED_DURATIONS), case=ANY_CASE)
    def prefer(self, pair: Pair, duration: tuple[str | None, float | None], case: Callable[[str], str]) -> None:
        request = SetUserPreferredPresence(case(pair[0]), case(pair[1]), duration[0])
        self.act(set_user_preferred_presence, request)
        self.oracle.prefer(pair, duration[1])

    # status message

    @rule(
        content=st.sampled_from(["Lunch", "Gone fishing", "é" * 1024, " padded "]),
        content_type=st.sampled_from(["text", "text", "Text", None]),
        lasts=st.none() | NEARBY,
        zone=st.sampled_from(ZONES),
        seventh=st.booleans(),
    )
    def say(
        self, content: str, content_type: str | None, lasts: float | None, zone: tuple[str | None, str], seventh: bool
    ) -> None:
        until = None if lasts is None else self.now + lasts
        expiry = None if until is None else local(until, *zone, seventh)
        request = SetStatusMessage(Message(ItemBody(content, content_type), expiry))
        if until is not None and until <= self.now:
            assert "ExpiryDateTime" in self.refuse("InvalidArgument", set_status_message, request)
        else:
            self.act(set_status_message, request)
            self.oracle.say(content, until)

    # out of office

    @rule(
        status=st.sampled_from([UNSET, "disabled", "alwaysEnabled", "scheduled", "scheduled", "SCHEDULED"]),
        starts=ENDS,
        ends=ENDS,
        reply=st.sampled_from([UNSET, UNSET, "<p>Away</p>", "<p>Back soon</p>"]),
        audience=st.sampled_from([UNSET, "none", "contactsOnly", "ALL"]),
        written_in=st.sampled_from(ZONES),
    )
    def reply(
        self,
        status: str | UnsetType,
        starts: float | UnsetType | None,
        ends: float | UnsetType | None,
        reply: str | UnsetType,
        audience: str | UnsetType,
        written_in: tuple[str | None, str],
    ) -> None:
        mailbox = self.oracle.mailbox
        asked = AutomaticReplies(status, audience, reply, UNSET)
        text = None
        if not isinstance(status, UnsetType):
            mailbox = mailbox._replace(status=status.lower().replace("alwaysenabled", "alwaysEnabled"))
        if not isinstance(starts, UnsetType):
            mailbox = mailbox._replace(starts_at=None if starts is None else self.now + starts)
            asked.scheduled_start_date_time = None if starts is None else local(self.now + starts, *written_in)
        if not isinstance(ends, UnsetType):
            mailbox = mailbox._replace(ends_at=None if ends is None else self.now + ends)
            asked.scheduled_end_date_time = None if ends is None else local(self.now + ends, *written_in)
        if not isinstance(reply, UnsetType):
            text = reply.removeprefix("<p>").removesuffix("</p>")
            mailbox = mailbox._replace(message=text)
        if mailbox.backwards():
            message = self.refuse("InvalidArgument", set_mailbox_settings, MailboxSettings(asked), text)
            assert "[ScheduledEndDateTime]" in message
        else:
            self.act(set_mailbox_settings, MailboxSettings(asked), text)
            self.oracle.reply(mailbox)

    @rule(zone=st.sampled_from(ZONES[1:]))
    def move(self, zone: tuple[str, str]) -> None:
        """To another time zone: nothing visible changes, and what is set stays where it is."""
        shown = resolve(self.record, self.now)
        self.act(set_mailbox_settings, MailboxSettings(UNSET, zone[0]), None)
        assert resolve(self.record, self.now) == shown
        self.oracle.zone = zone[1]

    # work location

    @rule(
        layer=st.sampled_from(["manual", "automatic"]),
        kind=st.sampled_from(LOCATION_TYPES),
        place=st.sampled_from([None, None, "building 4", "building 5"]),
        case=ANY_CASE,
    )
    def work(self, layer: str, kind: str, place: str | None, case: Callable[[str], str]) -> None:
        self.act(SETTERS[layer], SetLocation(case(kind), place))
        self.oracle.work(layer, kind, place)

    # calendar

    @rule(planned=EVENTS, known=st.none() | st.just(30 * DAY))
    def plan(self, planned: list[Event], known: float | None) -> None:
        events = sorted(
            each._replace(starts_at=self.now + each.starts_at, ends_at=self.now + each.ends_at) for each in planned
        )
        until = None if known is None else self.now + known
        self.act(set_calendar, Calendar(tuple(CalendarEvent(*each) for each in events), until))  # type: ignore[arg-type]
        self.oracle.plan(events)

    # taking back, and what is not allowed

    @rule(taken=st.sampled_from(TAKEN_BACK))
    def take_back(self, taken: tuple[Callable[..., Record], tuple[Any, ...], Callable[[Oracle], None]]) -> None:
        """Nothing there to take back is no error, and no news."""
        action, request, forget = taken
        self.act(action, *request)
        forget(self.oracle)

    @rule(bad=st.sampled_from(BAD_REQUESTS))
    def ask_what_is_refused(self, bad: Bad) -> None:
        assert bad.says in self.refuse("InvalidArgument", bad.action, bad.request, *bad.text)

    # time

    @rule(seconds=EIGHTHS)
    def wait(self, seconds: float) -> None:
        self.oracle.go(self.now + seconds)

    @rule(seconds=LEAPS)
    def jump(self, seconds: float) -> None:
        self.oracle.go(self.now + seconds)

    @rule(off=st.sampled_from([-0.125, 0.0, 0.125]))
    def go_to_the_next_change(self, off: float) -> None:
        at = next_change(self.record, self.now)
        self.oracle.go(self.now if at is None else max(self.now, at + off))

    @rule()
    def fold(self) -> None:
        before = msgspec.msgpack.encode(self.folded)
        folded = pass_time(self.folded, self.now)
        assert msgspec.msgpack.encode(self.folded) == before, "the record given was changed"
        self.folded = folded
        assert self.folded.settled_at == self.now

    # what must hold after each of them

    @invariant()
    def a_record_survives_being_written_down(self) -> None:
        read = msgspec.msgpack.decode(msgspec.msgpack.encode(self.record), type=Record)
        assert read == self.record
        self.record = read

    @invariant()
    def readers_see_what_the_oracle_sees(self) -> None:
        visible = resolve(self.record, self.now)
        shown = in_the_oracles_terms(visible)
        assert shown == self.oracle.seen(self.now)
        assert visible.sequence == self.oracle.number
        last_shown, last_number = self.last_look
        assert visible.sequence >= last_number
        if shown != last_shown:
            assert visible.sequence > last_number
        self.last_look = shown, visible.sequence

    @invariant()
    def readers_will_see_what_the_oracle_will_see(self) -> None:
        """At every instant at which something begins or ends, and just before it, if nothing else happens."""
        before = now = self.oracle.seen(self.now)
        first_change, last = math.inf, (self.now, now, self.oracle.number)
        for at, shown, counted in self.oracle.ahead():
            if shown != before:
                visible = resolve(self.record, at)
                assert in_the_oracles_terms(visible) == shown
                assert visible.sequence == counted
                just_before = max(self.now, at - 0.125)
                assert seen(self.record, just_before) == self.oracle.seen(just_before)
            if shown != now:
                first_change = min(first_change, at)
            before, last = shown, (at, shown, counted)
        at, shown, counted = last
        visible = resolve(self.record, at)
        assert (in_the_oracles_terms(visible), visible.sequence) == (shown, counted), "nothing else was counted"
        self.nothing_changes_before_the_next_change(first_change)

    def nothing_changes_before_the_next_change(self, first_change: float) -> None:
        now, shown = self.now, resolve(self.record, self.now)
        at = next_change(self.record, now)
        assert next_change(self.folded, now) == at
        if at is None:
            assert first_change == math.inf
            samples = [now + 1, now + 1e9]
        else:
            assert now < at <= first_change
            samples = [now + (at - now) / 2, math.nextafter(at, -math.inf)]
            assert resolve(pass_time(self.record, at), at) == resolve(self.record, at)
        assert all(resolve(self.record, sample) == shown for sample in samples)


TestPresence = Presence.TestCase
TestPresence.settings = settings(max_examples=600, stateful_step_count=50)
