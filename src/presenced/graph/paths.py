"""Paths: from the forms that clients send to one operation.

Held here: both versions; the short and the namespace-qualified name of every action (old SDKs send
``microsoft.graph.setPresence``); segments in any letter case; the key form ``users('id')``; and the placeholder that
Kiota SDKs leave for ``/me`` when their URL handler is missing (``/users/me-token-to-replace``).
"""

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

VERSIONS = ("v1.0", "beta")

_QUALIFIER = "microsoft.graph."
_KEY_FORM = re.compile(r"([A-Za-z]+)\('([^']*)'\)")
_ME_PLACEHOLDERS = {"me-token-to-replace", "tokentoreplace"}
_LONGEST = 2048


class Path(NamedTuple):
    """A request path taken apart: ``template`` in lower case with ``{id}`` for the key in it, and that key as sent."""

    version: str
    template: str
    key: str


@lru_cache(4096)
def parse(raw_path: str) -> Path | None:
    """The path, still percent-encoded, or None if it is not one of Graph's (no version, or longer than any can be)."""
    if len(raw_path) > _LONGEST:
        return None
    segments = [unquote(segment) for segment in raw_path.strip("/").split("/")]
    version = segments.pop(0).lower()
    if version not in VERSIONS or "" in segments:
        return None
    segments = [part for segment in segments for part in _split_key(segment)]
    if len(segments) > 1 and segments[0].lower() == "users" and segments[1].lower() in _ME_PLACEHOLDERS:
        segments[:2] = ["me"]
    names = [segment.lower().removeprefix(_QUALIFIER) for segment in segments]
    place = _key_place(names)
    if place is None:
        return Path(version, "/".join(names), "")
    key, names[place] = segments[place], "{id}"
    return Path(version, "/".join(names), key)


def _split_key(segment: str) -> list[str]:
    key_form = _KEY_FORM.fullmatch(segment)
    return [key_form[1], key_form[2]] if key_form else [segment]


def _key_place(names: list[str]) -> int | None:
    """Where in the path a collection's key stands."""
    if len(names) > 1 and names[0] in ("users", "subscriptions"):
        return 1
    if len(names) > 2 and names[:2] == ["communications", "presences"]:
        return 2
    return None
