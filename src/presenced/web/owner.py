"""Owner: what only the owner sees on the board: subscriptions and deliveries, the clock, the request log.

The clock and the log belong to the emulator and are there only when the server was started with them; what the board
asks of them is said here, so that it works with whoever offers that.
"""

from typing import Any, Protocol

import msgspec

from presenced.notify.notify import Notify
from presenced.notify_control import EndpointShown, SubscriptionShown, list_deliveries, list_subscriptions
from presenced.presence.refused import Refused
from presenced.store.base import Store

MOST_SHOWN = 500


class ClockControl(Protocol):
    """A clock that can be moved. Each answers the clock's state, which JSON can say."""

    def state(self) -> Any:
        """What the clock says: ``now`` in UTC, ``frozen``, ``offset`` in seconds."""
        ...

    async def change(self, *, at: float | None = None, frozen: bool | None = None) -> Any:
        """Set it to ``at`` (seconds since 1970 UTC), stop it, have it go on. Raises Refused."""
        ...

    async def advance(self, seconds: float) -> Any:
        """Move it on. Raises Refused."""
        ...

    async def reset(self) -> Any:
        """Be the machine's clock again."""
        ...


class RequestLog(Protocol):
    """The last requests."""

    def latest(self, tenant: str, limit: int) -> list[Any]:
        """Up to ``limit`` of a tenant's, newest first, as JSON can say them; secrets masked."""
        ...


class ClockChange(msgspec.Struct, forbid_unknown_fields=True):
    """What to do with the clock: one thing. ``at`` is seconds since 1970 UTC, ``advance`` seconds."""

    at: float | None = None
    advance: float | None = None
    frozen: bool | None = None
    reset: bool = False


class Told(msgspec.Struct):
    """Subscriptions of a tenant and the endpoints they go to; ``more``: how many are not shown."""

    subscriptions: list[SubscriptionShown]
    deliveries: list[EndpointShown]
    more: int


async def told(notify: Notify, store: Store, tenant: str) -> Told:
    """Who is told of a tenant's changes, and what came of it."""
    subscriptions = list_subscriptions(notify, tenant)
    urls = {url for one in subscriptions for url in (one.notification_url, one.lifecycle_url)}
    deliveries = [endpoint for endpoint in await list_deliveries(notify, store) if endpoint.url in urls]
    more = max(len(subscriptions) - MOST_SHOWN, 0)
    return Told(subscriptions[:MOST_SHOWN], deliveries[:MOST_SHOWN], more)


async def change_clock(clock: ClockControl, asked: ClockChange) -> Any:
    """Do what is asked. Raises Refused."""
    if [asked.at is not None, asked.advance is not None, asked.frozen is not None, asked.reset].count(True) != 1:
        raise Refused("InvalidArgument", "Say one of at, advance, frozen and reset.")
    if asked.advance is not None:
        return await clock.advance(asked.advance)
    if asked.reset:
        await clock.reset()
        return clock.state()
    return await clock.change(at=asked.at, frozen=asked.frozen)
