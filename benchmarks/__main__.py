"""The command line of the benchmark: python -m benchmarks, or ./scripts/bench, which also installs what it needs."""

import signal
import sys
import tempfile
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import report
from benchmarks.bench import Bench, Settings
from benchmarks.deliveries import report as deliveries
from benchmarks.deliveries.measure import Measurement
from benchmarks.in_tests import measure as in_tests
from benchmarks.in_tests import report as in_tests_report
from benchmarks.plan import WrongAnswer
from benchmarks.process import ServerFailed
from benchmarks.result import GREATEST, SMALLEST, Result
from presenced.testing import ServerDied

RESULTS = Path(__file__).parent / "results.md"
DELIVERIES = Path(__file__).parent / "deliveries.md"
TESTS = Path(__file__).parent / "testing.md"
_CHANGES = 2000
"""In a round of deliveries."""


class Numbers(click.ParamType[list[int]]):
    """Numbers with commas between them."""

    name = "numbers"

    def __init__(self, most: int) -> None:
        self._most = most

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        """The distinct numbers, the smallest first."""
        try:
            numbers = sorted({int(part) for part in str(value).split(",")})
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers like 2,650", param, ctx)
        if not 1 <= numbers[0] <= numbers[-1] <= self._most:
            self.fail(f"the numbers must be from 1 to {self._most:,}", param, ctx)
        return numbers


@click.command()
@click.option("--people", type=Numbers(1_000_000), default="10000,100000", show_default=True, help="People known.")
@click.option(
    "--ids", type=Numbers(GREATEST), default=f"{SMALLEST},{GREATEST}", show_default=True, help="Ids per call."
)
@click.option("--rounds", type=click.IntRange(1, 100), default=5, show_default=True, help="Turns of each server.")
@click.option(
    "--calls",
    type=click.IntRange(10, 20_000),
    default=1000,
    show_default=True,
    help="Calls to each server in a round; of small calls four times as many.",
)
@click.option("--quick", is_flag=True, help="A smoke test: 1,000 people, one short round; writes no file by itself.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help=f"[default: benchmarks/{RESULTS.name}]")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead of tables.")
@click.option(
    "--only", type=click.Choice(["reads", "deliveries", "tests"]), help="One part of the three, with its own file."
)
def main(
    people: list[int],
    ids: list[int],
    rounds: int,
    calls: int,
    quick: bool,
    output: Path | None,
    as_json: bool,
    only: str | None,
) -> None:
    """Measure what presenced costs.

    A call of getPresencesByUserId, beside nginx, FastAPI and Redis; a notification, beside a bare loop of POSTs; and a
    server for tests.
    """
    if only in (None, "reads"):
        measure_reads(people, ids, rounds, calls, quick, output, as_json)
    if only in (None, "deliveries"):
        measure_deliveries(rounds, quick, output if only else None, as_json)
    if only in (None, "tests"):
        measure_tests(rounds, quick, output if only else None, as_json)


def measure_reads(
    people: list[int], ids: list[int], rounds: int, calls: int, quick: bool, output: Path | None, as_json: bool
) -> None:
    """The cost of calls."""
    settings = Settings([1000], ids, 1, 50) if quick else Settings(people, ids, rounds, calls)
    if ids[-1] > settings.people[0]:
        raise click.UsageError(f"{ids[-1]} ids cannot be asked of {settings.people[0]} people.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop the servers then, too
    try:
        result = measure(settings)
    except (WrongAnswer, ServerFailed) as failed:
        raise click.ClickException(str(failed)) from None
    if as_json:
        print(msgspec.json.encode(result).decode())
    else:
        report.show(result)
    if output or not quick:
        (output or RESULTS).write_text(report.markdown(result, settings), encoding="utf-8")


def measure_deliveries(rounds: int, quick: bool, output: Path | None, as_json: bool) -> None:
    """The cost and the delay of notifications."""
    rounds, changes = (1, 100) if quick else (rounds, _CHANGES)
    kinds = ("basic", "rich")
    with tempfile.TemporaryDirectory(prefix="presenced-bench-") as folder, progress_bar() as progress:
        task = progress.add_task("starting", total=rounds * len(kinds))
        measurement = Measurement(
            Path(folder),
            changes,
            step=lambda what: progress.update(task, description=what),
            ran=lambda: progress.advance(task),
        )
        try:
            found = [measurement.run(kind, rounds) for kind in kinds]
        except ServerFailed as failed:
            raise click.ClickException(str(failed)) from None
    if as_json:
        print(msgspec.json.encode(found).decode())
    else:
        deliveries.show(found)
    if output or not quick:
        (output or DELIVERIES).write_text(deliveries.markdown(found), encoding="utf-8")


def measure_tests(rounds: int, quick: bool, output: Path | None, as_json: bool) -> None:
    """The cost of a server for tests."""
    rounds, tests = (1, 10) if quick else (rounds, 200)
    seeds = (0,) if quick else (0, 1000)
    with tempfile.TemporaryDirectory(prefix="presenced-bench-") as folder, progress_bar() as progress:
        task = progress.add_task("starting", total=2 * rounds * len(seeds))

        def step(what: str) -> None:
            progress.update(task, description=what, advance=1)

        try:
            found = [in_tests.measure(people, rounds, tests, Path(folder), step) for people in seeds]
        except (ServerFailed, ServerDied) as failed:
            raise click.ClickException(str(failed)) from None
    if as_json:
        print(msgspec.json.encode(found).decode())
    else:
        in_tests_report.show(found)
    if output or not quick:
        (output or TESTS).write_text(in_tests_report.markdown(found), encoding="utf-8")


def progress_bar() -> Progress:
    """How far it is, on stderr."""
    columns = (TextColumn("{task.description:<48}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), refresh_per_second=2)


def measure(settings: Settings) -> Result:
    """Run the benchmark of calls."""
    with tempfile.TemporaryDirectory(prefix="presenced-bench-") as folder, progress_bar() as progress:
        task = progress.add_task("starting", total=settings.steps)
        bench = Bench(
            settings,
            Path(folder),
            step=lambda what: progress.update(task, description=what),
            ran=lambda: progress.advance(task),
        )
        return bench.run()


if __name__ == "__main__":
    sys.exit(main())
