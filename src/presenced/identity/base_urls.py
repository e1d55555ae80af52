"""BaseUrls: the addresses this server goes by, as ``scheme://host[:port]`` without a path."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from presenced.identity.loopback import is_loopback

# host[:port]: a name (with the underscores of container networks), an IPv4 address, or an IPv6 address in brackets.
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}


Scope = Mapping[str, Any]


class BaseUrls:
    """``public_url`` is the address clients are to use, if the administrator set one (behind a proxy they must)."""

    def __init__(self, public_url: str | None = None) -> None:
        self._public = None if public_url is None else _normal(public_url)
        if public_url is not None and self._public is None:
            raise ValueError(f"The public URL {public_url!r} must look like https://presence.example.com.")

    def of(self, scope: Scope) -> str:
        """The address to tell this client: the public one, else the one it asked at, else the one it came in at."""
        if self._public is not None:
            return self._public
        scheme = scope["scheme"]
        return _asked(scheme, _host(scope)) or _connected(scheme, scope.get("server"))

    def own(self, scope: Scope) -> set[str]:
        """The addresses that are certainly this server's.

        What the Host header says is not, unless it is a loopback name: whoever sends a request writes it. If it were
        taken, a client assertion made for another server could be sent on to this one, under that server's name.
        The address the connection was accepted at (uvicorn takes it from the socket) cannot be chosen so.
        """
        scheme = scope["scheme"]
        own = {_connected(scheme, scope.get("server"))} | ({self._public} if self._public else set())
        asked = _asked(scheme, _host(scope))
        if asked is not None and is_loopback(_hostname(asked)):
            own.add(asked)
        return own

    def hosts(self, scope: Scope) -> set[str]:
        """The host names, without ports, of all addresses the client may mean this server by."""
        told = self.of(scope)
        return {_hostname(url) for url in (told, _asked(scope["scheme"], _host(scope)) or told)}


def _host(scope: Scope) -> bytes:
    return next((value for name, value in scope["headers"] if name == b"host"), b"")


# Every answer names its address, and clients ask at few.
@lru_cache(256)
def _asked(scheme: str, host: bytes) -> str | None:
    name = host.decode("latin-1").lower()
    return _normal(f"{scheme}://{name}") if _HOST.fullmatch(name) else None


@lru_cache(256)
def _connected(scheme: str, server: tuple[str, int | None] | None) -> str:
    host, port = server or ("localhost", None)
    if port is None:  # a Unix socket has a path in place of the host
        host = "localhost"
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}" + (f":{port}" if port else "")
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
