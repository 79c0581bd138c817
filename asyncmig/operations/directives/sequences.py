"""`op` on sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncmig.errors import OperationError
from asyncmig.operations.directives.base import Directives, check_name
from asyncmig.schema.model import Ref, Sequence
from asyncmig.schema.types import sql_type

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["SequenceDirectives"]


class SequenceDirectives(Directives):
    __slots__ = ()

    def create_sequence(
        self,
        name: str,
        *,
        start: int | None = None,
        increment: int | None = None,
        minvalue: int | None = None,
        maxvalue: int | None = None,
        cache: int | None = None,
        cycle: bool | None = None,
        data_type: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]] | None = None,
        owned_by: str | None = None,
        schema: str | None = None,
        if_not_exists: bool = False,
    ) -> None:
        """Create a sequence; `owned_by="table.column"` drops it with that column. None is the database's default."""
        from asyncmig.operations.sequences import CreateSequence

        sequence = Sequence(
            check_name("create_sequence", "name", name),
            schema,
            start=start,
            increment=increment,
            minvalue=minvalue,
            maxvalue=maxvalue,
            cache=cache,
            cycle=cycle,
            type=None if data_type is None else sql_type(data_type),
        )
        self._emit(CreateSequence(sequence, if_not_exists, _owner("create_sequence", owned_by, schema)))

    def alter_sequence(
        self,
        name: str,
        *,
        start: int | None = None,
        increment: int | None = None,
        minvalue: int | None = None,
        maxvalue: int | None = None,
        cache: int | None = None,
        cycle: bool | None = None,
        data_type: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]] | None = None,
        restart: int | None = None,
        owned_by: str | None = None,
        schema: str | None = None,
    ) -> None:
        """Change what is given; `restart` is the next value that the sequence gives out."""
        from asyncmig.operations.sequences import AlterSequence

        changes = {
            "start": start,
            "increment": increment,
            "minvalue": minvalue,
            "maxvalue": maxvalue,
            "cache": cache,
            "cycle": cycle,
            "type": None if data_type is None else sql_type(data_type),
        }
        given = tuple((key, value) for key, value in changes.items() if value is not None)
        if not given and restart is None and owned_by is None:
            raise OperationError(f"alter_sequence {name} was told nothing to change.")
        ref = Ref(check_name("alter_sequence", "name", name), schema, "sequence")
        self._emit(AlterSequence(ref, given, restart, _owner("alter_sequence", owned_by, schema)))

    def drop_sequence(
        self, name: str, *, schema: str | None = None, if_exists: bool = False, cascade: bool = False
    ) -> None:
        """Drop a sequence; with `cascade`, the column defaults that use it too."""
        from asyncmig.operations.sequences import DropSequence

        ref = Ref(check_name("drop_sequence", "name", name), schema, "sequence")
        self._emit(DropSequence(ref, if_exists, cascade))


def _owner(directive: str, owned_by: str | None, schema: str | None) -> tuple[Ref, str] | None:
    if owned_by is None:
        return None
    parts = check_name(directive, "owner", owned_by).rsplit(".", 2)
    if len(parts) < 2 or not all(parts):
        raise OperationError(f'{directive} wants owned_by as "table.column", not {owned_by!r}.')
    return Ref(parts[-2], parts[0] if len(parts) == 3 else schema), parts[-1]
