"""What readers must see of a person, worked out another way than the code does it, and from the specification.

The code keeps facts and computes what they amount to at one instant. The oracle writes down, when something is set,
the spans of time in which it will hold, and cuts them short when something else happens. What readers see is what
the spans that cover an instant say; every change on the way is counted one by one.

"spec" is the reference of Graph's presence API, by section; "ours" is a rule of presenced where the spec is open.
"""

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

T = TypeVar("T")
Pair = tuple[str, str]

SESSION_PAIRS: list[Pair] = [  # spec 4.1 [G3]
    ("Available", "Available"),
    ("Busy", "InACall"),
    ("Busy", "InAConferenceCall"),
    ("Away", "Away"),
    ("DoNotDisturb", "Presenting"),
]
PREFERRED_DAYS: dict[Pair, float] = {  # spec 5.1 [G5]: the pairs, and how many days each holds if nothing is asked
    ("Available", "Available"): 7,
    ("Busy", "Busy"): 1,
    ("DoNotDisturb", "DoNotDisturb"): 1,
    ("BeRightBack", "BeRightBack"): 7,
    ("Away", "Away"): 7,
    ("Offline", "OffWork"): 7,
}
STRONGEST_FIRST = [  # spec 4.2 [G17]; that a fading session yields to an active one is ours
    ["Presenting"],
    ["InACall", "InAConferenceCall"],
    ["Available"],
    ["AvailableInactive"],
    ["Away"],
]
QUARTER = timedelta(minutes=15)


class Place(NamedTuple):
    """Where a person works (userWorkLocation)."""

    source: str = "none"
    type: str = "unspecified"
    place_id: str | None = None


class Note(NamedTuple):
    """A status message as the person reads it back."""

    content: str
    published_at: float
    expires_at: float | None


class Seen(NamedTuple):
    """All that a reader sees of a person, but for the sequence number."""

    availability: str
    activity: str
    note: Note | None = None
    out_of_office: bool = False
    reply: str | None = None
    place: Place = Place()


class Span(NamedTuple, Generic[T]):
    """From ``start`` up to ``end``, ``what`` holds; ``order`` counts everything that was ever written down."""

    start: float
    end: float
    what: T
    order: int


class Strip(Generic[T]):
    """The spans of one thing, which may overlap."""

    def __init__(self) -> None:
        self.spans: list[Span[T]] = []

    def write(self, start: float, end: float, what: T, order: int = 0) -> None:
        if start < end:
            self.spans.append(Span(start, end, what, order))

    def cut(self, at: float) -> None:
        """Whatever was going to hold from now on, does not."""
        self.spans = [span._replace(end=min(span.end, at)) for span in self.spans if span.start < at]

    def at(self, instant: float) -> list[Span[T]]:
        return [span for span in self.spans if span.start <= instant < span.end]

    def now(self, instant: float) -> T | None:
        """The one thing that holds."""
        holding = self.at(instant)
        return holding[-1].what if holding else None

    def edges(self) -> Iterator[float]:
        for span in self.spans:
            yield span.start
            yield span.end


class Replies(NamedTuple):
    """Automatic replies as they stand: the status, the window for when they are scheduled, and the text."""

    status: str = "disabled"
    starts_at: float | None = None
    ends_at: float | None = None
    message: str | None = None

    def backwards(self) -> bool:
        """Scheduled to end before they begin (ours: refused)."""
        if self.status != "scheduled" or self.starts_at is None or self.ends_at is None:
            return False
        return self.ends_at <= self.starts_at


class Event(NamedTuple):
    """Something in the calendar."""

    starts_at: float
    ends_at: float
    show_as: str
    is_meeting: bool


