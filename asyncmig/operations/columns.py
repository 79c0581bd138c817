"""Operations on columns."""

from __future__ import annotations

from dataclasses import dataclass

from asyncmig.operations.base import Operation
from asyncmig.schema.model import Column, Constraint, Index, Ref


@dataclass(frozen=True, slots=True)
class AddColumn(Operation):
    ref: Ref                                   # the table
    column: Column
    constraints: tuple[Constraint, ...] = ()   # what the sa.Column brought along: foreign keys, unique=True, type CHECKs
    indexes: tuple[Index, ...] = ()            # index=True
    primary_key: bool = False
    if_not_exists: bool = False
    inline_references: bool = False
    inline_primary_key: bool = False


@dataclass(frozen=True, slots=True)
class DropColumn(Operation):
    ref: Ref
    name: str
    if_exists: bool = False
    column: Column | None = None
