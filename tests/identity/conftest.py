"""The parts of this room over a store in memory."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from presenced.identity.apps import App
from presenced.identity.endpoints import identity_routes
from presenced.identity.identity import Identity
from presenced.store.memory import MemoryStore

from .forger import APP, BASE, TENANT, Forger, SetClock, find_person
from .provider import Provider


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def identity(store: MemoryStore, clock: SetClock) -> AsyncIterator[Identity]:
    identity = await Identity.load(store, clock, find_person, home_tenant=TENANT)
    yield identity
    await identity.close()


@pytest.fixture
async def app(identity: Identity) -> App:
    app, _ = await identity.apps.add(
        TENANT,
        "An app",
        application=["Presence.Read.All", "Presence.ReadWrite.All"],
        delegated=["Presence.Read", "Presence.Read.All", "User.Read"],
        app_id=APP,
        secret="an app's secret",
    )
    return app


@pytest.fixture
def forger(identity: Identity, app: App) -> Forger:
    return Forger(identity, app)


@pytest.fixture
async def client(identity: Identity) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Starlette(routes=identity_routes(identity)))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    provider = Provider()
    await provider.start()
    yield provider
    await provider.stop()
