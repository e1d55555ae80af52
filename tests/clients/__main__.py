"""./scripts/clients: install and run the published clients, language by language, and print one table."""

import sys
import tempfile
import time
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from tests.clients.program import CHECKS, Broken, Lacking, Program, languages
from tests.clients.surroundings import surroundings

_SIGN_IN = "sign-in-"
Result = dict[str, str | None]


class Summary:
    """What came of each language: results by SDK/CHECK, or why there are none."""

    def __init__(self) -> None:
        self.found: dict[str, Result] = {}
        self.broken: dict[str, str] = {}
        self.lacking: dict[str, str] = {}

    def failures(self, must: set[str]) -> list[str]:
        """One line each. ``must``: languages whose toolchain may not be missing."""
        checks = [
            f"{language}: {name}: {reason}"
            for language, result in self.found.items()
            for name, reason in result.items()
            if reason is not None
        ]
        broken = [f"{language}: {why}" for language, why in self.broken.items()]
        return checks + broken + [f"{language}: {why}" for language, why in self.lacking.items() if language in must]

    def tables(self) -> list[Table]:
        """What each SDK did of the checklist, and of signing in."""
        checklist = self._table("", list(CHECKS))
        for language in self.broken:
            checklist.add_row(language, "", *["FAILED" for _ in CHECKS])
        for language, why in self.lacking.items():
            checklist.add_row(language, f"not run: {why}")
        sign_in = sorted(self._checks() - set(CHECKS))
        return [checklist, self._table(_SIGN_IN, sign_in)] if sign_in else [checklist]

    def _checks(self) -> set[str]:
        return {check for result in self.found.values() for check in _checks(result)}

    def _table(self, prefix: str, columns: list[str]) -> Table:
        """One row for each SDK that did any of these checks; the columns are named without the prefix they share."""
        title = prefix.rstrip("-") or "SDK"
        table = Table("language", title, *(column.removeprefix(prefix) for column in columns), box=None)
        table.header_style = "bold"
        for language, result in self.found.items():
            for sdk in dict.fromkeys(name.split("/")[0] for name in result):
                if any(f"{sdk}/{column}" in result for column in columns):
                    table.add_row(language, sdk, *(_cell(result, f"{sdk}/{column}") for column in columns))
        return table


def _checks(result: Result) -> list[str]:
    return [name.split("/")[1] for name in result]


def _cell(result: Result, name: str) -> str:
    if name not in result:
        return "-"
    return "ok" if result[name] is None else "FAILED"


@click.command()
@click.argument("names", metavar="[LANGUAGE]...", nargs=-1)
@click.option("--without", default="", metavar="LANG,...", help="Leave these out.")
@click.option(
    "--may-lack",
    metavar="LANG,...",
    help="Fail if the toolchain of any other language is missing; without this option none fails, it is only named.",
)
def main(names: tuple[str, ...], without: str, may_lack: str | None) -> None:
    """Run the published clients of each LANGUAGE, by default of all, and print one table."""
    left_out = set(filter(None, without.split(",")))
    known = languages()
    if unknown := sorted((set(names) | left_out) - set(known)):
        raise click.UsageError(f"there is no {', '.join(unknown)} in tests/clients; there are {', '.join(known)}")
    wanted = [language for language in known if language in (set(names) or set(known)) - left_out]
    must = set() if may_lack is None else set(wanted) - set(may_lack.split(","))
    if not wanted:
        click.echo("There is nothing to run.")
        return
    summary = Summary()
    with tempfile.TemporaryDirectory(prefix="presenced-clients-") as folder, surroundings(Path(folder)) as environment:
        for language in wanted:
            _one(Program(language, environment), summary)
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print()
    for table in summary.tables():
        console.print(table)
        console.print()
    failures = summary.failures(must)
    for failure in failures:
        click.echo(f"FAILED {failure}")
    for language, why in summary.lacking.items():
        click.echo(f"not run {language}: {why}")
    if failures:
        sys.exit(1)


def _one(program: Program, summary: Summary) -> None:
    language = program.language
    try:
        begun = time.monotonic()
        click.echo(f"{language}: installing")
        program.install()
        click.echo(f"{language}: installed in {time.monotonic() - begun:.0f} s; running")
        summary.found[language] = program.run(heard=lambda line: click.echo(f"{language}: {line}"))
    except Lacking as lacking:
        click.echo(f"{language}: not run: {lacking}")
        summary.lacking[language] = str(lacking)
    except Broken as broken:
        click.echo(f"{language}: FAILED: {broken}")
        summary.broken[language] = str(broken).splitlines()[0]


if __name__ == "__main__":
    main()
