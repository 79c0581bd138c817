"""Rows that a script inserts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from asyncmig.operations.base import Operation


@dataclass(frozen=True, slots=True, eq=False)
class BulkInsert(Operation):
    """`rows` are mappings by column key; with `multiinsert` one executemany, else one INSERT a row."""

    table: sa.TableClause
    rows: tuple[Mapping[str, Any], ...]
    multiinsert: bool = True
