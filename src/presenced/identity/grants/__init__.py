"""The grants of the token endpoint: each turns a request into an answer, or raises EntraError."""

from collections.abc import Awaitable, Callable
from typing import Any

from presenced.identity.grants.client_credentials import client_credentials
from presenced.identity.grants.password import password
from presenced.identity.identity import Identity
from presenced.identity.token_request import TokenRequest

Grant = Callable[[Identity, TokenRequest], Awaitable[dict[str, Any]]]

GRANTS: dict[str, Grant] = {
    "client_credentials": client_credentials,
    "password": password,
}
