"""SQL expressions as Python: `sa.text("now()")`, a string, or the few constructs that differ from database to database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.functions import FunctionElement, GenericFunction

from asyncmig.autogenerate.render_code import Atom, Node, call, literal, string
from asyncmig.autogenerate.render_context import RenderContext
from asyncmig.schema.spelling import spell_text
from asyncmig.schema.types import DIALECTS, SqlText

__all__ = ["condition", "element", "inner_text", "multiline", "render_default", "render_text", "text_of"]

_BIND = re.compile(r"(?<![:\w\\]):(?=\w+(?!:))")
# What three quotes would not give back as it is, or what editors take away.
_UNFIT = re.compile(r'\\|"""|[^\S\n]+(?:\n|\Z)|^"|"\Z')
_CONSTANTS = {"true": "sa.true()", "false": "sa.false()", "null": "sa.null()"}


def render_default(text: SqlText, context: RenderContext) -> Node:
    """What `server_default=` is given."""
    custom = context.custom("server_default", sa.DefaultClause(text.literal or text.clause))
    if custom is not None:
        return custom
    if text.literal is not None:
        return string(text.literal)
    return _portable(text.clause) or render_text(text, context)


def render_text(text: SqlText, context: RenderContext) -> Node:
    """`sa.text(...)` of the expression as the database of the script spells it."""
    return call("sa.text", text_of(text.spelling(context.dialect)))


def condition(text: SqlText, context: RenderContext) -> Node:
    """The condition of a CHECK: SQLAlchemy takes plain strings there, as text()."""
    return text_of(text.spelling(context.dialect))


def inner_text(text: SqlText, dialect: str) -> str:
    """The expression for a parameter that takes a string and makes text() of it."""
    return _escaped(text.spelling(dialect))


def element(text: SqlText, context: RenderContext) -> Node:
    """An element of an index. What is neither a name nor a call needs parentheses of its own, but for its sorting."""
    clause: Any = text.clause
    if isinstance(clause, sa.Label):
        inner = call("sa.literal_column", string(SqlText(clause.element).spelling(context.dialect)))
        return call(inner, string(str(clause.name)), attribute="label")
    spelled = text.spelling(context.dialect)
    return call("sa.text", text_of(f"({spelled})" if _needs_parentheses(clause) else spelled))


def _needs_parentheses(clause: Any) -> bool:
    if not isinstance(clause, sa.BinaryExpression | sa.Cast):
        return False
    return getattr(getattr(clause, "operator", None), "__name__", "") != "collate"


def text_of(spelled: str) -> Node:
    """A string literal that sa.text() reads as `spelled`."""
    return multiline(_escaped(spelled))


def multiline(text: str) -> Node:
    """SQL of several lines as it was written, between three quotes; else as a plain string."""
    lines = text.split("\n")
    if len(lines) > 1 and not _UNFIT.search(text) and all(line.isprintable() for line in lines):
        return Atom(f'"""{text}"""')
    return string(text)


def _escaped(spelled: str) -> str:
    """As little escaped as text() needs to read it back: every colon only where that does not do."""
    candidate = _BIND.sub(r"\\:", spelled)
    if _reads_as(candidate, spelled):
        return candidate
    return spelled.replace(":", "\\:")


def _reads_as(candidate: str, spelled: str) -> bool:
    try:
        clause = sa.text(candidate)
    except sa.exc.SQLAlchemyError:
        return False
    return spell_text(clause, "postgresql") == spelled


def _portable(clause: Any) -> Node | None:
    """Constructs whose spelling differs between databases, and which a person would write so."""
    if len({spell_text(clause, name) for name in DIALECTS}) == 1:
        return None
    visit = getattr(clause, "__visit_name__", "")
    if visit in _CONSTANTS:
        return Atom(_CONSTANTS[visit])
    if isinstance(clause, FunctionElement) and type(clause).__module__.startswith("sqlalchemy."):
        return _function(clause)
    return None


def _function(clause: Any) -> Node | None:
    arguments = [_argument(item) for item in _clauses(clause)]
    if any(argument is None for argument in arguments) or tuple(getattr(clause, "packagenames", None) or ()):
        return None
    name = str(clause.name)
    if not name.isidentifier() or (isinstance(clause, GenericFunction) and name == "next_value"):
        return None
    return call(f"sa.func.{name}", *(argument for argument in arguments if argument is not None))


def _clauses(clause: Any) -> Iterator[Any]:
    return iter(getattr(getattr(clause, "clauses", None), "clauses", ()) or ())


def _argument(item: Any) -> Node | None:
    return literal(item.value) if isinstance(item, sa.BindParameter) else None
