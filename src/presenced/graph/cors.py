"""CORS: Graph may be called from any page; a token, never a cookie, says who calls.

Source: headers recorded from Graph, as Microsoft's Dev Proxy repeats them. Graph's preflight answers with what the
page asked for, and so does this.
"""

import re

ANSWER_HEADERS = (
    ("Access-Control-Allow-Origin", "*"),
    (
        "Access-Control-Expose-Headers",
        "ETag, Location, Preference-Applied, Content-Range, request-id, client-request-id, ReadWriteConsistencyToken, "
        "SdkVersion, WWW-Authenticate, x-ms-client-gcc-tenant, Retry-After",
    ),
)
"""For every answer to a request that names an origin."""

_METHODS = "GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS"
_NAMES = re.compile(r"[\w!#$%&'*+.^`|~-]+(?:\s*,\s*[\w!#$%&'*+.^`|~-]+)*", re.ASCII)
_LONGEST_NAMES = 4096
_REMEMBERED = "7200"
"""Seconds a browser may keep the answer to a preflight: the longest that Chromium does."""


def preflight_headers(headers: dict[str, str]) -> tuple[tuple[str, str], ...] | None:
    """What a preflight is answered with; None if the request is none. ``headers`` are the request's."""
    if "origin" not in headers or "access-control-request-method" not in headers:
        return None
    asked = headers.get("access-control-request-headers", "").strip()
    allowed = asked if len(asked) <= _LONGEST_NAMES and _NAMES.fullmatch(asked) else "Authorization, Content-Type"
    return (
        ("Access-Control-Allow-Methods", _METHODS),
        ("Access-Control-Allow-Headers", allowed),
        ("Access-Control-Max-Age", _REMEMBERED),
    )
