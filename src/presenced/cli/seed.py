"""presenced seed, export and reset: what a server holds to begin with, what it holds now, and back again."""

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from presenced.cli.connection import connect, connect_running, run
from presenced.cli.options import settings_from, settings_options
from presenced.clock import SystemClock
from presenced.control import EnvironmentRequest, Impossible
from presenced.emulator.baseline import Baseline
from presenced.emulator.seed import Seed, schema
from presenced.emulator.seed_file import SeedWrong, format_of, read_file, write
from presenced.emulator.seed_lines import Format
from presenced.emulator.seeds import Put
from presenced.settings import Settings

_FORMATS: dict[str, Format] = {"toml": "toml", "yaml": "yaml", "json": "json"}


@click.command()
@settings_options("data")
@click.option("--check", is_flag=True, help="Only say whether FILE can be used; no server is needed.")
@click.option("--schema", "show_schema", is_flag=True, help="Print the JSON schema of seeds, for editors.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
def seed(file: Path | None, check: bool, show_schema: bool, **values: Any) -> None:
    """Have a running server (started with --control) hold what FILE says, and go back to it from now on.

    FILE is TOML, YAML or JSON, by its name.
    """
    if show_schema:
        click.echo(msgspec.json.format(msgspec.json.encode(schema()), indent=2))
        return
    if file is None:
        raise click.UsageError("Name a FILE, or use --schema.")
    put = run(_checked(file) if check else _seed(settings_from(values), file))
    click.echo(f"{file}: {put.tenants} tenants, {put.apps} apps, {put.people} people" + (", no mistake" * check))


@click.command()
@settings_options("data")
@click.option("--format", "form", type=click.Choice(list(_FORMATS)), help="Else by the name of FILE, or TOML.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
def export(file: Path | None, form: str | None, **values: Any) -> None:
    """Write what a server or a folder holds now as a seed, to FILE or to the output.

    Instants are written as durations from now, secrets and passwords as hashes.
    """
    if form is not None:
        kind = _FORMATS[form]
    else:
        try:
            kind = "toml" if file is None else format_of(file)
        except SeedWrong as wrong:
            raise click.UsageError(str(wrong)) from wrong
    text = write(run(_export(settings_from(values))), kind)
    if file is None:
        sys.stdout.write(text)
        return
    try:
        new = file.with_name(f".{file.name}.new")
        new.unlink(missing_ok=True)
        new.touch(0o600)  # the hashes in it are nobody else's business
        new.write_text(text, "utf-8")
        new.replace(file)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from error


@click.command()
@settings_options("data")
def reset(**values: Any) -> None:
    """Have a running server (started with --control) go back to its seed, subscriptions and limits included."""
    run(_reset(settings_from(values)))


async def _seed(settings: Settings, file: Path) -> Put:
    found, text, form = _read(file)
    async with connect_running(settings) as connection:
        try:
            return await connection.control("PUT", "/seed", found, Put)
        except Impossible:
            await _check(file, found, text, form)  # which tells the line
            raise


async def _checked(file: Path) -> Put:
    found, text, form = _read(file)
    return await _check(file, found, text, form)


async def _check(file: Path, found: Seed, text: str, form: Format) -> Put:
    try:
        baseline = await Baseline.of(found, SystemClock().now())
    except SeedWrong as wrong:
        raise Impossible(f"{file}: {wrong.located(text, form)}") from wrong
    return Put.of(baseline)


def _read(file: Path) -> tuple[Seed, str, Format]:
    try:
        return read_file(file)
    except SeedWrong as wrong:
        raise Impossible(str(wrong) if str(file) in wrong.message else f"{file}: {wrong}") from wrong


async def _export(settings: Settings) -> Seed:
    async with connect(settings) as connection:
        return await connection.ask("/export", EnvironmentRequest(), Seed)


async def _reset(settings: Settings) -> None:
    async with connect_running(settings) as connection:
        await connection.control("POST", "/reset", None, type(None))
