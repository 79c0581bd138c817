"""Operations on indexes."""

from __future__ import annotations

from dataclasses import dataclass

from asyncmig.operations.base import Operation
from asyncmig.schema.model import Index, Options, Ref


@dataclass(frozen=True, slots=True)
class CreateIndex(Operation):
    ref: Ref                                   # the table
    index: Index
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropIndex(Operation):
    name: str
    ref: Ref | None = None                     # the table, where the script names it
    schema: str | None = None
    if_exists: bool = False
    options: Options = ()                      # postgresql_concurrently ...
    index: Index | None = None
