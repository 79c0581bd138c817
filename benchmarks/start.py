"""What a command costs before it does anything: five revisions, a database at head.

python -m benchmarks.start [--rounds 15]
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Command, medians
from benchmarks.shapes import line
from benchmarks.table import Row, table
from benchmarks.tools import Tool, both, machine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import servers

BODY = 'op.create_table("table{number}", sa.Column("id", sa.Integer, primary_key=True))'
GOALS = {"--help": "CPU 0.50", "heads": "CPU 0.50", "current": "CPU 0.95", "upgrade head": "CPU 0.95"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder, servers.running_server() as server:
        print(f"{machine()}, PostgreSQL {server.version}; median of {rounds} rounds\n")
        databases = {
            "asyncpg": (server.create_database("start_alembic"), server.create_database("start_asyncmig")),
            "aiosqlite": (f"sqlite+aiosqlite:///{folder}/alembic.db", f"sqlite+aiosqlite:///{folder}/asyncmig.db"),
        }
        rows: list[Row] = []
        for driver, urls in databases.items():
            tools = both(Path(folder) / driver, line(5), "", body=BODY)
            for tool, url in zip(tools, urls, strict=True):
                tool.use(url)
                tool.run("upgrade", "head")
                _expect_five_tables(url)
            rows += _measured(tools, driver, rounds, first=not rows)
        print(table(rows))


def _measured(tools: tuple[Tool, Tool], driver: str, rounds: int, *, first: bool) -> Iterator[Row]:
    for arguments, goal in GOALS.items():
        offline = arguments in ("--help", "heads")
        if offline and not first:
            continue  # the driver makes no difference there
        commands = {tool.name: Command(tool.command(*arguments.split()), tool.folder) for tool in tools}
        case = f"`{arguments}`" if offline else f"`{arguments}` at head, {driver}"
        yield Row(case, medians(commands, rounds=rounds), goal)


def _expect_five_tables(url: str) -> None:
    made = [name for name in servers.tables(url) if name.startswith("table")]
    if len(made) != 5:
        raise SystemExit(f"{url}: expected five tables, found {made}")


if __name__ == "__main__":
    main()
