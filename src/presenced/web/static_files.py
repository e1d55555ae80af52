"""Static files: the page, its style and its modules, from the package, in memory."""

import hashlib
from functools import cache
from importlib import resources
from typing import NamedTuple

_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


class File(NamedTuple):
    """A file as it is answered."""

    content: bytes
    media_type: str
    etag: str


@cache
def files() -> dict[str, File]:
    """All files by their name."""
    found = {}
    for file in resources.files("presenced.web").joinpath("static").iterdir():
        suffix = file.name[file.name.rfind(".") :]
        if suffix in _TYPES:
            content = file.read_bytes()
            tag = hashlib.sha256(content).hexdigest()[:32]
            found[file.name] = File(content, f"{_TYPES[suffix]}; charset=utf-8", f'"{tag}"')
    return found
