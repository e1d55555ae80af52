"""RefreshTokens: what an app exchanges for new access tokens after a person has signed in to it (RFC 6749 section 6).

Each use gives the next token and spends the one used (rotation). All that came of one sign-in are a family, kept as one
document with hashes only. Who uses a spent token is not the one it was given to, or somebody else has used it: the
family ends (RFC 9700 section 4.14.2). Not within a minute, though: clients with a shared cache, and those whose answer
was lost on the way, do that in good faith.

A family belongs to a tenant, an app and a person, to the page origin it was given to if any, and to the person's
password at that time. It lives 90 days from its last use as Entra's do, at most a year; one given to a page 24 hours.
"""

import hashlib
import heapq
import re
import secrets
from collections import defaultdict
from typing import Literal

import msgspec

from presenced.clock import Clock
from presenced.store.base import Store, StoreUnavailable

IDLE = 90 * 86400.0
LONGEST = 365 * 86400.0
PAGE = 86400.0
GRACE = 60.0
PER_PERSON = 32
_MOST = 200_000
# Of one family: tokens in use (several, if clients share a cache), and spent ones that are recognised.
_LIVE = 8
_SPENT = 16
_LONGEST_TOKEN = 256
_SECRET = re.compile(r"[\w-]{43}", re.ASCII)


class Refused(Exception):
    """A token that is not good. ``revoked``: it was spent before, and its family has ended with this."""

    def __init__(self, reason: Literal["unknown", "expired", "revoked"]) -> None:
        super().__init__(reason)
        self.reason = reason


class Family(msgspec.Struct):
    """The refresh tokens of one sign-in. Instants are seconds since 1970 UTC, hashes SHA-256 in hex."""

    id: str
    tenant: str
    app: str
    person: str
    stamp: str
    scope: str
    origin: str | None
    began_at: float
    expires_at: float
    live: list[str]
    spent: list[tuple[str, float]] = []


class RefreshTokens:
    """All families. Make it with ``await RefreshTokens.load(store, clock)``."""

    COLLECTION = "refresh-tokens"

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._now = clock.now
        self._families: dict[str, Family] = {}
        self._of_person: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)  # ids, least lately used first
        self._endings: list[tuple[float, str]] = []

    @classmethod
    async def load(cls, store: Store, clock: Clock) -> "RefreshTokens":
        """All that are kept."""
        loaded = cls(store, clock)
        await loaded.reload()
        return loaded

    async def reload(self) -> None:
        """Read them from the store again: others have written there."""
        documents = (await self._store.documents(self.COLLECTION)).values()
        families = [msgspec.json.decode(document, type=Family) for document in documents]
        self._families.clear()
        self._of_person.clear()
        self._endings.clear()
        for family in sorted(families, key=lambda family: family.expires_at):
            self._add(family)

    def __len__(self) -> int:
        return len(self._families)

    async def begin(
        self, tenant: str, app: str, person: str, stamp: str, scope: str, origin: str | None
    ) -> tuple[Family, str]:
        """A new family and its first token, durable. The person's least lately used ones make room."""
        await self._forget_expired()
        others = self._of_person.get((tenant, person), {})
        while len(others) >= PER_PERSON:
            await self._drop(next(iter(others)))
        while len(self._families) >= _MOST:
            await self._drop(next(iter(self._families)))
        now = self._now()
        expires_at = now + (IDLE if origin is None else PAGE)
        secret = secrets.token_urlsafe(32)
        family = Family(
            secrets.token_urlsafe(16), tenant, app, person, stamp, scope, origin, now, expires_at, [_hash(secret)]
        )
        self._add(family)
        await self._keep(family)
        return family, f"{family.id}.{secret}"

    def find(self, token: str) -> Family | None:
        """The family a token claims to be of, without using it: whether it is one, and in time, ``rotate`` says."""
        return self._parse(token)[0]

    async def rotate(self, token: str) -> str:
        """The next token, durable. Raises Refused; a spent one ends its family."""
        family, secret = self._parse(token)
        if family is None:
            raise Refused("unknown")
        now = self._now()
        if now >= family.expires_at:
            raise Refused("expired")
        used = _hash(secret)
        before = family.live, family.spent
        live, spent = list(family.live), list(family.spent)
        if used in live:
            live.remove(used)
            spent.append((used, now))
        else:
            if not _SECRET.fullmatch(secret):
                raise Refused("unknown")  # damaged on the way
            # long spent, or too old to be remembered, or invented by someone who knows the family
            spent_at = dict(spent).get(used)
            if spent_at is None or not 0 <= now - spent_at < GRACE:
                await self._drop(family.id)
                raise Refused("revoked")
            spent.remove((used, spent_at))
            spent.append((used, spent_at))  # the last to be forgotten
        following = secrets.token_urlsafe(32)
        live.append(_hash(following))
        spent[-1:-1] = [(crowded_out, now) for crowded_out in live[:-_LIVE]]
        family.live, family.spent = live[-_LIVE:], spent[-_SPENT:]
        if family.origin is None:
            family.expires_at = min(now + IDLE, family.began_at + LONGEST)
        people = self._of_person[family.tenant, family.person]
        people[family.id] = people.pop(family.id, None)
        try:
            await self._keep(family)
        except StoreUnavailable:
            family.live, family.spent = before  # nobody gets the next one
            raise
        return f"{family.id}.{following}"

    async def revoke(self, family: str) -> None:
        """End a family."""
        if family in self._families:
            await self._drop(family)

    async def revoke_all(self, tenant: str, person: str) -> int:
        """End all families of a person; how many there were."""
        families = list(self._of_person.get((tenant, person), ()))
        for family in families:
            await self._drop(family)
        return len(families)

    def _parse(self, token: str) -> tuple[Family | None, str]:
        if len(token) > _LONGEST_TOKEN:
            return None, ""
        family, _, secret = token.partition(".")
        return self._families.get(family), secret

    def _add(self, family: Family) -> None:
        self._families[family.id] = family
        self._of_person[family.tenant, family.person][family.id] = None
        heapq.heappush(self._endings, (family.expires_at, family.id))

    async def _keep(self, family: Family) -> None:
        await self._store.put(self.COLLECTION, family.id, msgspec.json.encode(family))

    async def _drop(self, key: str) -> None:
        family = self._families.pop(key, None)
        if family is None:
            return
        people = self._of_person[family.tenant, family.person]
        people.pop(key, None)
        if not people:
            del self._of_person[family.tenant, family.person]
        await self._store.put(self.COLLECTION, key, None)

    async def _forget_expired(self) -> None:
        now = self._now()
        while self._endings and self._endings[0][0] <= now:
            _, key = heapq.heappop(self._endings)
            family = self._families.get(key)
            if family is None:
                continue
            if family.expires_at <= now:
                await self._drop(key)
            else:  # used since
                heapq.heappush(self._endings, (family.expires_at, key))
        if len(self._endings) > 2 * len(self._families) + 1000:  # mostly of families that ended before their time
            self._endings = [(family.expires_at, key) for key, family in self._families.items()]
            heapq.heapify(self._endings)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
