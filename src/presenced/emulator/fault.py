"""Fault: a rule with a match and an effect, as it is sent and kept (docs/faults.md)."""

import random
from typing import Annotated, Literal

import msgspec

from presenced.emulator.match import Match
from presenced.presence.durations import parse_duration
from presenced.presence.refused import Refused

LONGEST_LATENCY, LONGEST_RETRY_AFTER, LONGEST_LATE = 60.0, 3600.0, 86400.0
"""Seconds."""

DOCUMENTED_RETRY_AFTER = 10
"""Seconds, of the sample in Graph's page on throttling."""

_Duration = Annotated[str, msgspec.Meta(max_length=64)]


class FaultMatch(Match, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Which requests or notifications are struck: of those that are meant, the ``nth`` or a ``share`` by chance.

    Chance is the same each time for the same ``seed``.
    """

    nth: Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)] | None = None
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    seed: Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)] = 0


class Effect(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True, rename="camel"):
    """What goes wrong: one of these. ``retry_after`` goes with a status, ``delay`` with a late notification."""

    status: Literal[429, 500, 503, 504] | None = None
    retry_after: _Duration | None = None
    latency: _Duration | None = None
    cut: Literal["before", "after", "within"] | None = None
    stale: bool | None = None
    notification: Literal["lost", "late", "doubled", "reordered"] | None = None
    delay: _Duration | None = None
    handshake: Literal["refused", "timeout"] | None = None


class NewFault(msgspec.Struct, forbid_unknown_fields=True):
    """A fault to add. It strikes at most so many ``times``."""

    effect: Effect
    match: FaultMatch = msgspec.field(default_factory=FaultMatch)
    times: Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)] | None = None


class FaultShown(msgspec.Struct, rename="camel"):
    """A fault as it is told: how often what it is about came by, and how often it struck."""

    id: str
    match: FaultMatch
    effect: Effect
    times: int | None
    matched: int
    struck: int
    added_at: str


class Fault:
    """A fault that is in force. Durations of its effect are in seconds. Raises Refused for one that cannot be."""

    def __init__(self, new: NewFault, added_at: str) -> None:
        effect = new.effect
        kinds = [effect.status, effect.latency, effect.cut, effect.stale or None, effect.notification, effect.handshake]
        if sum(kind is not None for kind in kinds) != 1:
            raise _refused("An effect is one of status, latency, cut, stale, notification and handshake.")
        self.id = ""
        self.new = new
        self.match, self.effect = new.match, effect
        self.matched = self.struck = 0
        self.latency = _seconds(effect.latency, "latency", LONGEST_LATENCY)
        self.delay = _seconds(effect.delay, "delay", LONGEST_LATE)
        self.retry_after = _retry_after(effect)
        self._added_at = added_at
        self._chance = random.Random(new.match.seed)  # noqa: S311  to be the same each time is what it is for
        self._check()

    @property
    def of_requests(self) -> bool:
        """Whether it strikes requests, and not notifications or handshakes."""
        return self.effect.notification is None and self.effect.handshake is None

    def strikes(self, *, possible: bool = True) -> bool:
        """Count something that is meant, and say whether it is struck. ``possible``: nothing else has been decided."""
        self.matched += 1
        match = self.match
        by_chance = match.share is None or self._chance.random() < match.share
        due = match.nth in (None, self.matched) and (self.new.times is None or self.struck < self.new.times)
        if not (by_chance and due and possible):
            return False
        self.struck += 1
        return True

    def shown(self) -> FaultShown:
        """What is told of it."""
        return FaultShown(self.id, self.match, self.effect, self.new.times, self.matched, self.struck, self._added_at)

    def _check(self) -> None:
        effect, match = self.effect, self.match
        if effect.retry_after is not None and effect.status is None:
            raise _refused("retryAfter goes with a status.")
        if (effect.delay is None) != (effect.notification != "late"):
            raise _refused('A notification that is "late" needs a delay, and nothing else takes one.')
        if match.nth is not None and match.share is not None:
            raise _refused("Say nth or share, not both.")
        if not self.of_requests and (match.operation is not None or match.header is not None):
            raise _refused("Notifications and handshakes have no operation and no header; match tenant, app or person.")
        if effect.handshake is not None and match.person is not None:
            raise _refused("A handshake is about no person; match tenant or app.")


def _seconds(text: str | None, name: str, longest: float) -> float:
    if text is None:
        return 0.0
    seconds = parse_duration(text, name)
    if not 0 <= seconds <= longest:
        raise _refused(f"{name} can be from nothing to {longest:.0f} seconds, such as PT5S.")
    return seconds


def _retry_after(effect: Effect) -> int | None:
    if effect.retry_after is None:
        return DOCUMENTED_RETRY_AFTER if effect.status == 429 else None
    seconds = _seconds(effect.retry_after, "retryAfter", LONGEST_RETRY_AFTER)
    if seconds != int(seconds):
        raise _refused("retryAfter is sent in whole seconds, such as PT5S.")
    return int(seconds)


def _refused(message: str) -> Refused:
    return Refused("InvalidArgument", message)
