"""Columns and what fills them as the Python that makes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from asyncmig.autogenerate.render_code import Atom, Call, Collection, Keyword, Node, call, keywords, literal, string
from asyncmig.autogenerate.render_context import RenderContext, Unrenderable, identifier
from asyncmig.autogenerate.render_sql import render_default, render_text, text_of
from asyncmig.autogenerate.render_types import render_type
from asyncmig.schema.metadata import column_to_sqlalchemy
from asyncmig.schema.model import Check, Column, Computed, Identity, Options, Sequence
from asyncmig.schema.options import DDL_IF, FrozenMap
from asyncmig.schema.types import SqlText

__all__ = ["render_column", "render_computed", "render_identity", "render_options", "render_value", "truth"]

_NUMBERS = ("start", "increment", "minvalue", "maxvalue", "nominvalue", "nomaxvalue", "cycle", "cache")


def render_column(
    column: Column, context: RenderContext, *, primary_key: bool = False, checks: tuple[Check, ...] = ()
) -> Node:
    """sa.Column(name, type, what fills it, options); `checks` are those of its own definition."""
    custom = context.custom("column", column_to_sqlalchemy(column, checks)) if context.render_item else None
    if custom is not None:
        return custom
    return Call(
        "sa.Column",
        (
            identifier(column.name),
            render_type(column.type, context),
            *_items(column, checks, context),
            *keywords(
                primary_key=Atom("True") if primary_key else None,
                autoincrement=None if column.autoincrement == "auto" else _autoincrement(column.autoincrement),
                nullable=_nullable(column, primary_key),
                server_default=None if column.default is None else render_default(column.default, context),
                comment=None if column.comment is None else string(column.comment),
                system=Atom("True") if column.system else None,
            ),
            *render_options(column.options, context),
        ),
    )


def _items(column: Column, checks: tuple[Check, ...], context: RenderContext) -> Iterator[Node]:
    from asyncmig.autogenerate.render_constraints import render_constraint

    yield from (render_constraint(check, context) for check in checks)
    if column.identity is not None:
        yield render_identity(column.identity, context)
    if column.computed is not None:
        yield render_computed(column.computed, context)
    if column.sequence is not None:
        yield _sequence(column.sequence, context)


def _nullable(column: Column, primary_key: bool) -> Node | None:
    """Said where it could be doubted: not of a key, not of an identity, which are NOT NULL by themselves."""
    never = primary_key or (column.identity is not None and not column.nullable)
    if never and not column.nullable:
        return None
    if column.computed is not None and column.nullable:
        return None
    return Atom(repr(column.nullable))


def _autoincrement(value: object) -> Node:
    return string(value) if isinstance(value, str) else Atom(repr(value))


def render_identity(identity: Identity, context: RenderContext) -> Node:
    return Call(
        "sa.Identity",
        (
            *keywords(always=None if identity.always is False else Atom(repr(identity.always))),
            *_numbers(identity),
            *keywords(on_null=truth(identity.on_null), order=truth(identity.order)),
            *render_options(identity.options, context),
        ),
    )


def render_computed(computed: Computed, context: RenderContext) -> Node:
    text = text_of(computed.text.spelling(context.dialect))
    return call("sa.Computed", text, *keywords(persisted=truth(computed.persisted)))


def _sequence(sequence: Sequence, context: RenderContext) -> Node:
    return Call(
        "sa.Sequence",
        (
            identifier(sequence.name),
            *_numbers(sequence),
            *keywords(
                schema=None if sequence.schema is None else string(sequence.schema),
                optional=Atom("True") if sequence.optional else None,
                data_type=None if sequence.type is None else render_type(sequence.type, context),
            ),
            *render_options(sequence.options, context),
        ),
    )


def _numbers(value: Identity | Sequence) -> Iterator[Node]:
    given = ((name, getattr(value, name)) for name in _NUMBERS)
    return (Keyword(f"{name}=", Atom(repr(number))) for name, number in given if number is not None)


def truth(value: bool | None) -> Node | None:
    return None if value is None else Atom(repr(value))


def render_options(options: Options, context: RenderContext) -> Iterator[Node]:
    """Dialect keywords; the ddl_if() condition is no keyword."""
    return (Keyword(f"{key}=", render_value(key, value, context)) for key, value in options if key != DDL_IF)


def render_value(key: str, value: object, context: RenderContext) -> Node:
    """The value of a dialect keyword."""
    if isinstance(value, SqlText):
        return render_text(value, context)
    if isinstance(value, FrozenMap | Mapping):
        items = (Keyword(f"{_key(name)}: ", render_value(key, item, context)) for name, item in value.items())
        return Collection(tuple(items), "{}")
    if isinstance(value, list | tuple):
        return Collection(tuple(render_value(key, item, context) for item in value))
    found = literal(value)
    if found is None:
        raise Unrenderable(
            f"{key}={value!r} cannot be written into a script.", hint="Tell render_item in env.py how to write it."
        )
    return found


def _key(name: object) -> str:
    found = literal(name)
    return found.text if isinstance(found, Atom) else repr(name)
