"""Laws of edits on stored texts: an edit does what it says, and everything else stays byte for byte."""

from __future__ import annotations

import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from asyncmig.dialects import sqlite_edits as edit
from asyncmig.dialects.sqlite_table_text import TableText, parse_table
from asyncmig.dialects.sqlite_tokens import tokenize

NAMES = ["a", '"b c"', "[key]", "`d``e`", "'f'", "g"]
GAPS = st.sampled_from([" ", "\n\t", " /* , ( */ ", " -- ') ,\n", "/**/"])
TYPES = st.sampled_from(["", "INT", "VARCHAR(20)", "UNSIGNED BIG INT", "DECIMAL(10, 2)", "'odd' type"])
CLAUSES = st.lists(
    st.sampled_from([
        "NOT NULL", "NULL", "CONSTRAINT n NOT NULL ON CONFLICT FAIL", "DEFAULT 'x, y'", "DEFAULT -1", "DEFAULT (1, 2)".replace(", 2", ""),
        "COLLATE NOCASE", "CHECK (1 > 0)", "CONSTRAINT 'in' CHECK ( 'a,)' <> ''/*)*/)", "UNIQUE ON CONFLICT IGNORE",
        "REFERENCES o (x) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED", "CONSTRAINT fk REFERENCES o",
    ]),
    max_size=4, unique=True,
)  # fmt: skip
TABLE_CONSTRAINTS = [
    "CHECK (a <> 2)",
    'CONSTRAINT "u," UNIQUE (a)',
    "FOREIGN KEY (a) REFERENCES o (x) ON UPDATE SET NULL",
    "CHECK ((a))",
]


@st.composite
def tables(draw: st.DrawFn) -> TableText:
    """Texts as people write them, and worse; SQLite takes each."""
    gap = lambda: draw(GAPS)  # noqa: E731
    names = NAMES[: draw(st.integers(2, len(NAMES)))]
    items = [gap().join([name, *filter(None, [draw(TYPES)]), *draw(CLAUSES)]) for name in names]
    items += draw(st.lists(st.sampled_from(TABLE_CONSTRAINTS), max_size=3, unique=True))
    body = "".join(part for item in items for part in (gap(), item, gap(), ","))[:-1]
    sql = f"CREATE TABLE{gap()}t{gap()}({body})"
    return parse_table(stored(sql))


def stored(sql: str) -> str:
    database = sqlite3.connect(":memory:")
    try:
        database.execute(sql)
        return str(database.execute("SELECT sql FROM sqlite_schema WHERE name = 't'").fetchone()[0])
    finally:
        database.close()


COLUMN = st.integers(0, 1)


def rest(table: TableText, index: int) -> list[str]:
    """The texts of all items but one."""
    return [table.sql[item.start : item.end] for number, item in enumerate(table.items) if number != index]


def comments(table: TableText) -> list[str]:
    return [token.text for token in tokenize(table.sql) if token.kind == "comment"]


@given(tables())
def test_the_tokens_are_the_text(table: TableText) -> None:
    assert "".join(token.text for token in tokenize(table.sql)) == table.sql


@given(tables(), COLUMN, st.booleans())
def test_nullability_is_set_and_nothing_else(table: TableText, index: int, nullable: bool) -> None:
    after = edit.edited(table, edit.SetNullable(table.columns[index].name, nullable))
    assert after.columns[index].not_null is not nullable
    assert rest(after, index) == rest(table, index) and comments(after) == comments(table)
    assert stored(after.sql) == after.sql
    again = edit.edited(after, edit.SetNullable(table.columns[index].name, nullable))
    assert again.sql == after.sql


@given(tables(), COLUMN, st.sampled_from(["5", "'it''s'", "a(1) + 2", "(1)", "NULL"]))
def test_a_default_is_set_and_taken_away(table: TableText, index: int, default: str) -> None:
    name = table.columns[index].name
    after = edit.edited(table, edit.SetDefault(name, default))
    clause = after.columns[index].clause("default")
    assert clause is not None and clause.value is not None
    assert after.sql[slice(*clause.value)] in (default, f"({default})")
    assert rest(after, index) == rest(table, index) and comments(after) == comments(table)
    without = edit.edited(after, edit.SetDefault(name, None))
    assert without.columns[index].clause("default") is None
    assert rest(without, index) == rest(table, index) and stored(without.sql) == without.sql


@given(tables(), COLUMN, TYPES)
def test_a_type_is_set_and_nothing_else(table: TableText, index: int, type: str) -> None:
    after = edit.edited(table, edit.SetType(table.columns[index].name, type))
    assert after.columns[index].type == type
    assert rest(after, index) == rest(table, index) and comments(after) == comments(table)
    back = edit.edited(after, edit.SetType(table.columns[index].name, table.columns[index].type))
    assert back.columns[index].type == table.columns[index].type
    assert stored(after.sql) == after.sql


@given(tables(), st.integers(1, 5))
def test_a_dropped_column_takes_only_itself(table: TableText, index: int) -> None:
    index = min(index, len(table.columns) - 1)
    after = edit.edited(table, edit.DropColumn(table.columns[index].name))
    assert [table.sql[i.start : i.end] for n, i in enumerate(table.items) if n != index] == rest(after, -1)
    assert stored(after.sql) == after.sql


@given(
    tables(),
    COLUMN,
    st.sampled_from(["new", "new TEXT -- why", "[n w] INT DEFAULT 'x'"]),
    st.sampled_from(["end", "before", "after"]),
)
def test_an_added_column_stands_where_it_was_asked(table: TableText, index: int, text: str, where: str) -> None:
    name = table.columns[index].name
    place = {"end": {}, "before": {"before": name}, "after": {"after": name}}[where]
    after = edit.edited(table, edit.AddColumn(text, **place))
    at = {"end": len(table.columns), "before": index, "after": index + 1}[where]
    assert rest(after, at) == rest(table, -1)
    back = edit.edited(after, edit.DropColumn(after.columns[at].name))
    assert rest(back, -1) == rest(table, -1) and stored(after.sql) == after.sql


@given(
    tables(), st.sampled_from(["CHECK (a > 0)", "CONSTRAINT more UNIQUE (a) -- why", "FOREIGN KEY (a) REFERENCES p"])
)
def test_an_added_constraint_is_the_last_item(table: TableText, text: str) -> None:
    after = edit.edited(table, edit.AddConstraint(text))
    assert rest(after, len(table.items)) == rest(table, -1)
    assert stored(after.sql) == after.sql


@given(tables(), st.sampled_from(["check", "unique", "foreign key"]))
def test_dropped_constraints_are_gone_and_the_others_stay(table: TableText, kind: str) -> None:
    if not any(clause.kind == kind for clause in table.clauses):
        return
    after = edit.edited(table, edit.DropConstraint(kind=kind))  # type: ignore[arg-type]
    assert [c.spelling for c in after.clauses] == [c.spelling for c in table.clauses if c.kind != kind]
    assert comments(after) == [c for c in comments(table) if c != "/*)*/" or kind != "check"]
    assert stored(after.sql) == after.sql


@given(tables(), st.randoms())
def test_a_new_order_moves_whole_columns_and_can_be_undone(table: TableText, random: object) -> None:
    names = [column.name for column in table.columns]
    shuffled = list(names)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    after = edit.edited(table, edit.ReorderColumns(tuple(shuffled)))
    assert [column.name for column in after.columns] == shuffled
    assert edit.edited(after, edit.ReorderColumns(tuple(names))).sql == table.sql
