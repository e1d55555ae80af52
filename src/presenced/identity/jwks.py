"""Jwks: the public keys of one external issuer, found by OpenID discovery and kept fresh."""

import asyncio
import time
import warnings
from collections.abc import Callable
from typing import Any

import aiohttp
import msgspec
import structlog
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, RSAKey

from presenced.identity.external import ExternalIssuer, IssuerUnavailable, fetchable

TIMEOUT = 5.0
MAX_BODY = 1024 * 1024
MAX_KEYS = 100
FRESH_FOR = 24 * 3600.0
# A stranger can invent key ids, and each is new: so many fetches, and no more, may that cause.
PAUSE = 60.0
# While there are no keys at all nobody is served, so ask sooner (a provider that starts together with this server).
PAUSE_WITHOUT_KEYS = 5.0

_KEY_TYPES: dict[str, type[RSAKey] | type[ECKey]] = {"RSA": RSAKey, "EC": ECKey}
_log = structlog.get_logger()


class _Failed(Exception):
    """A fetch that did not give what it should."""


class Jwks:
    """The keys of ``issuer``. Close it when done. ``timer`` is real time: the network does not follow a set clock."""

    def __init__(self, issuer: ExternalIssuer, timer: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._timer = timer
        self._keys: dict[str, Key] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._session: aiohttp.ClientSession | None = None

    async def find(self, kid: str) -> Key | None:
        """The key with this id, asking the issuer when it may have changed. Raises IssuerUnavailable."""
        key = self._keys.get(kid)
        if key is None:
            await self._refresh()
            key = self._keys.get(kid)
        elif self._fetched_at is None or self._timer() - self._fetched_at >= FRESH_FOR:
            self._start_refresh()  # this caller's key was good yesterday: no need to wait
        if not self._keys:
            raise IssuerUnavailable(f"The keys of {self._issuer.issuer} cannot be had at the moment.")
        return key

    async def close(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _refresh(self) -> None:
        self._start_refresh()
        if self._fetching is not None:
            # Shielded: others wait for the same fetch, and this caller may hang up.
            await asyncio.shield(self._fetching)

    def _start_refresh(self) -> None:
        if self._fetching is not None and not self._fetching.done():
            return
        self._fetching = None
        pause = PAUSE if self._keys else PAUSE_WITHOUT_KEYS
        if self._tried_at is not None and self._timer() - self._tried_at < pause:
            return
        self._tried_at = self._timer()
        self._fetching = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(TIMEOUT):
                keys = _import(await self._get(await self._jwks_uri()))
        except (_Failed, aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # The keys at hand stay good: a provider's outage must not end every session with it.
            _log.warning("issuer_keys_not_fetched", issuer=self._issuer.issuer, reason=str(error) or repr(error))
            return
        self._keys = keys
        self._fetched_at = self._timer()

    async def _jwks_uri(self) -> str:
        if self._issuer.jwks_uri is not None:
            return self._issuer.jwks_uri
        document = await self._get(self._issuer.issuer.rstrip("/") + "/.well-known/openid-configuration")
        # OpenID Connect Discovery 1.0 section 4.3: or another provider's document could be passed off as this one's.
        if document.get("issuer") != self._issuer.issuer:
            raise _Failed(f"the discovery document is of issuer {document.get('issuer')!r}")
        uri = document.get("jwks_uri")
        if not isinstance(uri, str) or not fetchable(uri):
            raise _Failed(f"the discovery document's jwks_uri {uri!r} is not an https URL")
        return uri

    async def _get(self, url: str) -> dict[str, Any]:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers={"Accept": "application/json"})
        async with self._session.get(url, allow_redirects=False) as answer:
            if answer.status != 200:
                raise _Failed(f"{url} answered {answer.status}")
            body = bytearray()
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > MAX_BODY:
                    raise _Failed(f"{url} answered more than {MAX_BODY} bytes")
        try:
            return msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError) as error:
            raise _Failed(f"{url} did not answer a JSON object") from error


def _import(jwks: dict[str, Any]) -> dict[str, Key]:
    listed = jwks.get("keys")
    if not isinstance(listed, list):
        raise _Failed("the JWKS has no keys")
    keys: dict[str, Key] = {}
    for jwk in listed[:MAX_KEYS]:
        if isinstance(jwk, dict) and (key := _key(jwk)) is not None:
            keys.setdefault(str(jwk["kid"]), key)
    if not keys:
        raise _Failed("the JWKS has no key that can verify tokens")
    return keys


def _key(jwk: dict[str, Any]) -> Key | None:
    """A key that may verify tokens, None for any other: of a symmetric one (oct) whoever verifies could also sign."""
    kind, kid = jwk.get("kty"), jwk.get("kid")
    key_type = _KEY_TYPES.get(kind) if isinstance(kind, str) else None
    if key_type is None or not isinstance(kid, str) or jwk.get("use", "sig") != "sig":
        return None
    try:
        # joserfc only warns of RSA keys under 2048 bits; they are not taken here.
        with warnings.catch_warnings(action="error", category=SecurityWarning):
            return key_type.import_key(jwk)
    except Exception:  # whatever two libraries make of a stranger's numbers: a key like that is not taken
        return None
