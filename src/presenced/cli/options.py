"""Options: the settings as click options, and presenced.toml as their defaults.

Each command names the settings it uses; flag, environment variable, key and help all come from settings.py. Options of
one command only (``presenced token --lifetime``) are ``PRESENCED_TOKEN_LIFETIME`` and ``lifetime`` in ``[token]``.
"""

import difflib
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from presenced.identity.external import ExternalIssuer
from presenced.notify.addresses import parse_allowed
from presenced.settings import Option, Settings, options

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_FILE = Path("presenced.toml")


class _Issuer(click.ParamType[ExternalIssuer]):
    """A JSON object on the command line, a table in the file."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ExternalIssuer:
        if isinstance(value, ExternalIssuer):
            return value
        try:
            if isinstance(value, str):
                return msgspec.json.decode(value, type=ExternalIssuer)
            return msgspec.convert(value, ExternalIssuer)
        except (msgspec.MsgspecError, ValueError) as error:
            self.fail(f"not an issuer: {error}", param, ctx)


class _Allowed(click.ParamType[str]):
    """An entry of notify.allow."""

    name = "network or host"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            parse_allowed(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value)


_ENTRIES: dict[str, click.ParamType[Any]] = {"issuers": _Issuer(), "notify_allow": _Allowed()}


def settings_options(*fields: str) -> Callable[[F], F]:
    """The click options of some settings (all if none are named) and ``--config``, as keyword arguments."""

    def decorate(function: F) -> F:
        known = options()
        for field in reversed(fields or tuple(known)):
            function = _click_option(known[field])(function)
        return click.option(
            "--config",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            envvar="PRESENCED_CONFIG",
            show_envvar=True,
            is_eager=True,
            expose_value=False,
            callback=_read_file,
            help="A file with settings.  [default: presenced.toml in this folder, if there is one]",
        )(function)

    return decorate


def settings_from(values: Mapping[str, Any]) -> Settings:
    """Settings from a command's keyword arguments; those it does not take have their defaults."""
    known = options()
    given = {name: list(value) if name in _ENTRIES else value for name, value in values.items() if name in known}
    return msgspec.structs.replace(Settings(), **given)


def settings_flags(settings: Settings, fields: Sequence[str]) -> list[str]:
    """Those settings that are not as they are by default, as flags for a command line."""
    known, flags = options(), list[str]()
    for field in fields:
        option, value = known[field], getattr(settings, field)
        if value == option.default:
            continue
        if option.type is bool:
            flags.append(option.flag if value else f"--no-{option.flag.removeprefix('--')}")
            continue
        for one in value if isinstance(value, list) else [value]:
            flags += [option.flag, _word(one)]
    return flags


def _word(value: Any) -> str:
    if isinstance(value, Path):
        return str(value.absolute())
    return msgspec.json.encode(value).decode() if isinstance(value, msgspec.Struct) else str(value)


def _click_option(option: Option) -> Callable[[F], F]:
    more: dict[str, Any] = {"default": option.default, "show_default": option.shown_default}
    if option.field in _ENTRIES:
        more = {"multiple": True, "type": _ENTRIES[option.field]}
    elif option.type is bool:
        names = f"{option.flag}/--no-{option.flag.removeprefix('--')}"
        return click.option(
            names,
            option.field,
            envvar=option.variable,
            show_envvar=True,
            help=option.description,
            **more,
        )
    elif option.choices is not None:
        more["type"] = click.Choice(option.choices)
    elif option.type is int:
        more["type"] = click.IntRange(option.least, option.most)
    elif option.type in (Path, Path | None):
        more["type"] = click.Path(path_type=Path)
    return click.option(
        option.flag, option.field, envvar=option.variable, show_envvar=True, help=option.description, **more
    )


def _read_file(ctx: click.Context, param: click.Parameter, path: Path | None) -> None:
    """Make the file's values the defaults of this command's options."""
    if path is None:
        if not DEFAULT_FILE.is_file():
            return
        path = DEFAULT_FILE
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.BadParameter(f"{path}: {error}", ctx, param) from error
    ctx.default_map = _defaults(content, _command_name(ctx), ctx.find_root().command, path)


def _command_name(ctx: click.Context) -> str:
    """``token``, or ``users-import`` for a command of a group."""
    names = []
    while ctx.parent is not None:
        names.append(ctx.info_name or "")
        ctx = ctx.parent
    return "-".join(reversed(names))


def _defaults(content: dict[str, Any], command: str, root: click.Command, path: Path) -> dict[str, Any]:
    fields = {option.key: option.field for option in options().values()}
    tables = command_tables(root)
    defaults: dict[str, Any] = {}
    for key, value in _flat(content, tables):
        if key in fields:
            if fields[key] in _ENTRIES and not isinstance(value, list):
                raise click.ClickException(f"{path}: {key} is a list, such as [{json.dumps(value, default=str)}].")
            defaults[fields[key]] = value
        elif key in tables and isinstance(value, dict):
            for name, setting in value.items():
                if name not in tables[key]:
                    raise click.ClickException(_unknown(path, f"{key}.{name}", [f"{key}.{own}" for own in tables[key]]))
                if key == command:
                    defaults[tables[key][name]] = setting
        else:
            raise click.ClickException(_unknown(path, key, [*fields, *tables]))
    return defaults


def _flat(content: dict[str, Any], tables: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Keys with dots for tables, except the tables of commands."""
    pairs: list[tuple[str, Any]] = []
    for key, value in content.items():
        if isinstance(value, dict) and prefix + key not in tables:
            pairs.extend(_flat(value, tables, f"{prefix}{key}."))
        else:
            pairs.append((prefix + key, value))
    return pairs


def command_tables(root: click.Command, prefix: str = "") -> dict[str, dict[str, str]]:
    """Of each command its table's name in the file, and its own options: key in the file to parameter name."""
    shared = set(options()) | {"config", "help"}
    tables: dict[str, dict[str, str]] = {}
    if isinstance(root, click.Group):
        for name, command in root.commands.items():
            tables.update(command_tables(command, f"{prefix}-{name}".lstrip("-")))
    elif prefix:
        own = {
            parameter.name.replace("_", "-"): parameter.name
            for parameter in root.params
            if isinstance(parameter, click.Option) and parameter.name and parameter.name not in shared
        }
        tables[prefix] = own
    return tables


def _unknown(path: Path, key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"{path}: there is no setting {json.dumps(key)}.{hint}"
