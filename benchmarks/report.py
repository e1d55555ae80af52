"""Report: a result as tables, for the terminal and as Markdown from the same rows."""

from collections.abc import Sequence

from benchmarks import environment, table
from benchmarks.bench import PEERS, Settings
from benchmarks.load import CONNECTIONS
from benchmarks.result import Result

_MET = {True: "met", False: "**not met**", None: "—"}

_COSTS = ("People", "Ids", "Peer", "Answer, bytes", "CPU per call, µs", "Range", "Calls per second", "Times nginx")
_TARGETS = ("People", "CPU at 650 ids", "Ratio", "Target", "")


def costs(result: Result) -> list[Sequence[str]]:
    """A row for each series."""
    return [
        (
            f"{one.people:,}",
            str(one.ids),
            one.peer,
            f"{one.size:,}",
            f"{one.cpu_us:,.1f}",
            f"{min(each.cpu_us for each in one.rounds):,.1f} to {max(each.cpu_us for each in one.rounds):,.1f}",
            f"{one.per_second:,.0f}",
            f"{one.times(result.of('nginx', one.people, one.ids)):.2f}",
        )
        for one in result.series
    ]


def targets(result: Result) -> list[Sequence[str]]:
    """A row for each target."""
    return [(f"{one.people:,}", one.ratio, f"{one.value:.2f}", one.wanted, _MET[one.met]) for one in result.targets()]


def show(result: Result) -> None:
    """Print the tables."""
    for title, names, rows in (("Costs", _COSTS, costs(result)), ("Targets", _TARGETS, targets(result))):
        if rows:
            table.show(title, names, rows, words=("Peer", "CPU at 650 ids", "Target", ""))


def markdown(result: Result, settings: Settings) -> str:
    """The whole report, as benchmarks/results.md keeps it."""
    facts = "\n".join(f"| {name} | {value} |" for name, value in environment.facts().items())
    peers = "\n".join(f"* **{peer.name}**: {peer.what}." for peer in PEERS)
    calls = " and ".join(f"{settings.calls_of(ids):,} calls of {ids} ids" for ids in settings.ids)
    return f"""# What a call costs

Written by `./scripts/bench`; do not edit. [README.md](README.md) has the method and what these numbers do not say.

## Targets

{table.markdown(_TARGETS, targets(result))}

A ratio is the median of the ratios within each round.

## Costs

{table.markdown(_COSTS, costs(result))}

CPU is the server's alone, user and system, by the kernel's clock of its processes: the median of
{settings.rounds} rounds, and the range of them. Calls per second are by the clock on the wall, with {CONNECTIONS}
connections and one core, and only informative.

## How

{peers}

In each round every peer in turn answered {calls}, after a warm-up. presenced's calls were spread
over {settings.apps} apps, so that its limiter worked and nobody was throttled.

| | |
|---|---|
{facts}
"""
