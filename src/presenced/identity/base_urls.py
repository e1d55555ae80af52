"""BaseUrls: the addresses this server goes by, as ``scheme://host[:port]`` without a path."""

import re
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from presenced.identity.loopback import is_loopback

# host[:port]: a name (with the underscores of container networks), an IPv4 address, or an IPv6 address in brackets.
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class BaseUrls:
    """``public_url`` is the address clients are to use, if the administrator set one (behind a proxy they must)."""

    def __init__(self, public_url: str | None = None) -> None:
        self._public = None if public_url is None else _normal(public_url)
        if public_url is not None and self._public is None:
            raise ValueError(f"The public URL {public_url!r} must look like https://presence.example.com.")

    def of(self, request: HTTPConnection) -> str:
        """The address to tell this client: the public one, else the one it asked for, else the one it connected to."""
        return self._public or _asked(request) or _connected(request)

    def own(self, request: HTTPConnection) -> set[str]:
        """The addresses that are certainly this server's.

        What the Host header says is not, unless it is a loopback name: whoever sends a request writes it. If it were
        taken, a client assertion made for another server could be sent on to this one, under that server's name.
        The address the connection was accepted at (uvicorn takes it from the socket) cannot be chosen so.
        """
        own = {_connected(request)} | ({self._public} if self._public else set())
        asked = _asked(request)
        if asked is not None and is_loopback(_hostname(asked)):
            own.add(asked)
        return own

    def hosts(self, request: HTTPConnection) -> set[str]:
        """The host names, without ports, of all addresses the client may mean this server by."""
        return {_hostname(url) for url in (self.of(request), _asked(request) or self.of(request))}


def _asked(request: HTTPConnection) -> str | None:
    host = request.headers.get("host", "").lower()
    return _normal(f"{request.scope['scheme']}://{host}") if _HOST.fullmatch(host) else None


def _connected(request: HTTPConnection) -> str:
    host, port = request.scope.get("server") or ("localhost", None)
    if port is None:  # a Unix socket has a path in place of the host
        host = "localhost"
    url = f"{request.scope['scheme']}://{f'[{host}]' if ':' in host else host}" + (f":{port}" if port else "")
    return _normal(url) or url


def _normal(url: str) -> str | None:
    """``url`` without the scheme's own port, in lower case; None if it is more or less than scheme, host and port."""
    try:
        parts = urlsplit(url.lower())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(parts.netloc):
        return None
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        return None
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}")


def _hostname(url: str) -> str:
    return urlsplit(url).hostname or ""
