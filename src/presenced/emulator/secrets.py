"""Secrets: what of requests, answers and notifications the log must not keep.

In headers, URLs and JSON, what is named like a credential is masked. Forms and queries of sign-in are read the other
way round, for there nearly everything is a credential: only what is known to be none is kept. What cannot be read, and
may hold one, is not kept at all. clientState is masked, since receivers know genuine notifications by it, and so are
validationTokens and the function keys that notification URLs may carry.
"""

import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import msgspec

MASK = "***"
MOST_KEPT = 32 * 1024
"""Bytes of a body: a request for 650 people fits."""

MOST_READ = 1024 * 1024
"""Bytes of a body that is looked through for secrets; of a longer one, none is kept if it may hold some."""

_LONGEST_FORM = 64 * 1024
_WITHHELD = "(not kept: it may hold a secret, and cannot be read)"
_SECRET = re.compile(
    r"secret|passw|pwd|token|assertion|authorization|cookie|credential|api.?key|signature|client_?state"
    r"|(?:^|[-_.])(?:code|sig|key)$|^(?:x-functions-key|device_code|user_code|code_verifier)$",
    re.IGNORECASE,
)
_NO_SECRET = frozenset(
    {"validationtoken", "token_type", "requested_token_use", "$skiptoken", "access-control-request-headers"}
)
# what the JSON of a body must hold in some letter case if anything in it is to be masked; ``code`` only where forms are
_SIGNS = (b"secret", b"passw", b"pwd", b"token", b"assertion", b"authorization", b"cookie", b"credential", b"key",
          b"signature", b"client", b"code", b"sig", b"\\u")  # fmt: skip
_ADDRESSES = frozenset({"redirect_uri", "post_logout_redirect_uri"})
_URLS = frozenset({"notificationurl", "lifecyclenotificationurl", "url", "@odata.nextlink", "location"})
_OPEN_FIELDS = frozenset(
    {
        "grant_type", "client_id", "scope", "username", "login_hint", "domain_hint", "redirect_uri", "response_type",
        "response_mode", "tenant", "client_info", "requested_token_use", "prompt", "claims", "code_challenge_method",
        "client_assertion_type", "post_logout_redirect_uri", "person", "continue_as", "cancel", "api-version",
        "authorization_endpoint", "client-request-id", "x-client-sku", "x-client-ver", "x-client-os", "x-client-cpu",
        "x-app-name", "x-app-ver", "x-ms-lib-capability", "error", "error_description", "error_codes", "suberror",
    }
)  # fmt: skip
_OPEN_ANSWER = frozenset(
    {
        "token_type", "scope", "expires_in", "ext_expires_in", "expires_on", "error", "error_description",
        "error_codes", "error_uri", "suberror", "timestamp", "trace_id", "correlation_id", "verification_uri",
        "verification_url", "interval",
    }
)  # fmt: skip


def is_secret(name: str) -> bool:
    """Whether what has this name is a credential."""
    return name.lower() not in _NO_SECRET and _SECRET.search(name) is not None


def masked_headers(raw: Iterable[tuple[bytes, bytes]], *, sign_in: bool = False) -> dict[str, str]:
    """Headers by lower-case name; of a repeated one the last. Of Authorization, its scheme is kept."""
    headers = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in ("authorization", "proxy-authorization"):
            scheme, space, _ = value.partition(" ")
            value = f"{scheme} {MASK}" if space and len(scheme) <= 16 else MASK
        elif name in ("location", "referer"):
            value = masked_url(value, only_open=sign_in or name == "referer")
        elif is_secret(name):
            value = MASK
        headers[name] = value[:4096]
    return headers


def masked_url(url: str, *, only_open: bool = False) -> str:
    """A URL with what is secret in its query and fragment masked; ``only_open``: all but what is known to be none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    host = parts.netloc.rpartition("@")
    netloc = f"{MASK}@{host[2]}" if host[1] else parts.netloc
    return urlunsplit(
        (
            parts.scheme,
            netloc,
            parts.path,
            masked_query(parts.query, only_open=only_open),
            masked_query(parts.fragment, only_open=only_open),
        )
    )


def masked_query(query: str, *, only_open: bool = False) -> str:
    """A query or a form in the same way. What needs no mask stays as it is written."""
    fields = parse_qsl(query, keep_blank_values=True)
    if not fields and query and only_open:
        return MASK
    masked = [(name, _shown(name, value) if _is_open(name, only_open) else MASK) for name, value in fields]
    if masked == fields:
        return query
    return urlencode(masked, quote_via=quote, safe="*$'(),:/@ ")


def _shown(name: str, value: str) -> str:
    """A value that is no secret, but an address may hold some."""
    return masked_url(value, only_open=True) if name.lower() in _ADDRESSES else value


def _is_open(name: str, only_open: bool) -> bool:
    return name.lower() in _OPEN_FIELDS if only_open else not is_secret(name)


def masked_json(body: bytes, size: int, *, whole: bool = True) -> str:
    """A JSON body of ``size`` bytes; ``body`` is only its beginning if it is not ``whole``."""
    start = body[:MOST_KEPT].lower()
    if any(sign in start for sign in _SIGNS):
        if not whole:
            return _WITHHELD
        try:
            body = msgspec.json.encode(_masked(msgspec.json.decode(body)))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return _WITHHELD
    return cut(body, size)


def masked_form(body: bytes, size: int, *, whole: bool = True) -> str:
    """The form of a sign-in request."""
    if not whole or len(body) > _LONGEST_FORM:
        return _WITHHELD
    return cut(masked_query(body.decode("utf-8", "replace"), only_open=True).encode(), size)


def masked_answer(body: bytes, size: int, *, whole: bool = True) -> str:
    """The JSON that a token or a device code is answered with."""
    try:
        answer = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _WITHHELD if body else ""
    shown = {name: value if name in _OPEN_ANSWER else MASK for name, value in answer.items()}
    return cut(msgspec.json.encode(shown), size)


def cut(body: bytes, size: int) -> str:
    """The text of a body, with its size (bytes) at the end if that is not all of it."""
    text = body[:MOST_KEPT].decode("utf-8", "replace")
    return text if len(body) <= MOST_KEPT else f"{text}… ({size} bytes in all)"


def unzipped(body: bytes, encoding: str) -> bytes | None:
    """A body without its Content-Encoding, at most so much of it as is looked through; None if that cannot be."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip"):
        return None
    try:
        return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS).decompress(body, MOST_READ)
    except zlib.error:
        return None


def _masked(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {key: MASK if _hides(key, part) else _masked(part, key) for key, part in value.items()}
    if isinstance(value, list):
        return [_masked(part, name) for part in value]
    if isinstance(value, str) and name.lower() in _URLS:
        return masked_url(value)
    return value


def _hides(name: str, value: Any) -> bool:
    """Whether a member is a secret. An error's ``code`` and what is null or a flag are none."""
    return value is not None and not isinstance(value, bool) and name != "code" and is_secret(name)
