"""Any run of setPresence, clearPresence and passing time, against an oracle that works another way.

The code keeps facts and computes the state at one instant. The oracle writes down, when a session is set, the spans of
time in which each state will hold, and cuts them short when something else happens.
"""

import math
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from presenced.presence.actions import ClearPresence, SetPresence, clear_presence, set_presence
from presenced.presence.record import OutOfOffice, Preferred, Record, Session, StatusMessage
from presenced.presence.refused import Refused
from presenced.presence.resolve import next_change, resolve
from presenced.presence.settle import new_record, pass_time
from presenced.presence.states import State

START = 1_750_000_000.0
STRONGEST_FIRST = [["Presenting"], ["InACall", "InAConferenceCall"], ["Available"], ["AvailableInactive"], ["Away"]]
PAIRS = [
    ("Available", "Available"),
    ("Busy", "InACall"),
    ("Busy", "InAConferenceCall"),
    ("Away", "Away"),
    ("DoNotDisturb", "Presenting"),
]
DURATIONS: list[tuple[str | None, float]] = [
    (None, 300.0),
    ("PT5M", 300.0),
    ("PT5M0.125S", 300.125),
    ("PT9M59S", 599.0),
    ("PT10M", 600.0),
    ("PT10M1S", 601.0),
    ("0:20:00", 1200.0),
    ("PT4H", 14400.0),
]
# eighths of a second are exact in binary, so the oracle's sums are the code's sums
EIGHTHS = st.integers(0, 20_000).map(lambda eighths: eighths / 8)


class Span(NamedTuple):
    """From ``start`` up to ``end`` the session is in this state; ``order`` counts the settings of all sessions."""

    start: float
    end: float
    availability: str
    activity: str
    order: int


class Oracle:
    """Presence as a list of spans per session, and a sequence number counted change by change."""

    def __init__(self) -> None:
        self.spans: dict[str, list[Span]] = {}
        self.preferred: State | None = None
        self.message_until = math.inf
        self.away = (math.inf, math.inf)
        self.number = 0
        self.at = START
        self.settings = 0

    def visible(self, at: float) -> tuple[str, str, bool, bool]:
        """Availability, activity, whether the message shows, whether out of office."""
        now = [span for spans in self.spans.values() for span in spans if span.start <= at < span.end]
        pair = ("Offline", "Offline")
        for activities in STRONGEST_FIRST:
            if holding := [span for span in now if span.activity in activities]:
                newest = max(holding, key=lambda span: span.order)
                pair = (newest.availability, newest.activity)
                break
        if now and self.preferred is not None:
            pair = (self.preferred.availability, self.preferred.activity)
        return (*pair, at < self.message_until, self.away[0] <= at < self.away[1])

    def live(self, at: float) -> set[str]:
        return {name for name, spans in self.spans.items() if any(span.start <= at < span.end for span in spans)}

    def edges(self) -> list[float]:
        found = {edge for spans in self.spans.values() for span in spans for edge in (span.start, span.end)}
        return sorted(found | {self.message_until, *self.away} - {math.inf})

    def go(self, at: float) -> None:
        """Let time pass, counting what changes on the way."""
        shown = self.visible(self.at)
        for edge in self.edges():
            if self.at < edge <= at and self.visible(edge) != shown:
                shown = self.visible(edge)
                self.number = max(self.number + 1, int(edge * 1e6))
        self.at = at

    def set(self, session: str, pair: tuple[str, str], lasts: float) -> None:
        before = self.visible(self.at)
        self.cut(session)
        self.settings += 1
        end = self.at + lasts
        fades = [(0.0, math.inf, pair)]
        if pair[0] == "Available":
            fades = [
                (0.0, 300.0, pair),
                (300.0, 600.0, ("Available", "AvailableInactive")),
                (600.0, math.inf, ("Away", "Away")),
            ]
        self.spans.setdefault(session, []).extend(
            Span(self.at + since, min(end, self.at + until), *state, self.settings)
            for since, until, state in fades
            if self.at + since < end
        )
        self.count(before)

    def clear(self, session: str) -> None:
        before = self.visible(self.at)
        self.cut(session)
        self.count(before)

    def cut(self, session: str) -> None:
        """Whatever the session was going to be from now on, it is not."""
        kept = [span._replace(end=min(span.end, self.at)) for span in self.spans.get(session, [])]
        self.spans[session] = [span for span in kept if span.start < span.end]

    def count(self, before: tuple[str, str, bool, bool]) -> None:
        if self.visible(self.at) != before:
            self.number = max(self.number + 1, int(self.at * 1e6))


def seen(record: Record, now: float) -> tuple[str, str, bool, bool]:
    visible = resolve(record, now)
    return (*visible.state, visible.status_message is not None, visible.out_of_office)


