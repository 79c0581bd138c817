"""Whether every row of a table fits its new definition, asked before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from asyncmig.dialects.sqlite_edits import SetType
from asyncmig.dialects.sqlite_layout import affinity
from asyncmig.dialects.sqlite_stored import Query, StoredTable
from asyncmig.dialects.sqlite_table_text import Clause, TableText, parse_table
from asyncmig.dialects.sqlite_tokens import mentions, quote
from asyncmig.errors import ConflictingRows

__all__ = ["Rows", "changes_values", "refuse_lossy", "refuse_misfits"]

# A float holds 15 decimal digits, and integers up to 2^53; SQLite makes one of a number that is larger, without a word.
_LONG_TEXT = (
    "typeof({0}) = 'text' AND {0} NOT GLOB '*[^0-9.+-]*' AND typeof(CAST({0} AS NUMERIC)) = 'real'"
    " AND length(ltrim(replace({0}, '.', ''), '+-0')) > 15"
)
_LARGE_INTEGER = "typeof({0}) = 'integer' AND CAST(CAST({0} AS REAL) AS INTEGER) <> {0}"
_LOSSES = {
    "INTEGER": (_LONG_TEXT,),
    "NUMERIC": (_LONG_TEXT,),
    "REAL": (
        _LONG_TEXT,
        _LARGE_INTEGER,
        "typeof({0}) = 'text' AND CAST(CAST({0} AS REAL) AS INTEGER) || '' <> {0} AND CAST({0} AS INTEGER) || '' = {0}",
    ),
}


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows as they are stored, seen with the columns of a later moment: each name with its SQL today.

    A column of which that cannot be said (it is being converted) is not there.
    """

    stored: StoredTable
    columns: Mapping[str, str]

    @property
    def source(self) -> str:
        """A table expression; SQLite flattens it, so that indexes serve."""
        columns = ", ".join(f"{sql} AS {quote(name)}" for name, sql in self.columns.items())
        return f"(SELECT {columns} FROM {quote(self.stored.schema)}.{quote(self.stored.name)})"

    def has(self, name: str) -> bool:
        return any(column.lower() == name.lower() for column in self.columns)


@dataclass(frozen=True, slots=True)
class _Misfit:
    """`condition` is true for a row that does not fit, or `count` counts them where one row cannot tell."""

    what: str
    columns: tuple[str, ...]
    condition: str = ""
    count: str = ""


def refuse_misfits(query: Query, rows: Rows, old: TableText, new: TableText) -> None:
    """ConflictingRows, naming table, columns and the number of rows, where the new definition adds what rows violate.

    All conditions on single rows take one scan together.
    """
    source = rows.source
    singles = [*_nulls(rows, old, new), *_checks(rows, old, new)]
    conditions = " OR ".join(f"({misfit.condition})" for misfit in singles)
    if singles and query(f"SELECT EXISTS(SELECT 1 FROM {source} WHERE {conditions})")[0][0]:
        for misfit in singles:
            _refuse(query, new, misfit, f"SELECT count(*) FROM {source} WHERE {misfit.condition}")
    for misfit in (*_duplicates(rows, old, new), *_orphans(rows, old, new)):
        _refuse(query, new, misfit, misfit.count)


def changes_values(edit: SetType, before: TableText) -> bool:
    """Whether the new type may change what is stored."""
    column = before.find(edit.column)
    return edit.using is not None or column is None or affinity(column.type) != affinity(edit.type)


def refuse_lossy(query: Query, rows: Rows, table: TableText, changes: Iterable[SetType]) -> None:
    """ConflictingRows where numbers would lose digits in another affinity, unless an expression makes the new values."""
    for edit in changes:
        losses = [loss.format(quote(edit.column)) for loss in _LOSSES.get(affinity(edit.type), ())]
        if losses and not edit.using and rows.has(edit.column):
            condition = " OR ".join(f"({loss})" for loss in losses)
            what = f"Column {table.name}.{edit.column} cannot become {edit.type} without losing digits"
            _refuse(
                query, table, _Misfit(what, (edit.column,)), f"SELECT count(*) FROM {rows.source} WHERE {condition}"
            )


def _refuse(query: Query, table: TableText, misfit: _Misfit, sql: str) -> None:
    count = int(query(sql)[0][0])
    if count:
        raise ConflictingRows(
            f"{misfit.what}: {count:,} {'row does' if count == 1 else 'rows do'} not fit.",
            table=table.name,
            columns=misfit.columns,
            count=count,
            hint="Change or delete those rows in a step before this one.",
        )


def _nulls(rows: Rows, old: TableText, new: TableText) -> Iterator[_Misfit]:
    before = _never_null(old)
    for name in sorted(_never_null(new) - before):
        column = new.column(name)
        # A new INTEGER PRIMARY KEY takes the rowid, which is never NULL.
        is_new_rowid = old.find(name) is None and name == (new.rowid_alias or "").lower()
        if rows.has(name) and not is_new_rowid:
            yield _Misfit(
                f"Column {new.name}.{column.name} cannot become NOT NULL",
                (column.name,),
                f"{quote(column.name)} IS NULL",
            )


