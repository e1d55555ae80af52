"""AsyncPresenced: all of Presenced that asks the server, to be awaited."""

from typing import TYPE_CHECKING

from presenced.testing.awaited import awaited
from presenced.testing.clock import AsyncClock
from presenced.testing.traffic import AsyncFaults, AsyncLog

if TYPE_CHECKING:
    from presenced.testing.presenced import Presenced


class AsyncPresenced:
    """The same names and arguments as in Presenced."""

    def __init__(self, presenced: "Presenced") -> None:
        self.clock = AsyncClock(presenced.clock)
        self.faults = AsyncFaults(presenced.faults)
        self.requests, self.deliveries = AsyncLog(presenced.requests), AsyncLog(presenced.deliveries)
        self.seed = awaited(presenced.seed)
        self.reset = awaited(presenced.reset)
        self.start_over = awaited(presenced.start_over)
        self.export = awaited(presenced.export)
        self.token = awaited(presenced.token)
