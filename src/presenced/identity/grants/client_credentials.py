"""client_credentials: a token for an app alone (RFC 6749 section 4.4)."""

from typing import Any

from presenced.identity.client_authentication import authenticate_confidential
from presenced.identity.entra_errors import scope_not_default
from presenced.identity.identity import Identity
from presenced.identity.scopes import Scopes
from presenced.identity.token_request import TokenRequest


async def client_credentials(identity: Identity, request: TokenRequest) -> dict[str, Any]:
    """All the application permissions of the app. What else libraries send (claims, client_info) changes nothing."""
    client = authenticate_confidential(request, identity.apps, identity.clock.now())
    scope = request.required("scope")
    scopes = Scopes.parse(scope, request.tenant, request.hosts)
    if not scopes.default:
        raise scope_not_default(scope)
    token, lifetime = identity.issuer.mint_access_token(
        client.app, request.tenant, None, client.app.application_permissions, proof=client.proof
    )
    return {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token}
