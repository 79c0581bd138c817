"""Constraints and indexes as the Python that makes them: inside of a table, and as operations of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, assert_never

import sqlalchemy as sa

from asyncmig.autogenerate.render_code import (
    Atom,
    Call,
    Collection,
    Keyword,
    Node,
    call,
    flat,
    keywords,
    string,
    strings,
)
from asyncmig.autogenerate.render_columns import render_options, truth
from asyncmig.autogenerate.render_context import RenderContext
from asyncmig.autogenerate.render_sql import condition, element, render_text
from asyncmig.schema.metadata import to_sqlalchemy
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
    Table,
    Unique,
)
from asyncmig.schema.options import DDL_IF, option, thaw_options
from asyncmig.schema.types import SqlText, SqlType

__all__ = ["render_constraint", "render_create_constraint", "render_elements"]


def render_constraint(constraint: Constraint, context: RenderContext) -> Node:
    """The constraint as an item of a table or column."""
    made = _custom(constraint, context) or _item(constraint, context)
    condition_ = option(constraint.options, DDL_IF) if constraint.options else None
    if condition_ is None or condition_.dialect is None or not isinstance(made, Call):
        return made
    # For one database a condition is true or not; the dialect's name is the only one that a script can say.
    named = condition_.dialect
    value = string(named) if isinstance(named, str) else strings(named, "()")
    return call(made, *keywords(dialect=value), attribute="ddl_if")


def _item(constraint: Constraint, context: RenderContext) -> Node:
    match constraint:
        case PrimaryKey():
            return call("sa.PrimaryKeyConstraint", *_names(constraint.columns), *_common(constraint, "pk", context))
        case Unique():
            return call("sa.UniqueConstraint", *_names(constraint.columns), *_common(constraint, "uq", context))
        case Check():
            return call("sa.CheckConstraint", condition(constraint.text, context), *_common(constraint, "ck", context))
        case ForeignKey():
            remote = [f"{constraint.target}.{name}" for name in constraint.target_columns]
            columns = (strings(constraint.columns), strings(remote))
            return call("sa.ForeignKeyConstraint", *columns, *_common(constraint, "fk", context), *_rules(constraint))
        case Exclude():
            prefix = context.imports.name("sqlalchemy.dialects", "postgresql")
            return call(f"{prefix}.ExcludeConstraint", *_excluded(constraint, context), *_exclude(constraint, context))
        case _:
            assert_never(constraint)


def render_create_constraint(ref: Ref, constraint: Constraint, context: RenderContext, *, batch: bool) -> Node:
    """The directive that adds the constraint to a table that is there; inside of a batch it is not told the table."""
    head, name, schema = f"{'batch_op' if batch else 'op'}.create_", _name(constraint, context), _schema(ref, batch)
    own = () if batch else (string(ref.name),)
    match constraint:
        case PrimaryKey():
            return call(f"{head}primary_key", name, *own, strings(constraint.columns), *schema)
        case Unique():
            rest = _without_name(constraint, context)
            return call(f"{head}unique_constraint", name, *own, strings(constraint.columns), *rest, *schema)
        case Check():
            text = condition(constraint.text, context)
            return call(f"{head}check_constraint", name, *own, text, *_without_name(constraint, context), *schema)
        case ForeignKey():
            columns = (strings(constraint.columns), strings(constraint.target_columns))
            schemas = _schemas(ref, constraint, batch)
            rest = (*_rules(constraint), *_without_name(constraint, context))
            return call(f"{head}foreign_key", name, *own, string(constraint.target.name), *columns, *rest, *schemas)
        case Exclude():
            rest = tuple(item for item in _exclude(constraint, context) if not _is_name(item))
            return call(f"{head}exclude_constraint", name, *own, *_excluded(constraint, context), *rest, *schema)
        case _:
            assert_never(constraint)


def render_elements(index: Index, context: RenderContext) -> Collection:
    """The columns and expressions of an index."""
    return Collection(
        tuple(string(part) if isinstance(part, str) else element(part, context) for part in index.elements)
    )


_KINDS: dict[type[Any], str] = {PrimaryKey: "pk", Unique: "uq", Check: "ck", ForeignKey: "fk", Exclude: "excl"}


def _name(constraint: Constraint, context: RenderContext) -> Node:
    return context.name(constraint.name, _KINDS[type(constraint)]) or Atom("None")


def _common(constraint: PrimaryKey | Unique | Check | ForeignKey, kind: str, context: RenderContext) -> Iterator[Node]:
    yield from keywords(name=context.name(constraint.name, kind))
    yield from _without_name(constraint, context)


def _without_name(constraint: PrimaryKey | Unique | Check | ForeignKey, context: RenderContext) -> tuple[Node, ...]:
    return (
        *keywords(
            deferrable=truth(constraint.deferrable),
            initially=None if constraint.initially is None else string(constraint.initially),
            comment=None if constraint.comment is None else string(constraint.comment),
        ),
        *render_options(constraint.options, context),
    )


def _rules(key: ForeignKey) -> Iterator[Node]:
    return keywords(
        onupdate=None if key.onupdate is None else string(key.onupdate),
        ondelete=None if key.ondelete is None else string(key.ondelete),
        match=None if key.match is None else string(key.match),
        use_alter=Atom("True") if key.use_alter else None,
    )


def _excluded(exclude: Exclude, context: RenderContext) -> Iterator[Node]:
    for part, operator in exclude.elements:
        body = string(part) if isinstance(part, str) else _excluded_element(part, context)
        yield Collection((body, string(operator)), "()")


def _excluded_element(part: SqlText, context: RenderContext) -> Node:
    """A bare name is a column's; anything else is what literal_column() says without looking into it."""
    if isinstance(part.clause, sa.ColumnClause) and not part.clause.is_literal:
        return string(part.clause.name)
    return call("sa.literal_column", string(part.spelling(context.dialect)))


