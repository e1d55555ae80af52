"""The token endpoint's answer to a grant with a person in it: the same for every such grant (spec B.4)."""

import base64
from collections.abc import Collection
from typing import Any

import msgspec

from presenced.identity.apps import App
from presenced.identity.client_authentication import Client
from presenced.identity.entra_errors import consent_missing, proof_missing
from presenced.identity.identity import Identity
from presenced.identity.issuer import GRAPH_AUDIENCE, User
from presenced.identity.scopes import API_PERMISSION, Scopes
from presenced.identity.token_request import TokenRequest


def require_proof(client: Client) -> None:
    """Refuse an app that proved nothing, unless it is a public client. Raises EntraError."""
    if client.proof == "public" and not client.app.sign_in:
        raise proof_missing()


def read_scopes(identity: Identity, tenant: str, hosts: Collection[str], scope: str) -> Scopes:
    """What is asked for: of Graph, which ``hosts`` name too, or of one of the tenant's own apps. Raises EntraError."""

    def is_api(app_id: str) -> bool:
        app = identity.apps.get(tenant, app_id)
        return app is not None and bool(app.secrets or app.certificates)

    return Scopes.parse(scope, tenant, hosts, is_api)


def granted(app: App, scopes: Scopes) -> tuple[str, ...]:
    """The permissions asked for, of those the app has for people. Raises EntraError."""
    if scopes.api is not None:
        return (API_PERMISSION,)
    if scopes.default:
        return app.delegated_permissions
    names = {name.lower(): name for name in app.delegated_permissions}
    if not all(name.lower() in names for name in scopes.permissions):
        raise consent_missing(app.id, app.name)
    return tuple(names[name.lower()] for name in scopes.permissions)


def delegated_answer(
    identity: Identity,
    request: TokenRequest,
    client: Client,
    user: User,
    scopes: Scopes,
    *,
    nonce: str | None = None,
    refresh_token: str | None = None,
) -> dict[str, Any]:
    """The answer for ``user`` in the client's app. Raises EntraError for permissions the app does not have."""
    app = client.app
    permissions = granted(app, scopes)
    if scopes.api is None:
        token, lifetime = identity.issuer.mint_access_token(app, request.tenant, user, permissions, proof=client.proof)
    else:
        token, lifetime = identity.issuer.mint_api_token(
            app, request.tenant, user, scopes.api, permissions, request.base_url, proof=client.proof
        )
    answer: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": _granted_scope(scopes, permissions),
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": token,
    }
    if refresh_token is not None:
        answer["refresh_token"] = refresh_token
    if "openid" in scopes.openid:
        answer["id_token"] = identity.issuer.mint_id_token(app, request.tenant, user, request.base_url, nonce)
    if request.form.get("client_info") == "1":
        answer["client_info"] = client_info(user[0], request.tenant)
    return answer


def client_info(person: str, tenant: str) -> str:
    """Who signed in, as MSAL wants to be told besides the id token."""
    return base64.urlsafe_b64encode(msgspec.json.encode({"uid": person, "utid": tenant})).rstrip(b"=").decode()


def _granted_scope(scopes: Scopes, permissions: tuple[str, ...]) -> str:
    """What was granted: by full name as Entra answers, and as asked, since MSAL looks its cache up by what it asked."""
    openid = sorted(scopes.openid - {"offline_access"})  # Entra leaves it out, whether or not there is a refresh token
    resource = GRAPH_AUDIENCE if scopes.api is None else f"api://{scopes.api}"
    full = [f"{resource}/{permission}" for permission in permissions]
    return " ".join(dict.fromkeys([*openid, *full, *scopes.asked]))
