"""`op` on schemas and extensions."""

from __future__ import annotations

from asyncmig.errors import OperationError
from asyncmig.operations.directives.base import Directives, check_name
from asyncmig.schema.model import Extension

__all__ = ["SchemaDirectives"]


class SchemaDirectives(Directives):
    __slots__ = ()

    def create_schema(self, name: str, *, owner: str | None = None, if_not_exists: bool = False) -> None:
        """Create a schema, owned by another role where `owner` names one."""
        from asyncmig.operations.schemas import CreateSchema

        self._emit(CreateSchema(check_name("create_schema", "name", name), owner, if_not_exists))

    def drop_schema(self, name: str, *, if_exists: bool = False, cascade: bool = False) -> None:
        """Drop a schema; with `cascade`, all that is in it too."""
        from asyncmig.operations.schemas import DropSchema

        self._emit(DropSchema(check_name("drop_schema", "name", name), if_exists, cascade))

    def create_extension(
        self,
        name: str,
        *,
        schema: str | None = None,
        version: str | None = None,
        if_not_exists: bool = False,
        cascade: bool = False,
    ) -> None:
        """Create an extension, its objects in `schema`; with `cascade`, the extensions that it needs too."""
        from asyncmig.operations.schemas import CreateExtension

        extension = Extension(check_name("create_extension", "name", name), schema, version)
        self._emit(CreateExtension(extension, if_not_exists, cascade))

    def alter_extension(self, name: str, *, version: str | None = None, schema: str | None = None) -> None:
        """Update an extension to a version, or move its objects into a schema."""
        from asyncmig.operations.schemas import AlterExtension

        if version is None and schema is None:
            raise OperationError(f"alter_extension {name} wants a version or a schema.")
        self._emit(AlterExtension(check_name("alter_extension", "name", name), version, schema))

    def drop_extension(self, name: str, *, if_exists: bool = False, cascade: bool = False) -> None:
        """Drop an extension; with `cascade`, what uses it too."""
        from asyncmig.operations.schemas import DropExtension

        self._emit(DropExtension(check_name("drop_extension", "name", name), if_exists, cascade))
