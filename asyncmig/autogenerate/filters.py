"""What the project leaves out of a comparison: include_object, on values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from asyncmig.schema.model import Column, Constraint, Index, Table
from asyncmig.schema.objects import ObjectValue

__all__ = ["EVERYTHING", "Filters", "Part"]

Part = Table | Column | Constraint | Index
Include = Callable[[Table, Part, Part | None, bool], bool]
"""(table, part, what it is compared to, whether it was read from the database): False leaves the part alone."""


IncludeValue = Callable[[ObjectValue, ObjectValue | None, bool], bool]
"""The same for what stands beside tables."""


@dataclass(frozen=True, slots=True)
class Filters:
    include: Include | None = None
    include_value: IncludeValue | None = None

    def has_table(self, table: Table, other: Table | None, *, reflected: bool) -> bool:
        return self.include is None or self.include(table, table, other, reflected)

    def has_part(self, table: Table, part: Part, other: Part | None, *, reflected: bool) -> bool:
        return self.include is None or self.include(table, part, other, reflected)

    def has_object(self, value: ObjectValue, other: ObjectValue | None, *, reflected: bool) -> bool:
        return self.include_value is None or self.include_value(value, other, reflected)


EVERYTHING = Filters()
