"""Reading a whole database into a Schema: the number of queries does not depend on what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncmig.database.driver import driver_of
from asyncmig.dialects.reading import Reading, Scope, reader_for

if TYPE_CHECKING:
    import sqlalchemy as sa

    from asyncmig.database.driver import Driver
    from asyncmig.schema.model import Schema

__all__ = ["read_schema"]


def read_schema(connection: sa.Connection, scope: Scope | None = None) -> Schema:
    """The database behind the connection, inside the greenlet of `Connection.run_sync`."""
    version = tuple(int(part) for part in connection.dialect.server_version_info or ())
    reader = reader_for(connection.dialect.name, version)
    return _answered(reader.read(scope or Scope()), driver_of(connection))


def _answered(reading: Reading, driver: Driver) -> Schema:
    """Run what the reader asks for until it has its schema."""
    try:
        query = next(reading)
        while True:
            query = reading.send(driver.fetch(query))
    except StopIteration as done:
        schema: Schema = done.value
        return schema