class Oracle:
    """One person. Every method but ``go`` and those that look is something that happens at ``self.at``."""

    def __init__(self, at: float) -> None:
        self.at = at
        self.number = int(at * 1e6)
        self.written = 0
        self.sessions: dict[str, Strip[Pair]] = {}
        self.preferred: Strip[Pair] = Strip()
        self.note: Strip[Note] = Strip()
        self.replies: Strip[str | None] = Strip()
        self.mailbox = Replies()
        self.zone = "UTC"
        self.manual: Strip[Place] = Strip()
        self.automatic: Strip[Place] = Strip()
        self.calendar: Strip[Event] = Strip()

    # looking

    def seen(self, at: float) -> Seen:
        calendar = self.calendar.at(at)
        away = [span for span in calendar if span.what.show_as == "oof"]
        replying = self.replies.at(at)
        out = bool(away or replying)  # spec 6.2 [G18]
        state = self.state(at)
        if out and state == ("Available", "Available"):  # spec 7.2 [G17]
            state = ("Available", "OutOfOffice")
        reply = replying[0].what if replying else None
        return Seen(*state, self.note.now(at), out, reply, self.place(at))

    def state(self, at: float) -> Pair:
        """spec 12.6."""
        live = [span for strip in self.sessions.values() for span in strip.at(at)]
        if not live:
            return ("Offline", "Offline")
        if chosen := self.preferred.now(at):
            return chosen
        for activities in STRONGEST_FIRST:
            if holding := [span for span in live if span.what[1] in activities]:
                strongest = max(holding, key=lambda span: span.order).what
                break
        if strongest[0] in ("DoNotDisturb", "Busy"):
            return strongest
        busy = [span.what for span in self.calendar.at(at) if span.what.show_as == "busy"]
        if any(event.is_meeting for event in busy):
            return ("Busy", "InAMeeting")
        return ("Busy", "Busy") if busy else strongest

    def place(self, at: float) -> Place:
        """spec 6.4 [G8, G19]: manual > automatic > scheduled."""
        said = self.manual.now(at) or self.automatic.now(at)
        if said:
            return said
        if any(span.what.show_as == "workingElsewhere" for span in self.calendar.at(at)):
            return Place("scheduled", "remote")
        return Place()

    def live(self, at: float) -> set[str]:
        return {name for name, strip in self.sessions.items() if strip.at(at)}

    def ahead(self, until: float = math.inf) -> Iterator[tuple[float, Seen, int]]:
        """Each instant after now, up to ``until``, at which a span begins or ends: what is seen then, and the
        sequence number then."""
        others: tuple[Strip[Any], ...] = (
            self.preferred,
            self.note,
            self.replies,
            self.manual,
            self.automatic,
            self.calendar,
        )
        edges = {edge for strip in self.sessions.values() for edge in strip.edges()}
        edges.update(edge for strip in others for edge in strip.edges())
        shown, number = self.seen(self.at), self.number
        for edge in sorted(edge for edge in edges if self.at < edge <= until and edge < math.inf):
            before, shown = shown, self.seen(edge)
            if shown != before:
                number = max(number + 1, int(edge * 1e6))
            yield edge, shown, number

    # time

    def go(self, at: float) -> None:
        for _, _, number in self.ahead(at):
            self.number = number
        self.at = at
        for strip in self.sessions.values():  # what is over is never looked at again
            strip.spans = [span for span in strip.spans if span.end > at]

    def midnight(self) -> float:
        """When the person's current date is over: the first quarter of an hour with another date on their clock."""
        zone = ZoneInfo(self.zone)
        now = datetime.fromtimestamp(self.at, UTC)
        later = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
        while later.astimezone(zone).date() <= now.astimezone(zone).date():
            later += QUARTER
        return later.timestamp()

    # what happens

    def open_session(self, name: str, pair: Pair, lasts: float) -> None:
        before = self.seen(self.at)
        strip = self.sessions.setdefault(name, Strip())
        strip.cut(self.at)
        self.written += 1
        end = self.at + lasts
        if pair[0] == "Available":  # spec 4.3 [G3, G17]
            inactive, away = self.at + 300.0, self.at + 600.0
            strip.write(self.at, min(end, inactive), pair, self.written)
            strip.write(inactive, min(end, away), ("Available", "AvailableInactive"), self.written)
            strip.write(away, end, ("Away", "Away"), self.written)
        else:
            strip.write(self.at, end, pair, self.written)
        self.count(before)

    def keep_session(self, name: str, pair: Pair) -> None:
        """A client's, there from the beginning (no news)."""
        self.sessions[name] = Strip()
        self.sessions[name].write(self.at, math.inf, pair)

    def close_session(self, name: str) -> None:
        before = self.seen(self.at)
        self.sessions[name].cut(self.at)
        self.count(before)

    def prefer(self, pair: Pair, lasts: float | None) -> None:
        self.replace(self.preferred, self.at + (lasts or PREFERRED_DAYS[pair] * 86400.0), pair)

    def prefer_nothing(self) -> None:
        self.drop(self.preferred)

    def say(self, content: str, until: float | None) -> None:
        end = math.inf if until is None else until
        self.replace(self.note, end, Note(content, self.at, until))

    def say_nothing(self) -> None:
        self.drop(self.note)

    def reply(self, mailbox: Replies) -> None:
        self.mailbox = mailbox
        start, end = self.at, math.inf
        if mailbox.status == "disabled":
            end = self.at
        if mailbox.status == "scheduled":
            start = self.at if mailbox.starts_at is None else max(self.at, mailbox.starts_at)
            end = math.inf if mailbox.ends_at is None else mailbox.ends_at
        self.replace(self.replies, end, mailbox.message, start)

    def work(self, layer: str, kind: str, place_id: str | None) -> None:
        strip = self.manual if layer == "manual" else self.automatic
        live = strip.now(self.at)
        if live and place_id is None and live.type == kind:  # "the more precise wins": spec 6.4 [G8, G19]
            place_id = live.place_id
        self.replace(strip, self.midnight(), Place(layer, kind, place_id))

    def work_nowhere(self, layer: str) -> None:
        """Nothing was said for today ("manual": nor detected, spec 6.4 [G10]); or nothing was detected [G11]."""
        if layer == "manual":
            self.drop(self.manual, self.automatic)
        else:
            self.drop(self.automatic)

    def plan(self, events: Iterable[Event]) -> None:
        before = self.seen(self.at)
        self.calendar.cut(self.at)
        for event in events:
            self.calendar.write(max(self.at, event.starts_at), event.ends_at, event)
        self.count(before)

    def replace(self, strip: Strip[T], end: float, what: T, start: float | None = None) -> None:
        before = self.seen(self.at)
        strip.cut(self.at)
        strip.write(self.at if start is None else start, end, what)
        self.count(before)

    def drop(self, *strips: "Strip[Pair] | Strip[Note] | Strip[Place]") -> None:
        before = self.seen(self.at)
        for strip in strips:
            strip.cut(self.at)
        self.count(before)

    def count(self, before: Seen) -> None:
        if self.seen(self.at) != before:
            self.number = max(self.number + 1, int(self.at * 1e6))
