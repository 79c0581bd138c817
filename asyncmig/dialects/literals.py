"""Values written into SQL where SQLAlchemy's own literal processors give up."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import CompileError
from sqlalchemy.sql.compiler import SQLCompiler

from asyncmig.errors import UnsupportedOperation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncmig.dialects.statement import Statement

__all__ = ["LiteralCompiler", "literal_texts", "quoted"]


def quoted(text: str) -> str:
    """A string constant; both databases read backslashes as they stand."""
    return "'" + text.replace("'", "''") + "'"


class LiteralCompiler(SQLCompiler):
    """A statement compiler whose literals never fail for a value that the database has a spelling for."""

    def render_literal_bindparam(self, bindparam: Any, *arguments: Any, **keywords: Any) -> str:
        given = bindparam.value is not None or bindparam.callable is not None
        given = given or bindparam.key in getattr(self, "_collected_params", ())  # by .params(), on SQLAlchemy 2.1
        if not given and not arguments and bindparam.type.should_evaluate_none:
            # JSON has a null of its own, which a connection would send.
            keywords.setdefault("render_literal_value", None)
        return str(super().render_literal_bindparam(bindparam, *arguments, **keywords))  # type: ignore[no-untyped-call]

    def render_literal_value(self, value: Any, type_: Any, **keywords: Any) -> str:
        special = self.special_literal(value)
        if special is not None:
            return special
        impl = type_.dialect_impl(self.dialect)
        if _converts_itself(impl):
            value, impl = _bound(impl, value, self.dialect), sa.types.NULLTYPE
            type_ = impl
        try:
            return super().render_literal_value(value, type_, **keywords)
        except CompileError as error:
            text = None if isinstance(impl, sa.types.TypeDecorator) else self.value_literal(value)
            if text is None:
                raise UnsupportedOperation(
                    f"A value of type {type(value).__name__} for a column of type {type_!r} "
                    f"cannot be written as SQL text.",
                    hint="Write the statement as text, or run it with a connection.",
                ) from error
            return text

    @abstractmethod
    def special_literal(self, value: Any) -> str | None:
        """The spelling of a value that SQLAlchemy writes wrongly, whatever its type; else None."""

    @abstractmethod
    def value_literal(self, value: Any) -> str | None:
        """The spelling of a value by its Python type alone; None where there is none."""


def _converts_itself(impl: Any) -> bool:
    """JSON, PickleType, and Interval where it is not native: SQLAlchemy gives literals the value unconverted."""
    decorator = sa.types.TypeDecorator
    if not isinstance(impl, decorator):
        return isinstance(impl, sa.JSON)
    return isinstance(impl.impl_instance, sa.JSON) or type(impl).bind_processor is not decorator.bind_processor


def _bound(impl: Any, value: Any, dialect: sa.engine.Dialect) -> Any:
    processor = impl.bind_processor(dialect)
    return value if processor is None else processor(value)


def literal_texts(statement: Statement, dialect: sa.engine.Dialect) -> Iterator[str]:
    """The statement once for each row of its parameters, the values inside."""
    clause: Any = statement.clause
    if clause is None:
        yield statement.sql
    elif getattr(clause, "is_ddl", False) or isinstance(clause, sa.schema.ExecutableDDLElement):
        yield str(clause.compile(dialect=dialect)).strip()
    else:
        for row in _rows(statement):
            yield _compiled(_with_values(clause, row), dialect)


def _rows(statement: Statement) -> list[Mapping[str, Any]]:
    parameters = statement.parameters
    if not parameters:
        return [{}]
    return [parameters] if hasattr(parameters, "keys") else list(parameters)  # type: ignore[list-item]


def _with_values(clause: Any, row: Mapping[str, Any]) -> Any:
    if not isinstance(clause, sa.Insert):
        return clause.params(**row) if row else clause
    values = {**_client_defaults(clause, row), **row}
    return clause.values(values) if values else clause


def _client_defaults(insert: sa.Insert, row: Mapping[str, Any]) -> dict[str, Any]:
    """What SQLAlchemy would fill in while executing: `default=` of columns that the row leaves out."""
    given = set(row) | {str(getattr(key, "key", key)) for key in (insert._values or {})}
    columns = [c for c in insert.table.c if isinstance(c, sa.Column) and c.key not in given]
    defaults: dict[str, Any] = {c.key: c.default for c in columns if c.default is not None}
    return {
        key: default.arg(None) if default.is_callable else default.arg
        for key, default in defaults.items()
        if default.is_callable or default.is_scalar
    }


def _compiled(clause: Any, dialect: sa.engine.Dialect) -> str:
    try:
        return str(clause.compile(dialect=dialect, compile_kwargs={"literal_binds": True})).strip()
    except CompileError as error:
        raise UnsupportedOperation(f"A statement cannot be written as SQL text: {error}") from error
