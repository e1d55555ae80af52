"""Tenants: whose people and apps this server keeps. One is the home tenant, meant where a client names none."""

import uuid
from collections.abc import Iterable

import msgspec

from presenced.presence.record import guid
from presenced.store.base import Store

# The tenant of all personal Microsoft accounts. Presence has no permission for them (permissions reference).
PERSONAL_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"


class Tenant(msgspec.Struct, frozen=True, omit_defaults=True):
    """One tenant, and the domains clients may name it by."""

    id: str
    home: bool = False
    domains: tuple[str, ...] = ()


class Tenants:
    """All tenants. Make it with ``await Tenants.load(store)``; ``home`` is the home tenant's id."""

    COLLECTION = "tenants"

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tenants: dict[str, Tenant] = {}
        self.home = ""

    @classmethod
    async def load(cls, store: Store, home: str | None = None) -> "Tenants":
        """Read them; make ``home`` the home tenant, or a new one if there was none and none is given."""
        tenants = cls(store)
        await tenants.reload()
        if home is not None or not tenants.home:
            await tenants._settle(_checked(home or str(uuid.uuid4())))
        return tenants

    async def reload(self) -> None:
        """Read them from the store again: others have written there, and one of them is the home tenant."""
        documents = await self._store.documents(self.COLLECTION)
        self._tenants = {key: msgspec.json.decode(document, type=Tenant) for key, document in documents.items()}
        self.home = next((tenant.id for tenant in self._tenants.values() if tenant.home), "")

    def known(self, tenant: str) -> bool:
        return tenant in self._tenants

    def list(self) -> "list[Tenant]":
        return list(self._tenants.values())

    def find(self, spelling: str) -> str | None:
        """The tenant a client means: by id, by domain, or the home tenant for ``common`` and ``organizations``."""
        spelling = spelling.lower()
        if spelling in ("common", "organizations"):
            return self.home
        if spelling in self._tenants:
            return spelling
        return next((tenant.id for tenant in self._tenants.values() if spelling in tenant.domains), None)

    async def add(self, tenant: str, domains: Iterable[str] = ()) -> str:
        """Make a tenant known, with these domains, and return its id in lower case. Raises ValueError."""
        tenant = _checked(tenant)
        names = tuple(domain.lower() for domain in domains)
        await self._keep(Tenant(tenant, home=tenant == self.home, domains=names))
        return tenant

    async def _settle(self, home: str) -> None:
        for tenant in self.list():
            if tenant.home and tenant.id != home:
                await self._keep(msgspec.structs.replace(tenant, home=False))
        await self._keep(msgspec.structs.replace(self._tenants.get(home, Tenant(home)), home=True))
        self.home = home

    async def _keep(self, tenant: Tenant) -> None:
        await self._store.put(self.COLLECTION, tenant.id, msgspec.json.encode(tenant))
        self._tenants[tenant.id] = tenant


def _checked(tenant: str) -> str:
    checked = guid(tenant)
    if checked is None:
        raise ValueError(f"A tenant's id is a GUID, and {tenant!r} is none.")
    if checked == PERSONAL_ACCOUNTS:
        raise ValueError("This is the tenant of personal Microsoft accounts, which have no presence.")
    return checked
