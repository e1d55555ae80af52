"""The parts of this room over a store in memory."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from presenced.identity.apps import App
from presenced.identity.endpoints import identity_routes
from presenced.identity.identity import Identity
from presenced.identity.sign_in_endpoints import sign_in_routes
from presenced.store.memory import MemoryStore

from .browser import PASSWORD, SECRET, Browser
from .forger import ADELE, APP, BASE, TENANT, Forger, SetClock, find_person
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
    transport = httpx.ASGITransport(Starlette(routes=[*identity_routes(identity), *sign_in_routes(identity)]))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


@pytest.fixture
async def browser(client: httpx.AsyncClient, identity: Identity) -> Browser:
    """A browser of Adele's, who has a password."""
    await identity.passwords.set(TENANT, ADELE, PASSWORD)
    return Browser(client)


@pytest.fixture
async def native(identity: Identity) -> App:
    """A public client: a program on people's machines."""
    app, _ = await identity.apps.add(
        TENANT,
        "A program",
        delegated=["Presence.Read", "User.Read"],
        sign_in=True,
        redirect_uris=["http://localhost", "http://127.0.0.1/back", "http://[::1]", "myprogram://auth"],
    )
    return app


@pytest.fixture
async def web(identity: Identity) -> App:
    """An app on a server, with a secret."""
    app, _ = await identity.apps.add(
        TENANT,
        "A <b>site</b>",
        delegated=["Presence.Read", "User.Read"],
        secret=SECRET,
        redirect_uris=["https://site.example/back", "https://site.example/more?kept=1", "http://localhost:5000/back"],
    )
    return app


@pytest.fixture
async def spa(identity: Identity) -> App:
    """A single-page application."""
    app, secret = await identity.apps.add(
        TENANT,
        "A page",
        delegated=["Presence.Read", "User.Read"],
        spa_redirect_uris=["https://page.example/", "http://localhost/page"],
    )
    assert secret is None
    return app


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    provider = Provider()
    await provider.start()
    yield provider
    await provider.stop()
