"""Functions and triggers on PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from asyncmig.dialects.ddl import CompilingDialect
from asyncmig.dialects.statement import Statement
from asyncmig.schema.model import Ref, Schema, Trigger

if TYPE_CHECKING:
    from asyncmig.operations.routines import CreateFunction, CreateTrigger, DropFunction, DropTrigger

__all__ = ["PostgresqlRoutines", "without_defaults"]

_OR_REPLACE_TRIGGER = (14,)
_PIECE = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[^\W\d]\w*|:=|[(\[]|[)\]]|.""", re.DOTALL)


class PostgresqlRoutines(CompilingDialect):
    """Part of PostgreSQL."""

    def create_function(self, operation: CreateFunction, before: Schema) -> Sequence[Statement]:
        function = operation.function
        name = f"{self.qualify(Ref(function.name, function.schema))}({function.arguments})"
        verb = "CREATE OR REPLACE" if operation.replace else "CREATE"
        return (Statement(f"{verb} FUNCTION {name}\n{function.definition}", operation=operation),)

    def drop_function(self, operation: DropFunction, before: Schema) -> Sequence[Statement]:
        exists = "IF EXISTS " if operation.if_exists else ""
        arguments = "" if operation.arguments is None else f"({without_defaults(operation.arguments)})"
        cascade = " CASCADE" if operation.cascade else ""
        name = self.qualify(Ref(operation.name, operation.schema))
        return (Statement(f"DROP FUNCTION {exists}{name}{arguments}{cascade}", operation=operation),)

    def create_trigger(self, operation: CreateTrigger, before: Schema) -> Sequence[Statement]:
        """OR REPLACE exists since PostgreSQL 14, and never for a constraint trigger: dropped and created there."""
        trigger = operation.trigger
        version = getattr(self.sqlalchemy, "server_version_info", None) or _OR_REPLACE_TRIGGER
        if not operation.replace:
            return (Statement(self._create_trigger(trigger), operation=operation),)
        if version >= _OR_REPLACE_TRIGGER and not trigger.constraint:
            return (Statement(self._create_trigger(trigger, "OR REPLACE "), operation=operation),)
        drop = f"DROP TRIGGER IF EXISTS {self.quote(trigger.name)} ON {self.qualify(trigger.table)}"
        return (
            Statement(drop, operation=operation),
            Statement(self._create_trigger(trigger), operation=operation),
        )

    def drop_trigger(self, operation: DropTrigger, before: Schema) -> Sequence[Statement]:
        exists = "IF EXISTS " if operation.if_exists else ""
        cascade = " CASCADE" if operation.cascade else ""
        sql = f"DROP TRIGGER {exists}{self.quote(operation.name)} ON {self.qualify(operation.table)}{cascade}"
        return (Statement(sql, operation=operation),)

    def _create_trigger(self, trigger: Trigger, replacing: str = "") -> str:
        kind = "CONSTRAINT TRIGGER" if trigger.constraint else "TRIGGER"
        head = f"CREATE {replacing}{kind} {self.quote(trigger.name)}"
        return f"{head} {trigger.event} ON {self.qualify(trigger.table)}\n{trigger.action}"


def without_defaults(arguments: str) -> str:
    """A function's arguments as DROP FUNCTION takes them: names and types, no default values."""
    kept: list[str] = []
    depth, leaving = 0, False
    for match in _PIECE.finditer(arguments):
        piece = match[0]
        depth += (piece in ("(", "[")) - (piece in (")", "]"))
        if depth == 0 and piece == ",":
            leaving = False
        elif depth == 0 and (piece.upper() == "DEFAULT" or piece in ("=", ":=")):
            leaving = True
            kept[:] = ["".join(kept).rstrip()]
        if not leaving:
            kept.append(piece)
    return "".join(kept)
