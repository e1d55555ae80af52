"""Files that are newer, damaged, or no data of presenced: a clear message, never a traceback."""

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from presenced.presence.record import Profile, Record, Session
from presenced.presence.states import State
from presenced.store.base import StoreUnavailable
from presenced.store.sqlite import SqliteStore
from presenced.store.sqlite_file import SCHEMA_VERSION

TENANT = "contoso"
BUSY = State("Busy", "InACall")


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    """A file with a little of everything, closed."""
    path = tmp_path / "facts.sqlite3"
    store = await SqliteStore.open(path)
    for n in range(120):
        record = Record(float(n), n, Profile(f"n{n}@contoso.com"), {"app": Session(BUSY, 0.0, 1000.0 + n)})
        await store.change(TENANT, f"p{n:03}", lambda _, record=record: record)  # type: ignore[misc]
    await store.done("webhooks", 50)
    await store.put("apps", "a", b"x" * 5000)
    await store.close()
    return path


async def refusal(path: Path) -> str:
    with pytest.raises(StoreUnavailable) as refused:
        await SqliteStore.open(path)
    assert str(path) in str(refused.value)
    return str(refused.value)


async def test_closing_leaves_one_file(file: Path) -> None:
    assert [entry.name for entry in file.parent.iterdir()] == [file.name]


async def test_opening_changes_nothing_of_what_is_kept(file: Path) -> None:
    for _ in range(2):
        store = await SqliteStore.open(file)
        assert len(await store.people(TENANT)) == 120
        assert await store.find(TENANT, "N7@CONTOSO.COM") == "p007"
        assert [change.position for change in await store.feed(0)] == list(range(1, 121))
        assert await store.due(1003.0) == [(TENANT, f"p{n:03}") for n in range(4)]
        assert await store.done("webhooks") == 50
        assert await store.documents("apps") == {"a": b"x" * 5000}
        await store.close()


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 99, -1])
async def test_a_file_of_another_version_is_refused_and_left_alone(file: Path, version: int) -> None:
    database = sqlite3.connect(file)
    database.execute(f"PRAGMA user_version = {version}")
    database.close()
    message = await refusal(file)
    assert "was written by another version of presenced" in message
    assert f"schema {version}" in message
    database = sqlite3.connect(file)
    assert database.execute("SELECT count(*) FROM records").fetchone() == (120,)
    assert database.execute("PRAGMA user_version").fetchone() == (version,)
    database.close()


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "facts.sqlite3"
    path.write_text("Dear diary, " * 1000)
    assert "file is not a database" in await refusal(path)
    assert path.read_text() == "Dear diary, " * 1000


async def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path) -> None:
    assert "unable to open database file" in await refusal(tmp_path)
    assert "unable to open database file" in await refusal(tmp_path / "no such folder" / "facts.sqlite3")


async def test_an_empty_file_is_a_new_store(tmp_path: Path) -> None:
    path = tmp_path / "facts.sqlite3"
    path.touch()
    store = await SqliteStore.open(path)
    assert await store.people(TENANT) == []
    await store.close()


def cut(content: bytearray, dice: random.Random) -> None:
    del content[dice.randrange(100, len(content)) :]


def scribble(content: bytearray, dice: random.Random) -> None:
    for _ in range(20):
        at = dice.randrange(100, len(content) - 50)
        content[at : at + 50] = dice.randbytes(50)


def blank(content: bytearray, dice: random.Random) -> None:
    page = dice.randrange(0, len(content) // 4096)
    content[page * 4096 : (page + 1) * 4096] = bytes(4096)


def flip(content: bytearray, dice: random.Random) -> None:
    for _ in range(200):
        content[dice.randrange(100, len(content))] ^= 1 << dice.randrange(8)


Damage = Callable[[bytearray, random.Random], None]


def damaged(path: Path, damage: Damage, seed: int) -> None:
    content = bytearray(path.read_bytes())
    damage(content, random.Random(seed))
    path.write_bytes(content)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("damage", [cut, scribble, blank, flip])
async def test_a_damaged_file_gives_facts_or_store_unavailable_and_nothing_else(
    file: Path, damage: Damage, seed: int
) -> None:
    damaged(file, damage, seed)
    with suppress(StoreUnavailable):
        await ask_everything(await SqliteStore.open(file))


async def ask_everything(store: SqliteStore) -> None:
    def renew(record: Record | None) -> Record:
        return Record(0.0, 1) if record is None else msgspec.structs.replace(record, sequence=1)

    asked: list[Awaitable[object]] = [
        store.people(TENANT),
        store.read(TENANT, [f"p{n:03}" for n in range(120)]),
        store.find(TENANT, "n7@contoso.com"),
        store.feed(0),
        store.due(2000.0),
        store.next_due(),
        store.done("webhooks"),
        store.documents("apps"),
        store.put("apps", "a", b"b"),
        store.trim(0),
        *(store.change(TENANT, f"p{n:03}", renew) for n in range(0, 120, 17)),
    ]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    await store.close()
    strange = [error for error in outcomes if isinstance(error, BaseException) and type(error) is not StoreUnavailable]
    assert not strange


async def test_a_file_of_version_1_is_brought_up_to_date(file: Path) -> None:
    database = sqlite3.connect(file)
    database.executescript(
        "DROP TABLE outbox; ALTER TABLE feed DROP COLUMN state_changed; PRAGMA user_version = 1; VACUUM;"
    )
    database.close()
    for _ in range(2):
        store = await SqliteStore.open(file)
        assert len(await store.people(TENANT)) == 120
        assert [change.position for change in await store.feed(0)] == list(range(1, 121))
        assert await store.endpoints() == {}
        await store.close()
