"""Seed file: a seed read from TOML, YAML or JSON, with the line of what is wrong with it; and written as one."""

import difflib
import json
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import tomlkit
import yaml

from presenced.calendar.content_lines import MOST_BYTES as MOST_CALENDAR
from presenced.emulator.seed import Guid, Seed
from presenced.emulator.seed_lines import Format, line_of
from presenced.emulator.seed_lines import Path as Place

MOST_BYTES = 1 << 26
DEEPEST = 30
_MOST_NODES = 10_000_000
"""Of YAML with its references followed: a few lines can refer to each other a billion times."""

_WHERE = re.compile(r" - at `\$?(.*)`$", re.DOTALL)
_STEP = re.compile(r"\.([A-Za-z_$][\w$]*)|\[(\d+)\]", re.ASCII)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_FORMATS: dict[str, Format] = {"json": "json", "toml": "toml", "yaml": "yaml", "yml": "yaml"}


class SeedWrong(Exception):
    """A seed cannot be used. The message says why, and in which line if that is known."""

    def __init__(self, message: str, path: Place = (), line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line

    def __str__(self) -> str:
        return self.message if self.line is None else f"line {self.line}: {self.message}"

    def located(self, text: str, form: Format) -> "SeedWrong":
        """The same, with its line in ``text``."""
        return self if self.line is not None else SeedWrong(self.message, self.path, line_of(text, form, self.path))


def format_of(path: Path) -> Format:
    """Which format a file is in, by its name. Raises SeedWrong."""
    form = _FORMATS.get(path.suffix.lower().lstrip("."))
    if form is None:
        raise SeedWrong(f"{path} is named neither .toml nor .yaml nor .json, so its format is not known.")
    return form


def read_file(path: Path) -> tuple[Seed, str, Format]:
    """A seed with the calendar files it names, and the text and format it came in. Raises SeedWrong."""
    form = format_of(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SeedWrong(f"{path} cannot be read: {error.strerror}.") from error
    seed, text = read(content, form)
    try:
        return _with_calendars(seed, path.parent), text, form
    except SeedWrong as wrong:
        raise wrong.located(text, form) from None


def read(content: bytes, form: Format) -> tuple[Seed, str]:
    """A seed, and its text. Raises SeedWrong."""
    if len(content) > MOST_BYTES:
        raise SeedWrong(f"A seed has at most {MOST_BYTES} bytes.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SeedWrong("This is not UTF-8.", line=content.count(b"\n", 0, error.start) + 1) from error
    try:
        # TOML has dates of its own; here they are text as everywhere else
        found = msgspec.to_builtins(_PARSERS[form](text))
        seed = msgspec.convert(found, Seed)
        msgspec.json.encode(seed)  # which finds half of a pair of surrogates, as an escape can write it
        return seed, text
    except UnicodeEncodeError:
        raise SeedWrong(
            "This holds half of a character (an escape from \\ud800 to \\udfff without its other)."
        ) from None
    except RecursionError:
        raise SeedWrong("This is nested too deeply.") from None
    except msgspec.ValidationError as error:
        raise _explained(str(error)).located(text, form) from None


def write(seed: Seed, form: Format) -> str:
    """The text of a seed."""
    plain = msgspec.to_builtins(seed)
    if form == "json":
        return json.dumps(plain, indent=2, ensure_ascii=False) + "\n"
    if form == "toml":
        return tomlkit.dumps(plain)
    text: str = yaml.dump(plain, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False, width=120)
    return text


def _with_calendars(seed: Seed, folder: Path) -> Seed:
    """The seed with the calendar files that it names in it, as text."""
    tenants = []
    for number, tenant in enumerate(seed.tenants):
        people = list(tenant.people)
        for at, person in enumerate(people):
            if person.calendar_file is not None:
                place = ("tenants", number, "people", at, "calendarFile")
                text = _calendar(folder / person.calendar_file, place)
                people[at] = msgspec.structs.replace(person, calendar=text, calendar_file=None)
        tenants.append(msgspec.structs.replace(tenant, people=tuple(people)))
    return msgspec.structs.replace(seed, tenants=tuple(tenants))


def _calendar(file: Path, place: Place) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_CALENDAR + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise SeedWrong(f"The calendar {file} cannot be read: {why}.", place) from error
    return content.decode("utf-8", "replace")


def _from_toml(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"\(at line (\d+), ", str(error))
        raise SeedWrong(
            f"This is not TOML: {str(error).partition(' (at ')[0]}.",
            line=int(line[1]) if line else text.count("\n") + 1,
        ) from None
    except ValueError as error:  # an integer of too many digits
        raise SeedWrong(f"This TOML holds what cannot be read: {error}.") from None


def _from_json(text: str) -> Any:
    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(members)
        if len(found) != len(members):
            twice = Counter(name for name, _ in members).most_common(1)[0][0]
            raise SeedWrong(f"An object names {twice!r} twice.")
        return found

    try:
        return json.loads(text, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        raise SeedWrong(f"This is not JSON: {error.msg}.", line=error.lineno) from None
    except ValueError as error:  # an integer of too many digits
        raise SeedWrong(f"This JSON holds what cannot be read: {error}.") from None


class _YamlLoader(yaml.CSafeLoader):
    """YAML's plain types as JSON has them: no dates, and only true and false are booleans (as YAML 1.2 has it)."""


_YamlLoader.yaml_implicit_resolvers = {
    letter: [(tag, words) for tag, words in resolvers if not tag.endswith((":timestamp", ":bool"))]
    for letter, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_YamlLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def _from_yaml(text: str) -> Any:
    try:
        _check_depth(text)
        loader = _YamlLoader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return {}
            _count(node, {})
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else None
        raise SeedWrong(f"This is not YAML: {error.problem or error.context}.", line=line) from None
    except yaml.YAMLError as error:
        raise SeedWrong(f"This is not YAML: {error}.") from None
    except (ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        # an integer of too many digits, or a tag on what it does not fit (!!bool maybe)
        raise SeedWrong(f"This YAML holds what cannot be read: {error}.") from None


def _check_depth(text: str) -> None:
    """The parser in C makes nodes by recursion without an end, and would take the whole process with it."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                line = event.start_mark.line + 1 if event.start_mark is not None else None
                raise SeedWrong("This is nested too deeply.", line=line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _count(node: yaml.Node, counted: dict[int, int]) -> int:
    """How many nodes there are with references followed. Raises SeedWrong: too many, or a key that is there twice."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    known = counted.get(id(node))
    if known is not None:
        if not known:
            raise SeedWrong("This refers to itself.", line=node.start_mark.line + 1)
        return known
    counted[id(node)] = 0
    total = 1
    inner = node.value
    if isinstance(node, yaml.MappingNode):
        keys = set()
        for key, _ in inner:
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys:
                    raise SeedWrong(f"{key.value!r} is there twice.", line=key.start_mark.line + 1)
                keys.add(key.value)
        inner = [part for pair in inner for part in pair]
    for part in inner:
        total += _count(part, counted)
        if total > _MOST_NODES:
            raise SeedWrong("This refers to itself too many times.", line=node.start_mark.line + 1)
    counted[id(node)] = total
    return total


_PARSERS = {"toml": _from_toml, "json": _from_json, "yaml": _from_yaml}


def _explained(error: str) -> SeedWrong:
    """What msgspec says, with what would be right instead."""
    where = _WHERE.search(error)
    what = error[: where.start()] if where else error
    steps = _STEP.finditer(where[1]) if where else iter(())
    path: Place = tuple(int(step[2]) if step[2] else step[1] for step in steps)
    if unknown := _UNKNOWN.fullmatch(what):
        names = [field.encode_name for field in msgspec.structs.fields(_kind(path))]
        near = difflib.get_close_matches(unknown[1], names, 1)
        hint = f"Do you mean {near[0]}?" if near else f"There can be: {', '.join(names)}."
        return SeedWrong(f"There is no {unknown[1][:100]!r} here. {hint}", (*path, unknown[1]))
    if what.startswith("Invalid enum value"):
        return SeedWrong(f"{what}. One of: {', '.join(map(str, _words(_hint(path))))}.", path)
    if "matching regex" in what and str(msgspec.json.schema(Guid)["pattern"]) in what:
        return SeedWrong("This is no GUID, such as fa8bf3dc-eca7-46b7-bad1-db199b62afc3.", path)
    return SeedWrong(f"{what}.", path)


def _hint(path: Place) -> Any:
    """The type of what stands at a path."""
    hint: Any = Seed
    for step in path:
        if isinstance(step, int):
            hint = _args(hint, tuple)[0]
        else:
            struct = _struct(hint)
            field = next(field for field in msgspec.structs.fields(struct) if field.encode_name == step)
            hint = get_type_hints(struct)[field.name]
    return hint


def _kind(path: Place) -> type[msgspec.Struct]:
    return _struct(_hint(path))


def _struct(hint: Any) -> type[msgspec.Struct]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    return next(_struct(part) for part in get_args(hint) if part is not type(None))


def _args(hint: Any, origin: type) -> tuple[Any, ...]:
    return get_args(hint) if getattr(hint, "__origin__", None) is origin else _args(get_args(hint)[0], origin)


def _words(hint: Any) -> tuple[Any, ...]:
    """The words of a Literal, which may be one side of a union."""
    parts = get_args(hint)
    return tuple(word for part in parts for word in ((part,) if isinstance(part, str) else _words(part)))
