"""What tables and columns were called before the operations that renamed them."""

from __future__ import annotations

from dataclasses import dataclass, field

from asyncmig.operations.alter_column import AlterColumn
from asyncmig.operations.base import Operation
from asyncmig.operations.renaming import RenameColumn
from asyncmig.operations.tables import RenameTable
from asyncmig.schema.ref import Ref

__all__ = ["FormerNames"]


@dataclass(slots=True)
class FormerNames:
    """Follows operations in their order; what the next one names is in the database under the former name still."""

    _tables: dict[Ref, Ref] = field(default_factory=dict)
    _columns: dict[tuple[Ref, str], str] = field(default_factory=dict)

    def table(self, ref: Ref) -> Ref:
        return self._tables.get(ref, ref)

    def column(self, ref: Ref, name: str) -> str:
        return self._columns.get((ref, name), name)

    def follow(self, operation: Operation) -> None:
        match operation:
            case RenameTable():
                self._tables[operation.new_ref] = self._tables.pop(operation.ref, operation.ref)
                for ref, name in [key for key in self._columns if key[0] == operation.ref]:
                    self._columns[operation.new_ref, name] = self._columns.pop((ref, name))
            case RenameColumn():
                self._rename(operation.ref, operation.old, operation.new)
            case AlterColumn(new_name=str(new)):
                self._rename(operation.ref, operation.name, new)
            case _:
                pass

    def _rename(self, ref: Ref, old: str, new: str) -> None:
        self._columns[ref, new] = self._columns.pop((ref, old), old)
