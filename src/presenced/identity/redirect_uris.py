"""Redirect URIs: where the answer to a sign-in may be sent. Only to what an app registered, compared exactly.

Sources: Entra's "Redirect URI best practices" and RFC 8252 section 7.3: with a public client's loopback address the
port does not count, since such programs listen on whichever is free. Nothing else is lenient, except that a web
address without a path has the path "/" (RFC 3986 section 6.2.3).
"""

import re
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from presenced.identity.loopback import is_loopback

Platform = Literal["web", "native", "spa"]
"""Entra's platforms: who redeems a code that was sent there. web: a server with a proof; native: a program on the
person's machine, without; spa: a page, by fetch from the URI's own origin."""

MOST = 256
LONGEST = 256
_CHARACTERS = re.compile(r"[!-~]+")
_HOST = re.compile(r"[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\]", re.ASCII)
# With a private scheme (myapp://auth) the answer goes to whichever program has it. Not to these: browsers act on them.
_NEVER = frozenset({
    "about", "blob", "cid", "chrome", "content", "data", "feed", "file", "filesystem", "ftp", "ftps", "gopher",
    "intent", "jar", "javascript", "mailto", "mhtml", "ms-settings", "resource", "search-ms", "sms", "ssh", "tel",
    "urn", "vbscript", "view-source", "ws", "wss",
})  # fmt: skip


def check(uri: str, *, native: bool) -> str:
    """``uri``, if an app may register it. Raises ValueError that says what is wrong."""
    parts = _split(uri)
    if parts is None or len(uri) > LONGEST or not _CHARACTERS.fullmatch(uri) or "\\" in uri:
        raise ValueError(f"The redirect URI {uri[:LONGEST]!r} must be a URL of at most {LONGEST} ASCII characters.")
    if parts.fragment or "#" in uri or "@" in parts.netloc or "*" in uri:
        raise ValueError(f"The redirect URI {uri!r} must have no fragment, no user name and no wildcard.")
    if parts.scheme in ("http", "https"):
        if not _HOST.fullmatch(parts.hostname_text):
            raise ValueError(f"The redirect URI {uri!r} names no host.")
        if parts.scheme == "http" and not is_loopback(parts.hostname_text):
            raise ValueError(f"The redirect URI {uri!r} must be https; http is for localhost and loopback addresses.")
    elif not native:
        raise ValueError(f"The redirect URI {uri!r} must be https, or http at localhost.")
    elif parts.scheme in _NEVER or not uri[len(parts.scheme) :].startswith("://"):
        raise ValueError(f"The redirect URI {uri!r} must be https, http at localhost, or a private scheme (myapp://…).")
    return uri


def origin_of(uri: str) -> str | None:
    """The origin of a web address as browsers write it (RFC 6454), None for any other URI."""
    parts = _split(uri)
    if parts is None or parts.scheme not in ("http", "https"):
        return None
    port = "" if parts.port_number in (None, _PORTS[parts.scheme]) else f":{parts.port_number}"
    return f"{parts.scheme}://{parts.hostname_text}{port}"


_PORTS = {"http": 80, "https": 443}


class _Parts:
    """A URI taken apart; hosts of IPv6 keep their brackets."""

    def __init__(self, split: SplitResult) -> None:
        self.scheme = split.scheme
        self.netloc = split.netloc
        self.path = split.path
        self.query = split.query
        self.fragment = split.fragment
        self.port_number = split.port
        host = split.hostname or ""
        self.hostname_text = f"[{host}]" if ":" in host else host


def _split(uri: str) -> _Parts | None:
    # urlsplit drops tabs and line breaks, so what holds them is not what it looks like
    if not _CHARACTERS.fullmatch(uri):
        return None
    try:
        parts = _Parts(urlsplit(uri))
    except ValueError:
        return None
    return parts if parts.scheme else None


def matches(asked: str, registered: str, *, any_port: bool) -> bool:
    """Whether ``asked`` is the registered URI; with ``any_port`` the port of an http loopback address is free."""
    if asked == registered:
        return True
    one, other = _split(asked), _split(registered)
    if one is None or other is None or one.scheme not in _PORTS or "#" in asked or "@" in one.netloc or "\\" in asked:
        return False
    loopback = any_port and one.scheme == "http" and is_loopback(one.hostname_text)
    return (
        one.scheme == other.scheme
        and one.hostname_text == other.hostname_text
        and (loopback or one.port_number == other.port_number)
        and (one.path or "/") == (other.path or "/")
        and one.query == other.query
        and ("?" in asked) == ("?" in registered)
    )
