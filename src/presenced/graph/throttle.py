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

WINDOW = 30.0
"""Seconds."""

_MOST_WINDOWS = 10_000


class Throttle:
    """Who may still call: ``most`` requests per window for each application in each tenant; 0 is no limit."""

    def __init__(self, most: int, clock: Clock) -> None:
        self._most = most
        self._now = clock.now
        self._windows: dict[tuple[str, str], deque[float]] = {}

    def count(self, tenant: str, app: str) -> None:
        """Count one request. Raises GraphError 429 when it is one too many."""
        if self._most == 0:
            return
        now = self._now()
        window = self._windows.get((tenant, app))
        if window is None:
            window = self._open(tenant, app, now)
        while window and window[0] <= now - WINDOW:
            window.popleft()
        while window and window[-1] > now:  # the clock was set back
            window.pop()
        if len(window) >= self._most:
            raise _too_many(self._most, window[0] + WINDOW - now)
        window.append(now)

    def _open(self, tenant: str, app: str, now: float) -> deque[float]:
        if len(self._windows) >= _MOST_WINDOWS:
            # an application that has been quiet for a whole window has its full budget again, so nothing is forgotten
            self._windows = {
                key: window for key, window in self._windows.items() if window and window[-1] > now - WINDOW
            }
        window = self._windows[tenant, app] = deque()
        return window


def _too_many(most: int, wait: float) -> GraphError:
    seconds = min(max(math.ceil(wait), 1), 179)
    return GraphError(
        429,
        "TooManyRequests",
        f"Too many requests: {most} per {WINDOW:.0f} seconds for an application in a tenant. "
        f"Please retry after {seconds} seconds.",
        (("Retry-After", str(seconds)),),
    )
