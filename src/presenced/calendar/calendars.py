"""Calendars: the calendars people have given, and the next weeks of each put into its person's record.

Teams' presence follows the Exchange calendar; here it follows an iCalendar file. Its text is kept as a document,
zipped; the record holds the events of a window around the present, which is worked out anew when it runs out.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

import msgspec
import structlog

from presenced.calendar.content_lines import MOST_BYTES, NotACalendar
from presenced.calendar.icalendar_file import read_events
from presenced.clock import Clock
from presenced.presence.calendar import set_calendar
from presenced.presence.record import Calendar, CalendarEvent, Record
from presenced.presence.refused import Refused
from presenced.presence.time_zones import find_zone
from presenced.store.base import Store

BEHIND = 86400.0
AHEAD = 31 * 86400.0
"""Seconds of the window before and after the present."""

TRY_AGAIN = 86400.0

log = structlog.get_logger()


class Summary(msgspec.Struct, frozen=True):
    """What was taken of a calendar: the number of events until an instant, and the next of them that shows.

    Instants are seconds since 1970 UTC; ``time_zone`` is the person's, an IANA name.
    """

    events: int
    until: float
    next: CalendarEvent | None
    time_zone: str


class _Kept(msgspec.Struct, frozen=True):
    """A calendar as a document; ``source`` is the name of its file or its address."""

    source: str
    imported_at: float
    text: bytes


class Calendars:
    """The calendars of all tenants' people."""

    COLLECTION = "calendars"

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._locks: dict[str, _Lock] = {}

    async def put(self, tenant: str, person: str, text: bytes, source: str) -> Summary:
        """Make this iCalendar text the person's calendar, in place of the one they have.

        Raises NotACalendar, and Refused(NotFound) for an unknown person; then nothing is changed.
        """
        key = f"{tenant}/{person}"
        async with self._alone(key):
            record = await self._record(tenant, person)
            if record is None:
                raise _nobody(person)
            calendar = await self._work_out(person, record, text)
            kept = _Kept(source, self._clock.now(), await asyncio.to_thread(zlib.compress, text))
            await self._store.put(self.COLLECTION, key, msgspec.msgpack.encode(kept))
            if not await self._set(tenant, person, calendar):
                await self._store.put(self.COLLECTION, key, None)
                raise _nobody(person)
        now = self._clock.now()
        following = next((event for event in calendar.events if event.starts_at >= now), None)
        zone = _zone(record)
        return Summary(
            len(calendar.events), calendar.known_until or now, following, zone.key if zone is not None else "UTC"
        )

    async def refill(self, tenant: str, person: str) -> None:
        """Work out the person's calendar for a window around the present, from the text that is kept.

        For whoever has no calendar this does nothing. A text that cannot be worked out now is tried again after a day;
        the log says so.
        """
        key = f"{tenant}/{person}"
        async with self._alone(key):
            record = await self._record(tenant, person)
            if record is None:
                return
            document = await self._store.document(self.COLLECTION, key)
            calendar = Calendar()
            if document is not None:
                try:
                    calendar = await self._work_out(person, record, _text(document))
                except NotACalendar as error:
                    log.error("a calendar cannot be followed", tenant=tenant, person=person, reason=str(error))
                    now = self._clock.now()
                    calendar = Calendar((), now + TRY_AGAIN, now - BEHIND)
            if calendar != record.calendar:
                await self._set(tenant, person, calendar)

    async def remove(self, tenant: str, person: str) -> bool:
        """Forget the person's calendar, and whether there was one. The person may be forgotten already."""
        key = f"{tenant}/{person}"
        async with self._alone(key):
            there = await self._store.document(self.COLLECTION, key) is not None
            await self._set(tenant, person, Calendar())
            if there:
                await self._store.put(self.COLLECTION, key, None)
        return there

    async def text(self, tenant: str, person: str) -> bytes | None:
        """The person's calendar as it was given, if they have one. Raises NotACalendar for one that is damaged."""
        document = await self._store.document(self.COLLECTION, f"{tenant}/{person}")
        return None if document is None else _text(document)

    async def _record(self, tenant: str, person: str) -> Record | None:
        (record,) = await self._store.read(tenant, [person])
        return record

    async def _work_out(self, person: str, record: Record, text: bytes) -> Calendar:
        now = self._clock.now()
        zone = _zone(record)
        me = [name for name in (record.profile.user_principal_name, record.profile.mail) if name]
        # in a thread: a large file takes seconds
        return await asyncio.to_thread(_calendar, text, now, now + AHEAD + _spread(person), zone, me)

    async def _set(self, tenant: str, person: str, calendar: Calendar) -> bool:
        """Put the calendar into the record; whether there is one."""

        def action(record: Record | None) -> Record | None:
            if record is None or record.calendar == calendar:
                return record
            return set_calendar(record, calendar, self._clock.now())

        return await self._store.change(tenant, person, action) is not None

    @asynccontextmanager
    async def _alone(self, key: str) -> AsyncIterator[None]:
        """One at a time for each person, so that a window worked out from an older text never follows a newer."""
        lock = self._locks.setdefault(key, _Lock())
        lock.users += 1
        try:
            async with lock.lock:
                yield
        finally:
            lock.users -= 1
            if not lock.users:
                del self._locks[key]


class _Lock:
    """A lock and how many hold it or wait for it."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0


def _zone(record: Record) -> ZoneInfo | None:
    return find_zone(record.time_zone) if record.time_zone else None


def _spread(person: str) -> float:
    """Up to three days (seconds), so that what was imported together does not run out together."""
    return float(zlib.crc32(person.encode()) % (3 * 86400))


def _calendar(text: bytes, now: float, until: float, zone: ZoneInfo | None, me: list[str]) -> Calendar:
    return Calendar(read_events(text, now - BEHIND, until, zone, me), until, now - BEHIND)


def _text(document: bytes) -> bytes:
    """The calendar's text. Raises NotACalendar for a document that is damaged."""
    try:
        kept = msgspec.msgpack.decode(document, type=_Kept)
        return zlib.decompressobj().decompress(kept.text, MOST_BYTES + 1)
    except (msgspec.DecodeError, UnicodeDecodeError, zlib.error) as error:
        raise NotACalendar(f"The calendar kept in the data folder is damaged: {error}.") from error


def _nobody(person: str) -> Refused:
    return Refused("NotFound", f"There is no person with the id {person}.")
