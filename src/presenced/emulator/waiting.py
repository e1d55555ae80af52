"""Waiting until something has been asked or told, so that tests never sleep. By events: nothing polls.

What is there already counts, from the entry after ``after`` on. Of deliveries it is notifications that are counted,
since one POST may hold several, and those that have arrived: in a POST answered 2xx, or as ``status`` says.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec

from presenced.emulator.log_entries import DeliveryEntry, RequestEntry
from presenced.emulator.match import Match, names_person
from presenced.emulator.rings import MOST_ENTRIES, Rings
from presenced.presence.durations import parse_duration
from presenced.presence.refused import Refused

LONGEST_WAIT = 60.0
"""Seconds of real time."""

MOST_WAITING = 100
_MOST_NAMED = 5


class WaitMatch(Match, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Which requests or deliveries are waited for. ``kind``, of deliveries only: notifications, unless it says."""

    status: Annotated[int, msgspec.Meta(ge=100, le=599)] | None = None
    kind: Literal["notification", "handshake"] | None = None


class Wait(msgspec.Struct, forbid_unknown_fields=True, rename={"what": "for"}):
    """What to wait for, how many of it, after which entry, and for how long (a duration of real time)."""

    what: Literal["requests", "deliveries"]
    match: WaitMatch = msgspec.field(default_factory=WaitMatch)
    count: Annotated[int, msgspec.Meta(ge=1, le=MOST_ENTRIES)] = 1
    after: Annotated[int, msgspec.Meta(ge=0, le=(1 << 62))] = 0
    within: Annotated[str, msgspec.Meta(max_length=64)] = "PT10S"


E = TypeVar("E", bound=RequestEntry | DeliveryEntry)


class Waiting(Generic[E]):
    """Those who wait for entries of one log. ``counts`` says how much of what is waited for is in an entry."""

    def __init__(self, log: Rings[E], noun: str, counts: Callable[[WaitMatch, E], int]) -> None:
        self._log = log
        self._noun = noun
        self._counts = counts
        self._waiting: set[asyncio.Future[None]] = set()
        self._stopping = False

    async def wait(self, asked: Wait) -> list[E]:
        """The entries, once there are so many. Raises Refused: RequestTimeout, with what came instead."""
        within = parse_duration(asked.within, "within")
        if not 0 <= within <= LONGEST_WAIT:
            raise Refused(
                "InvalidArgument", f"within can be from nothing to {LONGEST_WAIT:.0f} seconds, such as PT10S."
            )
        if len(self._waiting) >= MOST_WAITING:
            raise Refused("ServiceNotAvailable", f"{MOST_WAITING} wait already; try again later.")
        found: list[E] = []
        missing = asked.count
        enough: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def take(entry: E) -> None:
            nonlocal missing
            if missing > 0 and (count := self._counts(asked.match, entry)):
                found.append(entry)
                missing -= count
                if missing <= 0 and not enough.done():
                    enough.set_result(None)

        for entry in self._log.since(asked.after, asked.match.tenant):
            take(entry)
        self._log.listeners.append(take)
        self._waiting.add(enough)
        try:
            if missing > 0 and not self._stopping:
                async with asyncio.timeout(within):
                    await enough
        except TimeoutError:
            raise Refused("RequestTimeout", self._what_came(asked, asked.count - missing)) from None
        finally:
            self._log.listeners.remove(take)
            self._waiting.discard(enough)
        if missing > 0:
            raise Refused("ServiceNotAvailable", "The server stops, so nothing more can be waited for.")
        return found

    def stop(self) -> None:
        """Have everybody wait no longer."""
        self._stopping = True
        for enough in self._waiting:
            if not enough.done():
                enough.set_result(None)

    def _what_came(self, asked: Wait, count: int) -> str:
        others = Counter(
            entry.named
            for entry in self._log.since(asked.after, asked.match.tenant)
            if not self._counts(asked.match, entry)
        )
        text = f"{count or 'None'} of {asked.count} {self._noun} came within {asked.within} after number {asked.after}."
        if not others:
            return f"{text} Nothing else came, either."
        named = [f"{name} ({times} times)" if times > 1 else name for name, times in others.most_common(_MOST_NAMED)]
        more = ["and others"] if len(others) > _MOST_NAMED else []
        return f"{text} What came instead: {'; '.join([*named, *more])}."


def count_request(match: WaitMatch, entry: RequestEntry) -> int:
    """Whether a request is one that is waited for."""
    meant = (
        match.is_of(entry.tenant, entry.app)
        and match.operation in (None, entry.operation)
        and match.status in (None, entry.status)
        and (match.header is None or match.header.meets(entry.request_headers))
        and (match.person is None or _is_about(match.person, entry))
    )
    return int(meant)


def count_notifications(match: WaitMatch, entry: DeliveryEntry) -> int:
    """How many notifications of a delivery are waited for; a handshake is one."""
    arrived = entry.status is not None and 200 <= entry.status < 300
    if not match.is_of(entry.tenant, None if match.app is None else match.app):
        return 0
    if match.kind not in (None, entry.kind) or (match.kind is None and entry.kind == "handshake"):
        return 0
    if match.status != entry.status if match.status is not None else not arrived:
        return 0
    if entry.kind == "handshake":
        return int(match.app in (None, entry.app) and match.person is None)
    return sum(match.app in (None, one.app) and match.person in (None, one.person) for one in entry.notifications)


def check_wait(asked: Wait) -> None:
    """See that there can be what is waited for. Raises Refused."""
    match: Any = asked.match
    if asked.what == "deliveries" and (match.operation is not None or match.header is not None):
        raise Refused(
            "InvalidArgument", "Deliveries have no operation and no header to match; say tenant, app, person or status."
        )
    if asked.what == "requests" and match.kind is not None:
        raise Refused("InvalidArgument", "kind is of deliveries; of requests say the operation.")


def _is_about(person: str, entry: RequestEntry) -> bool:
    path, _, query = entry.path.partition("?")
    segments = [part.strip("'()").lower() for part in path.replace("(", "/").split("/")]
    if entry.user == person and "me" in segments[:3]:
        return True
    key = person if person in segments else ""
    return names_person(person, entry.operation, key, query, entry.request_body)
