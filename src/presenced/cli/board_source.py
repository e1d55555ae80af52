"""Board source: where ``presenced board`` has its people from, and what the screen asks of it.

A folder's server tells what changes as it does (the board's stream, on the owner's socket). Graph has no such thing
for everybody: there it is asked again and again, well within its limit of 1,500 requests per 30 seconds.
"""

import asyncio
import contextlib
import time
from typing import Any, Protocol

import msgspec

from presenced.cli.board_people import BoardPeople, Row
from presenced.cli.connection import Connection, connect, connect_running
from presenced.cli.graph_access import Where, graph
from presenced.cli.graph_client import MOST_IDS, GraphClient, Refused, Somebody
from presenced.cli.presence_shown import shown
from presenced.cli.who import find, say_missing
from presenced.control import FindRequest, Impossible
from presenced.identity.directory import Person
from presenced.presence.record import guid

_SILENCE = 40.0
"""Seconds without a word after which a server is taken for gone; it ticks every ten."""

_AGAIN = 1.0
_MOST_A_SECOND = 25.0
"""Calls to Graph, half of what its limit allows."""

_LISTED = 300.0
"""Seconds until the people of a tenant are listed anew."""


class Source(Protocol):
    """Where the people are from. ``title`` says it, ``problem`` what is wrong just now."""

    people: BoardPeople
    title: str
    problem: str

    async def once(self) -> None:
        """Fill ``people`` once. Raises Impossible."""
        ...

    async def follow(self, changed: asyncio.Event) -> None:
        """Keep ``people`` current for ever, and set ``changed`` at each news. Raises Impossible when it never can."""
        ...

    def now(self) -> float:
        """The time there, in seconds since 1970 UTC."""
        ...


class _Page(msgspec.Struct):
    stamp: int
    now: float
    total: int
    people: list[Row]
    next: str | None


class _Told(msgspec.Struct):
    stamp: int
    now: float
    people: list[Row]
    gone: list[str]


class _Time(msgspec.Struct):
    now: float
    frozen: bool = False


class FolderSource:
    """The people of a data folder: of its running server, or once of the folder without one."""

    def __init__(self, where: Where, keys: list[str], kinds: tuple[str, ...], search: str) -> None:
        self._settings = where.settings
        self._tenant = where.tenant
        self._keys = keys
        self._filter = kinds, search
        self.people = BoardPeople(kinds, search)
        self.title = str(where.settings.data)
        self.problem = ""
        self._time = _Time(time.time())
        self._heard = time.monotonic()
        self._loaded = False

    def now(self) -> float:
        return self._time.now + (0.0 if self._time.frozen else time.monotonic() - self._heard)

    async def once(self) -> None:
        async with connect(self._settings) as connection:
            await self._choose(connection)
            await self._load(connection)

    async def follow(self, changed: asyncio.Event) -> None:
        while True:
            try:
                async with connect_running(self._settings) as connection:
                    assert connection.server is not None
                    self.title = connection.server.http
                    if not self._loaded:
                        await self._choose(connection)
                    await self._follow(connection, changed)
            except Impossible:
                if not self._loaded:
                    raise
            self.problem = "The server is away; looking for it."
            changed.set()
            await asyncio.sleep(_AGAIN)

    async def _follow(self, connection: Connection, changed: asyncio.Event) -> None:
        """Until the server is away. Raises Impossible."""
        self.people.forget_stamps()
        told = connection.events("/board/events", {"tenant": self._tenant or ""}, _SILENCE)
        async with contextlib.aclosing(told):
            async for name, data in told:
                if name in ("hello", "tick"):
                    self._hear(msgspec.json.decode(data, type=_Time))
                if name in ("hello", "reload"):
                    await self._load(connection)
                    self._loaded = True
                elif name == "people":
                    news = msgspec.json.decode(data, type=_Told)
                    self._hear(_Time(news.now, self._time.frozen))
                    self.people.take(news.people, news.stamp)
                    self.people.drop(news.gone)
                self.problem = ""
                changed.set()

    async def _choose(self, connection: Connection) -> None:
        """Those who are named, if any are. Raises Impossible."""
        if not self._keys:
            return
        found = await connection.ask("/users/find", FindRequest(self._keys, self._tenant), list[Person | None])
        missing = [key for key, person in zip(self._keys, found, strict=True) if person is None]
        say_missing(missing)
        ids = [person.id for person in found if person is not None]
        if not ids:
            raise Impossible("None of those named is there. See: presenced users list")
        self.people = BoardPeople(*self._filter, only=ids)

    async def _load(self, connection: Connection) -> None:
        ids: set[str] = set()
        after: str | None = ""
        while after is not None:
            query = {"tenant": self._tenant or "", "after": after}
            page = await connection.read("/board/people", query, _Page)
            self.people.take(page.people, page.stamp)
            ids.update(row.id for row in page.people)
            self._hear(_Time(page.now, self._time.frozen))
            after = page.next
        self.people.keep(ids)

    def _hear(self, said: _Time) -> None:
        self._time, self._heard = said, time.monotonic()


