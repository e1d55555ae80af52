"""Ticker: a viewer's whole stream: the server's time first, then what changes, and the time whenever nothing does."""

import time
from collections.abc import AsyncGenerator
from typing import Any

from presenced.clock import Clock
from presenced.web.hub import Hub, event
from presenced.web.owner import ClockControl

_JUMP = 3.0
"""Seconds by which a clock is wrong that was moved, and not merely busy."""


class Ticker:
    """The streams of a hub, with what the clock says. ``clock_control`` knows whether it stands still."""

    def __init__(self, hub: Hub, clock: Clock, clock_control: ClockControl | None) -> None:
        self._hub = hub
        self._clock = clock
        self._clock_control = clock_control
        self._seen: tuple[float, float, bool] | None = None

    async def events(self, tenant: str) -> AsyncGenerator[bytes, None]:
        """A tenant's events, until the hub ends them."""
        with self._hub.viewer(tenant) as viewer:
            yield event("hello", self._time())
            async for sent in viewer.events(self._tick):
                yield sent

    def _time(self) -> dict[str, Any]:
        state = None if self._clock_control is None else self._clock_control.state()
        return {"now": self._clock.now(), "frozen": bool(getattr(state, "frozen", False))}

    def _tick(self) -> bytes:
        """That the server is there, and its time; if its clock was moved, everybody loads everything anew."""
        time_now, real = self._time(), time.monotonic()
        now, frozen = time_now["now"], time_now["frozen"]
        if self._seen is not None:
            before, real_before, was_frozen = self._seen
            passed = 0.0 if was_frozen else real - real_before
            if abs(now - before - passed) > _JUMP and frozen == was_frozen:
                self._hub.reload()
        self._seen = now, real, frozen
        return event("tick", time_now)
