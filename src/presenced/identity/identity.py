"""Identity: the parts of this room put together, for those who make tokens and those who check them."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from presenced.clock import Clock
from presenced.identity.apps import Apps, Passwords
from presenced.identity.base_urls import BaseUrls
from presenced.identity.external import ExternalIssuer
from presenced.identity.guesses import Guesses
from presenced.identity.issuer import LocalIssuer, User
from presenced.identity.keys import SigningKeys
from presenced.identity.tenants import Tenants
from presenced.identity.tokens import Verifier
from presenced.store.base import Store

FindPerson = Callable[[str, str], Awaitable[User | None]]
"""From tenant and userPrincipalName, in any letter case, to the person."""


@dataclass(frozen=True)
class Identity:
    """Who may ask, and how they prove it. Make it with ``await Identity.load(...)``; close it when done."""

    clock: Clock
    keys: SigningKeys
    tenants: Tenants
    apps: Apps
    passwords: Passwords
    guesses: Guesses
    issuer: LocalIssuer
    verifier: Verifier
    base_urls: BaseUrls
    find_person: FindPerson

    @classmethod
    async def load(
        cls,
        store: Store,
        clock: Clock,
        find_person: FindPerson,
        *,
        keys_path: Path | None = None,
        home_tenant: str | None = None,
        public_url: str | None = None,
        external: Iterable[ExternalIssuer] = (),
        known_permissions: Collection[str] = (),
    ) -> "Identity":
        """Read everything from the store and the key file. Raises KeysUnusable, ValueError, StoreUnavailable."""
        keys = SigningKeys.open(clock, keys_path)
        tenants = await Tenants.load(store, home_tenant)
        return cls(
            clock=clock,
            keys=keys,
            tenants=tenants,
            apps=await Apps.load(store),
            passwords=await Passwords.load(store),
            guesses=Guesses(clock),
            issuer=LocalIssuer(keys, clock),
            verifier=Verifier(clock, keys, tenants, external, known_permissions),
            base_urls=BaseUrls(public_url),
            find_person=find_person,
        )

    async def close(self) -> None:
        await self.verifier.close()
