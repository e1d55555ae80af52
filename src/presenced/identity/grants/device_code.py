"""device_code: tokens for a device whose person signs in with a browser elsewhere (RFC 8628)."""

from typing import Any

from presenced.identity.client_authentication import authenticate
from presenced.identity.delegated_answer import delegated_answer, granted, read_scopes, require_proof
from presenced.identity.device_codes import INTERVAL, LIFETIME
from presenced.identity.entra_errors import (
    app_not_found,
    authorization_declined,
    authorization_pending,
    device_code_expired,
    device_code_unknown,
    grant_revoked,
    parameter_missing,
    slow_down,
    too_many_sign_ins,
)
from presenced.identity.grants.refresh_token import begin_refresh_token
from presenced.identity.identity import Identity
from presenced.identity.person_sign_in import still_signed_in
from presenced.identity.token_request import TokenRequest


async def begin_device_code(identity: Identity, request: TokenRequest) -> dict[str, Any]:
    """The answer of the device authorization endpoint: what the device shows, and what it polls with."""
    app = identity.apps.get(request.tenant, request.required("client_id"))
    if app is None:
        raise app_not_found(request.required("client_id"), request.tenant)
    scope = request.required("scope")
    granted(app, read_scopes(identity, request.tenant, request.hosts, scope))
    begun = identity.device_codes.begin(request.tenant, app.id, scope)
    if begun is None:
        raise too_many_sign_ins()
    device_code, sign_in = begun
    address = f"{request.base_url}/devicelogin"
    return {
        "user_code": sign_in.user_code,
        "device_code": device_code,
        "verification_uri": address,
        "expires_in": int(LIFETIME),
        "interval": INTERVAL,
        "message": f"To sign in, use a web browser to open the page {address} and enter the code "
        f"{sign_in.user_code} to authenticate.",
    }


async def device_code(identity: Identity, request: TokenRequest) -> dict[str, Any]:
    """The permissions the device asked for, as soon as somebody has signed in."""
    client = authenticate(request, identity.apps, identity.clock.now())
    require_proof(client)
    # the other name is from drafts of the standard; MSAL for Python sends both
    code = request.form.get("device_code") or request.form.get("code")
    if not code:
        raise parameter_missing("device_code")
    polled = identity.device_codes.poll(code, request.tenant, client.app.id)
    if polled is None:
        raise device_code_unknown()
    status, sign_in = polled
    if status != "done" or sign_in.person is None:
        raise {
            "pending": authorization_pending,
            "too fast": slow_down,
            "declined": authorization_declined,
        }.get(status, device_code_expired)()
    user = await still_signed_in(identity, sign_in.tenant, sign_in.person, sign_in.stamp)
    if user is None:
        raise grant_revoked()
    scopes = read_scopes(identity, request.tenant, request.hosts, sign_in.scope)
    token = await begin_refresh_token(identity, request, client, user, scopes, stamp=sign_in.stamp)
    return delegated_answer(identity, request, client, user, scopes, refresh_token=token)
