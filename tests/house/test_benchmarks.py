"""The benchmarks measure what they say: the shapes are histories, and the scripts run to their table."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.measure import Cost
from benchmarks.shapes import SHAPES, heads
from benchmarks.table import Row, table

ROOT = Path(__file__).parents[2]
HEADS = {
    "a line": 1,
    "a merge every ten": 1,
    "ten branches": 10,
    "ten labelled branches": 10,
    "ten branches, labels throughout": 10,
}
LABELS = {"ten labelled branches": 10, "ten branches, labels throughout": 120}
MERGES = {"a merge every ten": 12}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_a_history_in_the_order_of_creation(shape: str) -> None:
    nodes = list(SHAPES[shape](120))
    seen: set[str] = set()
    for node in nodes:
        assert set(node.parents) <= seen
        seen.add(node.id)
    assert len(seen) == 120
    assert len(heads(nodes)) == HEADS[shape]
    assert sum(len(node.parents) == 2 for node in nodes) == MERGES.get(shape, 0)
    assert sum(node.label is not None for node in nodes) == LABELS.get(shape, 0)


def test_the_table_shows_ratios_of_ours_to_theirs() -> None:
    text = table([Row("heads", {"alembic": Cost(2.0, 4.0, 100), "asyncmig": Cost(1.0, 0.1, 50)})], memory=True)
    assert text.splitlines()[-1] == "| heads | 2.00 s | 1.00 s | 0.50 | 4.00 s | 0.10 s | 1/40 | 100 | 50 |"


@pytest.mark.soak
@pytest.mark.parametrize(
    "arguments",
    [
        ("start", "--rounds", "1"),
        ("history", "--size", "20", "--rounds", "1"),
        ("upgrade", "--size", "3", "--rounds", "1"),
        ("autogenerate", "--sizes", "12", "--rounds", "1"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_benchmark_runs_to_its_table(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", f"benchmarks.{arguments[0]}", *arguments[1:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "| CPU asyncmig |" in done.stdout


@pytest.mark.soak
def test_the_benchmark_of_sqlite_changes_runs_to_its_table() -> None:
    command = [sys.executable, "-m", "benchmarks.sqlite_changes", "--rows", "100", "--rounds", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" s | ") >= 16


@pytest.mark.soak
def test_the_benchmark_of_fleets_runs_to_its_table() -> None:
    sizes = ["--files", "2", "--schemas", "2", "--revisions", "2", "--rounds", "1"]
    command = [sys.executable, "-m", "benchmarks.fleet", *sizes]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "| 2 files |" in done.stdout and "| 2 schemas |" in done.stdout
