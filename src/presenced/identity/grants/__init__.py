"""The grants of the token endpoint: each turns a request into an answer, or raises EntraError."""

from collections.abc import Awaitable, Callable
from typing import Any

from presenced.identity.grants.authorization_code import authorization_code
from presenced.identity.grants.client_credentials import client_credentials
from presenced.identity.grants.device_code import device_code
from presenced.identity.grants.on_behalf_of import on_behalf_of
from presenced.identity.grants.password import password
from presenced.identity.grants.refresh_token import refresh_token
from presenced.identity.identity import Identity
from presenced.identity.token_request import TokenRequest

Grant = Callable[[Identity, TokenRequest], Awaitable[dict[str, Any]]]

GRANTS: dict[str, Grant] = {
    "authorization_code": authorization_code,
    "client_credentials": client_credentials,
    "password": password,
    "refresh_token": refresh_token,
    "urn:ietf:params:oauth:grant-type:device_code": device_code,
    "urn:ietf:params:oauth:grant-type:jwt-bearer": on_behalf_of,
}

# As MSAL for Go spells it.
ALIASES = {"device_code": "urn:ietf:params:oauth:grant-type:device_code"}

FOR_PAGES = frozenset({"authorization_code", "refresh_token"})
"""What a page may ask for by fetch; of the others none is a page's."""
