"""Bench: start the servers with the same data, and measure them in turns."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from math import ceil
from pathlib import Path

import msgspec

from benchmarks import cpu, people
from benchmarks.peers.fastapi import FastAPI
from benchmarks.peers.nginx import Nginx
from benchmarks.peers.presenced import Presenced
from benchmarks.peers.redis import Redis
from benchmarks.plan import Outcome, Plan
from benchmarks.process import run
from benchmarks.result import Result, Series

PEERS = (Presenced, Nginx, FastAPI, Redis)
_CALLS_PER_APP = 1000
"""Of the 1,500 that an app may make in 30 seconds: no app comes near the limit, however fast the machine is."""


class Settings(msgspec.Struct, frozen=True):
    """How much to measure. ``calls`` is per peer and round; small calls are made ``_MORE_SMALL`` times as often."""

    people: list[int]
    ids: list[int]
    rounds: int
    calls: int

    def calls_of(self, ids: int) -> int:
        """Calls with so many ids in one round: more of the small ones, so that a run lasts long enough."""
        return self.calls if ids > 100 else self.calls * 4

    def warm_up_of(self, ids: int) -> int:
        """Calls before each run that are not counted, enough for every prepared request at least once."""
        return max(people.PREPARED, self.calls_of(ids) // 10)

    @property
    def apps(self) -> int:
        """How many apps presenced's calls must be spread over."""
        calls = self.rounds * sum(self.calls_of(ids) + self.warm_up_of(ids) for ids in self.ids)
        return min(max(ceil(calls / _CALLS_PER_APP), 4), people.PREPARED)

    @property
    def steps(self) -> int:
        """Runs in all, for the progress bar."""
        return len(self.people) * len(self.ids) * self.rounds * len(PEERS)


class Bench:
    """One benchmark, in a temporary folder. ``step`` is told what happens next; ``ran`` that one more run is done."""

    def __init__(self, settings: Settings, folder: Path, step: Callable[[str], None], ran: Callable[[], None]) -> None:
        self._settings = settings
        self._folder = folder
        self._step = step
        self._ran = ran
        self._presenced = Presenced(folder / "presenced")
        self._imported = 0
        self._has_apps = False

    def run(self) -> Result:
        """Measure everything. Raises WrongAnswer and ServerFailed; no server is left running."""
        return Result([series for count in sorted(self._settings.people) for series in self._with_people(count)])

    def _with_people(self, count: int) -> list[Series]:
        persons = people.make(count)
        folder = self._folder / str(count)
        folder.mkdir()
        with ExitStack() as servers:
            self._step(f"{count:,} people: importing")
            file = folder / "people.json"
            people.save(persons[self._imported :], self._imported, file)
            self._presenced.import_people(file)
            self._imported = count
            servers.enter_context(self._presenced.start(folder / "presenced.log"))
            if not self._has_apps:
                self._step(f"registering {self._settings.apps} apps")
                self._presenced.add_apps(self._settings.apps)
                self._presenced.set_presences(persons)
                self._has_apps = True
            self._step(f"{count:,} people: starting the peers")
            entries = self._presenced.entries(persons)
            nginx, fastapi, redis = Nginx(folder / "nginx"), FastAPI(), Redis(folder / "redis")
            servers.enter_context(nginx.start(folder / "nginx.log"))
            servers.enter_context(redis.start(folder / "redis.log"))
            servers.enter_context(fastapi.start(folder / "fastapi.log", entries))
            redis.load(entries)
            series = []
            for ids in self._settings.ids:
                self._step(f"{count:,} people, {ids} ids: checking answers")
                questions = people.questions(persons, ids)
                asked = self._presenced.plan(questions, entries)
                plans = {
                    Presenced.name: asked,
                    Nginx.name: nginx.plan(f"{ids}-ids", asked.exchanges[0].answer),
                    FastAPI.name: fastapi.plan(questions, entries),
                    Redis.name: redis.plan(questions, entries),
                }
                series += self._measure(count, ids, plans)
            return series

    def _measure(self, count: int, ids: int, plans: dict[str, Plan]) -> list[Series]:
        """All peers in turns, several rounds of them: what disturbs the machine disturbs neighbours alike."""
        files = {}
        for peer, plan in plans.items():
            files[peer] = self._folder / f"{peer}.plan"
            plan.save(files[peer])
        series = [Series(peer, count, ids, len(plan.exchanges[0].answer), []) for peer, plan in plans.items()]
        for number in range(1, self._settings.rounds + 1):
            for one in series:
                self._step(f"{count:,} people, {ids} ids, round {number}: {one.peer}")
                one.rounds.append(self._run(files[one.peer], ids))
                self._ran()
        return series

    def _run(self, plan: Path, ids: int) -> Outcome:
        warm_up, calls = self._settings.warm_up_of(ids), self._settings.calls_of(ids)
        command = [sys.executable, "-m", "benchmarks.load", str(plan), str(warm_up), str(calls)]
        return msgspec.json.decode(run(cpu.on_client_core(command)), type=Outcome)
