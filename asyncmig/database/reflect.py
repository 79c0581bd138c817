"""What a live operation has to know of the database before it can be spelled."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from asyncmig.schema.model import Schema

if TYPE_CHECKING:
    from asyncmig.database.driver import Driver
    from asyncmig.dialects.base import Dialect
    from asyncmig.schema.model import Ref

__all__ = ["look_up"]


def look_up(driver: Driver, dialect: Dialect, refs: Collection[Ref]) -> Schema:
    """The objects among `refs` that exist, as far as `Dialect.statements` needs them."""
    schema = Schema()
    for query, read in dialect.catalog_queries(refs):
        schema = read(schema, driver.fetch(query))
    return schema
