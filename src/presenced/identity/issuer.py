"""LocalIssuer: makes this server's own tokens, in the form Entra gives them (spec B.1)."""

import base64
import hashlib
import secrets
from collections.abc import Collection, Mapping
from typing import Any, Literal

import msgspec
from joserfc import jws

from presenced.clock import Clock
from presenced.identity.apps import App
from presenced.identity.keys import LONGEST_LIFETIME, SigningKeys
from presenced.presence.record import Profile

GRAPH_AUDIENCE = "https://graph.microsoft.com"

# Who signed an access token must not depend on the host and port it was asked at: a server is reached by several names.
# So its issuer is a name of its own, which is honest about what it is. Entra does the like: the issuer of its Graph
# tokens (https://sts.windows.net/{tid}/) is not the one of its v2.0 discovery document. Clients read neither.
ISSUER_PREFIX = "urn:presenced:"

Proof = Literal["public", "secret", "certificate"]
"""How an app proved who it is: ``appidacr`` 0, 1 and 2."""

_APPIDACR: dict[Proof, str] = {"public": "0", "secret": "1", "certificate": "2"}

User = tuple[str, Profile]
"""A person: object id and profile."""


class LocalIssuer:
    """Signs tokens with the current key."""

    def __init__(self, keys: SigningKeys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    def mint_access_token(
        self,
        app: App,
        tenant: str,
        user: User | None,
        permissions: Collection[str],
        lifetime: int = 3600,
        proof: Proof = "secret",
    ) -> tuple[str, int]:
        """An access token for Graph in v1.0 form, and its seconds to live: for ``app`` alone, or for ``user`` in it.

        Without permissions it has neither ``scp`` nor ``roles``, and Graph's sentence about that is the answer to it.
        """
        claims: dict[str, Any] = {
            "aud": GRAPH_AUDIENCE,
            "iss": ISSUER_PREFIX + tenant,
            **self._times(lifetime),
            "app_displayname": app.name,
            "appid": app.id,
            "appidacr": _APPIDACR[proof],
            "tid": tenant,
            "uti": secrets.token_urlsafe(16),
            "ver": "1.0",
        }
        if user is None:
            claims |= {"idtyp": "app", "oid": app.principal, "sub": app.principal}
            if permissions:
                claims["roles"] = sorted(permissions)
        else:
            person, profile = user
            claims |= {"idtyp": "user", "oid": person, "sub": _subject(app, person)}
            if permissions:
                claims["scp"] = " ".join(sorted(permissions))
            if profile.display_name is not None:
                claims["name"] = profile.display_name
            if profile.user_principal_name is not None:
                claims |= {"upn": profile.user_principal_name, "unique_name": profile.user_principal_name}
        return self._sign(claims), lifetime

    def mint_api_token(
        self,
        app: App,
        tenant: str,
        user: User,
        api: str,
        permissions: Collection[str],
        issuer_url: str,
        lifetime: int = 3600,
        proof: Proof = "secret",
    ) -> tuple[str, int]:
        """An access token in v2.0 form for another app, ``api`` (its id), and its seconds to live.

        It opens nothing here but the on-behalf-of grant, to that app.
        """
        person, profile = user
        claims: dict[str, Any] = {
            "aud": api,
            "iss": f"{issuer_url}/{tenant}/v2.0",
            **self._times(lifetime),
            "azp": app.id,
            "azpacr": _APPIDACR[proof],
            "oid": person,
            "scp": " ".join(sorted(permissions)),
            "sub": _subject(app, person),
            "tid": tenant,
            "uti": secrets.token_urlsafe(16),
            "ver": "2.0",
        }
        if profile.display_name is not None:
            claims["name"] = profile.display_name
        if profile.user_principal_name is not None:
            claims["preferred_username"] = profile.user_principal_name
        return self._sign(claims), lifetime

    def mint_id_token(self, app: App, tenant: str, user: User, issuer_url: str, nonce: str | None = None) -> str:
        """An id token in v2.0 form: tells ``app`` who signed in. ``issuer_url`` is the base URL that clients use."""
        person, profile = user
        claims: dict[str, Any] = {
            "aud": app.id,
            "iss": f"{issuer_url}/{tenant}/v2.0",
            **self._times(3600),
            "oid": person,
            "sub": _subject(app, person),
            "tid": tenant,
            "uti": secrets.token_urlsafe(16),
            "ver": "2.0",
        }
        optional = {
            "name": profile.display_name,
            "preferred_username": profile.user_principal_name,
            "email": profile.mail,
            "nonce": nonce,
        }
        return self._sign(claims | {name: value for name, value in optional.items() if value is not None})

    @property
    def kid(self) -> str:
        """The id of the key that signs now."""
        return self._keys.current.kid

    def sign(self, claims: Mapping[str, Any], lifetime: int, begun: int = 0) -> str:
        """A token of these claims and its times, for another server to check. Its life began ``begun`` seconds ago.

        Never one for Graph: what opens this server is minted above, with what belongs in it.
        """
        if claims.get("aud") == GRAPH_AUDIENCE:
            raise ValueError("Access tokens are minted by mint_access_token.")
        return self._sign({**claims, **self._times(lifetime, begun)})

    def _times(self, lifetime: int, begun: int = 0) -> dict[str, int]:
        if not 0 < lifetime <= LONGEST_LIFETIME:
            raise ValueError(f"A token lives 1 to {LONGEST_LIFETIME} seconds.")
        start = int(self._clock.now()) - begun
        return {"iat": start, "nbf": start, "exp": start + lifetime}

    def _sign(self, claims: dict[str, Any]) -> str:
        key = self._keys.current
        header = {"typ": "JWT", "alg": "RS256", "kid": key.kid}
        return jws.serialize_compact(header, msgspec.json.encode(claims), key.key, algorithms=["RS256"])


def _subject(app: App, person: str) -> str:
    """The person's name to this app alone: Entra's ``sub`` is another one in every app (access token claims)."""
    return base64.urlsafe_b64encode(hashlib.sha256(f"{app.id}/{person}".encode()).digest()).rstrip(b"=").decode()
