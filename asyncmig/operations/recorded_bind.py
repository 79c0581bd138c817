"""What op.get_bind() gives where a script is recorded: the dialect, which many scripts ask it for, and no database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, Self

from sqlalchemy import inspection

from asyncmig.operations.sink import origin_in

if TYPE_CHECKING:
    import sqlalchemy as sa

    from asyncmig.operations.base import Origin

__all__ = ["RecordedBind"]


class RecordedBind:
    """Stands for a Connection and for its Engine. Whatever needs a database is refused, with the script's line."""

    __slots__ = ("_refuse", "_script", "dialect")

    def __init__(
        self, dialect: sa.engine.Dialect, script: str, refuse: Callable[[str, Origin | None], NoReturn]
    ) -> None:
        self.dialect = dialect
        self._script = script
        self._refuse = refuse

    @property
    def engine(self) -> Self:
        return self

    @property
    def name(self) -> str:
        return self.dialect.name

    @property
    def driver(self) -> str:
        return self.dialect.driver

    def __getattr__(self, name: str) -> Any:
        # Python and SQLAlchemy probe objects for names of their own; these must be missing, not refused.
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse(f"the connection is asked for (op.get_bind, its {name})", origin_in(self._script))


@inspection._inspects(RecordedBind)
def _inspected(bind: RecordedBind) -> NoReturn:
    bind._refuse("the database is inspected", origin_in(bind._script))
