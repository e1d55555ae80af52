"""The pytest plugin: a server for the whole session, as it was at its start for each test (docs/testing.md).

pytest loads this wherever presenced is installed, at every start. So nothing of presenced is imported here; the
fixtures import it when they are first used.
"""

from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from presenced.testing.presenced import Presenced
    from presenced.testing.seed import Seed

_SHOWN = 20
"""Requests that are shown with a failure."""
_SERVER = pytest.StashKey["Presenced"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """--presenced-seed and its line in the ini file."""
    group = parser.getgroup("presenced", "a presence server for tests")
    group.addoption("--presenced-seed", metavar="FILE", help="The seed of the presenced server (default: the sample).")
    parser.addini("presenced_seed", "The seed of the presenced server, named from this file's folder.", type="string")


def pytest_configure(config: pytest.Config) -> None:
    """The marker."""
    config.addinivalue_line("markers", "presenced(seed): what the server holds in this test, a file or a dict.")


@pytest.fixture(scope="session")
def presenced_server(pytestconfig: pytest.Config) -> Iterator["Presenced"]:
    """A presence server for the whole session (one for each worker of pytest-xdist). No test resets it."""
    from presenced.testing.presenced import Presenced

    with Presenced(seed=_session_seed(pytestconfig)) as server:
        yield server


@pytest.fixture
def presenced(
    presenced_server: "Presenced", request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> "Presenced":
    """A presence server as it was at the start of the session, with the variables that point clients at it set."""
    request.node.stash[_SERVER] = presenced_server
    if marker := request.node.get_closest_marker("presenced"):
        presenced_server.seed(_marked_seed(*marker.args, **marker.kwargs, folder=request.path.parent))
    else:
        presenced_server.start_over()
    for name, value in presenced_server.variables.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    return presenced_server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say with a failure what the server was asked last, or that it is no more."""
    report = yield
    server = item.stash.get(_SERVER, None)
    if server is not None and report.failed and report.when != "teardown":
        report.sections.extend(_sections(server))
    return report


def _session_seed(config: pytest.Config) -> "Seed | None":
    if option := config.getoption("--presenced-seed"):
        return config.invocation_params.dir / str(option)
    if named := config.getini("presenced_seed"):
        return (config.inipath or config.rootpath / "pytest.ini").parent / str(named)
    return None


def _marked_seed(seed: "Seed", *, folder: Path) -> "Seed":
    """A file is named from the folder of the test's file."""
    return seed if isinstance(seed, Mapping) else folder / seed


def _sections(server: "Presenced") -> list[tuple[str, str]]:
    from presenced.testing.control import ControlError
    from presenced.testing.process import ServerDied
    from presenced.testing.traffic import lines

    try:
        asked = server.requests.entries(limit=_SHOWN)
    except (ControlError, ServerDied) as error:
        return [("presenced", str(error))]
    return [("presenced: the last requests", lines(asked) or "There were none.")]
