"""ExternalIssuer: another OpenID provider (Entra, Keycloak, ...) whose tokens are taken here, and how to read them."""

from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import msgspec

from presenced.identity.caller import Caller, NotAuthenticated
from presenced.identity.jws import Jws
from presenced.identity.loopback import is_loopback
from presenced.presence.record import guid


class IssuerUnavailable(Exception):
    """The keys of an external issuer cannot be had, so its tokens can be neither taken nor refused: try again later."""


class ExternalIssuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One external issuer, as an administrator configures it.

    ``issuer`` and ``audience`` are compared exactly with ``iss`` and ``aud``. ``tenant`` is the tenant its callers
    belong to; without it each token's ``tid`` says that, so leave it out only for an issuer that may speak for any
    tenant. ``jwks_uri`` is asked for from discovery unless it is given. ``roles_claim`` is where application
    permissions are, dotted, such as ``realm_access.roles``: whoever gets these roles there, gets these permissions
    here in a token that is not for a person.
    """

    issuer: str
    audience: str | list[str]
    tenant: str | None = None
    jwks_uri: str | None = None
    roles_claim: str = "roles"

    def __post_init__(self) -> None:
        if self.tenant is not None and guid(self.tenant) is None:
            raise ValueError(f"The tenant of issuer {self.issuer} is a GUID, and {self.tenant!r} is none.")
        for url in (self.issuer, self.jwks_uri):
            if url is not None and not fetchable(url):
                raise ValueError(f"{url!r} must be an https URL (http only to this machine itself).")

    @property
    def audiences(self) -> list[str]:
        return [self.audience] if isinstance(self.audience, str) else self.audience

    def caller(self, jws: Jws, known_permissions: Collection[str]) -> Caller:
        """Who a verified token of this issuer speaks for. Raises NotAuthenticated."""
        user, permissions = self._permissions(jws, known_permissions)
        app = jws.text_claim("azp") or jws.text_claim("appid") or jws.text_claim("client_id")
        if app is None:
            raise NotAuthenticated("The token does not say which application it is for (azp, appid or client_id).")
        return Caller(self._tenant_of(jws), guid(app) or app, user, permissions)

    def _tenant_of(self, jws: Jws) -> str:
        claimed = jws.guid_claim("tid")
        own = guid(self.tenant or "")
        if "tid" in jws.claims and (claimed is None or own not in (None, claimed)):
            raise NotAuthenticated("Access token validation failure. Invalid tenant.")
        tenant = own or claimed
        if tenant is None:
            raise NotAuthenticated("The token does not say which tenant it is for (tid).")
        return tenant

    def _permissions(self, jws: Jws, known_permissions: Collection[str]) -> tuple[str | None, frozenset[str]]:
        if "scp" in jws.claims:
            return _user(jws), _names(jws.claims["scp"])
        # Keycloak and others have no scp: their scope lists what was granted, along with words such as "email", for
        # apps alone as well. Only a permission of Graph's in it says that someone granted access to their presence.
        scope = _names(jws.claims.get("scope", ""))
        if not scope.isdisjoint(known_permissions):
            return _user(jws), scope
        roles: Any = jws.claims
        for name in self.roles_claim.split("."):
            roles = roles.get(name) if isinstance(roles, dict) else None
        if roles is None:
            raise NotAuthenticated("Either scp or roles claim need to be present in the token.")
        return None, _names(roles)


def fetchable(url: str) -> bool:
    """Whether keys may be fetched from here: https, since who answers decides whose tokens are true."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        )
    except ValueError:
        return False


def _user(jws: Jws) -> str:
    user = jws.guid_claim("oid" if "oid" in jws.claims else "sub")
    if user is None:
        raise NotAuthenticated("The user in the token (oid, else sub) is not a GUID, so it names no person here.")
    return user


def _names(value: object) -> frozenset[str]:
    """Names in a list, or in one text with spaces between: providers do either."""
    names = value.split() if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise NotAuthenticated("The permissions in the token (scp, scope or roles) are not texts.")
    return frozenset(names)
