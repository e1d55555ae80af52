"""authorization_code: tokens for the code that a browser brought back from the sign-in page (RFC 6749 section 4.1.3).

A code that went to a page is redeemed by that page, by fetch from its origin, without any proof but PKCE (Entra's
platform "single-page application"); any other by the app itself, never from a browser.
"""

from typing import Any

from presenced.identity.authorization_codes import Authorized, verifies
from presenced.identity.client_authentication import Client, authenticate
from presenced.identity.delegated_answer import delegated_answer, granted, read_scopes, require_proof
from presenced.identity.entra_errors import (
    code_redeemed,
    grant_invalid,
    grant_revoked,
    reply_address_differs,
    verifier_wrong,
)
from presenced.identity.grants.refresh_token import begin_refresh_token, check_origin
from presenced.identity.identity import Identity
from presenced.identity.person_sign_in import still_signed_in
from presenced.identity.redirect_uris import origin_of
from presenced.identity.token_request import TokenRequest


async def authorization_code(identity: Identity, request: TokenRequest) -> dict[str, Any]:
    """The permissions asked for here, or else at the sign-in page."""
    client = authenticate(request, identity.apps, identity.clock.now())
    code = request.required("code")
    authorized = identity.codes.take(code)
    if authorized is None:
        family = identity.codes.family_of(code)
        if family is None:
            raise grant_invalid("code")
        # Somebody besides the app had the code (RFC 6749 section 4.1.2): what came of it ends.
        await identity.refresh_tokens.revoke(family)
        raise code_redeemed()
    origin = _check(request, client, authorized)
    user = await still_signed_in(identity, authorized.tenant, authorized.person, authorized.stamp)
    if user is None:
        raise grant_revoked()
    hosts = request.hosts
    scopes = read_scopes(identity, request.tenant, hosts, request.form.get("scope") or authorized.scope)
    # azure-identity names offline_access at the sign-in page only
    before = read_scopes(identity, request.tenant, hosts, authorized.scope)
    scopes = scopes._replace(openid=scopes.openid | before.openid)
    granted(client.app, scopes)
    token = await begin_refresh_token(identity, request, client, user, scopes, stamp=authorized.stamp, origin=origin)
    if token is not None:
        identity.codes.redeemed(code, token.partition(".")[0])
    return delegated_answer(identity, request, client, user, scopes, nonce=authorized.nonce, refresh_token=token)


def _check(request: TokenRequest, client: Client, authorized: Authorized) -> str | None:
    """Check that this client may redeem the code; the origin of the page it is, if it is one. Raises EntraError."""
    if (authorized.tenant, authorized.app) != (request.tenant, client.app.id):
        raise grant_invalid("code")
    # Registered as both: it is a page if a page asks.
    is_page = authorized.platforms == {"spa"} or ("spa" in authorized.platforms and request.origin is not None)
    origin = origin_of(authorized.redirect_uri) if is_page else None
    check_origin(request, origin)
    if origin is None:
        require_proof(client)
    given = request.form.get("redirect_uri", "")
    if given != authorized.redirect_uri:
        raise reply_address_differs(given, authorized.redirect_uri)
    # MSAL for Go sends an empty one when there was no challenge; without a value it was not sent (RFC 6749 3.2)
    verifier = request.form.get("code_verifier") or None
    if authorized.challenge is None:
        # Also a verifier nobody asked for is wrong: someone may have left out the challenge on the way (RFC 9700 2.1.1)
        if verifier is not None:
            raise verifier_wrong()
    elif verifier is None or not verifies(verifier, authorized.challenge):
        raise verifier_wrong()
    return origin
