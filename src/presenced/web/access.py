"""Access: what every request to the board must show before anything else is looked at.

The Host header must be a name of this server's, or a page that has rebound its own name to this address could use it.
What changes anything must also come from the board's own page: it carries a header that no form can send and the
page's origin. Answers forbid everything that the page does not need.
"""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from presenced.identity.base_urls import BaseUrls

HEADER = "x-presenced-board"

CONTENT_SECURITY_POLICY = "; ".join((
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
))  # fmt: skip

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Denied(Exception):
    """The request is not answered. The message says why and what to do."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def own_address(request: Request, base_urls: BaseUrls) -> str:
    """The address, ``scheme://host[:port]``, by which the request names this server.

    Raises Denied unless that is certainly its own.
    """
    host = request.headers.get("host", "").lower()
    found = [url for url in base_urls.own(request.scope) if _same_host(host, url)]
    if not found:
        raise Denied(
            421,
            "This server does not go by the name in the address. Open it at its own address, or start it with "
            "--public-url if it is behind a proxy.",
        )
    return max(found)  # https before http: behind a proxy that has the certificate, that is what the browser sees


def check_origin(request: Request, address: str) -> None:
    """Raises Denied unless a request that changes something comes from the board's own page, at ``address``."""
    if (
        request.headers.get(HEADER) != "1"
        or request.headers.get("origin", "").lower() != address
        or request.headers.get("sec-fetch-site", "same-origin") != "same-origin"
    ):
        raise Denied(403, "Only the board's own page can do this.")


def check_reader(request: Request) -> None:
    """Raises Denied if a browser says that another site's page asks."""
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise Denied(403, "Pages of other sites cannot use the board.")


def protect(response: Response) -> Response:
    """The response with the headers that all of the board's have."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _same_host(host: str, url: str) -> bool:
    """Whether a Host header means the host and port of ``url``, whose own scheme's port may be left out."""
    parts = urlsplit(url)
    usual = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return bool(host) and host.removesuffix(usual) == parts.netloc.lower()
