"""A SQLite database as a Schema: two queries a file, whatever the number of tables.

What the PRAGMAs do not tell (names of constraints, CHECKs, collations, generated columns) comes from the stored text,
and so do the indexes, which is several times faster than asking for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from asyncmig.dialects.reading import Reader, Reading, Rows, Scope
from asyncmig.dialects.sqlite_constraints import read_constraints
from asyncmig.dialects.sqlite_index_text import index_parts, is_unique
from asyncmig.dialects.sqlite_object_text import read_triggers, read_views
from asyncmig.dialects.sqlite_splices import term
from asyncmig.dialects.sqlite_table_text import TableText
from asyncmig.dialects.sqlite_tokens import code_tokens, quote, text_literal
from asyncmig.dialects.sqlite_types import SqliteTypes
from asyncmig.schema.expressions import verbatim
from asyncmig.schema.model import (
    Column,
    Computed,
    Constraint,
    ForeignKey,
    Index,
    Options,
    PrimaryKey,
    Ref,
    Schema,
    Table,
    Trigger,
    View,
)
from asyncmig.schema.options import freeze_options
from asyncmig.schema.types import SqlText

__all__ = ["SqliteReader"]

_FILES = "SELECT name FROM pragma_database_list WHERE name NOT IN ('main', 'temp')"
_OBJECTS = "SELECT type, name, tbl_name, sql FROM {schema}.sqlite_master WHERE type IN ({kinds})"
_COLUMNS = """
SELECT m.name, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden
FROM {schema}.sqlite_master AS m JOIN pragma_table_xinfo(m.name, {literal}) AS x
WHERE m.type = 'table' AND x.hidden <> 1
"""
_VIRTUAL = "CREATE VIRTUAL "
_HAS_STRICT = any(
    "strict" in arguments for _, arguments in SQLiteDialect.construct_arguments or () if isinstance(arguments, dict)
)


class SqliteReader(Reader):
    """Attached files are the schemas."""

    def read(self, scope: Scope) -> Reading:
        tables: dict[Ref, Table] = {}
        files: list[str | None] = [None]
        if scope.all_schemas or scope.schemas:
            files += [str(name) for (name,) in (yield _FILES)]
        wanted = [schema for schema in files if scope.has_schema(schema)]
        views: dict[Ref, View] = {}
        triggers: dict[Ref, Trigger] = {}
        kinds = ", ".join(text_literal(kind) for kind in ("table", "index", *sorted(scope.objects)))
        for schema in wanted:
            place = {"schema": quote(schema or "main"), "literal": text_literal(schema or "main")}
            objects = yield _OBJECTS.format(**place, kinds=kinds)
            views.update((view.ref, view) for view in read_views(objects, schema, scope))
            triggers.update((trigger.ref, trigger) for trigger in read_triggers(objects, schema, scope))
            columns = yield _COLUMNS.format(**place)
            for table in _File(schema, scope, objects, columns).tables():
                tables[table.ref] = table
        return Schema(
            tables={ref: _with_targets(table, tables) for ref, table in tables.items()},
            views=views,
            triggers=triggers,
            schemas=frozenset(name for name in wanted if name is not None),
        )


class _File:
    """The rows of one file, by table."""

    def __init__(self, schema: str | None, scope: Scope, objects: Rows, columns: Rows) -> None:
        self.schema = schema
        self.scope = scope
        self.types = SqliteTypes()
        self.made: dict[tuple[Any, ...], Column] = {}
        self.texts = dict(_ordinary(objects))
        self.indexes = _by_first(sorted((row[2], row[1], row[3]) for row in objects if row[0] == "index" and row[3]))
        self.columns = _by_first(columns)

    def tables(self) -> Iterator[Table]:
        for name, sql in self.texts.items():
            if self.scope.has_table(name, self.schema):
                yield self._table(name, sql)

    def _table(self, name: str, sql: str) -> Table:
        stored = read_constraints(sql, self.schema)
        key = next((c for c in stored.constraints if isinstance(c, PrimaryKey)), None)
        rows = self.columns.get(name, ())
        text = stored.text
        alias = text.rowid_alias if text is not None else _rowid_alias(rows, key)
        if alias is not None:
            # SQLite reports INTEGER PRIMARY KEY as nullable, but no row ever has NULL there.
            rows = [(*row[:3], 1, *row[4:]) if row[1] == alias else row for row in rows]
        columns = [self._column(row) if text is None else self._detailed(row, text) for row in rows]
        table = Table(
            name,
            tuple(columns),
            self.schema,
            stored.constraints,
            tuple(self._indexes(name, columns)),
            options=_options(text),
            stored_sql=sql,
        )
        return self.scope.included(table)

    def _column(self, row: Sequence[Any]) -> Column:
        key = tuple(row[1:5])
        found = self.made.get(key)
        if found is None:
            _, name, declared, not_null, default, _, _ = row
            found = self.made[key] = Column(
                name,
                self.types.read(declared or ""),
                nullable=not not_null,
                default=None if default is None else SqlText(verbatim(_written(default))),
            )
        return found

    def _detailed(self, row: Sequence[Any], text: TableText) -> Column:
        """The column with what only the text says of it."""
        column = self._column(row)
        written = text.column(row[1])
        collate, generated = written.clause("collate"), written.clause("generated")
        if collate is not None:
            column = replace(column, type=self.types.read(row[2] or "", collate.value_tokens[0].name))
        if generated is not None and generated.value is not None:
            start, end = generated.value
            # PRAGMA table_xinfo takes "GENERATED ALWAYS" for the end of the type.
            type_ = self.types.read(written.type, collate.value_tokens[0].name if collate else None)
            expression = SqlText(verbatim(text.sql[start + 1 : end - 1].strip()))
            column = replace(column, type=type_, computed=Computed(expression, written.stored))
        options = {
            f"sqlite_on_conflict_{clause.kind.replace(' ', '_')}": clause.tokens[-1].name.upper()
            for clause in written.clauses
            if clause.kind in ("primary key", "not null", "unique") and _has_conflict(clause.tokens)
        }
        return replace(column, options=freeze_options(options)) if options else column

    def _indexes(self, table: str, columns: Sequence[Column]) -> Iterator[Index]:
        rows = self.indexes.get(table)
        if rows is None:
            return
        known = {column.name: column for column in columns}
        for _, name, sql in rows:
            elements, where = index_parts(sql, known)
            options = {"sqlite_where": SqlText(verbatim(where))} if where else {}
            yield Index(name, elements, is_unique(sql), freeze_options(options))


def _ordinary(objects: Rows) -> Iterator[tuple[str, str]]:
    """The tables that a person made: not SQLite's own, nor the virtual ones with the tables behind them."""
    tables = [(name, sql) for kind, name, _, sql in objects if kind == "table" and sql]
    virtual = tuple(f"{name}_" for name, sql in tables if sql[: len(_VIRTUAL)].upper() == _VIRTUAL)
    for name, sql in tables:
        hidden = name.startswith("sqlite_") or (virtual and name.startswith(virtual))
        if not hidden and sql[: len(_VIRTUAL)].upper() != _VIRTUAL:
            yield name, sql


