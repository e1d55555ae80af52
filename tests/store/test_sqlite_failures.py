"""When the file cannot be written, nothing of what was asked is kept, everyone is told, and it ends with its cause."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from presenced.presence.record import Profile, Record, StatusMessage
from presenced.store.base import Action, Change, NameTaken, StoreUnavailable
from presenced.store.sqlite import SqliteStore

TENANT = "contoso"
SCRIPT = Path(__file__).with_name("sqlite_process.py")

CAUSES = [
    # (what is wrong, statement that does it, statement that mends it, words of the error)
    (
        "the disk is full",
        "PRAGMA max_page_count = 1",
        "PRAGMA max_page_count = 1000000",
        "database or disk is full",
    ),
    (
        "nothing may be written",
        "PRAGMA query_only = 1",
        "PRAGMA query_only = 0",
        "attempt to write a readonly database",
    ),
    (
        "one statement fails, and the transaction stays open with what came before it",
        "CREATE TEMP TRIGGER broken AFTER INSERT ON main.feed BEGIN SELECT RAISE(FAIL, 'this one'); END",
        "DROP TRIGGER broken",
        "this one",
    ),
]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(tmp_path / "facts.sqlite3")
    await store.change(TENANT, "adele", person("adele@contoso.com"))
    await store.change(TENANT, "alex", person(None))
    yield store
    await store.close()


async def execute(store: SqliteStore, statement: str) -> None:
    """On the store's own connection, in its own thread."""
    await store._file.run(lambda: store._file.database.execute(statement).fetchall())


def person(name: str | None, sequence: int = 1, size: int = 0) -> Action:
    message = StatusMessage("x" * size, 0.0) if size else None
    return lambda _: Record(0.0, sequence, Profile(name), status_message=message)


def big(name: str | None, sequence: int = 2) -> Action:
    """Too big for the pages the file has already."""
    return person(name, sequence, 100_000)


def renewed(record: Record | None) -> Record:
    assert record is not None
    return msgspec.structs.replace(record, sequence=record.sequence + 1)


async def state(store: SqliteStore) -> list[object]:
    """All that can be asked of the store about the tenant."""
    return [
        await store.read(TENANT, ["adele", "alex", "lidia"]),
        await store.people(TENANT),
        [await store.find(TENANT, f"{name}@contoso.com") for name in ("adele", "alex", "lidia", "new")],
        await store.feed(0),
        await store.next_due(),
        await store.documents("apps"),
    ]


@pytest.mark.parametrize(("what", "breaks", "mends", "words"), CAUSES)
async def test_a_commit_that_fails_keeps_nothing_and_tells_everyone(
    store: SqliteStore, tmp_path: Path, what: str, breaks: str, mends: str, words: str
) -> None:
    before = await state(store)
    heard: list[Change] = []
    store.follow(heard.extend)
    await execute(store, breaks)

    writes = [
        store.change(TENANT, "alex", big("alex@contoso.com")),  # alone in the first commit
        store.change(TENANT, "adele", big("new@contoso.com")),  # gives a name up
        store.change(TENANT, "adele", renewed),  # builds on that
        store.change(TENANT, "ghost", big("new@contoso.com")),  # not "taken": nobody ever had it
        store.change(TENANT, "lidia", big("adele@contoso.com")),  # takes the name
        store.change(TENANT, "adele", lambda _: None),
        store.change(TENANT, "adele", lambda record: record),  # "nothing to do", founded on what is not kept
        store.put("apps", "a", b"x" * 100_000),
        store.done("webhooks", 2),
    ]
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    for outcome in outcomes:
        assert isinstance(outcome, StoreUnavailable)
        assert words in str(outcome)
        assert str(tmp_path) in str(outcome)
    assert heard == []
    assert await state(store) == before

    await execute(store, mends)
    assert await state(store) == before
    with pytest.raises(NameTaken):  # adele has it still
        await store.change(TENANT, "lidia", big("adele@contoso.com"))
    for name in ("new@contoso.com", "alex@contoso.com"):  # nobody has these
        await store.change(TENANT, "lidia", big(name))
    await store.put("apps", "a", b"a")
    assert await store.done("webhooks") == 0
    assert [change.position for change in await store.feed(0)] == [1, 2, 3, 4]
    assert [change.position for change in heard] == [3, 4]

    after = await state(store)
    await store.close()
    again = await SqliteStore.open(tmp_path / "facts.sqlite3")
    assert await state(again) == after
    await again.close()


