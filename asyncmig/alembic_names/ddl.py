"""`alembic.ddl`: the classes that env.py subclasses to teach Alembic a dialect; asyncmig has dialects of its own."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy.sql.ddl import DDLElement

__all__ = ["AlterTable", "DefaultImpl", "PostgresqlImpl", "SQLiteImpl"]


class DefaultImpl:
    """A subclass is accepted and changes nothing."""

    __dialect__: ClassVar[str] = "default"
    transactional_ddl: ClassVar[bool] = True


class PostgresqlImpl(DefaultImpl):
    __dialect__ = "postgresql"


class SQLiteImpl(DefaultImpl):
    __dialect__ = "sqlite"


class AlterTable(DDLElement):
    """Base class of a project's own ALTER TABLE elements, which it compiles with @compiles."""

    def __init__(self, table_name: str, schema: Any = None) -> None:
        self.table_name = table_name
        self.schema = schema