def _never_null(table: TableText) -> set[str]:
    """NOT NULL columns; the rowid is never NULL, nor is a key of the tables where SQLite does what the standard says."""
    names = {column.name.lower() for column in table.columns if column.not_null}
    if table.rowid_alias or table.without_rowid or table.strict:
        names |= {name.lower() for name in table.primary_key}
    return names


def _checks(rows: Rows, old: TableText, new: TableText) -> Iterator[_Misfit]:
    known = {_expression(new, clause) for clause in old.clauses if clause.kind == "check"}
    for clause in new.clauses:
        if clause.kind == "check" and _expression(new, clause) not in known and _can_ask(rows, new, clause):
            assert clause.value is not None
            text = new.sql[slice(*clause.value)]
            columns = tuple(c.name for c in new.columns if mentions(clause.value_tokens, c.name))
            title = f" {clause.name}" if clause.name else ""
            yield _Misfit(f"Table {new.name} cannot have the CHECK{title} {_line(text)}", columns, f"NOT {text}")


def _expression(table: TableText, clause: Clause) -> str:
    return " ".join(token.text for token in clause.value_tokens)


def _can_ask(rows: Rows, table: TableText, clause: Clause) -> bool:
    used = [column.name for column in table.columns if mentions(clause.value_tokens, column.name)]
    return all(rows.has(name) for name in used)


def _line(text: str) -> str:
    return " ".join(text.split())


def _duplicates(rows: Rows, old: TableText, new: TableText) -> Iterator[_Misfit]:
    known = set(_compared_keys(old))
    keys = [clause for clause in new.clauses if clause.kind in ("primary key", "unique")]
    for key, clause in zip(_compared_keys(new), keys, strict=True):
        is_new_rowid = clause.columns == (new.rowid_alias,) and old.find(clause.columns[0]) is None
        if key in known or is_new_rowid or not all(rows.has(name) for name in clause.columns):
            continue
        present = " AND ".join(f"{quote(name)} IS NOT NULL" for name in clause.columns)
        groups = ", ".join(_collated(new, name) for name in clause.columns)
        count = (
            "SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n"
            f" FROM {rows.source} WHERE {present} GROUP BY {groups} HAVING count(*) > 1)"
        )
        what = f"{', '.join(clause.columns)} of table {new.name} cannot become {clause.kind.upper()}"
        yield _Misfit(what, clause.columns, count=count)


def _compared_keys(table: TableText) -> list[tuple[str, ...]]:
    """What decides which values count as equal: the columns of each key with their collations."""
    return [
        tuple(_collated(table, name).lower() for name in clause.columns)
        for clause in table.clauses
        if clause.kind in ("primary key", "unique")
    ]


def _collated(table: TableText, name: str) -> str:
    column = table.find(name)
    clause = column.clause("collate") if column else None
    return f"{quote(name)} {clause.tokens[-2].text} {clause.tokens[-1].text}" if clause else quote(name)


def _orphans(rows: Rows, old: TableText, new: TableText) -> Iterator[_Misfit]:
    known = [(c.columns, c.reference) for c in old.clauses if c.kind == "foreign key"]
    for clause in new.clauses:
        reference = clause.reference
        if reference is None or (clause.columns, reference) in known or not all(map(rows.has, clause.columns)):
            continue
        conditions = [f"child.{quote(name)} IS NOT NULL" for name in clause.columns]
        parent = _parent(rows.stored, new, reference.table)
        keys = reference.columns or (parent.primary_key if parent else ())
        if parent is not None and len(keys) == len(clause.columns):
            pairs = " AND ".join(
                f"parent.{quote(key)} = child.{quote(name)}" for key, name in zip(keys, clause.columns, strict=True)
            )
            itself = parent.name.lower() == new.name.lower()
            if not all(map(rows.has if itself else parent.find, keys)):
                continue  # what they will be cannot be said yet: the check at the end of the step tells
            source = rows.source if itself else f"{quote(rows.stored.schema)}.{quote(parent.name)}"
            conditions.append(f"NOT EXISTS (SELECT 1 FROM {source} AS parent WHERE {pairs})")
        count = f"SELECT count(*) FROM {rows.source} AS child WHERE {' AND '.join(conditions)}"
        what = f"Table {new.name} cannot have the foreign key from {', '.join(clause.columns)} to {reference.table}"
        yield _Misfit(what, clause.columns, count=count)


def _parent(stored: StoredTable, new: TableText, name: str) -> TableText | None:
    if name.lower() == new.name.lower():
        return new
    found: Sequence[str] = [o.sql for o in stored.objects if o.type == "table" and o.name.lower() == name.lower()]
    return parse_table(found[0]) if found else None
