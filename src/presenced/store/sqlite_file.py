"""The SQLite file of the embedded store: its schema, and the one thread that has it open.

The journal is a WAL with synchronous=FULL, so that what a commit has returned for survives the machine's power too.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from presenced.store.base import StoreUnavailable

SCHEMA_VERSION = 3
_SCHEMA = """
CREATE TABLE records (
  tenant TEXT NOT NULL, person TEXT NOT NULL, name TEXT, due REAL, body BLOB NOT NULL,
  PRIMARY KEY (tenant, person)
) WITHOUT ROWID;
CREATE UNIQUE INDEX records_by_name ON records (tenant, name) WHERE name IS NOT NULL;
CREATE INDEX records_by_due ON records (due) WHERE due IS NOT NULL;
CREATE TABLE feed (
  position INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, person TEXT NOT NULL, body BLOB,
  state_changed INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE done (consumer TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
  collection TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (collection, key)
) WITHOUT ROWID;
"""
_OUTBOX = """
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, endpoint TEXT NOT NULL, subscription TEXT NOT NULL, queued_at REAL NOT NULL,
  body BLOB NOT NULL
);
CREATE INDEX outbox_by_endpoint ON outbox (endpoint, id);
"""
_BY_SUBSCRIPTION = "CREATE INDEX outbox_by_subscription ON outbox (subscription);"
_FROM_1_TO_2 = f"ALTER TABLE feed ADD COLUMN state_changed INTEGER NOT NULL DEFAULT 0; {_OUTBOX}"

T = TypeVar("T")


class SqliteFile:
    """An open file. Make it with ``await SqliteFile.open(path)``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._closed = False

    @classmethod
    async def open(cls, path: Path, load: Callable[[sqlite3.Connection], None]) -> "SqliteFile":
        """Open the file, making it if need be, and have its thread ``load`` from it.

        Raises StoreUnavailable with what to do about it.
        """
        file = cls(path)
        try:
            await file.run(lambda: file._connect(load))
        except BaseException:
            file._thread.shutdown()
            raise
        return file

    async def run(self, work: Callable[[], T]) -> T:
        """Have the thread do some work with ``database``. Raises StoreUnavailable."""
        if self._closed:
            raise StoreUnavailable(f"The data folder is closed: {self._path}")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, UnicodeDecodeError) as error:  # sqlite3 raises the second on some damaged files
            raise StoreUnavailable(f"The data folder cannot keep facts: {self._path}: {error}") from error

    async def query(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """The rows a statement gives. Raises StoreUnavailable."""
        return await self.run(lambda: self.database.execute(statement, values).fetchall())

    async def close(self) -> None:
        """Close the file and end its thread."""
        if not self._closed:
            await self.run(lambda: self.database.close())
            self._closed = True
            self._thread.shutdown()

    def _connect(self, load: Callable[[sqlite3.Connection], None]) -> None:
        self.database = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            self.database.execute("PRAGMA journal_mode=WAL")
            self.database.execute("PRAGMA synchronous=FULL")
            self._migrate(self.database)
            load(self.database)
        except BaseException:
            self.database.close()
            raise

    def _migrate(self, database: sqlite3.Connection) -> None:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        steps = {0: _SCHEMA + _OUTBOX, 1: _FROM_1_TO_2, 2: ""}
        if version in steps:
            database.executescript(
                f"BEGIN; {steps[version]} {_BY_SUBSCRIPTION} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;"
            )
        elif version != SCHEMA_VERSION:
            raise StoreUnavailable(
                f"{self._path} was written by another version of presenced (schema {version}, this one knows "
                f"{SCHEMA_VERSION}). Use that version, or another data folder."
            )
