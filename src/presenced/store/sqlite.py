"""The embedded store: records in memory, written through to one SQLite file by group commit.

A write is decided at once against the newest record, waits with its neighbours for the commit under way, and is kept
with them in one transaction (WAL, synchronous=FULL: one fsync for all). Only then do readers see it, followers hear of
it and its writer get an answer; so nothing that anyone saw is lost, whenever the process is killed. A commit that
fails keeps nothing: its writers, and those who built on them meanwhile, get StoreUnavailable.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from presenced.presence.record import Record
from presenced.store.base import (
    Action,
    Change,
    Delivery,
    Follower,
    NameTaken,
    StoreUnavailable,
    due_at,
    name_of,
    state_changed,
    tell,
)
from presenced.store.sqlite_file import SqliteFile

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Record).decode
T = TypeVar("T")

_DROPPED_AT_ONCE = 5000


def _record(body: bytes) -> Record:
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as error:
        raise StoreUnavailable(f"A record in the data folder is damaged: {error}. Restore a backup.") from error


class _RecordWrite(NamedTuple):
    tenant: str
    person: str
    after: Record | None
    left: str | None
    taken: str | None
    body: bytes | None
    state_changed: bool
    answer: "asyncio.Future[None]"


class _OtherWrite(NamedTuple):
    """Statements, each with the rows of values it is executed with."""

    statements: tuple[tuple[str, Sequence[tuple[object, ...]]], ...]
    answer: "asyncio.Future[None]"


class SqliteStore:
    """A Store in one SQLite file. Make it with ``await SqliteStore.open(path)``, inside the event loop that uses it."""

    _file: SqliteFile

    def __init__(self) -> None:
        self._records: dict[str, dict[str, bytes]] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._unkept: dict[tuple[str, str], tuple[_RecordWrite, bytes | None]] = {}
        self._claims: dict[tuple[str, str], tuple[_RecordWrite, str | None]] = {}
        self._queue: list[_RecordWrite | _OtherWrite] = []
        self._flushing: asyncio.Task[None] | None = None
        self._position = 0
        self._last_delivery = 0
        self._followers: list[Follower] = []

    @classmethod
    async def open(cls, path: Path) -> "SqliteStore":
        """Open the file, making it if need be. Raises StoreUnavailable with what to do about it."""
        store = cls()
        store._file = await SqliteFile.open(path, store._load)
        return store

    async def change(self, tenant: str, person: str, action: Action) -> Record | None:
        key = tenant, person
        waiting = self._unkept.get(key)
        newest = waiting[1] if waiting else self._records.get(tenant, {}).get(person)
        before = None if newest is None else _record(newest)
        try:
            after = action(before)
        except Exception:
            await self._until_kept(key)
            raise
        if after is before:
            await self._until_kept(key)
            return after
        left, taken = name_of(before), name_of(after)
        if left == taken:
            left = taken = None
        holder = None if taken is None else self._holder(tenant, taken)
        if holder is not None and holder != person:
            await self._until_kept((tenant, holder))
            raise NameTaken(taken)
        "".join(key).encode()  # what has no bytes fails here, alone; in a commit it would fail its neighbours too
        body = None if after is None else _encode(after)
        answer = asyncio.get_running_loop().create_future()
        write = _RecordWrite(tenant, person, after, left, taken, body, state_changed(before, after), answer)
        self._unkept[key] = write, body
        if left is not None:
            self._claims[tenant, left] = write, None
        if taken is not None:
            self._claims[tenant, taken] = write, person
        await self._keep(write)
        return after

    async def read(self, tenant: str, persons: Sequence[str]) -> list[Record | None]:
        known = self._records.get(tenant, {})
        return [None if (body := known.get(person)) is None else _record(body) for person in persons]

    async def people(self, tenant: str, after: str = "", limit: int = 1000) -> list[tuple[str, Record]]:
        rows = await self._file.query(
            "SELECT person, body FROM records WHERE tenant = ? AND person > ? ORDER BY person LIMIT ?",
            (tenant, after, limit),
        )
        return [(person, _record(body)) for person, body in rows]

    async def count(self, tenant: str) -> int:
        return len(self._records.get(tenant, ()))

    async def find(self, tenant: str, name: str) -> str | None:
        return self._names.get((tenant, name.lower()))

    def follow(self, follower: Follower) -> None:
        self._followers.append(follower)

    async def feed(self, after: int, limit: int = 1000) -> list[Change]:
        rows = await self._file.query(
            "SELECT position, tenant, person, body, state_changed FROM feed WHERE position > ? "
            "ORDER BY position LIMIT ?",
            (after, limit),
        )
        return [
            Change(at, tenant, person, None if body is None else _record(body), bool(changed))
            for at, tenant, person, body, changed in rows
        ]

    async def done(self, consumer: str, position: int | None = None) -> int:
        if position is None:
            await self._write("INSERT INTO done VALUES (?, 0) ON CONFLICT DO NOTHING", consumer)
        else:
            await self._write("INSERT OR REPLACE INTO done VALUES (?, ?)", consumer, position)
        rows = await self._file.query("SELECT position FROM done WHERE consumer = ?", (consumer,))
        return int(rows[0][0])

    async def trim(self, keep: int) -> None:
        await self._write(
            "DELETE FROM feed WHERE position <= min(? - ?, (SELECT coalesce(min(position), ?) FROM done))",
            self._position,
            keep,
            self._position,
        )

    async def reserve(self, count: int) -> int:
        first = self._last_delivery + 1
        self._last_delivery += count
        return first

    async def keep(self, consumer: str, position: int, deliveries: Sequence[Delivery], told: Sequence[int]) -> None:
        await self._write_all(
            ("INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?, ?)", deliveries),
            ("DELETE FROM outbox WHERE id = ?", [(number,) for number in told]),
            ("INSERT OR REPLACE INTO done VALUES (?, ?)", [(consumer, position)]),
        )

    async def outbox(self, endpoint: str, after: int = 0, limit: int = 1000) -> list[Delivery]:
        rows = await self._file.query(
            "SELECT * FROM outbox WHERE endpoint = ? AND id > ? ORDER BY id LIMIT ?", (endpoint, after, limit)
        )
        return [Delivery(*row) for row in rows]

    async def endpoints(self) -> dict[str, int]:
        return dict(await self._file.query("SELECT endpoint, count(*) FROM outbox GROUP BY endpoint"))

    async def drop(self, endpoint: str | None = None, subscription: str | None = None, before: float = inf) -> int:
        conditions = "queued_at <= ?"
        values: list[object] = [before]
        for column, value in (("endpoint", endpoint), ("subscription", subscription)):
            if value is not None:
                conditions, values = f"{column} = ? AND {conditions}", [value, *values]
        dropped = 0
        while True:  # a backlog of hundreds of thousands must not keep the others' commits waiting
            rows = await self._file.query(
                f"SELECT id FROM outbox WHERE {conditions} LIMIT {_DROPPED_AT_ONCE}",  # noqa: S608  no values in it
                tuple(values),
            )
            await self._write_all(("DELETE FROM outbox WHERE id = ?", rows))
            dropped += len(rows)
            if len(rows) < _DROPPED_AT_ONCE:
                return dropped

    async def move(self, subscription: str, endpoint: str) -> None:
        await self._write("UPDATE outbox SET endpoint = ? WHERE subscription = ?", endpoint, subscription)

    async def due(self, now: float, limit: int = 1000) -> list[tuple[str, str]]:
        return await self._file.query(
            "SELECT tenant, person FROM records WHERE due <= ? ORDER BY due, tenant, person LIMIT ?", (now, limit)
        )

    async def next_due(self) -> float | None:
        at: float | None = (await self._file.query("SELECT min(due) FROM records WHERE due IS NOT NULL", ()))[0][0]
        return at

    async def put(self, collection: str, key: str, document: bytes | None) -> None:
        if document is None:
            await self._write("DELETE FROM documents WHERE collection = ? AND key = ?", collection, key)
        else:
            await self._write("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", collection, key, document)

    async def document(self, collection: str, key: str) -> bytes | None:
        found = await self._file.query("SELECT body FROM documents WHERE collection = ? AND key = ?", (collection, key))
        return bytes(found[0][0]) if found else None

    async def documents(self, collection: str) -> dict[str, bytes]:
        return dict(await self._file.query("SELECT key, body FROM documents WHERE collection = ?", (collection,)))

    async def close(self) -> None:
        while self._flushing is not None:
            await asyncio.wait([self._flushing])
        await self._file.close()

    def _load(self, database: sqlite3.Connection) -> None:
        for tenant, person, name, body in database.execute("SELECT tenant, person, name, body FROM records"):
            self._records.setdefault(tenant, {})[person] = body
            if name is not None:
                self._names[tenant, name] = person
        # AUTOINCREMENT remembers the highest number, so that none is given twice even when rows were deleted
        highest = dict(database.execute("SELECT name, seq FROM sqlite_sequence"))
        self._position, self._last_delivery = highest.get("feed", 0), highest.get("outbox", 0)

    # --- what is decided but not yet kept ------------------------------------------------------------------------

    def _holder(self, tenant: str, name: str) -> str | None:
        """Who has the name once all that is decided is kept, so that two writers cannot both get it."""
        claim = self._claims.get((tenant, name))
        return claim[1] if claim else self._names.get((tenant, name))

    async def _until_kept(self, key: tuple[str, str]) -> None:
        """Wait for the newest write of a person: an answer founded on it must not be given before it is durable."""
        if (waiting := self._unkept.get(key)) is not None:
            await asyncio.shield(waiting[0].answer)

    # --- group commit ------------------------------------------------------------------------------------------

    async def _write(self, statement: str, *values: object) -> None:
        await self._write_all((statement, [values]))

    async def _write_all(self, *statements: tuple[str, Sequence[tuple[object, ...]]]) -> None:
        await self._keep(_OtherWrite(statements, asyncio.get_running_loop().create_future()))

    async def _keep(self, write: _RecordWrite | _OtherWrite) -> None:
        self._queue.append(write)
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().create_task(self._flush())
        # shielded: a client that goes away must not undo a write its neighbours are committed with
        await asyncio.shield(write.answer)

    async def _flush(self) -> None:
        try:
            while self._queue:
                batch, self._queue = self._queue, []
                try:
                    await self._file.run(lambda batch=batch: self._commit(batch))  # type: ignore[misc]
                except Exception as error:
                    self._refuse(batch, error)
                else:
                    self._settle(batch)
        finally:
            self._flushing = None

    def _commit(self, batch: list[_RecordWrite | _OtherWrite]) -> None:
        rows: list[tuple[object, ...]] = []
        gone: list[tuple[str, str]] = []
        feed: list[tuple[object, ...]] = []
        newest: dict[tuple[str, str], _RecordWrite] = {}
        for number, write in enumerate((w for w in batch if isinstance(w, _RecordWrite)), self._position + 1):
            newest[write.tenant, write.person] = write
            feed.append((number, write.tenant, write.person, write.body, write.state_changed))
        for key, write in newest.items():
            # a row is taken out before it is put in, so that a name may pass from one person to another
            gone.append(key)
            if write.body is not None:
                rows.append((*key, name_of(write.after), due_at(write.after), write.body))
        database = self._file.database
        database.execute("BEGIN IMMEDIATE")
        try:
            database.executemany("DELETE FROM records WHERE tenant = ? AND person = ?", gone)
            database.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?)", rows)
            database.executemany("INSERT INTO feed VALUES (?, ?, ?, ?, ?)", feed)
            for other in batch:
                if isinstance(other, _OtherWrite):
                    for statement, rows_of_values in other.statements:
                        database.executemany(statement, rows_of_values)
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise

    def _settle(self, batch: list[_RecordWrite | _OtherWrite]) -> None:
        changes = []
        for write in batch:
            if not isinstance(write, _RecordWrite):
                continue
            self._position += 1
            changes.append(Change(self._position, write.tenant, write.person, write.after, write.state_changed))
            key = write.tenant, write.person
            if write.body is None:
                self._records.get(write.tenant, {}).pop(write.person, None)
            else:
                self._records.setdefault(write.tenant, {})[write.person] = write.body
            if self._unkept[key][0] is write:
                del self._unkept[key]
            self._move_name(write)
        if changes:
            tell(self._followers, changes)
        for write in batch:
            if not write.answer.done():
                write.answer.set_result(None)

    def _move_name(self, write: _RecordWrite) -> None:
        if write.left is not None:
            self._names.pop((write.tenant, write.left), None)
        if write.taken is not None:
            self._names[write.tenant, write.taken] = write.person
        for name in (write.left, write.taken):
            if name is not None and self._claims[write.tenant, name][0] is write:
                del self._claims[write.tenant, name]

    def _refuse(self, batch: list[_RecordWrite | _OtherWrite], error: Exception) -> None:
        """Nothing of the batch was kept, so nothing that was decided on top of it may be either."""
        batch, self._queue = batch + self._queue, []
        self._unkept.clear()
        self._claims.clear()
        for write in batch:
            if not write.answer.done():
                write.answer.set_exception(StoreUnavailable(str(error)))
                write.answer.exception()  # read here, so that a writer who has gone away is no warning
