"""Clock: the server's clock in a test's hands (docs/clock.md)."""

from datetime import datetime, timedelta

import msgspec

from presenced.testing.awaited import awaited
from presenced.testing.control import Control


class Clock:
    """The server's clock. Everything obeys it: what readers see, tokens, subscriptions, retries, throttling.

    Instants are ``datetime``s with a time zone, or text such as ``2026-11-24T12:00:00Z``. What is returned is the
    instant it is afterwards, in UTC. Everything raises ControlError for what cannot be.
    """

    def __init__(self, control: Control) -> None:
        self._control = control

    def now(self) -> datetime:
        """What it says."""
        return _instant(self._control.ask("GET", "/presenced/clock"))

    def freeze(self, at: datetime | str | None = None) -> datetime:
        """Have it stand still, now or at an instant."""
        return self._change({"frozen": True} if at is None else {"now": _text(at), "frozen": True})

    def set(self, at: datetime | str) -> datetime:
        """Set it to an instant, as when a suspended machine wakes up."""
        return self._change({"now": _text(at)})

    def advance(self, by: timedelta | str) -> datetime:
        """Move it on by a duration (``PT5M`` as text); returns when all that was due on the way has happened, in order,
        and subscribers have been told."""
        if isinstance(by, timedelta):
            by = msgspec.to_builtins(by)
        return _instant(self._control.ask("POST", "/presenced/clock/advance", {"by": by}))

    def go_on(self) -> datetime:
        """Have it go on from where it stands."""
        return self._change({"frozen": False})

    def reset(self) -> datetime:
        """Have it be the machine's clock again."""
        return _instant(self._control.ask("POST", "/presenced/clock/reset"))

    def _change(self, change: dict[str, object]) -> datetime:
        return _instant(self._control.ask("PATCH", "/presenced/clock", change))


class AsyncClock:
    """The same, to be awaited."""

    def __init__(self, clock: Clock) -> None:
        self.now = awaited(clock.now)
        self.freeze = awaited(clock.freeze)
        self.set = awaited(clock.set)
        self.advance = awaited(clock.advance)
        self.go_on = awaited(clock.go_on)
        self.reset = awaited(clock.reset)


def _instant(state: dict[str, str]) -> datetime:
    return datetime.fromisoformat(state["now"])


def _text(at: datetime | str) -> str:
    if isinstance(at, str):
        return at
    if at.tzinfo is None:
        raise ValueError(f"{at!r} is an instant in no time zone. Give it one, such as datetime.UTC.")
    return at.isoformat()