class Presence(RuleBasedStateMachine):
    """One person. ``folded`` has lived through the same as ``record``, with time folded in now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.oracle = Oracle()
        self.record = self.folded = new_record(START)
        self.oracle.number = resolve(self.record, START).sequence
        self.last_look = seen(self.record, START), self.oracle.number

    @initialize(
        kept=st.none() | st.sampled_from(PAIRS),
        preferred=st.none() | st.none() | st.just(State("Busy", "Busy")) | st.just(State("Offline", "OffWork")),
        message=st.none() | EIGHTHS,
        away=st.none() | st.tuples(EIGHTHS, EIGHTHS),
    )
    def facts(
        self,
        kept: tuple[str, str] | None,
        preferred: State | None,
        message: float | None,
        away: tuple[float, float] | None,
    ) -> None:
        """A person may begin with a client's session, a preferred state, a message and an absence."""
        changes: dict[str, object] = {"preferred": Preferred(*preferred) if preferred else None}
        self.oracle.preferred = preferred
        if kept is not None:
            changes["sessions"] = {"teams": Session(State(*kept), START)}
            self.oracle.spans["teams"] = [Span(START, math.inf, *kept, 0)]
        if message is not None:
            self.oracle.message_until = START + message
            changes["status_message"] = StatusMessage("text", START, START + message)
        else:
            self.oracle.message_until = -math.inf
        if away is not None:
            self.oracle.away = START + away[0], START + away[1]
            changes["out_of_office"] = OutOfOffice(None, *self.oracle.away)
        self.record = self.folded = msgspec.structs.replace(self.record, **changes)
        self.last_look = seen(self.record, START), self.oracle.number

    @rule(
        session=st.sampled_from(["a", "b", "c", "d", "fresh"]),
        pair=st.sampled_from(PAIRS),
        duration=st.sampled_from(DURATIONS),
    )
    def set(self, session: str, pair: tuple[str, str], duration: tuple[str | None, float]) -> None:
        name = session if session != "fresh" else f"fresh {self.oracle.settings}"
        request = SetPresence(name, *pair, duration[0])
        before = msgspec.msgpack.encode(self.record)
        after = set_presence(self.record, request, self.now)
        assert msgspec.msgpack.encode(self.record) == before, "the record given was changed"
        assert set_presence(self.record, request, self.now) == after, "the same inputs gave another result"
        self.record, self.folded = after, set_presence(self.folded, request, self.now)
        self.oracle.set(name, pair, duration[1])
        assert name in after.sessions

    @rule(session=st.sampled_from(["a", "b", "c", "d"]))
    def clear(self, session: str) -> None:
        request = ClearPresence(session)
        if session in self.oracle.live(self.now):
            self.record = clear_presence(self.record, request, self.now)
            self.folded = clear_presence(self.folded, request, self.now)
            self.oracle.clear(session)
        else:
            for record in (self.record, self.folded):
                with pytest.raises(Refused, match="NotFound"):
                    clear_presence(record, request, self.now)

    @rule(pair=st.sampled_from(PAIRS))
    def renew_what_shows(self, pair: tuple[str, str]) -> None:
        """The same state once more, at one instant: no news."""
        request = SetPresence("a", *pair)
        once = set_presence(self.record, request, self.now)
        assert resolve(set_presence(once, request, self.now), self.now) == resolve(once, self.now)

    @rule(seconds=EIGHTHS)
    def wait(self, seconds: float) -> None:
        self.arrive(self.now + seconds)

    @rule(seconds=st.sampled_from([0.125, 1.0, 240.0, 299.875, 300.0, 300.125, 600.0, 14400.0, 1e6]))
    def jump(self, seconds: float) -> None:
        self.arrive(self.now + seconds)

    @rule(off=st.sampled_from([-0.125, 0.0, 0.125]))
    def go_to_the_next_change(self, off: float) -> None:
        at = next_change(self.record, self.now)
        self.arrive(self.now if at is None else max(self.now, at + off))

    @rule()
    def fold(self) -> None:
        self.folded = pass_time(self.folded, self.now)
        assert set(self.folded.sessions) == self.oracle.live(self.now)
        assert self.folded.settled_at == self.now

    def arrive(self, at: float) -> None:
        self.now = at
        self.oracle.go(at)

    @invariant()
    def readers_see_what_the_oracle_sees(self) -> None:
        assert seen(self.record, self.now) == self.oracle.visible(self.now)

    @invariant()
    def the_sequence_number_counts_what_changed(self) -> None:
        number = resolve(self.record, self.now).sequence
        assert number == self.oracle.number
        shown, last = seen(self.record, self.now), self.last_look[1]
        assert number >= last
        if shown != self.last_look[0]:
            assert number > last
        self.last_look = shown, number

    @invariant()
    def folding_time_in_changes_nothing_readers_see(self) -> None:
        assert resolve(self.folded, self.now) == resolve(self.record, self.now)
        assert resolve(pass_time(self.record, self.now), self.now) == resolve(self.record, self.now)

    @invariant()
    def nothing_changes_before_the_next_change(self) -> None:
        now, shown = self.now, resolve(self.record, self.now)
        at = next_change(self.record, now)
        if at is None:
            samples = [now + 1, now + 1e5, now + 1e9]
        else:
            assert at > now
            samples = [now + (at - now) * part / 8 for part in range(1, 8)] + [math.nextafter(at, -math.inf)]
            assert resolve(pass_time(self.record, at), at) == resolve(self.record, at)
        assert all(resolve(self.record, sample) == shown for sample in samples)

    @invariant()
    def no_more_is_kept_than_lives(self) -> None:
        assert set(pass_time(self.record, self.now).sessions) == self.oracle.live(self.now)

    @invariant()
    def a_record_survives_being_written_down(self) -> None:
        body = msgspec.msgpack.encode(self.record)
        assert msgspec.msgpack.decode(body, type=Record) == self.record


TestPresence = Presence.TestCase
TestPresence.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)
