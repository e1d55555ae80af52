"""Clients of a server under test: published libraries, pointed at it and signed in.

Every request carries a token made for it, so that a client outlives whatever a test does to the clock. No connection is
kept: a client needs no closing, and one that was made in a test's event loop leaves nothing behind in it.
"""

import importlib
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import httpx

from presenced.testing.awaited import awaited

Token = Callable[[], str]
_UNKEPT = httpx.Limits(max_keepalive_connections=0)
_PATIENCE = 60.0
"""Seconds for an answer."""
_SDKS = {
    "python-sdk": ("msgraph", "v1.0", "msgraph-sdk"),
    "python-beta-sdk": ("msgraph_beta", "beta", "msgraph-beta-sdk"),
}

KINDS = ("httpx", "httpx-async", *_SDKS)


class ClientMissing(RuntimeError):
    """The client's package is not installed. The message says how to."""


def client(kind: str, url: str, token: Token) -> Any:
    """A client of one of KINDS for the server at ``url`` (without a path). Raises ClientMissing, and ValueError."""
    if kind == "httpx":
        return httpx.Client(
            base_url=f"{url}/v1.0", auth=_Bearer(token), limits=_UNKEPT, timeout=_PATIENCE, trust_env=False
        )
    if kind == "httpx-async":
        return _async_client(url, auth=_Bearer(token))
    if kind in _SDKS:
        return _sdk(*_SDKS[kind], url, token)
    raise ValueError(f"{kind!r} is not a client that presenced makes. There are: {', '.join(KINDS)}.")


class _Bearer(httpx.Auth):
    """A new token for each request."""

    def __init__(self, token: Token) -> None:
        self._token = token
        self._awaited = awaited(token)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token()}"
        yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        request.headers["Authorization"] = f"Bearer {await self._awaited()}"
        yield request


def _async_client(url: str, **more: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"{url}/v1.0", limits=_UNKEPT, timeout=_PATIENCE, trust_env=False, **more)


def _sdk(package: str, version: str, distribution: str, url: str, token: Token) -> Any:
    """A GraphServiceClient."""
    try:
        sdk = importlib.import_module(package)
        core = importlib.import_module("msgraph_core")
        authentication = importlib.import_module("kiota_abstractions.authentication")
    except ImportError as error:
        raise ClientMissing(f"This client needs the package {distribution}: pip install {distribution}") from error

    class Token(authentication.AccessTokenProvider):  # type: ignore[misc, name-defined]
        async def get_authorization_token(self, uri: str, additional_authentication_context: Any = None) -> str:
            return await awaited(token)()

        def get_allowed_hosts_validator(self) -> Any:
            return authentication.AllowedHostsValidator([])

    provider = authentication.BaseBearerTokenAuthenticationProvider(Token())
    options = importlib.import_module(f"{package}.graph_request_adapter").options
    http = core.GraphClientFactory.create_with_default_middleware(client=_async_client(url), options=options)
    adapter = sdk.GraphRequestAdapter(provider, http)
    adapter.base_url = f"{url}/{version}"
    return sdk.GraphServiceClient(request_adapter=adapter)
