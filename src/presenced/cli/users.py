"""presenced users: import and list the people of the directory."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from presenced.cli.connection import connect, run
from presenced.cli.options import settings_from, settings_options
from presenced.cli.terminal import plain
from presenced.control import ImportRequest, ImportResult, ImportRow, Impossible, ListRequest, PersonRequest
from presenced.identity.directory import Person
from presenced.settings import Settings

_AT_ONCE = 1000
_MOST_SHOWN = 20
_MEMBERS = ("id", "userPrincipalName", "displayName", "mail", "jobTitle")


@click.group()
def users() -> None:
    """The people of the directory."""


@users.command("import")
@settings_options("data")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--tenant", help="The id of the tenant; made if there is none.  [default: the folder's own]")
def import_users(file: Path, tenant: str | None, **values: Any) -> None:
    """Add the people in FILE, or change those already known.

    FILE is CSV with a header or a JSON array of objects, with any of: id, userPrincipalName, displayName, mail,
    jobTitle. People are known by id, or else by userPrincipalName. Columns of other names are passed over.
    """
    result = run(_import(settings_from(values), read_people(file), tenant))
    click.echo(f"{result.added} added, {result.updated} updated, {len(result.wrong)} not taken.")
    for line in result.wrong[:_MOST_SHOWN]:
        click.echo(line, err=True)
    if len(result.wrong) > _MOST_SHOWN:
        click.echo(f"... and {len(result.wrong) - _MOST_SHOWN} more.", err=True)
    if result.wrong:
        raise SystemExit(1)


@users.command("list")
@settings_options("data")
@click.option("--tenant", help="The id of the tenant.  [default: the folder's own]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of a table.")
def list_users(tenant: str | None, as_json: bool, **values: Any) -> None:
    """List the people of a tenant."""
    people = run(_list(settings_from(values), tenant))
    if as_json:
        for person in people:
            click.echo(msgspec.json.encode(person).decode())
        return
    table = Table("id", "userPrincipalName", "displayName", "jobTitle", box=None, header_style="bold")
    for person in people:
        cells = (person.id, person.user_principal_name, person.display_name, person.job_title)
        table.add_row(*(plain(cell or "") for cell in cells))
    Console(width=None if Console().is_terminal else 160).print(table)
    click.echo(f"{len(people)} people")


@users.command("sign-out")
@settings_options("data")
@click.argument("user")
@click.option("--tenant", help="The id of the tenant.  [default: the folder's own]")
def sign_out(user: str, tenant: str | None, **values: Any) -> None:
    """Sign USER (an id or userPrincipalName) out of every app: browsers and refresh tokens.

    Access tokens that were given already go on until they end, an hour at most.
    """
    ended = run(_sign_out(settings_from(values), PersonRequest(user, tenant)))
    click.echo(f"Signed out. Refresh tokens ended: {ended}.")


def read_people(file: Path) -> list[ImportRow]:
    """The rows of a CSV or JSON file. Raises click.ClickException with the place of what is wrong."""
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file} cannot be read as UTF-8 text: {error}") from error
    rows = _from_json(file, text) if text.lstrip()[:1] in ("[", "{") else _from_csv(file, text)
    people = []
    for number, row in enumerate(rows, 1):
        try:
            people.append(msgspec.convert(row, ImportRow))
        except msgspec.ValidationError as error:
            raise click.ClickException(f"{file}: row {number}: {error}") from error
    return people


def _from_csv(file: Path, text: str) -> list[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    spelling = {name.lower(): name for name in _MEMBERS}
    columns = {
        column: spelling[column.strip().lower()]
        for column in reader.fieldnames or ()
        if column.strip().lower() in spelling
    }
    if not {"id", "userPrincipalName"} & set(columns.values()):
        raise click.ClickException(
            f"{file} has no column id or userPrincipalName. The first line names the columns: {','.join(_MEMBERS)}"
        )
    try:
        # an empty cell says nothing, so it changes nothing
        return [{columns[name]: cell for name, cell in row.items() if name in columns and cell} for row in reader]
    except csv.Error as error:
        raise click.ClickException(f"{file}: line {reader.line_num}: {error}") from error


def _from_json(file: Path, text: str) -> list[Any]:
    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise click.ClickException(f"{file} is not valid JSON: {error}") from error
    # Graph's own answer to GET /users is {"value": [...]}
    rows = content.get("value") if isinstance(content, dict) else content
    if not isinstance(rows, list):
        raise click.ClickException(f"{file} is neither a JSON array of people nor an object with one as its value.")
    return rows


async def _import(settings: Settings, people: list[ImportRow], tenant: str | None) -> ImportResult:
    total = ImportResult()
    bar = Progress(
        TextColumn("Importing people"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    async with connect(settings) as connection:
        with bar:
            task = bar.add_task("", total=len(people))
            for first in range(0, len(people), _AT_ONCE):
                rows = people[first : first + _AT_ONCE]
                try:
                    part = await connection.ask("/users/import", ImportRequest(rows, first + 1, tenant), ImportResult)
                except Impossible as error:
                    kept = total.added + total.updated
                    raise Impossible(f"{error} The first {kept} rows were taken; import the file again.") from error
                total.added += part.added
                total.updated += part.updated
                total.wrong += part.wrong
                bar.advance(task, len(rows))
    return total


async def _sign_out(settings: Settings, request: PersonRequest) -> int:
    async with connect(settings) as connection:
        return await connection.ask("/users/sign-out", request, int)


async def _list(settings: Settings, tenant: str | None) -> list[Person]:
    people: list[Person] = []
    async with connect(settings) as connection:
        while page := await connection.ask(
            "/users/list", ListRequest(tenant, people[-1].id if people else ""), list[Person]
        ):
            people += page
    return people
