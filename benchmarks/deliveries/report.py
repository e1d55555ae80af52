"""Report: what deliveries cost and how long they take, for the terminal and as Markdown."""

from collections.abc import Sequence

from benchmarks import environment, table
from benchmarks.deliveries.measure import PER_SECOND, Deliveries

TARGET = 2.0
"""Times the bare loop's CPU, at most, for basic notifications."""

_NAMES = (
    "Notifications", "Per POST", "CPU per change, unwatched, µs", "watched, µs", "CPU per notification, µs",
    "bare loop, µs", "Times", "Range", "Target", "Delay, median, ms", "p99, ms",
)  # fmt: skip


def rows(found: Sequence[Deliveries]) -> list[tuple[str, ...]]:
    """A row for each kind of notification."""
    return [
        (
            one.kind,
            f"{one.middle(lambda each: each.changes / each.posts):.1f}",
            f"{one.middle(lambda each: each.unwatched_us):,.0f}",
            f"{one.middle(lambda each: each.watched_us):,.0f}",
            f"{one.middle(lambda each: each.delivery_us):,.0f}",
            f"{one.middle(lambda each: each.bare_delivery_us):,.0f}",
            f"{one.middle(lambda each: each.times):.2f}",
            f"{min(each.times for each in one.rounds):.2f} to {max(each.times for each in one.rounds):.2f}",
            _target(one),
            f"{one.delay(0.5):.1f}",
            f"{one.delay(0.99):.1f}",
        )
        for one in found
    ]


def _target(one: Deliveries) -> str:
    if one.kind != "basic":
        return "none"
    return f"at most {TARGET:g}: " + ("met" if one.middle(lambda each: each.times) <= TARGET else "**not met**")


def show(found: Sequence[Deliveries]) -> None:
    """Print the table."""
    table.show("Deliveries", _NAMES, rows(found))


def markdown(found: Sequence[Deliveries]) -> str:
    """The whole report, as benchmarks/deliveries.md keeps it."""
    facts = "\n".join(f"| {name} | {value} |" for name, value in environment.facts().items())
    one = found[0]
    return f"""# What a notification costs

Written by `./scripts/bench`; do not edit.

{table.markdown(_NAMES, rows(found))}

In each of {len(one.rounds)} rounds the server made {one.rounds[0].changes:,} changes of people whom nobody watches, at
{PER_SECOND:.0f} a second, and as many of people whom one subscription watches. **CPU per notification** is what the second
cost the server's process more than the first, by the kernel's clock. The **bare loop** is an aiohttp client in a process of
its own that posts the very bodies that came, one POST after the other over one connection to the same receiver, and does
nothing else; it is given per notification, too. It runs without pause, and presenced with pauses between changes, which
costs presenced cold caches. **Times** is the median of the ratios within each round.

**Delay** is from the sending of a change's request to the arrival of its notification at the receiver, of all rounds
together, with the generator of the changes and the receiver on one core and the server on the other. Changes that come
while a POST is under way go with the next one: hence more than one notification per POST.

| | |
|---|---|
{facts}
"""
