"""Identity: the parts of this room put together, for those who make tokens and those who check them."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from presenced.clock import Clock
from presenced.identity.apps import Apps, Passwords
from presenced.identity.authorization_codes import AuthorizationCodes
from presenced.identity.base_urls import BaseUrls
from presenced.identity.browser_sessions import BrowserSessions
from presenced.identity.device_codes import DeviceCodes
from presenced.identity.external import ExternalIssuer
from presenced.identity.guesses import Guesses
from presenced.identity.issuer import LocalIssuer, User
from presenced.identity.keys import SigningKeys
from presenced.identity.refresh_tokens import RefreshTokens
from presenced.identity.tenants import Tenants
from presenced.identity.tokens import Verifier
from presenced.presence.record import Profile
from presenced.store.base import Store

FindPerson = Callable[[str, str], Awaitable[User | None]]
"""From tenant and id or userPrincipalName, in any letter case, to the person."""


class Suggested(NamedTuple):
    """People that the sign-in page offers to choose from, and the password they all have."""

    people: Sequence[Profile] = ()
    password: str = ""


Suggest = Callable[[Apps, str], Suggested]
"""From the apps and a tenant to people its sign-in page may name to anyone: those whose password is no secret."""


def _nobody(_apps: Apps, _tenant: str) -> Suggested:
    return Suggested()


@dataclass(frozen=True)
class Identity:
    """Who may ask, and how they prove it. Make it with ``await Identity.load(...)``; close it when done."""

    clock: Clock
    keys: SigningKeys
    tenants: Tenants
    apps: Apps
    passwords: Passwords
    guesses: Guesses
    guesses_at_nobody: Guesses
    issuer: LocalIssuer
    verifier: Verifier
    base_urls: BaseUrls
    find_person: FindPerson
    codes: AuthorizationCodes
    device_codes: DeviceCodes
    refresh_tokens: RefreshTokens
    sessions: BrowserSessions
    suggest: Suggest

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
        suggest: Suggest = _nobody,
    ) -> "Identity":
        """Read everything from the store and the key file. Raises KeysUnusable, ValueError, StoreUnavailable."""
        keys = SigningKeys.open(clock, keys_path)
        tenants = await Tenants.load(store, home_tenant)
        base_urls = BaseUrls(public_url)
        return cls(
            clock=clock,
            keys=keys,
            tenants=tenants,
            apps=await Apps.load(store),
            passwords=await Passwords.load(store),
            guesses=Guesses(clock),
            guesses_at_nobody=Guesses(clock),  # apart: invented names must not push out the counts of people
            issuer=LocalIssuer(keys, clock),
            verifier=Verifier(clock, keys, tenants, external, known_permissions),
            base_urls=base_urls,
            find_person=find_person,
            codes=AuthorizationCodes(clock),
            device_codes=DeviceCodes(clock),
            refresh_tokens=await RefreshTokens.load(store, clock),
            sessions=BrowserSessions(clock, base_urls),
            suggest=suggest,
        )

    async def reload(self) -> None:
        """Read everything from the store again, where others have written, and forget who was about to sign in."""
        for kept in (self.tenants, self.apps, self.passwords, self.refresh_tokens):
            await kept.reload()
        for forgotten in (self.guesses, self.guesses_at_nobody, self.codes, self.device_codes, self.sessions):
            forgotten.clear()
        self.verifier.forget()

    async def close(self) -> None:
        await self.verifier.close()
