"""Result: what the benchmark found, and the targets it is held against."""

from statistics import median

import msgspec

from benchmarks.plan import Outcome

SMALLEST, GREATEST = 2, 650
"""Ids in a call: a small one, and the most that Graph allows."""


class Series(msgspec.Struct):
    """The rounds of one peer, for one number of people and one number of ids. ``size`` is the answer's, in bytes."""

    peer: str
    people: int
    ids: int
    size: int
    rounds: list[Outcome]

    @property
    def cpu_us(self) -> float:
        """CPU per call."""
        return median(outcome.cpu_us for outcome in self.rounds)

    @property
    def per_second(self) -> float:
        """Calls per second."""
        return median(outcome.per_second for outcome in self.rounds)

    def times(self, other: "Series") -> float:
        """How many times the other's CPU this one takes: compared within each round, when the machine was the same."""
        return median(mine.cpu_us / its.cpu_us for mine, its in zip(self.rounds, other.rounds, strict=True))


class Target(msgspec.Struct):
    """A ratio of two peers' CPU, and what it should be. ``met`` is None where no target was set."""

    people: int
    ratio: str
    value: float
    wanted: str
    met: bool | None


class Result(msgspec.Struct):
    """Everything measured, in the order it was asked for."""

    series: list[Series]

    def of(self, peer: str, people: int, ids: int) -> Series:
        """One peer's rounds."""
        return next(one for one in self.series if (one.peer, one.people, one.ids) == (peer, people, ids))

    def targets(self) -> list[Target]:
        """The targets, for each number of people that was measured with the greatest number of ids."""
        targets = []
        for people in sorted({one.people for one in self.series if one.ids == GREATEST}):
            nginx, presenced, fastapi, redis = (
                self.of(peer, people, GREATEST) for peer in ("nginx", "presenced", "FastAPI", "Redis")
            )
            above, dearer, redis_dearer = presenced.times(nginx), fastapi.times(presenced), redis.times(presenced)
            aimed = people == 10_000  # beyond that, presenced waits for memory, and nginx's one file does not
            targets += [
                Target(
                    people, "presenced / nginx", above, "at most 9" if aimed else "none", above <= 9 if aimed else None
                ),
                Target(people, "FastAPI / presenced", dearer, "at least 8", dearer >= 8),
                Target(people, "Redis / presenced", redis_dearer, "more than 1", redis_dearer > 1),
            ]
        return targets
