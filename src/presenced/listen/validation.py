"""Validation: whether the validationTokens of a post prove that the server one listens to sent it.

The rule (page "Set up change notifications that include resource data"): every token is signed with a key the issuer
publishes, is in its time, is for the subscriber's app, has the tenant's issuer, and its caller is Microsoft Graph
Change Tracking. A post with a token of which this does not hold is not to be believed.
"""

import time
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from presenced.identity.jws import Jws, Malformed
from presenced.notify.validation_tokens import CHANGE_TRACKING

_LEEWAY = 300.0
_PAUSE = 10.0
"""Seconds between two fetches of the keys: whoever posts can invent key ids."""

_MOST_TOKENS = 20


class NotProven(Exception):
    """Who sent this is not proven. The message says why."""


class Validation:
    """Checks the tokens of one subscriber (``app`` of ``tenant``); ``keys_url`` is where the server has its keys."""

    def __init__(self, client: httpx.AsyncClient, keys_url: str, tenant: str, app: str, issuer: str) -> None:
        self._client = client
        self._keys_url = keys_url
        self._tenant = tenant
        self._app = app
        self._issuer = issuer
        self._keys: dict[str, RSAKey] = {}
        self._fetched_at = -_PAUSE

    async def check(self, tokens: list[str] | None) -> None:
        """Raises NotProven."""
        if not tokens:
            raise NotProven("it has no validationTokens")
        if len(tokens) > _MOST_TOKENS:
            raise NotProven("it has too many validationTokens")
        for text in tokens:
            try:
                token = Jws.parse(text)
                ends, begins = token.instant("exp"), token.instant("nbf")
            except Malformed as error:
                raise NotProven("a validation token cannot be read") from error
            key = await self._key(token.kid or "")
            if key is None or not token.signed_by(key, ("RS256",)):
                raise NotProven("a validation token is not signed by this server")
            now = time.time()
            if ends is None or ends <= now - _LEEWAY or (begins or 0.0) > now + _LEEWAY:
                raise NotProven("a validation token is not in its time")
            self._check_claims(token)

    def _check_claims(self, token: Jws) -> None:
        callers = [token.claims[name] for name in ("appid", "azp") if name in token.claims]
        if not callers or any(caller != CHANGE_TRACKING for caller in callers):
            raise NotProven("a validation token is not of Change Tracking")
        for name, wanted in (("iss", self._issuer), ("aud", self._app), ("tid", self._tenant)):
            if token.claims.get(name) != wanted:
                raise NotProven(f"a validation token has another {name}")

    async def _key(self, kid: str) -> RSAKey | None:
        if kid not in self._keys and time.monotonic() - self._fetched_at >= _PAUSE:
            self._fetched_at = time.monotonic()
            try:
                answer = await self._client.get(self._keys_url)
                published: list[dict[str, Any]] = answer.json()["keys"]
                self._keys = {key["kid"]: RSAKey.import_key(key) for key in published}
            except (httpx.HTTPError, ValueError, KeyError, TypeError, JoseError) as error:
                raise NotProven("the server's keys cannot be had") from error
        return self._keys.get(kid)
