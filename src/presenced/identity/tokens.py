"""Verifier: decides once per token who is calling (design decision 5). Its refusals are in Graph's words (spec B.2)."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import msgspec

from presenced.clock import Clock
from presenced.identity.caller import Caller, NotAuthenticated
from presenced.identity.external import ExternalIssuer
from presenced.identity.issuer import GRAPH_AUDIENCE, ISSUER_PREFIX
from presenced.identity.jwks import Jwks
from presenced.identity.jws import MAX_TOKEN, Jws, Malformed
from presenced.identity.keys import SigningKeys
from presenced.identity.tenants import PERSONAL_ACCOUNTS, Tenants

REMEMBERED = 10_000
EXTERNAL_LEEWAY = 60.0

_LOCAL_ALGORITHMS = ("RS256",)
# Never none, and never a symmetric one: with HS256 the public key, which everyone has, would be the secret.
_EXTERNAL_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")

_EMPTY = "Access token is empty."
# One text for everything malformed, as observed: Microsoft's library says it of almost any token it cannot read.
_MALFORMED = (
    "IDX14100: JWT is not well formed, there are no dots (.).\n"
    "The token needs to be in JWS or JWE Compact Serialization Format. (JWS): "
    "'EncodedHeader.EncodedPayload.EncodedSignature'. (JWE): 'EncodedProtectedHeader.EncodedEncryptedKey."
    "EncodedInitializationVector.EncodedCiphertext.EncodedAuthenticationTag'."
)
_EXPIRED = "Lifetime validation failed, the token is expired."
_NOT_YET = "Access token has expired or is not yet valid."
_AUDIENCE = "Access token validation failure. Invalid audience."
_NEITHER = "Either scp or roles claim need to be present in the token."
# Not recorded from Graph: the same opening, and what is wrong.
_ISSUER = "Access token validation failure. Invalid issuer."
_KEY = "Access token validation failure. Unknown signing key."
_SIGNATURE = "Access token validation failure. Invalid signature."
_TENANT = "Access token validation failure. Invalid tenant."
_CLAIMS = "Access token validation failure. A required claim (appid, tid, oid) is missing or wrong."


class _Remembered(NamedTuple):
    not_before: float
    until: float
    caller: Caller


class Verifier:
    """Verifies tokens of this server's own issuer and of external ones. Close it when done."""

    def __init__(
        self,
        clock: Clock,
        keys: SigningKeys,
        tenants: Tenants,
        external: Iterable[ExternalIssuer] = (),
        known_permissions: Collection[str] = (),
    ) -> None:
        """``known_permissions`` are the names that make an external token's ``scope`` a grant by a person."""
        self._now = clock.now
        self._keys = keys
        self._tenants = tenants
        self._external = {issuer.issuer: (issuer, Jwks(issuer)) for issuer in external}
        self._known_permissions = frozenset(known_permissions)
        # A dictionary rather than cachetools.TLRUCache: 0.4 us a look-up against 2.4 us, measured. When it is full the
        # token remembered longest goes; if still in use it is verified again.
        self._remembered: dict[str, _Remembered] = {}

    def cached(self, token: str) -> Caller | None:
        """Who is calling, if this token was verified before and its time still runs."""
        known = self._remembered.get(token)
        if known is None or not known.not_before <= self._now() < known.until:
            return None
        return known.caller

    async def verify(self, token: str) -> Caller:
        """Who is calling. Raises NotAuthenticated, or IssuerUnavailable if it cannot be known now."""
        known = self.cached(token)
        if known is not None:
            return known
        if not token.strip():
            raise NotAuthenticated(_EMPTY)
        if len(token) > MAX_TOKEN:
            raise NotAuthenticated(
                f"IDX10209: Token has length: '{len(token)}' which is larger than the MaximumTokenSizeInBytes: "
                f"'{MAX_TOKEN}'."
            )
        try:
            jws = Jws.parse(token)
            # The claimed issuer only chooses whose keys and rules the token is held against.
            issuer = jws.text_claim("iss") or ""
            if issuer.startswith(ISSUER_PREFIX):
                verified = self._local(jws, issuer.removeprefix(ISSUER_PREFIX))
            elif issuer in self._external:
                verified = await self._foreign(jws, *self._external[issuer])
            else:
                raise NotAuthenticated(_ISSUER)
        except Malformed as error:
            raise NotAuthenticated(_MALFORMED) from error
        if verified.caller.tenant == PERSONAL_ACCOUNTS:
            raise NotAuthenticated(_TENANT)
        self._remember(token, verified)
        return verified.caller

    def forget(self) -> None:
        """Verify every token anew from now on: after keys were revoked, or a tenant or an issuer was removed."""
        self._remembered.clear()

    async def close(self) -> None:
        for _, jwks in self._external.values():
            await jwks.close()

    def _local(self, jws: Jws, tenant: str) -> _Remembered:
        key = None if jws.kid is None else self._keys.find(jws.kid)
        if key is None:
            raise NotAuthenticated(_KEY)
        if not jws.signed_by(key, _LOCAL_ALGORITHMS):
            raise NotAuthenticated(_SIGNATURE)
        # An id token is signed with the same key, but its audience is the app: it opens nothing here.
        if jws.claims.get("aud") != GRAPH_AUDIENCE:
            raise NotAuthenticated(_AUDIENCE)
        not_before, until = self._times(jws, leeway=0.0)
        if jws.claims.get("tid") != tenant or not self._tenants.known(tenant):
            raise NotAuthenticated(_TENANT)
        return _remembered(not_before, until, _local_caller(jws, tenant))

    async def _foreign(self, jws: Jws, issuer: ExternalIssuer, jwks: Jwks) -> _Remembered:
        # Before a key is looked for, since that may mean a fetch: is there any point?
        if jws.header.get("alg") not in _EXTERNAL_ALGORITHMS:
            raise NotAuthenticated(_SIGNATURE)
        key = None if jws.kid is None else await jwks.find(jws.kid)
        if key is None:
            raise NotAuthenticated(_KEY)
        if not jws.signed_by(key, _EXTERNAL_ALGORITHMS):
            raise NotAuthenticated(_SIGNATURE)
        claimed = jws.claims.get("aud")
        if not any(audience in issuer.audiences for audience in (claimed if isinstance(claimed, list) else [claimed])):
            raise NotAuthenticated(_AUDIENCE)
        not_before, until = self._times(jws, leeway=EXTERNAL_LEEWAY)
        return _remembered(not_before, until, issuer.caller(jws, self._known_permissions))

    def _times(self, jws: Jws, leeway: float) -> tuple[float, float]:
        """From when until when the token is valid, if that is now."""
        expires, not_before = jws.instant("exp"), jws.instant("nbf") or 0.0
        jws.instant("iat")  # not needed, but if it is there it is an instant
        if expires is None:
            raise NotAuthenticated(_EXPIRED)
        if self._now() >= expires + leeway:
            raise NotAuthenticated(_EXPIRED)
        if self._now() < not_before - leeway:
            raise NotAuthenticated(_NOT_YET)
        return not_before - leeway, expires + leeway

    def _remember(self, token: str, verified: _Remembered) -> None:
        self._remembered.pop(token, None)
        if len(self._remembered) >= REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[token] = verified


def _remembered(not_before: float, until: float, caller: Caller) -> _Remembered:
    return _Remembered(not_before, until, msgspec.structs.replace(caller, expires_at=until))


def _local_caller(jws: Jws, tenant: str) -> Caller:
    app, person = jws.guid_claim("appid"), jws.guid_claim("oid")
    scp, roles = jws.claims.get("scp"), jws.claims.get("roles")
    if scp is None and roles is None:
        raise NotAuthenticated(_NEITHER)
    if app is None or person is None:
        raise NotAuthenticated(_CLAIMS)
    # The rule of spec B.1: a person's token may hold roles too (their app roles), so scp decides.
    if isinstance(scp, str):
        return Caller(tenant, app, person, frozenset(scp.split()))
    if scp is None and isinstance(roles, list) and all(isinstance(role, str) for role in roles):
        return Caller(tenant, app, None, frozenset(roles))
    raise NotAuthenticated(_NEITHER)
