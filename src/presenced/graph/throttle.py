"""Throttle: Graph's limits, per application and tenant, as moving windows.

Presence: 1,500 requests per 30 seconds per application per tenant (page of getPresencesByUserId; the newest central
table says 10,000: hence a setting). ``Retry-After`` is a whole number from 1 to 179: zero and fractions make several
SDKs retry at once, 180 and more makes the Python SDK give up (spec C.5).
"""

import math
import time

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from presenced.graph.errors import GraphError

WINDOW = 30
"""Seconds."""


class Throttle:
    """Who may still call. ``most`` requests per window for each application in each tenant; 0 is no limit."""

    def __init__(self, most: int) -> None:
        self._limit = RateLimitItemPerSecond(most, WINDOW, namespace="presence") if most > 0 else None
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def count(self, tenant: str, app: str) -> None:
        """Count one request. Raises GraphError 429 when it is one too many."""
        limit = self._limit
        if limit is None or self._windows.hit(limit, tenant, app):
            return
        free_at = self._windows.get_window_stats(limit, tenant, app).reset_time
        wait = min(max(math.ceil(free_at - time.time()), 1), 179)
        raise GraphError(
            429,
            "TooManyRequests",
            f"Too many requests: {limit.amount} per {WINDOW} seconds for an application in a tenant. "
            f"Please retry after {wait} seconds.",
            (("Retry-After", str(wait)),),
        )
