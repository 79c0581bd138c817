"""Uses of an enum value in the transaction that added it, as far as operations show them: PostgreSQL refuses those."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from asyncmig.errors import OperationError
from asyncmig.operations.alter_column import AlterColumn
from asyncmig.operations.base import Operation
from asyncmig.operations.batch import BatchTable
from asyncmig.operations.columns import AddColumn
from asyncmig.operations.enums import AddEnumValue, CreateEnum
from asyncmig.operations.rows import BulkInsert
from asyncmig.operations.tables import CreateTable
from asyncmig.schema.enums import brought_types
from asyncmig.schema.model import Column, Ref
from asyncmig.schema.types import SqlText

__all__ = ["NEW_VALUE", "WAY_OUT", "FreshValues"]

NEW_VALUE = "the value was added in this very transaction, and PostgreSQL lets nobody use it before that is committed"
WAY_OUT = (
    "Add the value in a revision of its own before this one, or inside `with op.autocommit_block():`; "
    'transaction = "run" allows neither.'
)


class FreshValues:
    """The values added since the transaction began. Those of a type that it created itself may be used at once."""

    def __init__(self) -> None:
        self._added: set[tuple[Ref, str]] = set()
        self._created: set[Ref] = set()

    def committed(self) -> None:
        self._added.clear()
        self._created.clear()

    def take(self, operation: Operation) -> None:
        """The next operation. OperationError when it uses a fresh value."""
        if isinstance(operation, AddEnumValue) and operation.ref not in self._created:
            self._added.add((operation.ref, operation.value))
        elif isinstance(operation, CreateEnum):
            self._created.add(operation.enum.ref)
        elif self._added:
            for ref, value in _uses(operation):
                if (ref, value) in self._added:
                    raise OperationError(
                        f"{operation.describe()} uses {value} of enum {ref}: {NEW_VALUE}.", hint=WAY_OUT
                    )


def _uses(operation: Operation) -> Iterator[tuple[Ref, str]]:
    if isinstance(operation, CreateTable):
        yield from _defaults(operation.table.columns)
    elif isinstance(operation, AddColumn):
        yield from _defaults((operation.column,))
    elif isinstance(operation, AlterColumn) and operation.known_type is not None:
        default = operation.default if isinstance(operation.default, SqlText) else None
        yield from _defaults((Column(operation.name, operation.known_type, default=default),))
    elif isinstance(operation, BatchTable):
        for part in operation.operations:
            yield from _uses(part)
    elif isinstance(operation, BulkInsert):
        yield from _inserted(operation)


def _defaults(columns: Iterable[Column]) -> Iterator[tuple[Ref, str]]:
    for column in columns:
        if column.default is not None and column.default.literal is not None:
            for found in brought_types((column,)):
                yield found.ref, column.default.literal


def _inserted(operation: BulkInsert) -> Iterator[tuple[Ref, str]]:
    named: dict[str, Any] = {c.key: c.type for c in operation.table.c if isinstance(c.type, sa.Enum)}
    for row in operation.rows if named else ():
        for key, type_ in named.items():
            value = row.get(key)
            if value is not None and type_.name:
                text = value.name if isinstance(value, enum.Enum) else str(value)
                yield Ref(str(type_.name), type_.schema, "enum"), text
