"""What a run costs: 1,000 revisions of one statement each, a transaction a revision.

    python -m benchmarks.upgrade [--size 1000] [--rounds 5] [--execute]

The third contender is the raw driver: the same statements and the same update of the version row, in the same
transactions, on one connection. asyncmig in addition writes its journal, which Alembic has not. --execute has the
statement as text (op.execute) instead of op.create_table.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.measure import Command, medians
from benchmarks.shapes import line
from benchmarks.table import Row, table
from benchmarks.tools import both, machine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import servers

ROOT = Path(__file__).parents[1]
CREATE = (
    'op.create_table("table{number}", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(50)))'
)
EXECUTE = 'op.execute("CREATE TABLE table{number} (id INTEGER NOT NULL, name VARCHAR(50), PRIMARY KEY (id))")'
GOAL = "CPU 0.60, wall 0.75"
DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "autovacuum": "on"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--execute", action="store_true")
    options = parser.parse_args()
    print(f"{machine()}; {options.size:,} revisions, median of {options.rounds} rounds\n")
    print(table(_rows(options)))


def _rows(options: argparse.Namespace) -> Iterator[Row]:
    yield _sqlite(options)
    with servers.running_server() as server:
        yield _postgres(options, server, f"PostgreSQL {server.version}, asyncpg, fsync off")
    with servers.running_server(settings=DURABLE) as server:
        yield _postgres(options, server, f"PostgreSQL {server.version}, asyncpg, fsync on")


def _sqlite(options: argparse.Namespace) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "test.db"

        def fresh() -> str:
            for left in Path(folder).glob("test.db*"):
                left.unlink()
            return f"sqlite+aiosqlite:///{path}"

        return _measured(options, Path(folder), "SQLite, aiosqlite", fresh)


def _postgres(options: argparse.Namespace, server: servers.PostgresServer, case: str) -> Row:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:

        def fresh() -> str:
            stack.close()
            return stack.enter_context(servers.fresh_postgres_database(server))

        return _measured(options, Path(folder), case, fresh)


def _measured(options: argparse.Namespace, folder: Path, case: str, fresh: Callable[[], str]) -> Row:
    """Each round of each contender begins with an empty database, and ends with a check that it did the work."""
    tools = both(folder, line(options.size), "", body=EXECUTE if options.execute else CREATE)
    urls: list[str] = []
    raw = folder / "url"

    def renew(write: Callable[[str], object]) -> Callable[[], None]:
        def before() -> None:
            urls[:] = [fresh()]
            write(urls[0])

        return before

    def check() -> None:
        made = sum(name.startswith("table") for name in servers.tables(urls[0]))
        if made != options.size:
            raise SystemExit(f"{case}: {made} tables, expected {options.size}")

    contenders = {
        tool.name: Command(tool.command("upgrade", "head"), tool.folder, before=renew(tool.use), after=check)
        for tool in tools
    }
    driver = [sys.executable, "-m", "benchmarks.driver", str(raw), str(options.size)]
    contenders["driver"] = Command(driver, ROOT, before=renew(raw.write_text), after=check)
    return Row(case, medians(contenders, rounds=options.rounds, budget=300), GOAL)


if __name__ == "__main__":
    main()
