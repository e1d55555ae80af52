"""Throttle: Graph's limits, per application and tenant, as moving windows.

Presence: 1,500 requests per 30 seconds per application per tenant (page of getPresencesByUserId; the newest central
table says 10,000: hence a setting). ``Retry-After`` is a whole number from 1 to 179: zero and fractions make several
SDKs retry at once, 180 and more makes the Python SDK give up (spec C.5).

Why not the library limits: its memory storage reads the machine's clock itself, so it cannot follow ours, never forgets
a key, and starts threads to expire entries. Not for speed: docs/architecture.md has the figures.
"""

import math
from collections import deque

from presenced.clock import Clock
from presenced.graph.errors import GraphError

_MOST_WINDOWS = 10_000

PRESENCE_WINDOW = 30.0
"""Seconds."""

_SUBSCRIPTIONS = {
    "writeSubscription": (500, 2000),
    "reauthorizeSubscription": (1000, 4000),
    "readSubscription": (500, 2000),
    "listSubscriptions": (25, 40),
}
"""Requests in 20 seconds, per application per tenant and per application in all (throttling page, C.3)."""


class Throttle:
    """Who may still call: ``most`` requests per window (seconds) for each key; 0 is no limit.

    A key is an application in a tenant, or an application alone.
    """

    def __init__(self, most: int, window: float, clock: Clock) -> None:
        self._most = most
        self._length = window
        self._now = clock.now
        self._windows: dict[tuple[str, ...], deque[float]] = {}

    def count(self, *key: str) -> None:
        """Count one request. Raises GraphError 429 when it is one too many."""
        if self._most == 0:
            return
        now = self._now()
        window = self._windows.get(key)
        if window is None:
            window = self._open(key, now)
        while window and window[0] <= now - self._length:
            window.popleft()
        while window and window[-1] > now:  # the clock was set back
            window.pop()
        if len(window) >= self._most:
            raise _too_many(self._most, window[0] + self._length - now, self._length)
        window.append(now)

    def clear(self) -> None:
        """Forget all that was counted."""
        self._windows.clear()

    def _open(self, key: tuple[str, ...], now: float) -> deque[float]:
        if len(self._windows) >= _MOST_WINDOWS:
            # an application that has been quiet for a whole window has its full budget again, so nothing is forgotten
            self._windows = {
                known: window for known, window in self._windows.items() if window and window[-1] > now - self._length
            }
        window = self._windows[key] = deque()
        return window


class Budgets:
    """The budgets by the name that an operation's ``budget`` has: presence, and those of subscriptions (spec C.3)."""

    def __init__(self, presence: int, clock: Clock, *, subscriptions: bool = True) -> None:
        self._in_tenant = {"presence": Throttle(presence, PRESENCE_WINDOW, clock)}
        self._in_all: dict[str, Throttle] = {}
        for name, (in_tenant, in_all) in _SUBSCRIPTIONS.items() if subscriptions else ():
            self._in_tenant[name] = Throttle(in_tenant, 20.0, clock)
            self._in_all[name] = Throttle(in_all, 20.0, clock)

    def clear(self) -> None:
        """Give every application its full budgets again."""
        for throttle in (*self._in_tenant.values(), *self._in_all.values()):
            throttle.clear()

    def count(self, budget: str, tenant: str, app: str) -> None:
        """Count one request of an application in a tenant. Raises GraphError 429 when it is one too many."""
        if (in_all := self._in_all.get(budget)) is not None:
            in_all.count(app)
        if (in_tenant := self._in_tenant.get(budget)) is not None:
            in_tenant.count(tenant, app)


def _too_many(most: int, wait: float, window: float) -> GraphError:
    seconds = min(max(math.ceil(wait), 1), 179)
    return GraphError(
        429,
        "TooManyRequests",
        f"Too many requests: {most} per {window:.0f} seconds for an application. Please retry after {seconds} seconds.",
        (("Retry-After", str(seconds)),),
    )
