"""Endpoint state: how a host's answers slow its notifications down, or have them dropped.

Source: page "Deliver change notifications through webhooks", edition of April 2026: more than 10 % of the answers of
ten minutes slower than 3 seconds delay new notifications by 10 minutes; more than 15 % over the 10 seconds of a retry
drop new ones for 10 minutes, then a few are let through to see. Graph counts by host. How few answers make a percentage
is not published: five here, so that one slow answer alone changes nothing.
"""

from collections import deque
from typing import Literal, NamedTuple

WINDOW = 600.0
"""Seconds that are looked back on, and for which notifications are delayed or dropped."""

SLOW, SLOW_SHARE = 3.0, 0.10
LATE, LATE_SHARE = 10.0, 0.15
LINGERS = 1.0
"""Seconds, more than which an attempt has a connection that others may wait for; not Graph's."""

_FEWEST = 5
_MOST = 10_000
"""Answers remembered of one host."""

Name = Literal["normal", "slow", "drop"]


class _Answer(NamedTuple):
    at: float
    seconds: float


class EndpointState:
    """The state of one host, from its answers. Instants are seconds since 1970 UTC."""

    def __init__(self) -> None:
        self._answers: deque[_Answer] = deque()
        self._slow = self._late = 0
        self.lingers = False
        """Whether the last attempt took long: the next likely does too, whichever URL of the host it goes to."""

    def answered(self, at: float, seconds: float) -> None:
        """Take in that an attempt at ``at`` took so many seconds."""
        if len(self._answers) == _MOST:
            self._forget_oldest()
        self._answers.append(_Answer(at, seconds))
        self._slow += seconds > SLOW
        self._late += seconds >= LATE
        self.lingers = seconds > LINGERS

    def forgettable(self, now: float) -> bool:
        """Whether a new one would say the same at ``now``."""
        return self.name(now) == "normal" and not self._answers

    def name(self, now: float) -> Name:
        """The state at ``now``."""
        while self._answers and not now - WINDOW < self._answers[0].at <= now:
            self._forget_oldest()
        count = len(self._answers)
        if count < _FEWEST:
            return "normal"
        if self._late > LATE_SHARE * count:
            return "drop"
        if self._slow > SLOW_SHARE * count:
            return "slow"
        return "normal"

    def _forget_oldest(self) -> None:
        oldest = self._answers.popleft()
        self._slow -= oldest.seconds > SLOW
        self._late -= oldest.seconds >= LATE

    def send_at(self, queued_at: float, now: float) -> float:
        """When what was queued at ``queued_at``, or at once if the clock was set back since, should be sent first."""
        queued_at = min(queued_at, now)
        return queued_at + WINDOW if self.name(now) == "slow" else queued_at