def _by_first(rows: Iterable[Sequence[Any]]) -> Mapping[str, list[Sequence[Any]]]:
    found: dict[str, list[Sequence[Any]]] = {}
    for row in rows:
        known = found.get(row[0])
        if known is None:
            found[row[0]] = [row]
        else:
            known.append(row)
    return found


def _rowid_alias(rows: Sequence[Sequence[Any]], key: PrimaryKey | None) -> str | None:
    if key is None or len(key.columns) != 1:
        return None
    return next((row[1] for row in rows if row[5] and (row[2] or "").upper() == "INTEGER"), None)


def _has_conflict(tokens: Sequence[Any]) -> bool:
    return len(tokens) > 2 and tokens[-2].upper == "CONFLICT"


def _options(text: TableText | None) -> Options:
    if text is None:
        return ()
    found: dict[str, Any] = {}
    if text.autoincrement:
        found["sqlite_autoincrement"] = True
    if text.without_rowid:
        found["sqlite_with_rowid"] = False
    if text.strict and _HAS_STRICT:
        found["sqlite_strict"] = True
    return freeze_options(found)


def _with_targets(table: Table, tables: Mapping[Ref, Table]) -> Table:
    """REFERENCES without columns means the target's primary key."""
    if all(not isinstance(c, ForeignKey) or c.target_columns for c in table.constraints):
        return table
    return replace(table, constraints=tuple(_with_target(c, tables) for c in table.constraints))


def _with_target(constraint: Constraint, tables: Mapping[Ref, Table]) -> Constraint:
    if not isinstance(constraint, ForeignKey) or constraint.target_columns:
        return constraint
    target = tables.get(constraint.target)
    key = target.primary_key if target is not None else None
    return replace(constraint, target_columns=key.columns if key is not None else constraint.columns)


def _written(default: str) -> str:
    """As it may stand behind DEFAULT: SQLite tells an expression without its parentheses, and a bare word is a string."""
    return default if len(code_tokens(default)) == 1 else term(default)
