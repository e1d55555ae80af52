"""The endpoints programs ask, at Entra's addresses: tokens, discovery, keys, user realm (spec B.3)."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from presenced.identity.authorization_request import RESPONSE_MODES
from presenced.identity.entra_errors import (
    EntraError,
    cross_origin,
    grant_not_supported,
    instance_invalid,
    transient,
)
from presenced.identity.grants import ALIASES, FOR_PAGES, GRANTS
from presenced.identity.grants.device_code import begin_device_code
from presenced.identity.identity import Identity
from presenced.identity.tenant_of import tenant_of
from presenced.identity.token_request import TokenRequest
from presenced.presence.record import guid
from presenced.store.base import StoreUnavailable

_log = structlog.get_logger()

# A page may read these answers, from anywhere: none of them depends on a cookie. What a page is given, and for which
# origin, is decided by the grants.
_CORS = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET", "POST"], allow_headers=["*"])

Answering = Callable[[Identity, Request, str], Awaitable[dict[str, Any]]]


def identity_routes(identity: Identity) -> list[Route]:
    """The routes, over these parts."""

    def at(path: str, answering: Answering, method: str = "GET") -> Route:
        async def endpoint(request: Request) -> Response:
            if request.method == "OPTIONS":  # and no preflight, which the middleware answers
                return Response(status_code=204, headers={"Allow": f"{method}, OPTIONS"})
            return await _answer(identity, request, answering)

        return Route(path, endpoint, methods=[method, "OPTIONS"], name=answering.__name__, middleware=[_CORS])

    async def realm(request: Request) -> Response:
        return _json(user_realm(request.path_params["username"]))

    return [
        at("/{tenant}/oauth2/v2.0/token", token, "POST"),
        at("/{tenant}/oauth2/v2.0/devicecode", devicecode, "POST"),
        at("/{tenant}/discovery/instance", instance),
        at("/{tenant}/v2.0/.well-known/openid-configuration", openid_configuration),
        at("/{tenant}/discovery/v2.0/keys", keys),
        # Without a version, for tenant ``common``: where Microsoft's helpers for change notifications look (spec A.5).
        at("/{tenant}/.well-known/openid-configuration", unversioned_openid_configuration),
        at("/{tenant}/discovery/keys", unversioned_keys),
        # MSAL Go spells it in this way, the others in lower case.
        *(Route(path, realm) for path in ("/common/userrealm/{username}", "/common/UserRealm/{username}")),
    ]


async def token(identity: Identity, request: Request, tenant: str) -> dict[str, Any]:
    """Tokens, by grant."""
    asked = await TokenRequest.read(request, tenant, identity.base_urls)
    name = asked.required("grant_type")
    grant = GRANTS.get(ALIASES.get(name, name))
    if grant is None:
        raise grant_not_supported(name)
    # this server's own page (/docs) is no other origin; by which names it goes is not for the request to say
    own = asked.origin in identity.base_urls.own(request.scope)
    if asked.origin is not None and not own and name not in FOR_PAGES:
        raise cross_origin(asked.origin)
    return await grant(identity, asked)


async def devicecode(identity: Identity, request: Request, tenant: str) -> dict[str, Any]:
    """The device authorization endpoint."""
    asked = await TokenRequest.read(request, tenant, identity.base_urls)
    if asked.origin is not None:
        raise cross_origin(asked.origin)
    return await begin_device_code(identity, asked)


async def instance(identity: Identity, request: Request, tenant: str) -> dict[str, Any]:
    """Instance discovery, for clients that can be told to ask here: this server vouches for itself and no other."""
    asked = request.query_params.get("authorization_endpoint", "")
    try:
        parts = urlsplit(asked)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if host not in identity.base_urls.hosts(request.scope):
        raise instance_invalid(host)
    spelling = parts.path.split("/")[1] if "/" in parts.path else ""
    named = identity.tenants.find(spelling) or tenant
    base = identity.base_urls.of(request.scope)
    network = base.partition("://")[2]
    return {
        "tenant_discovery_endpoint": f"{base}/{named}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1" if request.query_params.get("api-version") == "1.1" else "1.0",
        "metadata": [{"preferred_network": network, "preferred_cache": network, "aliases": [network]}],
    }


async def openid_configuration(identity: Identity, request: Request, tenant: str) -> dict[str, Any]:
    """The document all MSALs can work with: what is served, and nothing else."""
    base = f"{identity.base_urls.of(request.scope)}/{tenant}"
    return {
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "grant_types_supported": list(GRANTS),
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
            "none",
        ],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid", "oid"],
        "request_uri_parameter_supported": False,
    }


async def unversioned_openid_configuration(identity: Identity, request: Request, tenant: str) -> dict[str, Any]:
    """The same document, but for the keys.

    Entra's own has its v1.0 endpoints and https://sts.windows.net as issuer. Here there are no such endpoints, and of
    those who read it, receivers of notifications want the keys only, and MSAL (as an OIDC authority) an issuer at this
    host.
    """
    base = f"{identity.base_urls.of(request.scope)}/{tenant}"
    return await openid_configuration(identity, request, tenant) | {"jwks_uri": f"{base}/discovery/keys"}


async def keys(identity: Identity, request: Request, tenant: str) -> dict[str, Any]:
    """The public keys, each with the document's issuer, as Entra has it here.

    Microsoft.IdentityModel's signing-key-issuer check accepts a key without an issuer, or one whose issuer is the
    token's or the document's, if the token's issuer has its tenant's id in it. So this one must stay the document's.
    """
    issuer = f"{identity.base_urls.of(request.scope)}/{tenant}/v2.0"
    return {"keys": [{**key, "issuer": issuer} for key in identity.keys.public_jwks()["keys"]]}


async def unversioned_keys(identity: Identity, _request: Request, _tenant: str) -> dict[str, Any]:
    """The same keys without an issuer, as Entra has it here: what they sign has several."""
    return identity.keys.public_jwks()


def user_realm(username: str) -> dict[str, Any]:
    """What MSAL asks before it sends a password: whether another server must check it. Here never, whoever it is."""
    return {
        "ver": "1.0",
        "account_type": "Managed",
        "domain_name": username.rpartition("@")[2],
        "cloud_instance_name": "microsoftonline.com",
        "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    }


async def _answer(identity: Identity, request: Request, answering: Answering) -> Response:
    try:
        return _json(await answering(identity, request, tenant_of(identity, request)))
    except (EntraError, StoreUnavailable) as failure:
        error = failure if isinstance(failure, EntraError) else transient()
        correlation_id = _correlation_id(request)
        # Only the number: texts hold what the caller sent.
        _log.info("token_refused", number=error.number, error=error.error, correlation_id=correlation_id)
        return _json(error.answer(identity.clock.now(), correlation_id), error.status)


def _correlation_id(request: Request) -> str:
    # msal-node sends it in the query, the others in a header.
    given = request.headers.get("client-request-id") or request.query_params.get("client-request-id")
    return guid(given or "") or str(uuid.uuid4())


def _json(body: dict[str, Any], status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return Response(msgspec.json.encode(body), status, headers, "application/json; charset=utf-8")
