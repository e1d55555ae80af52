"""Presenced for tests: a server of one's own, in the state the test needs, from Python, pytest and unittest.

``Presenced`` is the server, ``PresencedTests`` gives it to classes of unittest. The pytest plugin is loaded at every
start of pytest wherever presenced is installed, so what it does not need at that time is imported on first use.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from presenced.testing.control import ControlError as ControlError
    from presenced.testing.presenced import Presenced as Presenced
    from presenced.testing.process import ServerDied as ServerDied
    from presenced.testing.unittest_class import PresencedTests as PresencedTests

__all__ = ["ControlError", "Presenced", "PresencedTests", "ServerDied"]


def __getattr__(name: str) -> Any:
    if name == "ControlError":
        from presenced.testing.control import ControlError

        return ControlError
    if name == "Presenced":
        from presenced.testing.presenced import Presenced

        return Presenced
    if name == "PresencedTests":
        from presenced.testing.unittest_class import PresencedTests

        return PresencedTests
    if name == "ServerDied":
        from presenced.testing.process import ServerDied

        return ServerDied
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
