"""Stale reads: presence as it was at an instant, for the people of a fault; of all others as it is."""

from collections.abc import Collection

from presenced.presence.record import Record, guid
from presenced.presence.refused import Refused
from presenced.service import Service
from presenced.store.base import Store
from presenced.view import render, render_unknown

MOST_PEOPLE = 20_000
"""Whose presence is kept for one fault."""


class StaleReads(Service):
    """A service to read from: of a tenant (None: of all) and a person there (None: of everybody) it says what was."""

    def __init__(self, fresh: Service, tenants: Collection[str], person: str | None, at: float) -> None:
        # of the service it is no more than what reads ask for; the rest is where it was
        self._fresh = fresh
        self._of = tenants
        self._person = person
        self._at = at
        self._remembered: dict[tuple[str, str], Record] = {}

    async def remember(self, store: Store) -> None:
        """Keep what is known now. Raises Refused for more people than can be kept."""
        for tenant in self._of:
            people = [self._person] if self._person is not None else await self._everybody(store, tenant)
            for person, record in zip(people, await store.read(tenant, people), strict=True):
                if record is not None:
                    self._remembered[tenant, person] = record

    async def presences(
        self, tenant: str, ids: Collection[str], *, own: str | None = None, omit_unknown: bool = False
    ) -> list[bytes]:
        people = list(dict.fromkeys(guid(text) or text for text in ids))
        found = await self._fresh.presences(tenant, people, own=own)
        entries = [
            (person, self._as_it_was(tenant, person, own=person == own) if self._covers(tenant, person) else entry)
            for person, entry in zip(people, found, strict=True)
        ]
        if omit_unknown:
            return [entry for person, entry in entries if entry not in (None, render_unknown(person))]
        return [entry or render_unknown(person) for person, entry in entries]

    async def joined(self, tenant: str, ids: bytes, start: bytes, *, own: str | None = None) -> bytes | None:
        return None  # there are no entries of what was

    async def presence(self, tenant: str, person: str, *, own: bool = False) -> bytes | None:
        if self._covers(tenant, person):
            return self._as_it_was(tenant, person, own=own)
        return await self._fresh.presence(tenant, person, own=own)

    async def page(self, tenant: str, after: str, limit: int) -> tuple[list[bytes], str | None]:
        found, following = await self._fresh.page(tenant, after, limit)
        ids = [entry[7:43].decode() for entry in found]  # {"id":"…
        return await self.presences(tenant, ids, omit_unknown=True), following

    async def count(self, tenant: str) -> int:
        return await self._fresh.count(tenant)

    def _covers(self, tenant: str, person: str) -> bool:
        return tenant in self._of and self._person in (None, person)

    def _as_it_was(self, tenant: str, person: str, *, own: bool) -> bytes | None:
        record = self._remembered.get((tenant, person))
        return None if record is None else render(person, record, self._at, own=own)

    async def _everybody(self, store: Store, tenant: str) -> list[str]:
        if len(self._remembered) + await store.count(tenant) > MOST_PEOPLE:
            message = f"Stale presence can be had of at most {MOST_PEOPLE} people; match a tenant or a person."
            raise Refused("InvalidArgument", message)
        return [person for person, _ in await store.people(tenant, limit=MOST_PEOPLE)]
