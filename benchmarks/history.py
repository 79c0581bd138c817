"""What a long history costs: 10,000 revisions in five shapes.

    python -m benchmarks.history [--size 10000] [--shape "a line"] [--rounds 3] [--linear]

--linear measures asyncmig alone at half the size and at the size: the cost should double.
"""

import argparse
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from benchmarks.measure import Command, medians
from benchmarks.shapes import SHAPES, heads
from benchmarks.table import Row, table
from benchmarks.tools import Tool, both, machine

GOALS = {
    "a line": {"heads": "1/4", "current": "1/30", "history": "1/4", "revision": "1/4", "upgrade": "1/4"},
    "a merge every ten": {"heads": "1/9", "current": "1/30", "history": "1/9", "revision": "1/9", "upgrade": "1/9"},
    "ten branches, labels throughout": {
        "heads": "1/50",
        "current": "1/30",
        "history": "1/50",
        "revision": "1/50",
        "upgrade": "1/50",
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--shape", choices=SHAPES, action="append")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--budget", type=float, default=20.0, help="seconds after which a case has rounds enough")
    parser.add_argument("--linear", action="store_true")
    options = parser.parse_args()
    print(f"{machine()}; {options.size:,} revisions, at most {options.rounds} rounds\n")
    for shape in options.shape or SHAPES:
        with tempfile.TemporaryDirectory() as folder:
            if options.linear:
                print(_growth(shape, options.size, Path(folder), options.rounds), flush=True)
            else:
                print(table(_rows(shape, options, Path(folder)), memory=True) + "\n", flush=True)


def _rows(shape: str, options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    commands = [_commands(tool, tips) for tool, tips in _projects(shape, options.size, folder)]
    for case in commands[0]:
        contenders = {name: found[case] for name, found in zip(("alembic", "asyncmig"), commands, strict=True)}
        costs = medians(contenders, rounds=options.rounds, budget=options.budget)
        yield Row(f"{shape}: {case}", costs, GOALS.get(shape, {}).get(case.split()[0], ""))


def _growth(shape: str, size: int, folder: Path, rounds: int) -> str:
    """One line a command: the processor time at half the size and at the size."""
    sizes = (size // 2, size)
    found: list[Mapping[str, Command]] = []
    for wanted in sizes:
        _, (tool, tips) = _projects(shape, wanted, folder / str(wanted))
        found.append(_commands(tool, tips))
    lines = []
    for case in found[0]:
        costs = medians(
            {str(wanted): commands[case] for wanted, commands in zip(sizes, found, strict=True)}, rounds=rounds
        )
        small, large = (costs[str(wanted)] for wanted in sizes)
        times = large.cpu / small.cpu
        lines.append(
            f"{shape}: {case}: {small.cpu:.2f} s, {large.cpu:.2f} s ({times:.1f} times), {large.memory:.0f} MB"
        )
    return "\n".join(lines)


def _projects(shape: str, size: int, folder: Path) -> list[tuple[Tool, list[str]]]:
    """Both projects, each with a SQLite database that is at every head."""
    nodes = list(SHAPES[shape](size))
    tips = heads(nodes)
    alembic, asyncmig = both(folder, nodes, "")
    for tool in (alembic, asyncmig):
        tool.use(f"sqlite+aiosqlite:///{tool.folder}/test.db")
    # Alembic's own stamp takes minutes on some of these
    with closing(sqlite3.connect(alembic.folder / "test.db")) as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        database.executemany("INSERT INTO alembic_version VALUES (?)", [(tip,) for tip in tips])
        database.commit()
    asyncmig.run("stamp", "heads")
    return [(alembic, tips), (asyncmig, tips)]


def _commands(tool: Tool, tips: list[str]) -> Mapping[str, Command]:
    existing = set(tool.versions.glob("*.py"))

    def remove_new() -> None:
        new = set(tool.versions.glob("*.py")) - existing
        if len(new) != 1:
            raise SystemExit(f"{tool.name} revision wrote {len(new)} files")
        new.pop().unlink()

    cases = {
        "heads": ["heads"],
        "current": ["current"],
        "history": ["history"],
        "revision": ["revision", "-m", "new", "--head", tips[0]],
        "upgrade heads, nothing to do": ["upgrade", "heads"],
    }
    return {
        case: Command(tool.command(*arguments), tool.folder, after=remove_new if case == "revision" else lambda: None)
        for case, arguments in cases.items()
    }


if __name__ == "__main__":
    main()