class GraphSource:
    """The people at an API of Graph's: those named, or all that it lists."""

    def __init__(self, where: Where, keys: list[str], kinds: tuple[str, ...], search: str, every: float) -> None:
        assert where.graph is not None
        self._where = where
        self._keys = keys
        self._every = every
        self._changed = asyncio.Event()
        self._known: dict[str, Somebody] = {}
        self._ids: list[str] = []
        self.people = BoardPeople(kinds, search)
        self.title = where.graph
        self.problem = ""

    def now(self) -> float:
        return time.time()

    async def once(self) -> None:
        async with graph(self._where) as client:
            await self._list(client)
            await self._poll(client)

    async def follow(self, changed: asyncio.Event) -> None:
        self._changed = changed
        async with graph(self._where) as client:
            client.waiting = self._say_waiting
            await self._list(client)
            listed = time.monotonic()
            first = True
            while True:
                try:
                    if not self._keys and time.monotonic() - listed > _LISTED:
                        await self._list(client)
                        listed = time.monotonic()
                    await self._poll(client)
                    self.problem, first = "", False
                except Impossible as error:
                    # a token that has ended does not come back
                    if first or (isinstance(error, Refused) and error.status in (401, 403)):
                        raise
                    self.problem = str(error)
                changed.set()
                calls = -(-len(self._ids) // MOST_IDS)
                await asyncio.sleep(max(self._every, calls / _MOST_A_SECOND))

    async def _list(self, client: GraphClient) -> None:
        if self._keys:
            found = await find(client, self._keys, names=True)
            say_missing(found.missing)
            if not found.ids:
                raise Impossible("None of those named is there.")
            self._ids, self._known = found.ids, found.known
            return
        known: dict[str, Somebody] = {}
        try:
            async for page in client.everybody():
                known |= {person: one for one in page if (person := guid(one.id)) is not None}
        except Refused as error:
            if error.status != 403:
                raise
            raise Refused(f"{error} Or say whom to show: ids, or --file.", error.status, error.code) from error
        self._ids, self._known = list(known), known

    async def _poll(self, client: GraphClient) -> None:
        now = time.time()
        presences = await client.presences(self._ids)
        self.people.take([self._row(person, presences.get(person, {}), now) for person in self._ids])
        self.people.keep(set(self._ids))

    def _row(self, person: str, presence: dict[str, Any], now: float) -> Row:
        """A row. Graph does not say since when; for what changed while the board looks it is known."""
        seen, known, before = shown(presence), self._known.get(person), self.people.get(person)
        since = None
        if before is not None:
            same = (before.availability, before.activity) == (seen.availability, seen.activity)
            since = before.since if same else now
        return Row(
            person,
            seen.availability,
            seen.activity,
            since,
            known.display_name if known else None,
            known.user_principal_name if known else None,
            known.job_title if known else None,
            seen.message or None,
            seen.is_out_of_office,
            seen.location or None,
        )

    def _say_waiting(self, seconds: float, reason: str) -> None:
        self.problem = f"{reason}: trying again in {seconds:.0f} s."
        self._changed.set()
