"""refresh_token: a new access token for a person who signed in before (RFC 6749 section 6). The token is rotated.

An app gets any permission it has for people, not only those it asked for first, as in Entra: MSAL relies on it.
"""

from typing import Any

from presenced.identity.client_authentication import Client, authenticate
from presenced.identity.delegated_answer import delegated_answer, granted, read_scopes, require_proof
from presenced.identity.entra_errors import (
    cross_origin,
    grant_expired,
    grant_invalid,
    grant_revoked,
    page_only,
    page_token_expired,
)
from presenced.identity.identity import Identity
from presenced.identity.issuer import User
from presenced.identity.refresh_tokens import Refused
from presenced.identity.scopes import Scopes
from presenced.identity.token_request import TokenRequest


async def refresh_token(identity: Identity, request: TokenRequest) -> dict[str, Any]:
    """The permissions asked for, or those of the first time."""
    client = authenticate(request, identity.apps, identity.clock.now())
    token = request.required("refresh_token")
    family = identity.refresh_tokens.find(token)
    if family is None or (family.tenant, family.app) != (request.tenant, client.app.id):
        raise grant_invalid("refresh_token")
    if family.origin is None:
        require_proof(client)
    check_origin(request, family.origin)
    user = await identity.find_person(family.tenant, family.person)
    if user is None or identity.passwords.stamp(family.tenant, family.person) != family.stamp:
        await identity.refresh_tokens.revoke(family.id)
        raise grant_revoked()
    scopes = read_scopes(identity, request.tenant, request.hosts, request.form.get("scope") or family.scope)
    granted(client.app, scopes)  # before the token is spent
    try:
        following = await identity.refresh_tokens.rotate(token)
    except Refused as refused:
        if refused.reason == "expired":
            raise page_token_expired() if family.origin else grant_expired() from None
        raise grant_revoked() if refused.reason == "revoked" else grant_invalid("refresh_token") from None
    return delegated_answer(identity, request, client, user, scopes, refresh_token=following)


def check_origin(request: TokenRequest, origin: str | None) -> None:
    """What was given to a page at ``origin`` is for that page, and what was not is for none. Raises EntraError."""
    if origin is None and request.origin is not None:
        raise cross_origin(request.origin)
    if origin is not None and request.origin is None:
        raise page_only()
    if origin != request.origin:
        raise cross_origin(request.origin or "")


async def begin_refresh_token(
    identity: Identity,
    request: TokenRequest,
    client: Client,
    user: User,
    scopes: Scopes,
    *,
    stamp: str | None = None,
    origin: str | None = None,
) -> str | None:
    """The first refresh token after a sign-in, if one was asked for; ``stamp`` is that of the password used in it."""
    if "offline_access" not in scopes.openid:
        return None
    if stamp is None:
        stamp = identity.passwords.stamp(request.tenant, user[0])
    scope = " ".join([*sorted(scopes.openid), *scopes.asked])
    _, token = await identity.refresh_tokens.begin(request.tenant, client.app.id, user[0], stamp, scope, origin)
    return token
