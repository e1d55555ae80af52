"""Microsoft's Python SDK, as published, when the server fails: it waits and succeeds, and what it did is in the log."""

from collections.abc import Iterator

import pytest
from msgraph import GraphServiceClient
from tests.clients.test_python_sdk import ask
from tests.clients.test_python_sdk import collected_here as collected_here
from tests.clients.test_python_sdk import graph_client as graph_client
from tests.conftest import NADIA
from tests.emulator.controlled import Controlled
from tests.running import Server, running

# the SDK leaves connections open until they are collected
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("faults") / "data", "--sample", "--tls", "--control") as server:
        yield server


@pytest.mark.parametrize("status", [429, 503])
async def test_it_tries_again_and_succeeds(server: Server, graph_client: GraphServiceClient, status: int) -> None:
    desk = Controlled(server)
    number = desk.add({"status": status, "retryAfter": "PT1S"}, operation="getPresencesByUserId", nth=1)
    (presence,) = await ask(graph_client, [NADIA])
    assert presence.id == NADIA
    assert desk.counts(number) == (2, 1)
    first, second = desk.log()[-2:]
    assert (first["status"], second["status"]) == (status, 200)
    assert second["requestHeaders"]["retry-attempt"] == "1"
    token = desk.wait("requests", operation="token", status=200)[0]
    assert token["number"] < first["number"]
    desk.close()
