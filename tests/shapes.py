"""What is in a database, as a mapping from the name of each object to text that can be compared."""

import re
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import servers

Shape = Mapping[str, str]

_CONSTRAINT = re.compile(r"(CONSTRAINT|PRIMARY KEY|FOREIGN KEY|UNIQUE|CHECK)\b", re.IGNORECASE)
_RESTRICT = re.compile(r"^\\(un)?restrict .*$", re.MULTILINE)


def shape(url: str) -> Shape:
    """Without the version table and the journal."""
    return sqlite_shape(servers.sqlite_path(url)) if url.startswith("sqlite") else postgresql_shape(url)


def postgresql_shape(url: str) -> Shape:
    """The statements of pg_dump, in its order."""
    command = [servers.find_binaries() / "pg_dump", "-s", "-O", "-T", "alembic_version*", servers.libpq_url(url)]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    blocks = _RESTRICT.sub("", done.stdout).split("\n\n\n")
    return {f"{number}: {block.strip().splitlines()[0]}": block for number, block in enumerate(blocks) if block.strip()}


def sqlite_shape(path: Path) -> Shape:
    """Each stored text without spacing, quotes, the case of words, the order of table constraints and of a column's clauses."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {
        f"{type_} {name}": "\n".join(_table(sql)) if type_ == "table" else _plain(sql)
        for type_, name, table, sql in rows
        if not table.startswith(("alembic_version", "sqlite_"))
    }


def _table(sql: str) -> Iterator[str]:
    start, end = sql.index("("), sql.rindex(")")
    parts = [_plain(part) for part in _split(sql[start + 1 : end])]
    yield from (" ".join(sorted(part.split())) for part in parts if not _CONSTRAINT.match(part))
    yield from sorted(part for part in parts if _CONSTRAINT.match(part))
    yield _plain(sql[end + 1 :])


def _split(body: str) -> Iterator[str]:
    """At the commas that are in no parentheses and no quotes."""
    depth, start, quote = 0, 0, ""
    for at, character in enumerate(body):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "," and not depth:
            yield body[start:at]
            start = at + 1
    yield body[start:]


def _plain(sql: str) -> str:
    return re.sub(r"\s*([(),])\s*", r" \1 ", re.sub(r'["`]', "", sql)).lower().strip().replace("  ", " ")


def differences(expected: Shape, found: Shape) -> dict[str, tuple[str | None, str | None]]:
    names = [*expected, *(name for name in found if name not in expected)]
    return {name: (expected.get(name), found.get(name)) for name in names if expected.get(name) != found.get(name)}
