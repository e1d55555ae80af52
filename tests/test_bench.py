"""The benchmark still runs: every peer answers rightly, and the table is written. No speed is asserted."""

import subprocess
import sys
from pathlib import Path


def bench(tmp_path: Path, part: str) -> str:
    """What a quick run of one part writes."""
    report = tmp_path / "results.md"
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--only", part, "--output", str(report)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert run.returncode == 0, run.stderr
    return report.read_text("utf-8")


def test_the_quick_benchmark_of_reads_runs(tmp_path: Path) -> None:
    text = bench(tmp_path, "reads")
    for peer in ("presenced", "nginx", "FastAPI", "Redis"):
        assert peer in text


def test_the_quick_benchmark_of_deliveries_runs(tmp_path: Path) -> None:
    text = bench(tmp_path, "deliveries")
    for kind in ("| basic |", "| rich |"):
        assert kind in text


def test_the_quick_benchmark_of_tests_runs(tmp_path: Path) -> None:
    text = bench(tmp_path, "tests")
    assert "| 12 |" in text
