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


class SettableClock:
    """A clock that can be stopped and set, and otherwise goes on as another does."""

    def __init__(self, real: Clock | None = None) -> None:
        self._real = real or SystemClock()
        self._offset = 0.0
        self._stopped_at: float | None = None

    def now(self) -> float:
        return self._real.now() + self._offset if self._stopped_at is None else self._stopped_at

    @property
    def frozen(self) -> bool:
        """Whether it stands still."""
        return self._stopped_at is not None

    @property
    def offset(self) -> float:
        """Seconds by which it is ahead of the real clock."""
        return self.now() - self._real.now()

    def real(self) -> float:
        """The present instant of the real clock."""
        return self._real.now()

    @property
    def moved(self) -> bool:
        """Whether it is another than the real clock."""
        return self._stopped_at is not None or self._offset != 0.0

    def freeze(self) -> None:
        """Stand still."""
        self._stopped_at = self.now()

    def go_on(self) -> None:
        """Go on from where it stands."""
        if self._stopped_at is not None:
            self._offset = self._stopped_at - self._real.now()
            self._stopped_at = None

    def set(self, at: float) -> None:
        """Have it be ``at`` (seconds since 1970 UTC) now, and stand still or go on as before."""
        if self._stopped_at is None:
            self._offset = at - self._real.now()
        else:
            self._stopped_at = at

    def reset(self) -> None:
        """Be the real clock again."""
        self._offset, self._stopped_at = 0.0, None
