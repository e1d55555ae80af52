"""Report: what a server for tests costs, for the terminal and as Markdown."""

import statistics
from collections.abc import Sequence

from benchmarks import environment, table
from benchmarks.in_tests.measure import InTests

TARGET = 50.0
"""Milliseconds a test, at most, for a run of so many tests."""
TESTS = 100

_NAMES = (
    "People in the seed",
    "Start, s",
    "Stop, s",
    "Reset, median, ms",
    "p99, ms",
    "A test of pytest, ms",
    f"Start and reset, {TESTS} tests, ms each",
    "Target",
)


def rows(found: Sequence[InTests]) -> list[tuple[str, ...]]:
    """A row for each seed."""
    return [
        (
            f"{one.people:,}",
            f"{one.start:.2f}",
            f"{statistics.median(one.ends):.2f}",
            f"{one.reset:.1f}",
            f"{one.late_reset:.1f}",
            f"{statistics.median(one.of_pytest):.1f}",
            f"{each(one):.1f}",
            f"at most {TARGET:g}: " + ("met" if each(one) <= TARGET else "**not met**"),
        )
        for one in found
    ]


def each(one: InTests) -> float:
    """Milliseconds a test with its part of the start."""
    return one.start * 1000 / TESTS + one.reset


def show(found: Sequence[InTests]) -> None:
    """Print the table."""
    table.show("In tests", _NAMES, rows(found))


def markdown(found: Sequence[InTests]) -> str:
    """The whole report, as benchmarks/testing.md keeps it."""
    facts = "\n".join(
        f"| {name} | {value} |" for name, value in environment.facts().items() if name not in ("nginx", "Redis")
    )
    return f"""# What a server costs tests

Written by `./scripts/bench --only tests`; do not edit.

{table.markdown(_NAMES, rows(found))}

A server is started once in a run ([docs/testing.md](../docs/testing.md)); **start** is until it answers over HTTP and HTTPS and
holds its seed. **Reset** is the call before each test, from Python, after somebody's presence was set and the clock moved by
an hour. **A test of pytest** is what a test that takes the fixture and does nothing costs a run of pytest, from two runs with
one and with many of them. {len(found[0].starts)} rounds of {len(found[0].resets) // len(found[0].starts)} tests; medians.

| | |
|---|---|
{facts}
"""
