"""SQL that a script wrote itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from asyncmig.errors import Irreversible, OperationError
from asyncmig.operations.base import Operation
from asyncmig.operations.words import sql_words
from asyncmig.schema.model import Ref, Schema

if TYPE_CHECKING:
    from asyncmig.operations.visitor import OperationVisitor

__all__ = ["Execute", "InlineLiteral", "plain_sql"]

T = TypeVar("T")

_SHAPING = re.compile(
    r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*(?:alter|drop|create(?!\s+(?:(?:global|local)\s+)?temp(?:orary)?\b))\b",
    re.I | re.S,
)
_ESCAPED_COLON = re.compile(r"\\(:[\w$]*)(?![:\w$])")


@dataclass(frozen=True, slots=True, eq=False)
class Execute(Operation):
    """`sql` is text (one or several statements, no parameters) or a SQLAlchemy construct."""

    sql: str | sa.Executable
    execution_options: Mapping[str, Any] | None = None

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.execute(self, before)

    @property
    def shapes_schema(self) -> bool:
        """Whether it begins by creating, altering or dropping something that stays."""
        if isinstance(self.sql, str | sa.TextClause):
            return _SHAPING.match(str(self.sql)) is not None
        return isinstance(self.sql, sa.schema.ExecutableDDLElement)

    def apply(self, schema: Schema) -> Schema:
        """The same schema: what free SQL does to it is not known."""
        return schema

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        raise Irreversible(
            f"{self.describe()}: what SQL of a script undoes is not known.", hint="Write the downgrade by hand."
        )

    def describe(self) -> str:
        return f"Execute {sql_words(self.sql)}"

    def touches(self) -> frozenset[Ref]:
        """Empty: free SQL may touch anything."""
        return frozenset()


def plain_sql(sql: object) -> str | sa.Executable:
    r"""What a script gave to execute, checked.

    In text, `\:` becomes `:` as it does in SQLAlchemy's text(): scripts escape it because Alembic reads
    ``:name`` as a parameter. Here text has no parameters, so an unescaped one stays as it is.
    """
    if isinstance(sql, str):
        return _ESCAPED_COLON.sub(r"\1", sql)
    if isinstance(sql, sa.Executable):
        return sql
    raise OperationError(
        f"execute wants SQL text or a SQLAlchemy construct that can be executed, not {type(sql).__name__}."
    )


class InlineLiteral(sa.BindParameter[Any]):
    """A value that is written into the SQL itself, live and offline alike."""

    # The compiled text holds the value, and a cached one would be given to every other value.
    inherit_cache = False


@compiles(InlineLiteral)
def _inline(element: InlineLiteral, compiler: SQLCompiler, **keywords: Any) -> str:
    return str(compiler.render_literal_bindparam(element, **keywords))  # type: ignore[no-untyped-call]
