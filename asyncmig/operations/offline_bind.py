"""What op.get_bind() gives where a script is written out as SQL: a connection that writes down what it is told to execute."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, Self

import sqlalchemy as sa
from sqlalchemy.engine.mock import MockConnection

from asyncmig.operations.enums import CreateEnum, DropEnum
from asyncmig.operations.recorded_bind import RecordedBind
from asyncmig.operations.sink import origin_in
from asyncmig.operations.sql import Execute, plain_sql
from asyncmig.schema.model import EnumType

if TYPE_CHECKING:
    from asyncmig.operations.base import Operation, Origin

__all__ = ["OfflineBind"]

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class OfflineBind(RecordedBind):
    """Statements are emitted, those of `Table.create(bind)`, `Enum.create(bind)` and their like too, unasked whether it is there.

    Nothing comes back: a script that looks at what a statement gave is refused, with its line.
    """

    __slots__ = ("_emit",)

    def __init__(
        self,
        dialect: sa.engine.Dialect,
        script: str,
        refuse: Callable[[str, Origin | None], NoReturn],
        emit: Callable[[Operation, Origin | None], None],
    ) -> None:
        super().__init__(dialect, script, refuse)
        self._emit = emit

    def execute(
        self,
        statement: sa.Executable,
        parameters: Parameters = None,
        *,
        execution_options: Mapping[str, Any] | None = None,
    ) -> Unanswered:
        origin = origin_in(self._script)
        for said in self._with_values(statement, parameters, origin):
            self._emit(Execute(plain_sql(said)), origin)
        return Unanswered(self._script, self._refuse)

    def connect(self) -> Self:
        return self

    def execution_options(self, **_: Any) -> Self:
        return self

    def _run_ddl_visitor(self, visitor: Any, element: Any, checkfirst: object = False, **keywords: Any) -> None:
        """What SQLAlchemy's `create` and `drop` ask of a connection; of a type it is known whether it is there."""
        origin = origin_in(self._script)

        def keep(statement: Any, _: object) -> None:
            self._emit(_operation(statement, checked=bool(checkfirst)), origin)

        MockConnection(self.dialect, keep)._run_ddl_visitor(visitor, element, **keywords)

    def _with_values(
        self, statement: sa.Executable, parameters: Parameters, origin: Origin | None
    ) -> Iterator[sa.Executable]:
        """One statement for each set of parameters, the values in it."""
        if not parameters:
            yield statement
            return
        for row in (parameters,) if isinstance(parameters, Mapping) else parameters:
            if isinstance(statement, sa.TextClause):
                yield statement.bindparams(**row)
            elif isinstance(statement, sa.Insert):
                yield statement.values(**row)
            else:
                self._refuse("a statement with parameters is executed (op.get_bind)", origin)


class Unanswered:
    """The result of a statement that was only written down."""

    __slots__ = ("_refuse", "_script")

    def __init__(self, script: str, refuse: Callable[[str, Origin | None], NoReturn]) -> None:
        self._script = script
        self._refuse = refuse

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        self._looked_at()

    def __iter__(self) -> NoReturn:
        self._looked_at()

    def __bool__(self) -> bool:
        return self._looked_at()

    def _looked_at(self) -> NoReturn:
        self._refuse("the result of a statement is asked for (op.get_bind)", origin_in(self._script))


def _operation(statement: Any, *, checked: bool) -> Operation:
    """Types are operations of their own: what columns bring along depends on which are there."""
    kind = getattr(statement, "__visit_name__", "")
    if kind not in ("create_enum_type", "drop_enum_type"):
        return Execute(plain_sql(statement))
    named = statement.element
    enum = EnumType(str(named.name), tuple(named.enums), named.schema)
    if kind == "create_enum_type":
        return CreateEnum(enum, if_not_exists=checked)
    return DropEnum(enum.ref, if_exists=checked, enum=enum)
