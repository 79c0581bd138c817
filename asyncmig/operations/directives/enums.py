"""`op` on enum types."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from asyncmig.errors import OperationError
from asyncmig.operations.directives.base import Directives, check_name
from asyncmig.operations.enums import AddEnumValue, CreateEnum, DropEnum, RenameEnumValue
from asyncmig.schema.model import EnumType, Ref

__all__ = ["EnumDirectives"]


class EnumDirectives(Directives):
    __slots__ = ()

    def create_enum(
        self,
        name: str,
        values: Iterable[str] | type[enum.Enum],
        *,
        schema: str | None = None,
        if_not_exists: bool = False,
    ) -> None:
        """Create an enum type that stays until drop_enum, whatever columns come and go.

        Not needed for sa.Enum columns: those create their type, and the last one to go takes it along. `values` may
        be a Python enum: its names count, as in sa.Enum.
        """
        checked = _values("create_enum", name, values)
        self._emit(CreateEnum(EnumType(check_name("create_enum", "name", name), checked, schema), if_not_exists))

    def drop_enum(
        self, name: str, *, schema: str | None = None, if_exists: bool = False, cascade: bool = False
    ) -> None:
        """Drop an enum type; with `cascade`, the columns that use it too."""
        self._emit(DropEnum(_ref("drop_enum", name, schema), if_exists, cascade))

    def add_enum_value(
        self,
        name: str,
        value: str,
        *,
        before: str | None = None,
        after: str | None = None,
        if_not_exists: bool = False,
        schema: str | None = None,
    ) -> None:
        """Add a value at the end, or next to another one. No table is rewritten.

        PostgreSQL lets nobody use the value before the transaction that added it is committed: use it in a later
        revision, or add it inside `with op.autocommit_block():`.
        """
        if before is not None and after is not None:
            raise OperationError(f"add_enum_value {name} takes `before` or `after`, not both.")
        ref = _ref("add_enum_value", name, schema)
        checked = check_name("add_enum_value", "value", value)
        self._emit(AddEnumValue(ref, checked, before, after, if_not_exists))

    def rename_enum_value(self, name: str, old_value: str, new_value: str, *, schema: str | None = None) -> None:
        """Rename a value; rows that hold it follow."""
        ref = _ref("rename_enum_value", name, schema)
        old = check_name("rename_enum_value", "old value", old_value)
        new = check_name("rename_enum_value", "new value", new_value)
        self._emit(RenameEnumValue(ref, old, new))


def _ref(directive: str, name: str, schema: str | None) -> Ref:
    return Ref(check_name(directive, "name", name), schema, "enum")


def _values(directive: str, name: str, values: Iterable[str] | type[enum.Enum]) -> tuple[str, ...]:
    if isinstance(values, type) and issubclass(values, enum.Enum):
        return tuple(member.name for member in values)
    if isinstance(values, str):
        raise OperationError(f"{directive} {name} wants a list of values, not one string.")
    found = tuple(check_name(directive, "values", value) for value in values)
    if len(set(found)) != len(found):
        raise OperationError(f"{directive} {name} names a value twice.")
    return found
