"""Measure: the start of a server for tests, and what going back to its seed costs each of them."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import msgspec

from benchmarks.process import ServerFailed
from presenced.testing import Presenced

_TENANT = "5ca1ab1e-0000-4000-8000-000000000001"
_TEST = """
import pytest

@pytest.mark.parametrize("number", range({tests}))
def test_nothing(presenced, number):
    pass
"""


class InTests(msgspec.Struct):
    """What was found with one seed. ``starts`` and ``ends`` in seconds, the others in milliseconds.

    ``resets`` are calls from Python; ``of_pytest`` is what a test that takes the fixture and does nothing costs pytest.
    """

    people: int
    starts: list[float]
    ends: list[float]
    resets: list[float]
    of_pytest: list[float]

    @property
    def start(self) -> float:
        """The median of the starts."""
        return statistics.median(self.starts)

    @property
    def reset(self) -> float:
        """The median of the resets."""
        return statistics.median(self.resets)

    @property
    def late_reset(self) -> float:
        """The reset than which 99 of a hundred are quicker."""
        return sorted(self.resets)[int(len(self.resets) * 0.99)]


def measure(people: int, rounds: int, tests: int, folder: Path, step: Callable[[str], None]) -> InTests:
    """Rounds of ``tests`` tests each; ``people`` is how many the seed has, 0 for the sample."""
    seed = _seed(people) if people else None
    file = folder / f"{people}.json"
    file.write_bytes(msgspec.json.encode(seed))
    found = InTests(people or 12, [], [], [], [])
    for number in range(1, rounds + 1):
        step(f"{found.people:,} people, round {number}: resets")
        _resets(found, seed, tests)
        step(f"{found.people:,} people, round {number}: pytest")
        options = ["--presenced-seed", str(file)] if people else []
        alone, all_of_them = _pytest(1, folder, options), _pytest(1 + tests, folder, options)
        found.of_pytest.append((all_of_them - alone) / tests * 1000)
    return found


def _resets(found: InTests, seed: dict[str, Any] | None, tests: int) -> None:
    begun = time.perf_counter()
    with Presenced(seed=seed) as server:
        found.starts.append(time.perf_counter() - begun)
        person = server.export()["tenants"][0]["people"][0]["id"]
        call = {"sessionId": "test", "availability": "Busy", "activity": "InACall"}
        with server.client("httpx") as graph:
            for _ in range(tests):
                graph.post(f"/users/{person}/presence/setPresence", json=call).raise_for_status()
                server.clock.advance("PT1H")
                begun = time.perf_counter()
                server.start_over()
                found.resets.append((time.perf_counter() - begun) * 1000)
        begun = time.perf_counter()
    found.ends.append(time.perf_counter() - begun)


def _pytest(tests: int, folder: Path, options: list[str]) -> float:
    """Seconds of a run."""
    (folder / "test_nothing.py").write_text(_TEST.format(tests=tests))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-o",
        "addopts=",
        "--rootdir",
        str(folder),
    ]
    begun = time.perf_counter()
    ran = subprocess.run([*command, *options, str(folder)], cwd=folder, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise ServerFailed(f"pytest ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")
    return time.perf_counter() - begun


def _seed(people: int) -> dict[str, Any]:
    ids = [str(uuid5(NAMESPACE_DNS, f"{number}.test.example")) for number in range(people)]
    sessions = [{"availability": "Available"}]
    return {
        "tenants": [
            {
                "id": _TENANT,
                "apps": [{"name": "App", "secret": "s", "applicationPermissions": ["Presence.ReadWrite.All"]}],
                "people": [
                    {"id": person, "userPrincipalName": f"{person}@test.example", "sessions": sessions}
                    for person in ids
                ],
            }
        ]
    }
