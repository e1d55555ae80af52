"""TimeControl: the server's clock in the hands of a test: stopped, set, or moved on with all that happens meanwhile.

``advance`` goes from one due instant to the next, so that what happens (a fade, an expiry, a reminder, a retry)
happens in order and at its own time; ``set`` jumps, as a suspended machine does.
"""

import asyncio

import msgspec

from presenced.clock import SettableClock
from presenced.emulator.instants import EARLIEST, LATEST, iso
from presenced.notify.notifier import Notifier
from presenced.presence.refused import Refused
from presenced.service import Service
from presenced.store.base import Store


class ClockState(msgspec.Struct, rename="camel"):
    """The clock as it is told: ``now`` in UTC, and by how many seconds it is ahead of the machine's."""

    now: str
    frozen: bool
    offset: float


class TimeControl:
    """The clock of a server and those who have to look at it when it was moved."""

    def __init__(self, clock: SettableClock, store: Store, service: Service, notifier: Notifier) -> None:
        self._clock = clock
        self._store = store
        self._service = service
        self._notifier = notifier
        self._moving = asyncio.Lock()
        self._resets = 0

    def state(self) -> ClockState:
        """What the clock says."""
        return ClockState(iso(self._clock.now()), self._clock.frozen, round(self._clock.offset, 6))

    async def change(self, *, at: float | None = None, frozen: bool | None = None) -> ClockState:
        """Set the clock, stop it, or have it go on; returns when what that made due has happened. Raises Refused."""
        async with self._moving:
            if at is not None:
                _check(at)
            if frozen:
                self._clock.freeze()  # first, so that it stands at the very instant it is set to
            if at is not None:
                self._clock.set(at)
            if frozen is False:
                self._clock.go_on()
            await self._catch_up()
            return self.state()

    async def advance(self, seconds: float) -> ClockState:
        """Move the clock on; returns when all that was due on the way has happened and was told. Raises Refused."""
        async with self._moving:
            if seconds < 0:
                raise Refused("InvalidArgument", "A clock is advanced by a positive duration; use set to turn it back.")
            _check(target := self._clock.now() + seconds)
            resets = self._resets
            frozen = self._clock.frozen
            self._clock.freeze()  # meanwhile, so that each instant is its own
            try:
                while (at := await self._next_event()) is not None and at <= target:
                    if resets != self._resets:
                        raise Refused("InvalidArgument", "The clock was reset before it had come so far.")
                    self._clock.set(max(at, self._clock.now()))
                    await self._catch_up()
                self._clock.set(target)
                await self._catch_up()
            finally:
                if not frozen:
                    self._clock.go_on()
            return self.state()

    async def reset(self) -> None:
        """Be the machine's clock again, also if it is being advanced. Returns when what that made due has happened."""
        self._resets += 1
        async with self._moving:
            self._clock.reset()
            await self._catch_up()

    async def _next_event(self) -> float | None:
        """The next instant after now at which something happens by itself."""
        now = self._clock.now()
        instants = [await self._store.next_due(), self._notifier.next_event(now)]
        return min((at for at in instants if at is not None), default=None)

    async def _catch_up(self) -> None:
        await self._service.settle()
        self._service.clock_moved()
        await self._notifier.catch_up()


def _check(at: float) -> None:
    if not EARLIEST <= at <= LATEST:
        raise Refused("InvalidArgument", "The clock can be set to an instant from 1970 to 9998.")
