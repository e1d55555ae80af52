"""jwt-bearer, on behalf of: an app that was called with a person's token calls Graph as that person (Entra's OBO).

The token it was called with must be one for that app: whoever holds a token for Graph, or an id token, gets nothing
for it here.
"""

from typing import Any

from presenced.identity.client_authentication import authenticate_confidential
from presenced.identity.delegated_answer import delegated_answer, granted, read_scopes
from presenced.identity.entra_errors import (
    assertion_audience,
    assertion_expired,
    assertion_invalid,
    grant_revoked,
    token_use_wrong,
)
from presenced.identity.grants.refresh_token import begin_refresh_token
from presenced.identity.identity import Identity
from presenced.identity.jws import Jws, Malformed
from presenced.identity.token_request import TokenRequest


async def on_behalf_of(identity: Identity, request: TokenRequest) -> dict[str, Any]:
    """The permissions asked for, of those this app has for people."""
    client = authenticate_confidential(request, identity.apps, identity.clock.now())
    if request.required("requested_token_use") != "on_behalf_of":
        raise token_use_wrong(request.required("requested_token_use"))
    scopes = read_scopes(identity, request.tenant, request.hosts, request.required("scope"))
    granted(client.app, scopes)
    person = _person(identity, request, client.app.id)
    user = await identity.find_person(request.tenant, person)
    if user is None:
        raise grant_revoked()
    token = await begin_refresh_token(identity, request, client, user, scopes)
    return delegated_answer(identity, request, client, user, scopes, refresh_token=token)


def _person(identity: Identity, request: TokenRequest, app: str) -> str:
    """Who the assertion speaks for. Raises EntraError."""
    try:
        jws = Jws.parse(request.required("assertion"))
        expires, not_before = jws.instant("exp"), jws.instant("nbf")
    except Malformed as error:
        raise assertion_invalid("It is not a well formed JWT.") from error
    key = None if jws.kid is None else identity.keys.find(jws.kid)
    if key is None or not jws.signed_by(key, ("RS256",)):
        raise assertion_invalid("It is not signed with a key of this server.")
    # Id tokens and the validation tokens of notifications have the same audience and signer. What tells an access token
    # from them: a scope, and the client it was given to.
    audience, person = jws.text_claim("aud"), jws.guid_claim("oid")
    if audience != app:
        raise assertion_audience(audience or "", app)
    if jws.guid_claim("tid") != request.tenant or person is None:
        raise assertion_invalid("It is for another tenant, or for no person.")
    if jws.text_claim("scp") is None or jws.guid_claim("azp") is None:
        raise assertion_invalid("It is not an access token for a person.")
    now = identity.clock.now()
    if expires is None or now >= expires or now < (not_before or 0):
        raise assertion_expired()
    return person
