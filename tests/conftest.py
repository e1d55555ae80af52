"""What all tests share: one running server with the sample tenant, and an application with a settable clock."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import hypothesis
import pytest
from tests.running import Server, running

from presenced.app import App
from presenced.emulator import sample
from presenced.folder import DataFolder
from presenced.presence.record import Profile
from presenced.settings import Settings

NADIA = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3"
TOMAS = "66825e03-7ef5-42da-9069-724602c31f6b"
JONAS = "5ca1ab1e-0000-4000-8000-00000000010a"

# A busy machine is no fault of the code, so no deadlines. CI draws the same examples each time, so that what it says is
# about the change and not about chance; everywhere else chance goes on looking.
hypothesis.settings.register_profile(
    "presenced", deadline=None, print_blob=True, derandomize=os.environ.get("CI", "") not in ("", "0", "false")
)
hypothesis.settings.load_profile("presenced")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A presenced process with the sample tenant, HTTP and HTTPS, and no limit on requests."""
    data = tmp_path_factory.mktemp("server") / "data"
    with running(data, "--sample", "--tls", "--throttle-presence", "0") as server:
        yield server


class SetClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.at = now

    def now(self) -> float:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += seconds


class Desk:
    """An application in this process, with its clock, and clients for it."""

    def __init__(self, app: App, clock: SetClock) -> None:
        self.app = app
        self.clock = clock
        self._clients: list[httpx.AsyncClient] = []

    def client(
        self, *permissions: str, user: str | None = None, app: str | None = None, lifetime: int = 86000
    ) -> httpx.AsyncClient:
        """A client with a token for an app, or for a person signed in to one."""
        identity = self.app.identity
        known = identity.apps.get(sample.TENANT, app or (sample.SIGN_IN_APP if user else sample.SERVICE_APP))
        assert known is not None
        signed_in = None if user is None else (user, Profile())
        token, _ = identity.issuer.mint_access_token(known, sample.TENANT, signed_in, permissions, lifetime)
        return self.bare({"Authorization": f"Bearer {token}"})

    def bare(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """A client with these headers only."""
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://localhost:8080/v1.0",
            headers=headers,
        )
        self._clients.append(client)
        return client

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@pytest.fixture
def settings() -> Settings:
    """Override to change the desk's settings."""
    return Settings(sample=True)


@pytest.fixture
async def desk(tmp_path: Path, settings: Settings) -> AsyncIterator[Desk]:
    """An application over a new folder with the sample tenant."""
    folder = DataFolder(tmp_path / "data")
    folder.open()
    clock = SetClock()
    async with App.opened(folder, settings, clock) as app:
        desk = Desk(app, clock)
        yield desk
        await desk.close()
    folder.close()
