"""A column's new name carried into the constraints, indexes and expressions that use it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, assert_never, cast

import sqlalchemy as sa
from sqlalchemy.sql.visitors import replacement_traverse

from asyncmig.operations.mentions import text_uses
from asyncmig.schema.model import (
    Check,
    Column,
    Constraint,
    Exclude,
    ForeignKey,
    Index,
    Options,
    PrimaryKey,
    Ref,
    Schema,
    Table,
    Unique,
)
from asyncmig.schema.options import FrozenMap
from asyncmig.schema.serial import with_counter
from asyncmig.schema.types import SqlText

__all__ = ["renamed_everywhere", "renamed_index", "renamed_text"]

_WORD = re.compile(r"""'(?:[^']|'')*'|"(?P<quoted>(?:[^"]|"")*)"|(?P<bare>[^\W\d][\w$]*)""")
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")


def renamed_everywhere(schema: Schema, ref: Ref, old: str, new: str) -> Schema:
    """The schema after RENAME COLUMN: the table's own constraints and indexes follow, and foreign keys to the column."""
    schema = schema.change_table(ref, lambda table: _renamed_table(table, old, new))
    changed = {key: _retargeted(table, ref, old, new) for key, table in schema.tables.items()}
    return replace(schema, tables=changed)


def renamed_text(text: SqlText, old: str, new: str) -> SqlText:
    """The expression with the column's name replaced; the very same value where it does not stand in it."""
    if not text_uses(text, old):
        return text
    if isinstance(text.clause, sa.TextClause):
        clause: sa.ClauseElement = _renamed_clause(text.clause, old, new)
    else:
        clause = cast("sa.ClauseElement", replacement_traverse(cast("Any", text.clause), {}, _replacer(old, new)))
    return SqlText(clause, text.literal)


def _renamed_table(table: Table, old: str, new: str) -> Table:
    table = with_counter(table)
    return replace(
        table,
        columns=tuple(_renamed_column(column, old, new) for column in table.columns),
        constraints=tuple(_renamed_constraint(constraint, old, new) for constraint in table.constraints),
        indexes=tuple(renamed_index(index, old, new) for index in table.indexes),
        stored_sql=None,
    )


def _renamed_column(column: Column, old: str, new: str) -> Column:
    if column.computed is not None:
        column = replace(column, computed=replace(column.computed, text=renamed_text(column.computed.text, old, new)))
    return replace(column, name=new) if column.name == old else column


def _renamed_constraint(constraint: Constraint, old: str, new: str) -> Constraint:
    match constraint:
        case PrimaryKey() | Unique() | ForeignKey():
            return replace(constraint, columns=_names(constraint.columns, old, new))
        case Check():
            column = new if constraint.column == old else constraint.column
            return replace(constraint, text=renamed_text(constraint.text, old, new), column=column)
        case Exclude():
            elements = tuple((_element(part, old, new), operator) for part, operator in constraint.elements)
            where = None if constraint.where is None else renamed_text(constraint.where, old, new)
            return replace(constraint, elements=elements, where=where, ops=_options(constraint.ops, old, new))
        case _:
            assert_never(constraint)


def renamed_index(index: Index, old: str, new: str) -> Index:
    """The index with the column's name replaced, in elements, predicate and options."""
    elements = tuple(_element(part, old, new) for part in index.elements)
    options = tuple((key, _option(key, value, old, new)) for key, value in index.options)
    return replace(index, elements=elements, options=options)


def _retargeted(table: Table, ref: Ref, old: str, new: str) -> Table:
    """The table with foreign keys to the column following it."""
    keys = [c for c in table.constraints if isinstance(c, ForeignKey) and c.target == ref and old in c.target_columns]
    if not keys:
        return table
    constraints = tuple(
        replace(c, target_columns=_names(c.target_columns, old, new)) if isinstance(c, ForeignKey) and c in keys else c
        for c in table.constraints
    )
    return replace(table, constraints=constraints, stored_sql=None)


def _names(names: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if name == old else name for name in names)


def _element(part: str | SqlText, old: str, new: str) -> str | SqlText:
    if isinstance(part, SqlText):
        return renamed_text(part, old, new)
    return new if part == old else part


def _options(options: Options, old: str, new: str) -> Options:
    return tuple(sorted((new if key == old else key, value) for key, value in options))


def _option(key: str, value: Any, old: str, new: str) -> Any:
    if isinstance(value, SqlText):
        return renamed_text(value, old, new)
    if key.endswith("_ops") and isinstance(value, FrozenMap):
        return FrozenMap({new if name == old else name: item for name, item in value.items()})
    if key.endswith("_include") and isinstance(value, tuple):
        return _names(value, old, new)
    return value


def _replacer(old: str, new: str) -> Any:
    def replaced(element: Any, **_: Any) -> Any:
        if isinstance(element, sa.TextClause):
            clause = _renamed_clause(element, old, new)
            return None if clause is element else clause
        if isinstance(element, sa.ColumnClause) and element.is_literal:
            text = _renamed_words(str(element.name), old, new)
            return None if text == element.name else sa.literal_column(text, element.type)
        if isinstance(element, sa.ColumnClause) and element.name == old:
            return sa.column(new, element.type)
        return None

    return replaced


def _renamed_clause(clause: sa.TextClause, old: str, new: str) -> sa.TextClause:
    text = _renamed_words(clause.text, old, new)
    if text == clause.text:
        return clause
    renamed = clause._clone()
    renamed.text = text
    return renamed


def _renamed_words(text: str, old: str, new: str) -> str:
    spelled = new if _PLAIN.match(new) else '"' + new.replace('"', '""') + '"'

    def word(match: re.Match[str]) -> str:
        quoted, bare = match["quoted"], match["bare"]
        if quoted is not None and quoted.replace('""', '"') == old:
            return '"' + new.replace('"', '""') + '"'
        called = text[match.end() :].lstrip().startswith("(")
        return spelled if bare is not None and bare.lower() == old.lower() and not called else match[0]

    return _WORD.sub(word, text)
