"""Guesses: how often someone may get a password wrong."""

from cachetools import TTLCache

from presenced.clock import Clock

ALLOWED = 10
WINDOW = 60.0
_MAX_NAMES = 10_000


class Guesses:
    """Counts sign-ins under way or failed, per tenant and name.

    Ten within a minute lock the name until a minute after the last of them. (Not with the limits library: its moving
    window in memory never lets go of a key, so invented names would fill the memory. It also keeps its own time.)
    """

    def __init__(self, clock: Clock) -> None:
        self._counts: TTLCache[tuple[str, str], int] = TTLCache(_MAX_NAMES, WINDOW, timer=clock.now)

    def clear(self) -> None:
        """Forget all that was counted."""
        self._counts.clear()

    def begin(self, tenant: str, name: str) -> bool:
        """Whether a password may be tried now. It counts as failed until ``succeeded``, so many at once do not help."""
        if self.locked(tenant, name):
            return False
        self.failed(tenant, name)
        return True

    def locked(self, tenant: str, name: str) -> bool:
        """Whether there were too many lately."""
        return self._counts.get((tenant, name), 0) >= ALLOWED

    def failed(self, tenant: str, name: str) -> None:
        """Count one."""
        self._counts[tenant, name] = self._counts.get((tenant, name), 0) + 1

    def succeeded(self, tenant: str, name: str) -> None:
        """The password was right: what came before is forgiven."""
        self._counts.pop((tenant, name), None)
