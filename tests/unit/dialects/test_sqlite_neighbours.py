"""What of a SQLite schema goes into the rehearsal of a change: enough that nothing looks broken, and not all of it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from asyncmig.dialects.sqlite_neighbours import neighbours
from asyncmig.dialects.sqlite_stored import StoredObject
from asyncmig.dialects.sqlite_twin import Twin

ACCOUNT = "CREATE TABLE account (id INTEGER PRIMARY KEY, name TEXT)"


def stored(*statements: str) -> list[StoredObject]:
    with closing(sqlite3.connect(":memory:")) as database:
        for sql in statements:
            database.execute(sql)
        rows = database.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
        return [StoredObject(*row) for row in rows]


def chain(size: int) -> Iterator[str]:
    yield "CREATE TABLE t0 (id INTEGER PRIMARY KEY)"
    for n in range(1, size):
        yield f"CREATE TABLE t{n} (id INTEGER PRIMARY KEY, up INTEGER REFERENCES t{n - 1} (id))"
        yield f"CREATE INDEX ix{n} ON t{n} (up)"


def test_in_a_chain_of_keys_only_parent_and_child_count() -> None:
    found = neighbours("t20", stored(*chain(40)))
    assert [o.name for o in found] == ["t19", "ix19", "t20", "ix20", "t21", "ix21"]


CASES = {
    "a column that is called like it": (
        [ACCOUNT, "CREATE TABLE other (account TEXT)", "CREATE INDEX ix ON other (account)"],
        ["account"],
    ),
    "a view, one over it, and what that takes from elsewhere": (
        [
            ACCOUNT,
            "CREATE TABLE city (name TEXT, country TEXT REFERENCES country (code))",
            "CREATE TABLE country (code TEXT PRIMARY KEY)",
            "CREATE VIEW cities AS SELECT name FROM city",
            "CREATE VIEW people AS SELECT name FROM ACCOUNT",
            'CREATE VIEW both AS SELECT * FROM "people" UNION SELECT * FROM [cities]',
            "CREATE TABLE apart (id INTEGER)",
        ],
        ["account", "city", "cities", "people", "both"],
    ),
    "a trigger elsewhere that writes it, and a view that is written through": (
        [
            ACCOUNT,
            "CREATE TABLE log (what TEXT)",
            "CREATE TABLE apart (id INTEGER)",
            "CREATE VIEW logs AS SELECT what FROM log",
            "CREATE TRIGGER logs_in INSTEAD OF INSERT ON logs BEGIN INSERT INTO log VALUES (new.what); END",
            "CREATE TABLE visit (id INTEGER)",
            (
                "CREATE TRIGGER visited AFTER INSERT ON visit BEGIN"
                " UPDATE account SET name = 'x'; INSERT INTO logs VALUES ('v'); END"
            ),
            "CREATE TRIGGER unrelated AFTER DELETE ON visit BEGIN DELETE FROM apart; END",
        ],
        ["account", "log", "logs", "logs_in", "visit", "visited"],
    ),
    "its own triggers with all they mention": (
        [
            ACCOUNT,
            "CREATE TABLE log (what TEXT)",
            "CREATE TABLE apart (id INTEGER)",
            "CREATE TRIGGER changed AFTER UPDATE ON account BEGIN INSERT INTO log VALUES (new.name); END",
        ],
        ["account", "log", "changed"],
    ),
    "what a script has broken for a while": (
        [
            ACCOUNT,
            "CREATE TABLE log (what TEXT)",
            "CREATE TABLE apart (id INTEGER)",
            "CREATE VIEW broken AS SELECT * FROM gone",
            "CREATE TRIGGER broken_too AFTER INSERT ON log BEGIN DELETE FROM gone; END",
            "CREATE TRIGGER whole AFTER UPDATE OF id ON apart BEGIN DELETE FROM apart; END",
        ],
        ["account", "log", "broken", "broken_too"],
    ),
    "names that are no words": (
        [
            'CREATE TABLE "my ""account""" (id INTEGER PRIMARY KEY)',
            'CREATE VIEW shown AS SELECT * FROM "my ""account"""',
            'CREATE TABLE child (up INTEGER REFERENCES "My ""Account""" (id))',
            "CREATE TABLE apart (id INTEGER)",
        ],
        ['my "account"', "shown", "child"],
    ),
    "letters of other scripts": (
        [
            "CREATE TABLE größe (id INTEGER PRIMARY KEY)",
            "CREATE TABLE größen (id INTEGER REFERENCES größe (id))",
            "CREATE TABLE apart (größe TEXT)",
        ],
        ["größe", "größen"],
    ),
    "a search index over it": (
        [ACCOUNT, "CREATE VIRTUAL TABLE found USING fts5(name, content='account')", "CREATE TABLE apart (id INTEGER)"],
        ["account", "found"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_belongs_to_a_change(case: str) -> None:
    statements, expected = CASES[case]
    objects = stored(*statements)
    found = neighbours(objects[0].name, objects)
    assert [o.name for o in found] == expected
    assert {name for _, name in Twin(found).broken()} == {o.name for o in found if o.name.startswith("broken")}


def test_what_a_new_text_mentions_is_there() -> None:
    objects = stored(ACCOUNT, "CREATE TABLE city (id INTEGER PRIMARY KEY)", "CREATE UNIQUE INDEX ix ON city (id)")
    assert [o.name for o in neighbours("account", objects, ["city INTEGER REFERENCES city (id)"])] == [
        "account",
        "city",
        "ix",
    ]
