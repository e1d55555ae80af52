"""PresencedTests: classes of unittest with a server, under `python -m unittest` as under pytest."""

import atexit
import os
import unittest
from typing import ClassVar
from unittest import mock

from presenced.testing.presenced import Presenced
from presenced.testing.seed import Seed


class PresencedTests(unittest.TestCase):
    """A TestCase with a server in ``self.presenced``, as it was at its start for each test.

    For coroutines, name IsolatedAsyncioTestCase too: ``class MyTests(PresencedTests, IsolatedAsyncioTestCase)``. All
    classes of a process that want the same server share one, until the process ends.
    """

    presenced: ClassVar[Presenced]
    presenced_seed: ClassVar[Seed | None] = None
    """What the server holds at its start; the sample tenant if a class says nothing else."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.presenced = _shared(cls.presenced_seed)

    def setUp(self) -> None:
        super().setUp()
        self.presenced.start_over()
        self.enterContext(mock.patch.dict(os.environ))  # put back afterwards
        for name, value in self.presenced.variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


_servers: dict[str, Presenced] = {}


def _shared(seed: Seed | None) -> Presenced:
    """The process's server with this seed. One that has died is not replaced, so that it does not go unseen."""
    key = repr(seed)
    if key not in _servers:
        _servers[key] = Presenced(seed=seed).start()
        atexit.register(_servers[key].stop)
    return _servers[key]
