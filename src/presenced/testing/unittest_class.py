"""PresencedTests: classes of unittest with a server, under `python -m unittest` as under pytest."""

import atexit
import os
import unittest
from typing import ClassVar
from unittest import mock

from presenced.testing.presenced import Presenced


class PresencedTests(unittest.TestCase):
    """A TestCase with a server in ``self.presenced``, as it was at its start for each test.

    For coroutines, name IsolatedAsyncioTestCase too: ``class MyTests(PresencedTests, IsolatedAsyncioTestCase)``. All
    classes of a process that want the same server share one, until the process ends.
    """

    presenced: ClassVar[Presenced]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.presenced = _shared()

    def setUp(self) -> None:
        super().setUp()
        environment = mock.patch.dict(os.environ, self.presenced.environment | self.presenced.trust)
        environment.start()
        self.addCleanup(environment.stop)


_servers: dict[str, Presenced] = {}


def _shared() -> Presenced:
    server = _servers.get("")
    if server is None or server.died() is not None:
        server = _servers[""] = Presenced().start()
        atexit.register(server.stop)
    return server
