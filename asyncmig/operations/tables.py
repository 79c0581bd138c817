"""Operations on whole tables."""

from __future__ import annotations

from dataclasses import dataclass

from asyncmig.operations.base import Operation
from asyncmig.schema.model import Ref, Table


@dataclass(frozen=True, slots=True)
class CreateTable(Operation):
    table: Table
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropTable(Operation):
    ref: Ref
    if_exists: bool = False
    table: Table | None = None          # what it was, when the script says so: makes reverse possible


@dataclass(frozen=True, slots=True)
class RenameTable(Operation):
    ref: Ref
    new_name: str
