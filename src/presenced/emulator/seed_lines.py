"""Seed lines: in which line of a seed's text something stands, so that a mistake can be found.

A path is a run of names and positions, as ("tenants", 0, "people", 3, "sessions"). What is missing is shown by the line
of what should hold it.
"""

import re
import secrets
from collections.abc import MutableMapping, MutableSequence
from typing import Any, Literal

import tomlkit
import tomlkit.exceptions
import yaml

Format = Literal["json", "toml", "yaml"]
Path = tuple[str | int, ...]

_ONLY_JSON = re.compile(
    r"\t|[\u2028\u2029\x85]|[^\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def line_of(text: str, form: Format, path: Path) -> int | None:
    """The line (from 1) where ``path`` stands in ``text``, or as much of it as is there; None if that is unknown."""
    return _in_toml(text, path) if form == "toml" else _in_yaml(text, path, json=form == "json")


def _in_yaml(text: str, path: Path, *, json: bool) -> int | None:
    # what JSON may hold and YAML may not, or takes for the end of a line; none of it is a part of the names in a seed
    try:
        node = yaml.compose(_ONLY_JSON.sub(" ", text) if json else text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return None
    line = node.start_mark.line if node is not None else 0
    for step in path:
        if isinstance(node, yaml.MappingNode) and isinstance(step, str):
            found = next(((key, value) for key, value in node.value if key.value == step), None)
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line
        else:
            break
    return int(line) + 1


def _in_toml(text: str, path: Path) -> int | None:
    """By putting a mark there and writing the document again, which changes no line before it."""
    try:
        holder: Any = tomlkit.parse(text)
    except (tomlkit.exceptions.TOMLKitError, RecursionError):
        return None
    document, steps = holder, iter(path)
    step = next(steps, None)
    if not _holds(holder, step):
        return 1
    while True:
        inner, following = holder[step], next(steps, None)
        if not _holds(inner, following):
            # a table's head has no value that could be marked, but the first in it has
            following = next(iter(inner), None) if isinstance(inner, MutableMapping) else 0
        if not _holds(inner, following):
            break
        holder, step = inner, following
    mark = f"mark-{secrets.token_hex(8)}"
    holder[step] = mark
    before, found, _ = tomlkit.dumps(document).partition(mark)
    # tables that belong together are written together, so what is before may have moved
    return before.count("\n") + 1 if found and text.startswith(before.removesuffix('"')) else None


def _holds(node: Any, step: str | int | None) -> bool:
    if isinstance(node, MutableMapping):
        return isinstance(step, str) and step in node
    return isinstance(node, MutableSequence) and isinstance(step, int) and step < len(node)
