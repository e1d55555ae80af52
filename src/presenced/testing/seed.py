"""What is sent for a seed: a file, or what would be in one.

A file goes to the server as it is, so that the server's message names the line of what is wrong in it. Only one that
names calendar files, which a server on another machine could not read, is put together here.
"""

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

Seed = str | os.PathLike[str] | Mapping[str, Any]
"""A file (TOML, YAML or JSON, by its name), or what would be in it."""

_MEDIA_TYPES = {
    ".toml": "application/toml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".json": "application/json",
}


class SeedBody(NamedTuple):
    """A seed as it is sent, and what to call it in messages."""

    content: bytes
    media_type: str
    name: str


def sample() -> SeedBody:
    """The sample tenant."""
    file = files("presenced.emulator") / "sample.toml"
    return SeedBody(file.read_bytes(), _MEDIA_TYPES[".toml"], file.name)


def body_of(seed: Seed) -> SeedBody:
    """Raises OSError for a file that cannot be read, ValueError for one whose name tells no format, or whose calendars
    cannot be read."""
    if isinstance(seed, Mapping):
        return SeedBody(msgspec.json.encode(dict(seed)), _MEDIA_TYPES[".json"], "")
    path = Path(seed)
    media_type = _MEDIA_TYPES.get(path.suffix.lower())
    if media_type is None:
        raise ValueError(f"{path} is named neither .toml nor .yaml nor .json, so its format is not known.")
    content = path.read_bytes()
    if b"calendarFile" in content:
        return _with_calendars(path)
    return SeedBody(content, media_type, str(path))


def _with_calendars(path: Path) -> SeedBody:
    from presenced.emulator.seed_file import SeedWrong, read_file, write  # few need it, and it takes a while to import

    try:
        found, _, _ = read_file(path)
    except SeedWrong as wrong:
        raise ValueError(f"{path}: {wrong}") from None
    return SeedBody(write(found, "json").encode(), _MEDIA_TYPES[".json"], str(path))
