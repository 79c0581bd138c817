"""What autogenerate asks before it writes: questions as values, and who answers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from asyncmig.autogenerate.renames import Rename
from asyncmig.autogenerate.value_renames import ValueRename
from asyncmig.schema.ref import Ref

__all__ = ["DropQuestion", "FillQuestion", "Lost", "NobodyAnswers", "Questioner", "RenameQuestion", "Wishes"]


@dataclass(frozen=True, slots=True)
class RenameQuestion:
    rename: Rename | ValueRename

    @property
    def text(self) -> str:
        return f"Was {self.rename.sentence}?"

    @property
    def flag(self) -> str:
        return f"--rename {self.rename.flag}"

    @property
    def warning(self) -> str:
        """For when nobody answered."""
        return f"{self.text} Then say {self.flag}: without it {self.rename.otherwise}."


@dataclass(frozen=True, slots=True)
class FillQuestion:
    """A column becomes NOT NULL while `rows` rows have no value for it."""

    table: Ref
    column: str
    rows: int

    @property
    def text(self) -> str:
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        return (
            f"{self.table}.{self.column} is to be NOT NULL, and {rows} of {self.table} would have no value for it. "
            "Which value do they get? (SQL, or nothing to fill them in the script)"
        )

    @property
    def flag(self) -> str:
        return f"--default {self.table}.{self.column}=VALUE"


@dataclass(frozen=True, slots=True)
class Lost:
    """A table or column that goes with its rows (for a column: those that have a value). None: not counted."""

    kind: str
    name: str
    rows: int | None
    estimated: bool = False

    def __str__(self) -> str:
        if self.rows is None:
            return f"{self.kind} {self.name}"
        about = "about " if self.estimated else ""
        return f"{self.kind} {self.name} ({about}{self.rows:,} row{'' if self.rows == 1 else 's'})"


@dataclass(frozen=True, slots=True)
class DropQuestion:
    """`remarks` are reasons to suspect that nobody meant it."""

    losses: tuple[Lost, ...]
    remarks: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        remarks = "".join(f"{remark} " for remark in self.remarks)
        return f"{remarks}The script would drop {', '.join(map(str, self.losses))}. Write it?"

    @property
    def flag(self) -> str:
        return "--allow-drops"


class Questioner(Protocol):
    """Whoever answers; None where nobody does."""

    def confirm(self, question: RenameQuestion | DropQuestion) -> bool | None: ...

    def value(self, question: FillQuestion) -> str | None: ...


@dataclass(frozen=True, slots=True)
class NobodyAnswers:
    def confirm(self, question: RenameQuestion | DropQuestion) -> bool | None:
        return None

    def value(self, question: FillQuestion) -> str | None:
        return None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller answered in advance, and how the script shall be written.

    `renames` are "table:new", "table.column:new" and "enum.value:new"; `defaults` SQL by "table.column".
    """

    renames: Sequence[str] = ()
    defaults: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    allow_drops: bool = False
    split: bool = False