async def test_what_was_decided_on_top_of_a_failed_write_fails_with_it(store: SqliteStore) -> None:
    """Even if it could be kept by itself: its writer was given a record that never came to be."""
    before = await state(store)
    await execute(
        store,
        "CREATE TEMP TRIGGER broken BEFORE INSERT ON main.records WHEN NEW.name = 'bad@contoso.com' "
        "BEGIN SELECT RAISE(FAIL, 'this one'); END",
    )
    failed = asyncio.create_task(store.change(TENANT, "adele", person("bad@contoso.com")))
    await asyncio.sleep(0)  # alone in its commit
    await asyncio.sleep(0)
    writes = [
        failed,
        asyncio.create_task(store.change(TENANT, "adele", person("new@contoso.com", 2))),
        asyncio.create_task(store.change(TENANT, "lidia", person("adele@contoso.com"))),
    ]
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 3
    assert await state(store) == before
    await execute(store, "DROP TRIGGER broken")
    await store.change(TENANT, "alex", person("bad@contoso.com"))
    assert await store.find(TENANT, "adele@contoso.com") == "adele"


async def test_while_the_disk_is_full_what_is_known_can_still_be_read(store: SqliteStore) -> None:
    await execute(store, "PRAGMA max_page_count = 1")
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await store.change(TENANT, "alex", big(None))
        assert await store.find(TENANT, "adele@contoso.com") == "adele"
        assert len(await store.people(TENANT)) == 2


async def test_a_disk_that_fails_now_and_then_loses_no_acknowledged_write(store: SqliteStore, tmp_path: Path) -> None:
    """Writers go on all the while. Each changes one person and remembers what it was told is kept."""
    told = dict.fromkeys([f"w{n}" for n in range(10)], 0)
    refused = 0

    def count(record: Record | None) -> Record:
        return Record(0.0, 1) if record is None else renewed(record)

    async def writer(who: str) -> None:
        nonlocal refused
        for _ in range(60):
            try:
                kept = await store.change(TENANT, who, count)
            except StoreUnavailable:
                refused += 1
            else:
                assert kept == Record(0.0, told[who] + 1)
                told[who] += 1

    async def weather() -> None:
        while True:
            await execute(store, "PRAGMA query_only = 1")
            await asyncio.sleep(0)
            await execute(store, "PRAGMA query_only = 0")
            await asyncio.sleep(0.002)

    blowing = asyncio.create_task(weather())
    await asyncio.gather(*map(writer, told))
    blowing.cancel()
    await asyncio.gather(blowing, return_exceptions=True)
    await execute(store, "PRAGMA query_only = 0")
    await store.close()
    assert refused > 0
    again = await SqliteStore.open(tmp_path / "facts.sqlite3")
    assert await again.read(TENANT, list(told)) == [Record(0.0, n) if n else None for n in told.values()]
    feed = await again.feed(0, 100_000)
    assert [change.position for change in feed] == list(range(1, 2 + sum(told.values()) + 1))
    await again.close()


async def test_followers_hear_only_what_another_process_could_read_already(store: SqliteStore, tmp_path: Path) -> None:
    looked: list[bool] = []

    def follower(changes: Sequence[Change]) -> None:
        other = sqlite3.connect(tmp_path / "facts.sqlite3")
        (last,) = other.execute("SELECT max(position) FROM feed").fetchone()
        other.close()
        looked.append(last >= changes[-1].position)

    store.follow(follower)
    await asyncio.gather(*(store.change(TENANT, f"p{n}", person(None)) for n in range(50)))
    assert looked
    assert all(looked)


async def test_many_writers_share_few_transactions(store: SqliteStore) -> None:
    statements: list[str] = []
    trace: Callable[[str], None] = statements.append
    await store._file.run(lambda: store._file.database.set_trace_callback(trace))
    await asyncio.gather(*(store.change(TENANT, f"p{n}", person(None)) for n in range(500)))
    assert statements.count("COMMIT") == statements.count("BEGIN IMMEDIATE")
    assert 1 <= statements.count("COMMIT") <= 5
    assert len(await store.feed(0)) == 502


def process(*arguments: str) -> list[str]:
    run = subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def test_a_real_size_limit_in_the_middle_of_a_commit_keeps_nothing_and_passes(tmp_path: Path) -> None:
    (message,) = process("limited", str(tmp_path / "facts.sqlite3"))
    assert message.startswith("The data folder cannot keep facts: ")


def test_a_folder_where_nothing_may_be_written_is_named() -> None:
    there, not_there = process("readonly")
    assert there.startswith("The data folder cannot keep facts: /")
    assert "readonly database" in there
    assert "unable to open database file" in not_there
