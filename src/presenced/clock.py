"""Clock: where the time comes from. Everything that needs an instant is given one, or is given a Clock to ask."""

import time
from typing import Protocol


class Clock(Protocol):
    """A source of instants: seconds since 1970 UTC."""

    def now(self) -> float:
        """The present instant."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()
