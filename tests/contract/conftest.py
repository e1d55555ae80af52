"""The stores that keep the contract. To add one, write how it is opened and name it in STORES."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from presenced.store.base import Store
from presenced.store.memory import MemoryStore
from presenced.store.sqlite import SqliteStore

Opened = Callable[[], Awaitable[Store]]


def memory(folder: Path) -> Opened:
    """A new store each time: nothing outlives it."""

    async def opened() -> Store:
        return MemoryStore()

    return opened


def sqlite(folder: Path) -> Opened:
    """The same file each time."""

    async def opened() -> Store:
        return await SqliteStore.open(folder / "facts.sqlite3")

    return opened


STORES: dict[str, Callable[[Path], Opened]] = {"memory": memory, "sqlite": sqlite}
FORGETFUL = {"memory"}
"""These lose everything when closed, by design: they are not asked what they know after a restart."""


class Places:
    """Every store opened in one test, so that all are closed at its end."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._open: list[Store] = []

    async def open(self) -> Store:
        store = await self._opened()
        self._open.append(store)
        return store

    async def close(self) -> None:
        while self._open:
            await self._open.pop().close()


@pytest.fixture(params=list(STORES))
async def places(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Places]:
    places = Places(STORES[request.param](tmp_path))
    yield places
    await places.close()


@pytest.fixture
async def store(places: Places) -> Store:
    return await places.open()


@pytest.fixture
def reopen(places: Places, request: pytest.FixtureRequest) -> Opened:
    """Close what is open and open it again, as a restart does. Tests that use it run for durable stores only."""
    if request.node.callspec.params["places"] in FORGETFUL:
        pytest.skip("this store forgets everything when closed")

    async def again() -> Store:
        await places.close()
        return await places.open()

    return again
