"""password: a token for a person who gave the app their name and password (RFC 6749 section 4.3; Entra's ROPC)."""

import base64
from typing import Any

import msgspec

from presenced.identity.apps import App
from presenced.identity.client_authentication import authenticate
from presenced.identity.entra_errors import consent_missing, locked, proof_missing, wrong_password
from presenced.identity.identity import Identity
from presenced.identity.issuer import GRAPH_AUDIENCE, User
from presenced.identity.scopes import Scopes
from presenced.identity.token_request import TokenRequest

# A userPrincipalName has at most 113 characters (user resource). Longer ones are not counted or looked up.
_LONGEST_NAME = 113


async def password(identity: Identity, request: TokenRequest) -> dict[str, Any]:
    """The permissions asked for, of those granted to the app for people."""
    client = authenticate(request, identity.apps, identity.clock.now())
    app = client.app
    if client.proof == "public" and (app.secrets or app.certificates) and not app.sign_in:
        raise proof_missing()
    scopes = Scopes.parse(request.required("scope"), request.tenant, request.hosts)
    permissions = _granted(app, scopes)
    user = await _sign_in(identity, request.tenant, request.required("username"), request.required("password"))
    token, lifetime = identity.issuer.mint_access_token(app, request.tenant, user, permissions, proof=client.proof)
    answer: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": _granted_scope(scopes, permissions),
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": token,
    }
    if "openid" in scopes.openid:
        nonce = request.form.get("nonce")
        answer["id_token"] = identity.issuer.mint_id_token(app, request.tenant, user, request.base_url, nonce)
    if request.form.get("client_info") == "1":
        answer["client_info"] = _client_info(user[0], request.tenant)
    return answer


def _granted(app: App, scopes: Scopes) -> tuple[str, ...]:
    if scopes.default:
        return app.delegated_permissions
    names = {name.lower(): name for name in app.delegated_permissions}
    if not all(name.lower() in names for name in scopes.permissions):
        raise consent_missing(app.id, app.name)
    return tuple(names[name.lower()] for name in scopes.permissions)


async def _sign_in(identity: Identity, tenant: str, name: str, secret: str) -> User:
    """Who gave this name and password. Takes as long for a person who does not exist. Raises EntraError."""
    name = name.strip().lower()
    if len(name) > _LONGEST_NAME:
        raise wrong_password()
    if not identity.guesses.begin(tenant, name):
        raise locked()
    user = await identity.find_person(tenant, name)
    right = await identity.passwords.verify(tenant, user[0] if user else None, secret)
    if user is None or not right:
        raise wrong_password()
    identity.guesses.succeeded(tenant, name)
    return user


def _granted_scope(scopes: Scopes, permissions: tuple[str, ...]) -> str:
    """What was granted: by full name as Entra answers, and as asked, since MSAL looks its cache up by what it asked."""
    openid = sorted(scopes.openid - {"offline_access"})  # no refresh token is given
    full = [f"{GRAPH_AUDIENCE}/{permission}" for permission in permissions]
    return " ".join(dict.fromkeys([*openid, *full, *scopes.asked]))


def _client_info(person: str, tenant: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode({"uid": person, "utid": tenant})).rstrip(b"=").decode()