def _exclude(exclude: Exclude, context: RenderContext) -> tuple[Node, ...]:
    return (
        *keywords(
            name=context.name(exclude.name, "excl"),
            using=None if exclude.using == "gist" else string(exclude.using),
            where=None if exclude.where is None else render_text(exclude.where, context),
            ops=_ops(exclude.ops),
            deferrable=truth(exclude.deferrable),
            initially=None if exclude.initially is None else string(exclude.initially),
        ),
        *render_options(exclude.options, context),
    )


def _ops(ops: Options) -> Node | None:
    if not ops:
        return None
    items = (Keyword(f"{flat(string(key))}: ", string(value)) for key, value in thaw_options(ops).items())
    return Collection(tuple(items), "{}")


def _is_name(node: Node) -> bool:
    return getattr(node, "name", "") == "name="


def _names(columns: tuple[str, ...]) -> Iterator[Node]:
    return (string(name) for name in columns)


def _schema(ref: Ref, batch: bool) -> tuple[Node, ...]:
    return () if batch or ref.schema is None else tuple(keywords(schema=string(ref.schema)))


def _schemas(ref: Ref, key: ForeignKey, batch: bool) -> tuple[Node, ...]:
    return tuple(
        keywords(
            source_schema=None if batch or ref.schema is None else string(ref.schema),
            referent_schema=None if key.target.schema is None else string(key.target.schema),
        )
    )


def _custom(constraint: Constraint, context: RenderContext) -> Node | None:
    """Alembic's names for what render_item is asked about."""
    if context.render_item is None:
        return None
    kinds: dict[type[Any], str] = {
        PrimaryKey: "primary_key",
        Unique: "unique",
        Check: "check",
        ForeignKey: "foreign_key",
        Exclude: "exclude",
    }
    return context.custom(kinds[type(constraint)], _as_sqlalchemy(constraint))


def _as_sqlalchemy(constraint: Constraint) -> sa.Constraint:
    """The constraint on a stand-in for its table."""
    names = () if isinstance(constraint, Check | Exclude) else constraint.columns
    columns = tuple(Column(name, SqlType(sa.types.NULLTYPE)) for name in dict.fromkeys(names))
    built = to_sqlalchemy(Table("t", columns, constraints=(constraint,)))
    kind = sa.PrimaryKeyConstraint
    return next(c for c in built.constraints if isinstance(c, kind) is isinstance(constraint, PrimaryKey))
