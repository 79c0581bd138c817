"""A type that SQLAlchemy has no class for, as the database spells it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

__all__ = ["WrittenType"]


class WrittenType(sa.types.UserDefinedType[Any]):
    """Compiles to its spelling: PostGIS's `geometry(Point,4326)`, SQLite's `MONEY`, a composite type."""

    cache_ok = True

    def __init__(self, spelling: str) -> None:
        self.spelling = spelling

    def get_col_spec(self, **_: Any) -> str:
        return self.spelling
