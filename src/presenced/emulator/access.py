"""Access: who may use the control API under /presenced: this machine, or whoever holds the admin token.

A request from this machine must also look like one: it names the server by a loopback name (else a page that has
rebound its own name to 127.0.0.1 could send it), comes from no other site's page, and through no proxy. A Graph token
opens nothing here: any Authorization that is not the admin token is refused, wherever it comes from.
"""

import hmac
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.types import Scope

from presenced.identity.loopback import is_loopback

_PROXIED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_PORT = re.compile(r":\d{1,5}$", re.ASCII)


class NoAccess(Exception):
    """The request is refused. The message says why and what to do."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Guard(NamedTuple):
    """Who may: ``admin_token`` opens, if there is one. ``behind_proxy``: then nobody is known to be on this machine."""

    admin_token: str | None
    behind_proxy: bool = False

    def check(self, scope: Scope, headers: Mapping[str, str]) -> None:
        """Raises NoAccess unless the request may use the control API. ``headers`` have lower-case names."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind:
            given = token.strip().encode("utf-8", "surrogateescape")
            if (
                self.admin_token
                and kind.lower() == "bearer"
                and hmac.compare_digest(given, self.admin_token.encode("utf-8"))
            ):
                return
            raise NoAccess(401, "The control API takes no token but the server's admin token (--admin-token).")
        if self.behind_proxy:  # a plain one says nothing of itself, and all come from this machine then
            raise NoAccess(403, "This server is behind a proxy (--public-url): send the server's admin token.")
        client = scope.get("client")
        if client is None or not is_loopback(client[0]):
            raise NoAccess(
                403, "The control API is for this machine only; from elsewhere send the server's admin token."
            )
        if any(name in headers for name in _PROXIED):
            raise NoAccess(403, "The control API cannot be used through a proxy without the server's admin token.")
        if not is_loopback(_PORT.sub("", headers.get("host", ""))):
            raise NoAccess(403, "Name the server as localhost or 127.0.0.1 to use its control API.")
        origin = headers.get("origin")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") or (
            origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
        ):
            raise NoAccess(403, "Pages of other sites cannot use the control API.")
