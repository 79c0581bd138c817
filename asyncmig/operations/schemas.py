"""Operations on schemas (namespaces) and extensions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from asyncmig.errors import Irreversible
from asyncmig.operations.base import Operation
from asyncmig.operations.irreversible import BY_HAND, unknown_before
from asyncmig.schema.model import Extension, Ref, Schema

if TYPE_CHECKING:
    from asyncmig.operations.visitor import OperationVisitor

__all__ = ["AlterExtension", "CreateExtension", "CreateSchema", "DropExtension", "DropSchema"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CreateSchema(Operation):
    name: str
    owner: str | None = None
    if_not_exists: bool = False

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.create_schema(self, before)

    def apply(self, schema: Schema) -> Schema:
        return replace(schema, schemas=schema.schemas | {self.name})

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Nothing when IF NOT EXISTS found the schema in `before`."""
        return () if self.if_not_exists and self.name in before.schemas else (DropSchema(self.name),)

    def describe(self) -> str:
        return f"Create schema {self.name}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({Ref(self.name, None, "schema")})

    @property
    def sign(self) -> str:
        return "+"


@dataclass(frozen=True, slots=True)
class DropSchema(Operation):
    name: str
    if_exists: bool = False
    cascade: bool = False

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.drop_schema(self, before)

    def apply(self, schema: Schema) -> Schema:
        """With CASCADE, all that is known to be in it goes too."""
        left = replace(schema, schemas=schema.schemas - {self.name})
        return _without(left, self.name) if self.cascade else left

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        if self.if_exists and self.name not in before.schemas:
            return ()
        if self.cascade:
            raise Irreversible(
                f"{self.describe()} drops all that is in it, which cannot be brought back.", hint=BY_HAND
            )
        return (CreateSchema(self.name),)

    def describe(self) -> str:
        return f"Drop schema {self.name}" + (" and all that is in it" if self.cascade else "")

    def touches(self) -> frozenset[Ref]:
        return frozenset({Ref(self.name, None, "schema")})

    @property
    def sign(self) -> str:
        return "-"


@dataclass(frozen=True, slots=True)
class CreateExtension(Operation):
    """`cascade` creates the extensions that it needs as well."""

    extension: Extension
    if_not_exists: bool = False
    cascade: bool = False

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.create_extension(self, before)

    def apply(self, schema: Schema) -> Schema:
        if self._is_there(schema):
            return schema
        return replace(schema, extensions={**schema.extensions, self.extension.ref: self.extension})

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Nothing when IF NOT EXISTS found the extension in `before`."""
        return () if self._is_there(before) else (DropExtension(self.extension.name, extension=self.extension),)

    def describe(self) -> str:
        return f"Create extension {self.extension.name}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.extension.ref})

    @property
    def sign(self) -> str:
        return "+"

    def _is_there(self, schema: Schema) -> bool:
        return self.if_not_exists and self.extension.ref in schema.extensions


@dataclass(frozen=True, slots=True)
class DropExtension(Operation):
    name: str
    if_exists: bool = False
    cascade: bool = False
    extension: Extension | None = None

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.drop_extension(self, before)

    @property
    def ref(self) -> Ref:
        return Ref(self.name, None, "extension")

    def apply(self, schema: Schema) -> Schema:
        return replace(schema, extensions={ref: e for ref, e in schema.extensions.items() if ref != self.ref})

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        if self.if_exists and self.extension is None and self.ref not in before.extensions:
            return ()
        if self.cascade:
            raise Irreversible(f"{self.describe()} may drop others, which cannot be brought back.", hint=BY_HAND)
        return (CreateExtension(before.extensions.get(self.ref, self.extension or Extension(self.name))),)

    def describe(self) -> str:
        return f"Drop extension {self.name}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref})

    @property
    def sign(self) -> str:
        return "-"


@dataclass(frozen=True, slots=True)
class AlterExtension(Operation):
    """Another version of an extension, or its objects in another schema; None leaves that as it is."""

    name: str
    version: str | None = None
    schema: str | None = None
    former: Extension | None = None  # what it was, when the script says so: makes reverse possible

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.alter_extension(self, before)

    @property
    def ref(self) -> Ref:
        return Ref(self.name, None, "extension")

    def apply(self, schema: Schema) -> Schema:
        known = schema.extensions.get(self.ref)
        if known is None:
            return schema
        changed = replace(known, version=self.version or known.version, schema=self.schema or known.schema)
        return replace(schema, extensions={**schema.extensions, self.ref: changed})

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """The version and the schema that `before` knows, else those that the operation does."""
        former = before.extensions.get(self.ref, self.former)
        version = former.version if former is not None and self.version is not None else None
        schema = former.schema if former is not None and self.schema is not None else None
        if (version is None) != (self.version is None) or (schema is None) != (self.schema is None):
            raise unknown_before(self, "the extension")
        return (AlterExtension(self.name, version, schema),)

    def describe(self) -> str:
        changes = [f"version {self.version}"] if self.version is not None else []
        changes += [f"schema {self.schema}"] if self.schema is not None else []
        return f"Alter extension {self.name}: {', '.join(changes)}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref})


def _without(schema: Schema, name: str) -> Schema:
    def rest(objects: dict[Ref, T]) -> dict[Ref, T]:
        return {ref: value for ref, value in objects.items() if ref.schema != name}

    return replace(
        schema,
        tables=rest(dict(schema.tables)),
        enums=rest(dict(schema.enums)),
        sequences=rest(dict(schema.sequences)),
        views=rest(dict(schema.views)),
        functions=rest(dict(schema.functions)),
        triggers=rest(dict(schema.triggers)),
        policies=rest(dict(schema.policies)),
    )
