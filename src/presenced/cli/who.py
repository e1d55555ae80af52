"""Who: the people that a command is told, by id, by userPrincipalName, or as "me", and their ids and names."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from presenced.cli.graph_client import GraphClient, Refused, Somebody
from presenced.cli.terminal import printable
from presenced.control import Impossible
from presenced.presence.record import guid

_MOST = 200_000
_MOST_BYTES = 32 << 20
_LONGEST = 256
_MOST_SHOWN = 20

ME = "me"

people_file = click.option(
    "--file",
    "file",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="A file with more people, an id or userPrincipalName a line; - is standard input.",
)


class Found(msgspec.Struct):
    """The ids of people in the order asked, what is known of each by id, and the names that are nobody's."""

    ids: list[str]
    known: dict[str, Somebody]
    missing: list[str]


def asked_for(people: Sequence[str], file: Path | None) -> list[str]:
    """All people asked for, each once, in order. Raises Impossible with the place of what is wrong."""
    context = click.get_current_context(silent=True)
    if context is not None and str(file) == context.params.get("token") == "-":
        raise Impossible("Standard input is either the token's or the file's. Give the token as PRESENCED_TOKEN.")
    keys = [*people, *(_lines(file) if file is not None else [])]
    if len(keys) > _MOST:
        raise Impossible(f"These are more than {_MOST:,} people.")
    for key in keys:
        if not key.strip() or len(key) > _LONGEST or not key.isprintable():
            raise Impossible(f"{printable(key, 60)!r} is no id or userPrincipalName.")
    return list({(guid(key.strip()) or key.strip()): None for key in keys})


async def find(client: GraphClient, keys: Sequence[str], *, names: bool) -> Found:
    """The ids of people; their names too, if ``names`` and the token may. Raises Impossible."""
    ids: dict[str, str] = {key: key for key in keys if guid(key) == key}
    known: dict[str, Somebody] = {}
    for key in keys:
        if key.lower() == ME:
            check_me(client)
            ids[key] = str((await client.call("GET", "/me/presence", None, "Presence.Read"))["id"])
    by_name = [key for key in keys if key not in ids]
    asked = [*by_name, *(ids.values() if names else ())]
    found: dict[str, Somebody] = {}
    try:
        found = await client.people(asked)
    except Refused as error:
        if error.status == 403 and by_name:
            raise Refused(f"{error} Or say ids instead of names.", error.status, error.code) from error
        if error.status != 403:
            raise
    for key, person in found.items():
        ids[key] = person.id.lower()
        known[person.id.lower()] = person
    missing = [key for key in by_name if key not in ids]
    return Found(list({ids[key]: None for key in keys if key in ids}), known, missing)


def check_me(client: GraphClient) -> None:
    """Raises Impossible if nobody is "me": a data folder's token speaks for an app."""
    if client.is_folder:
        raise Impossible(f'"{ME}" is who a token given with --graph speaks for. Say an id or userPrincipalName.')


def say_missing(missing: Sequence[str]) -> None:
    """Say on stderr which names are nobody's."""
    for key in missing[:_MOST_SHOWN]:
        click.echo(f"There is nobody with the id or name {printable(key)}.", err=True)
    if len(missing) > _MOST_SHOWN:
        click.echo(f"... and {len(missing) - _MOST_SHOWN} more.", err=True)


def _lines(file: Path) -> list[str]:
    name = "standard input" if str(file) == "-" else str(file)
    try:
        if str(file) == "-":
            content = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with file.open("rb") as opened:
                content = opened.read(_MOST_BYTES + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Impossible(f"{name} cannot be read: {reason}.") from error
    if len(content) > _MOST_BYTES:
        raise Impossible(f"{name} is larger than {_MOST_BYTES >> 20} MiB.")
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]
