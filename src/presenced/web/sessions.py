"""Links and Sessions: who looks at the board with which browser.

A one-time link holds 256 random bits in the fragment of its URL, so that they reach no log and no Referer; the page
posts them once for a session. A session is a random cookie of which only a hash is kept, in memory and in the store,
since a board that is open must live through a restart of the server. Both go by the machine's clock: somebody who
moves the server's clock from the board is not signed out by that.
"""

import hashlib
import secrets
from collections.abc import Callable

import msgspec

from presenced.store.base import Store

LINK_LIFE = 600.0
SESSION_LIFE = 12 * 3600.0
_MOST_LINKS = 20
_MOST_SESSIONS = 1000
_COLLECTION = "board-sessions"


class Session(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who looks: the owner (``tenant`` and ``person`` None), or a person, with the stamp of their password then.

    ``expires_at`` is seconds since 1970 UTC by the machine's clock.
    """

    expires_at: float
    tenant: str | None = None
    person: str | None = None
    stamp: str = ""

    @property
    def is_owner(self) -> bool:
        return self.tenant is None


class Links:
    """One-time links that were made and not used yet."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._links: dict[bytes, float] = {}

    def new(self) -> str:
        """The secret of a new link, good once and for ten minutes."""
        secret = secrets.token_urlsafe(32)
        while len(self._links) >= _MOST_LINKS:
            del self._links[next(iter(self._links))]
        self._links[_hash(secret)] = self._clock() + LINK_LIFE
        return secret

    def take(self, secret: str) -> bool:
        """Whether this is the secret of a link. It is none any more."""
        expires_at = self._links.pop(_hash(secret), None)
        return expires_at is not None and self._clock() < expires_at


class Sessions:
    """The sessions of all browsers. Make it with ``await Sessions.load(store, clock)``."""

    def __init__(self, store: Store, clock: Callable[[], float], sessions: dict[bytes, Session]) -> None:
        self._store = store
        self._clock = clock
        self._sessions = sessions

    @classmethod
    async def load(cls, store: Store, clock: Callable[[], float]) -> "Sessions":
        """Those that are kept and have not ended."""
        sessions, now = {}, clock()
        for key, document in (await store.documents(_COLLECTION)).items():
            session = msgspec.json.decode(document, type=Session)
            if session.expires_at > now:
                sessions[bytes.fromhex(key)] = session
            else:
                await store.put(_COLLECTION, key, None)
        return cls(store, clock, sessions)

    async def begin(self, tenant: str | None = None, person: str | None = None, stamp: str = "") -> str:
        """The cookie of a new session. When there are too many, the oldest ends."""
        cookie = secrets.token_urlsafe(32)
        while len(self._sessions) >= _MOST_SESSIONS:
            await self._forget(next(iter(self._sessions)))
        session = Session(self._clock() + SESSION_LIFE, tenant, person, stamp)
        await self._store.put(_COLLECTION, _hash(cookie).hex(), msgspec.json.encode(session))
        self._sessions[_hash(cookie)] = session
        return cookie

    def find(self, cookie: str) -> Session | None:
        """The session with this cookie, if it lasts."""
        session = self._sessions.get(_hash(cookie))
        return session if session is not None and self._clock() < session.expires_at else None

    async def end(self, cookie: str) -> None:
        """End a session."""
        await self._forget(_hash(cookie))

    async def _forget(self, key: bytes) -> None:
        if self._sessions.pop(key, None) is not None:
            await self._store.put(_COLLECTION, key.hex(), None)


def _hash(secret: str) -> bytes:
    # looked up by hash, so that how long a look-up takes says nothing of the secrets there are
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
