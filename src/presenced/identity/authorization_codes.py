"""AuthorizationCodes: what a browser carries from the sign-in page to the app (RFC 6749 section 4.1.2, RFC 7636).

A code is good once, for five minutes, for the client, redirect URI and PKCE challenge it was made with. It is kept in
memory only: who was between page and app when the server stopped signs in again.
"""

import base64
import hashlib
import secrets
from collections import deque

import msgspec
from cachetools import TTLCache

from presenced.clock import Clock
from presenced.identity.redirect_uris import Platform

LIFETIME = 300.0
_MOST = 10_000
_MOST_OF_PERSON = 16  # so that nobody pushes out other people's
_REPLAYED = "replayed"


class Authorized(msgspec.Struct, frozen=True):
    """A person has signed in to an app: what the code stands for. ``stamp`` is that of their password then."""

    tenant: str
    app: str
    person: str
    stamp: str
    scope: str
    redirect_uri: str
    platforms: frozenset[Platform]
    challenge: str | None
    nonce: str | None


class AuthorizationCodes:
    """The codes under way, and for as long as they could have lived what came of those that were redeemed."""

    def __init__(self, clock: Clock) -> None:
        self._codes: TTLCache[bytes, Authorized] = TTLCache(_MOST, LIFETIME, timer=clock.now)
        self._of_person: TTLCache[tuple[str, str], deque[bytes]] = TTLCache(_MOST, LIFETIME, timer=clock.now)
        self._redeemed: TTLCache[bytes, str] = TTLCache(_MOST, LIFETIME, timer=clock.now)

    def clear(self) -> None:
        """Forget all codes."""
        for codes in (self._codes, self._of_person, self._redeemed):
            codes.clear()

    def issue(self, authorized: Authorized) -> str:
        """A new code."""
        code = secrets.token_urlsafe(32)
        key, person = _hash(code), (authorized.tenant, authorized.person)
        own = self._of_person.get(person) or deque()
        while len(own) >= _MOST_OF_PERSON:
            self._codes.pop(own.popleft(), None)
        own.append(key)
        self._of_person[person] = own
        self._codes[key] = authorized
        return code

    def take(self, code: str) -> Authorized | None:
        """What the code stands for. It is no code any more, whatever becomes of the request that brought it."""
        key = _hash(code)
        authorized = self._codes.pop(key, None)
        if authorized is not None:
            self._redeemed[key] = ""
        return authorized

    def redeemed(self, code: str, family: str) -> bool:
        """Remember which refresh token came of a code, in case the code comes again; False if it did already."""
        key = _hash(code)
        if self._redeemed.get(key) == _REPLAYED:
            return False
        self._redeemed[key] = family
        return True

    def replayed(self, code: str) -> str | None:
        """The code came again: the family of refresh tokens that came of it ("" for none yet); None if it is none."""
        key = _hash(code)
        family = self._redeemed.get(key)
        if family is None:
            return None
        self._redeemed[key] = _REPLAYED
        return "" if family == _REPLAYED else family


def verifies(verifier: str, challenge: str) -> bool:
    """Whether a PKCE verifier is the one whose S256 challenge this is."""
    if not 43 <= len(verifier) <= 128 or not verifier.isascii():
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    return secrets.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), challenge)


def _hash(code: str) -> bytes:
    # looked up by hash, so that how long a look-up takes says nothing of the codes there are
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
