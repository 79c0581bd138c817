"""Directive arguments become one sa.Table, under the naming convention of the project's models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.sql.schema import SchemaItem
from sqlalchemy.sql.visitors import replacement_traverse

from asyncmig.errors import OperationError
from asyncmig.schema.metadata import THROW_AWAY

__all__ = ["add_targets", "build_index_table", "build_table", "fresh_metadata"]


def build_table(
    directive: str,
    name: str,
    items: Sequence[object],
    convention: Mapping[str, Any] | None,
    keywords: Mapping[str, Any],
) -> sa.Table:
    """A table of its own MetaData holding `items`; objects that belong to another table are copied."""
    checked = [_checked(directive, name, item) for item in items if item is not None]
    columns = [_free_column(item) for item in checked if isinstance(item, sa.Column)]
    # The CHECK of a Boolean or Enum comes with its column's type; given as well (*table.constraints) it would double.
    others = [
        item
        for item in checked
        if isinstance(item, sa.Constraint | sa.Index) and not getattr(item, "_type_bound", False)
    ]
    metadata = fresh_metadata(convention)
    schema = keywords.get("schema")
    add_targets(metadata, _foreign_keys(columns, others), (schema, name))
    try:
        table = sa.Table(name, metadata, *columns, **keywords)
        for item in others:
            table.append_constraint(_free_constraint(item, table))
    except (TypeError, sa.exc.ArgumentError, sa.exc.InvalidRequestError) as error:
        raise OperationError(f"{directive} {name}: {error}") from error
    return table


def build_index_table(
    directive: str,
    name: str | None,
    table_name: str,
    elements: Sequence[object],
    convention: Mapping[str, Any] | None,
    *,
    schema: str | None,
    unique: bool,
    keywords: Mapping[str, Any],
) -> sa.Table:
    """A stand-in for the table, with the columns that the index names and the index."""
    if isinstance(elements, str) or not elements:
        raise OperationError(f"{directive} {name or ''} on {table_name} wants a list of columns or expressions.")
    table = sa.Table(table_name, fresh_metadata(convention), schema=schema)
    try:
        parts = [_index_element(table, element) for element in elements]
        table.append_constraint(sa.Index(name, *parts, unique=unique, **keywords))
    except (TypeError, sa.exc.ArgumentError, sa.exc.InvalidRequestError) as error:
        raise OperationError(f"{directive} {name or ''} on {table_name}: {error}") from error
    return table


def fresh_metadata(convention: Mapping[str, Any] | None) -> sa.MetaData:
    return sa.MetaData(naming_convention=dict(convention) if convention else None, info={THROW_AWAY: True})


def _checked(directive: str, name: str, item: object) -> sa.Column[Any] | sa.Constraint | sa.Index:
    if isinstance(item, sa.Column | sa.Constraint | sa.Index):
        return item
    hint = None
    if isinstance(item, sa.ForeignKey | sa.Identity | sa.Computed | sa.Sequence | sa.FetchedValue):
        hint = "Put it inside the sa.Column(...) that it belongs to."
    elif isinstance(item, sa.Table):
        hint = "Pass its columns: *table.columns."
    raise OperationError(
        f"{directive} {name} takes Column, Constraint and Index objects, not {type(item).__name__}.", hint=hint
    )


def _free_column(column: sa.Column[Any]) -> sa.Column[Any]:
    # `table` is None on a free column, which SQLAlchemy's annotation leaves out.
    return column if getattr(column, "table", None) is None else column._copy()


def _free_constraint(item: sa.Constraint | sa.Index, table: sa.Table) -> Any:
    if isinstance(item, sa.Index) and item.table is not None:
        parts = [part.name if isinstance(part, sa.Column) else part for part in item.expressions]
        return sa.Index(item.name, *parts, unique=item.unique, **item.kwargs)
    if isinstance(item, sa.Constraint) and getattr(item, "parent", None) is not None:
        return item._copy(target_table=table)
    return item


def _foreign_keys(columns: Iterable[sa.Column[Any]], others: Iterable[SchemaItem]) -> Iterator[sa.ForeignKey]:
    for column in columns:
        yield from column.foreign_keys
    for item in others:
        if isinstance(item, sa.ForeignKeyConstraint):
            yield from item.elements


def add_targets(metadata: sa.MetaData, keys: Iterable[sa.ForeignKey], own: tuple[str | None, str]) -> None:
    """Stand-ins for the tables that textual foreign keys of the table `own` name."""
    for key in keys:
        _add_target(metadata, key, own)


def _add_target(metadata: sa.MetaData, key: sa.ForeignKey, own: tuple[str | None, str]) -> None:
    """A stand-in for what a textual foreign key names: naming conventions and SQL both ask for it."""
    if not isinstance(key._colspec, str):
        return
    *schema, name, column = key.target_fullname.split(".")
    if not name or (".".join(schema) or None, name) == own:
        return
    target = sa.Table(name, metadata, schema=".".join(schema) or None, extend_existing=True)
    if column not in target.c:
        target.append_column(sa.Column(column, sa.types.NullType()))


def _index_element(table: sa.Table, element: object) -> Any:
    """A name becomes a column of the stand-in; an expression is kept, its columns moved to the stand-in."""
    if isinstance(element, str):
        if element not in table.c:
            table.append_column(sa.Column(element, sa.types.NullType()))
        return table.c[element]
    if isinstance(element, sa.TextClause | sa.ColumnElement):
        return _moved(table, element)
    raise OperationError(
        f"An index element is a column name or a SQL expression such as sa.text('lower(name)'), "
        f"not {type(element).__name__}."
    )


def _moved(table: sa.Table, expression: sa.TextClause | sa.ColumnElement[Any]) -> Any:
    def replace(element: Any, **_: Any) -> Any:
        if not isinstance(element, sa.Column) or getattr(element, "table", None) in (None, table):
            return None
        return _index_element(table, str(element.name))

    return replacement_traverse(cast("sa.ColumnElement[Any]", expression), {}, replace)
