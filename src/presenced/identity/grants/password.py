"""password: a token for a person who gave the app their name and password (RFC 6749 section 4.3; Entra's ROPC)."""

from typing import Any

from presenced.identity.client_authentication import authenticate
from presenced.identity.delegated_answer import delegated_answer, granted, read_scopes, require_proof
from presenced.identity.grants.refresh_token import begin_refresh_token
from presenced.identity.identity import Identity
from presenced.identity.person_sign_in import sign_in
from presenced.identity.token_request import TokenRequest


async def password(identity: Identity, request: TokenRequest) -> dict[str, Any]:
    """The permissions asked for, of those granted to the app for people."""
    client = authenticate(request, identity.apps, identity.clock.now())
    require_proof(client)
    scopes = read_scopes(identity, request.tenant, request.hosts, request.required("scope"))
    granted(client.app, scopes)  # before the password: a request that cannot succeed is no guess
    user = await sign_in(identity, request.tenant, request.required("username"), request.required("password"))
    token = await begin_refresh_token(identity, request, client, user, scopes)
    return delegated_answer(
        identity, request, client, user, scopes, nonce=request.form.get("nonce"), refresh_token=token
    )
