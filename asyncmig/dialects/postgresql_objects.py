"""Renames, sequences, views, policies, schemas and extensions on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.schema import CreateSequence as CreateSequenceDDL

from asyncmig.dialects.ddl import CompilingDialect
from asyncmig.dialects.literals import quoted
from asyncmig.dialects.statement import Statement
from asyncmig.operations.enums import CreateEnum
from asyncmig.schema.metadata import sequence_to_sqlalchemy
from asyncmig.schema.model import Policy, Ref, Schema, View

if TYPE_CHECKING:
    from asyncmig.operations.base import Operation
    from asyncmig.operations.policies import CreatePolicy, DropPolicy, SetRowSecurity
    from asyncmig.operations.renaming import RenameConstraint, RenameIndex, ValidateConstraint
    from asyncmig.operations.schemas import AlterExtension, CreateExtension, CreateSchema, DropExtension, DropSchema
    from asyncmig.operations.sequences import AlterSequence, CreateSequence, DropSequence
    from asyncmig.operations.views import CreateView, DropView, ReplaceView

__all__ = ["PostgresqlObjects", "object_reads"]

_SEQUENCE_WORDS = {
    "start": "START WITH",
    "increment": "INCREMENT BY",
    "minvalue": "MINVALUE",
    "maxvalue": "MAXVALUE",
    "cache": "CACHE",
}
_SEQUENCE_SWITCHES = {
    ("cycle", True): "CYCLE",
    ("cycle", False): "NO CYCLE",
    ("nominvalue", True): "NO MINVALUE",
    ("nomaxvalue", True): "NO MAXVALUE",
}
_ANYBODY = ("PUBLIC", "CURRENT_ROLE", "CURRENT_USER", "SESSION_USER")


def object_reads(operation: Operation) -> frozenset[Ref]:
    """What only looking tells whether there is anything to do: PostgreSQL has no IF NOT EXISTS for these."""
    if not getattr(operation, "if_not_exists", False):
        return frozenset()
    from asyncmig.operations.views import CreateView

    if isinstance(operation, CreateEnum):
        return frozenset({operation.enum.ref})
    return frozenset({operation.view.ref}) if isinstance(operation, CreateView) else frozenset()


class PostgresqlObjects(CompilingDialect):
    """Part of PostgreSQL."""

    def rename_index(self, operation: RenameIndex, before: Schema) -> Sequence[Statement]:
        # ALTER INDEX takes SHARE UPDATE EXCLUSIVE where ALTER TABLE would take ACCESS EXCLUSIVE.
        old = self.qualify(Ref(operation.old, operation.namespace, "index"))
        return (Statement(f"ALTER INDEX {old} RENAME TO {self.quote(operation.new)}", operation=operation),)

    def rename_constraint(self, operation: RenameConstraint, before: Schema) -> Sequence[Statement]:
        change = f"RENAME CONSTRAINT {self.quote(operation.old)} TO {self.quote(operation.new)}"
        return (Statement(f"ALTER TABLE {self.qualify(operation.ref)} {change}", operation=operation),)

    def validate_constraint(self, operation: ValidateConstraint, before: Schema) -> Sequence[Statement]:
        change = f"VALIDATE CONSTRAINT {self.quote(operation.name)}"
        return (Statement(f"ALTER TABLE {self.qualify(operation.ref)} {change}", operation=operation),)

    # sequences

    def create_sequence(self, operation: CreateSequence, before: Schema) -> Sequence[Statement]:
        create = CreateSequenceDDL(sequence_to_sqlalchemy(operation.sequence), if_not_exists=operation.if_not_exists)
        statements = [Statement(self.compiled(create), operation=operation)]
        if operation.owned_by is not None:
            owner = self._owned_by(*operation.owned_by)
            sql = f"ALTER SEQUENCE {self.qualify(operation.sequence.ref)} {owner}"
            statements.append(Statement(sql, operation=operation))
        return tuple(statements)

    def alter_sequence(self, operation: AlterSequence, before: Schema) -> Sequence[Statement]:
        words = [word for name, value in operation.changes for word in self._sequence_change(name, value)]
        if operation.restart is not None:
            words.append(f"RESTART WITH {operation.restart:d}")
        if operation.owned_by is not None:
            words.append(self._owned_by(*operation.owned_by))
        return (Statement(f"ALTER SEQUENCE {self.qualify(operation.ref)} {' '.join(words)}", operation=operation),)

    def drop_sequence(self, operation: DropSequence, before: Schema) -> Sequence[Statement]:
        return (self._drop("SEQUENCE", operation.ref, operation),)

    def _sequence_change(self, name: str, value: Any) -> Iterator[str]:
        if name == "type" and value is not None:
            yield f"AS {value.spelling('postgresql')}"
        elif name in _SEQUENCE_WORDS and value is not None:
            yield f"{_SEQUENCE_WORDS[name]} {value:d}"
        elif (name, value) in _SEQUENCE_SWITCHES:
            yield _SEQUENCE_SWITCHES[name, value]

    def _owned_by(self, table: Ref, column: str) -> str:
        return f"OWNED BY {self.qualify(table)}.{self.quote(column)}"

    # views

    def create_view(self, operation: CreateView, before: Schema) -> Sequence[Statement]:
        """A plain view knows no IF NOT EXISTS, so `before` says whether there is anything to do."""
        if operation.if_not_exists and operation.view.ref in before.views:
            return ()
        return (Statement(self._create_view(operation.view), operation=operation),)

    def replace_view(self, operation: ReplaceView, before: Schema) -> Sequence[Statement]:
        view = operation.view
        if not view.materialized:
            return (Statement(self._create_view(view, "OR REPLACE "), operation=operation),)
        return (
            Statement(f"DROP MATERIALIZED VIEW IF EXISTS {self.qualify(view.ref)}", operation=operation),
            Statement(self._create_view(view), operation=operation),
        )

    def drop_view(self, operation: DropView, before: Schema) -> Sequence[Statement]:
        kind = "MATERIALIZED VIEW" if operation.materialized else "VIEW"
        return (self._drop(kind, operation.ref, operation),)

    def _create_view(self, view: View, replacing: str = "") -> str:
        columns = f" ({self.name_list(view.columns)})" if view.columns else ""
        kind = "MATERIALIZED VIEW" if view.materialized else f"{replacing}VIEW"
        # On a line of its own: the query may end in a comment.
        data = ("\nWITH DATA" if view.with_data else "\nWITH NO DATA") if view.materialized else ""
        options = (
            f" WITH ({', '.join(f'{name} = {quoted(value)}' for name, value in view.options)})" if view.options else ""
        )
        return f"CREATE {kind} {self.qualify(view.ref)}{columns}{options} AS\n{view.definition}{data}"

    # policies

    def create_policy(self, operation: CreatePolicy, before: Schema) -> Sequence[Statement]:
        policy = operation.policy
        words = [f"CREATE POLICY {self.quote(policy.name)} ON {self.qualify(policy.table)}", *self._rules(policy)]
        return (Statement(" ".join(words), operation=operation),)

    def drop_policy(self, operation: DropPolicy, before: Schema) -> Sequence[Statement]:
        exists = "IF EXISTS " if operation.if_exists else ""
        sql = f"DROP POLICY {exists}{self.quote(operation.name)} ON {self.qualify(operation.table)}"
        return (Statement(sql, operation=operation),)

    def set_row_security(self, operation: SetRowSecurity, before: Schema) -> Sequence[Statement]:
        changes = [f"{'ENABLE' if operation.enabled else 'DISABLE'} ROW LEVEL SECURITY"]
        if operation.forced is not None:
            changes.append(f"{'FORCE' if operation.forced else 'NO FORCE'} ROW LEVEL SECURITY")
        return (Statement(f"ALTER TABLE {self.qualify(operation.table)} {', '.join(changes)}", operation=operation),)

    def _rules(self, policy: Policy) -> Iterator[str]:
        if not policy.permissive:
            yield "AS RESTRICTIVE"
        if policy.command != "ALL":
            yield f"FOR {policy.command}"
        roles = (role if role.upper() in _ANYBODY else self.quote(role) for role in policy.roles)
        yield f"TO {', '.join(roles)}"
        if policy.using is not None:
            yield f"USING ({policy.using})"
        if policy.check is not None:
            yield f"WITH CHECK ({policy.check})"

    # schemas and extensions

    def create_schema(self, operation: CreateSchema, before: Schema) -> Sequence[Statement]:
        exists = "IF NOT EXISTS " if operation.if_not_exists else ""
        owner = f" AUTHORIZATION {self.quote(operation.owner)}" if operation.owner else ""
        return (Statement(f"CREATE SCHEMA {exists}{self.quote(operation.name)}{owner}", operation=operation),)

    def drop_schema(self, operation: DropSchema, before: Schema) -> Sequence[Statement]:
        return (self._drop("SCHEMA", Ref(operation.name), operation),)

    def create_extension(self, operation: CreateExtension, before: Schema) -> Sequence[Statement]:
        extension = operation.extension
        words = [
            "CREATE EXTENSION",
            *(["IF NOT EXISTS"] if operation.if_not_exists else []),
            self.quote(extension.name),
            *([f"SCHEMA {self.quote(extension.schema)}"] if extension.schema else []),
            *([f"VERSION {quoted(extension.version)}"] if extension.version else []),
            *(["CASCADE"] if operation.cascade else []),
        ]
        return (Statement(" ".join(words), operation=operation),)

    def alter_extension(self, operation: AlterExtension, before: Schema) -> Sequence[Statement]:
        words = [f"UPDATE TO {quoted(operation.version)}"] if operation.version is not None else []
        words += [f"SET SCHEMA {self.quote(operation.schema)}"] if operation.schema is not None else []
        name = self.quote(operation.name)
        return tuple(Statement(f"ALTER EXTENSION {name} {word}", operation=operation) for word in words)

    def drop_extension(self, operation: DropExtension, before: Schema) -> Sequence[Statement]:
        return (self._drop("EXTENSION", Ref(operation.name), operation),)

    def _drop(self, kind: str, ref: Ref, operation: DropSequence | DropView | DropSchema | DropExtension) -> Statement:
        exists = "IF EXISTS " if operation.if_exists else ""
        cascade = " CASCADE" if operation.cascade else ""
        return Statement(f"DROP {kind} {exists}{self.qualify(ref)}{cascade}", operation=operation)
