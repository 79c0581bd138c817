"""Operations as calls of `op`: on what is no table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from asyncmig.autogenerate.render_code import (
    Atom,
    Call,
    Collection,
    Keyword,
    Node,
    call,
    keywords,
    literal,
    string,
    strings,
)
from asyncmig.autogenerate.render_context import RenderContext, Unrenderable, identifier
from asyncmig.autogenerate.render_sql import multiline
from asyncmig.autogenerate.render_types import render_type
from asyncmig.operations.backfills import Backfill
from asyncmig.operations.enums import AddEnumValue, CreateEnum, DropEnum, RenameEnumValue
from asyncmig.operations.policies import CreatePolicy, DropPolicy, SetRowSecurity
from asyncmig.operations.renaming import RenameColumn, RenameConstraint, RenameIndex, ValidateConstraint
from asyncmig.operations.routines import CreateFunction, CreateTrigger, DropFunction, DropTrigger
from asyncmig.operations.schemas import AlterExtension, CreateExtension, CreateSchema, DropExtension, DropSchema
from asyncmig.operations.sequences import AlterSequence, CreateSequence, DropSequence
from asyncmig.operations.views import CreateView, DropView, ReplaceView
from asyncmig.schema.model import Ref, Schema, Sequence, View
from asyncmig.schema.types import SqlType

__all__ = ["ObjectRenderer", "named", "yes"]

_ALTERED = ("start", "increment", "minvalue", "maxvalue", "cache", "cycle")


@dataclass(frozen=True, slots=True)
class ObjectRenderer:
    """Part of OperationRenderer."""

    context: RenderContext

    def rename_column(self, operation: RenameColumn, before: Schema) -> Call:
        names = (identifier(operation.ref.name), identifier(operation.old), identifier(operation.new))
        return call("op.rename_column", *names, *_at(operation.ref))

    def rename_index(self, operation: RenameIndex, before: Schema) -> Call:
        table = None if operation.ref is None else identifier(operation.ref.name)
        names = (_name(self.context, operation.old, "ix"), _name(self.context, operation.new, "ix"))
        return call("op.rename_index", *names, *keywords(table_name=table, schema=named(operation.namespace)))

    def rename_constraint(self, operation: RenameConstraint, before: Schema) -> Call:
        names = (identifier(operation.ref.name), string(operation.old), string(operation.new))
        return call("op.rename_constraint", *names, *_at(operation.ref))

    def validate_constraint(self, operation: ValidateConstraint, before: Schema) -> Call:
        return call(
            "op.validate_constraint", identifier(operation.ref.name), string(operation.name), *_at(operation.ref)
        )

    def create_enum(self, operation: CreateEnum, before: Schema) -> Call:
        enum = operation.enum
        rest = keywords(schema=named(enum.schema), if_not_exists=yes(operation.if_not_exists))
        return call("op.create_enum", identifier(enum.name), strings(enum.values), *rest)

    def drop_enum(self, operation: DropEnum, before: Schema) -> Call:
        return call("op.drop_enum", identifier(operation.ref.name), *_drop(operation, operation.ref.schema))

    def add_enum_value(self, operation: AddEnumValue, before: Schema) -> Call:
        return call(
            "op.add_enum_value",
            identifier(operation.ref.name),
            string(operation.value),
            *keywords(
                before=named(operation.before_value),
                after=named(operation.after_value),
                if_not_exists=yes(operation.if_not_exists),
                schema=named(operation.ref.schema),
            ),
        )

    def rename_enum_value(self, operation: RenameEnumValue, before: Schema) -> Call:
        names = (identifier(operation.ref.name), string(operation.old), string(operation.new))
        return call("op.rename_enum_value", *names, *_at(operation.ref))

    def create_sequence(self, operation: CreateSequence, before: Schema) -> Call:
        sequence = operation.sequence
        return call(
            "op.create_sequence",
            identifier(sequence.name),
            *_numbers({name: getattr(sequence, name) for name in _ALTERED}),
            *keywords(
                data_type=self._type(sequence),
                owned_by=_owner(operation.owned_by),
                schema=named(sequence.schema),
                if_not_exists=yes(operation.if_not_exists),
            ),
        )

    def _type(self, sequence: Sequence) -> Node | None:
        return None if sequence.type is None else render_type(sequence.type, self.context)

    def alter_sequence(self, operation: AlterSequence, before: Schema) -> Call:
        changes = dict(operation.changes)
        type_: SqlType | None = changes.pop("type", None)
        unsaid = [name for name, value in changes.items() if value is None or name not in _ALTERED]
        if unsaid:
            raise Unrenderable(f"{operation.describe()}: going back to the default of {unsaid[0]} cannot be said.")
        return call(
            "op.alter_sequence",
            identifier(operation.ref.name),
            *_numbers(changes),
            *keywords(
                data_type=None if type_ is None else render_type(type_, self.context),
                restart=literal(operation.restart) if operation.restart is not None else None,
                owned_by=_owner(operation.owned_by),
                schema=named(operation.ref.schema),
            ),
        )

    def drop_sequence(self, operation: DropSequence, before: Schema) -> Call:
        return call("op.drop_sequence", identifier(operation.ref.name), *_drop(operation, operation.ref.schema))

    def create_view(self, operation: CreateView, before: Schema) -> Call:
        return call("op.create_view", *_view(operation.view), *keywords(if_not_exists=yes(operation.if_not_exists)))

    def replace_view(self, operation: ReplaceView, before: Schema) -> Call:
        return call("op.replace_view", *_view(operation.view))

    def drop_view(self, operation: DropView, before: Schema) -> Call:
        materialized = keywords(materialized=yes(operation.materialized))
        return call(
            "op.drop_view", identifier(operation.ref.name), *materialized, *_drop(operation, operation.ref.schema)
        )

    def create_function(self, operation: CreateFunction, before: Schema) -> Call:
        function = operation.function
        texts = (string(function.arguments), multiline(function.definition))
        rest = keywords(replace=yes(operation.replace), schema=named(function.schema))
        return call("op.create_function", identifier(function.name), *texts, *rest)

    def drop_function(self, operation: DropFunction, before: Schema) -> Call:
        arguments = () if operation.arguments is None else (string(operation.arguments),)
        return call("op.drop_function", identifier(operation.name), *arguments, *_drop(operation, operation.schema))

    def create_trigger(self, operation: CreateTrigger, before: Schema) -> Call:
        trigger = operation.trigger
        return call(
            "op.create_trigger",
            identifier(trigger.name),
            identifier(trigger.table.name),
            multiline(trigger.event),
            multiline(trigger.action),
            *keywords(
                replace=yes(operation.replace), constraint=yes(trigger.constraint), schema=named(trigger.table.schema)
            ),
        )

    def drop_trigger(self, operation: DropTrigger, before: Schema) -> Call:
        names = (identifier(operation.name), identifier(operation.table.name))
        return call("op.drop_trigger", *names, *_drop(operation, operation.table.schema))

    def create_policy(self, operation: CreatePolicy, before: Schema) -> Call:
        policy = operation.policy
        roles = strings(policy.roles) if len(policy.roles) != 1 else string(policy.roles[0])
        return call(
            "op.create_policy",
            identifier(policy.name),
            identifier(policy.table.name),
            *keywords(
                command=None if policy.command == "ALL" else string(policy.command),
                roles=None if policy.roles == ("PUBLIC",) else roles,
                using=None if policy.using is None else multiline(policy.using),
                check=None if policy.check is None else multiline(policy.check),
                permissive=None if policy.permissive else Atom("False"),
                schema=named(policy.table.schema),
            ),
        )

    def drop_policy(self, operation: DropPolicy, before: Schema) -> Call:
        names = (identifier(operation.name), identifier(operation.table.name))
        rest = keywords(schema=named(operation.table.schema), if_exists=yes(operation.if_exists))
        return call("op.drop_policy", *names, *rest)

    def set_row_security(self, operation: SetRowSecurity, before: Schema) -> Call:
        verb = "enable" if operation.enabled else "disable"
        force = None if operation.forced is None else Atom(repr(operation.forced))
        rest = keywords(force=force, schema=named(operation.table.schema))
        return call(f"op.{verb}_row_level_security", identifier(operation.table.name), *rest)

    def create_schema(self, operation: CreateSchema, before: Schema) -> Call:
        rest = keywords(owner=named(operation.owner), if_not_exists=yes(operation.if_not_exists))
        return call("op.create_schema", identifier(operation.name), *rest)

    def drop_schema(self, operation: DropSchema, before: Schema) -> Call:
        rest = keywords(if_exists=yes(operation.if_exists), cascade=yes(operation.cascade))
        return call("op.drop_schema", identifier(operation.name), *rest)

    def create_extension(self, operation: CreateExtension, before: Schema) -> Call:
        extension = operation.extension
        return call(
            "op.create_extension",
            string(extension.name),
            *keywords(
                schema=named(extension.schema),
                version=named(extension.version),
                if_not_exists=yes(operation.if_not_exists),
                cascade=yes(operation.cascade),
            ),
        )

    def alter_extension(self, operation: AlterExtension, before: Schema) -> Call:
        changes = keywords(version=named(operation.version), schema=named(operation.schema))
        return call("op.alter_extension", string(operation.name), *changes)

    def drop_extension(self, operation: DropExtension, before: Schema) -> Call:
        rest = keywords(if_exists=yes(operation.if_exists), cascade=yes(operation.cascade))
        return call("op.drop_extension", string(operation.name), *rest)

    def backfill(self, operation: Backfill, before: Schema) -> NoReturn:
        """A loop with a body that only its author knows."""
        raise Unrenderable(f"{operation.describe()}: its body is Python, which no operation holds.")


def named(name: str | None) -> Node | None:
    return None if name is None else identifier(name)


def yes(flag: bool) -> Node | None:
    """True where it is said, nothing where False is the default."""
    return Atom("True") if flag else None


def _name(context: RenderContext, name: str, kind: str) -> Node:
    return context.name(name, kind) or string(name)


def _at(ref: Ref) -> tuple[Node, ...]:
    return tuple(keywords(schema=named(ref.schema)))


def _drop(
    operation: DropEnum | DropSequence | DropView | DropFunction | DropTrigger, schema: str | None
) -> tuple[Node, ...]:
    flags = {"if_exists": yes(operation.if_exists), "cascade": yes(operation.cascade)}
    return tuple(keywords(schema=named(schema), **flags))


def _numbers(values: dict[str, object]) -> tuple[Node, ...]:
    return tuple(Keyword(f"{name}=", Atom(repr(value))) for name, value in values.items() if value is not None)


def _owner(owner: tuple[Ref, str] | None) -> Node | None:
    return None if owner is None else string(f"{owner[0]}.{owner[1]}")


def _options(view: View) -> Node | None:
    items = tuple(Keyword(f"{string(name).text}: ", string(value)) for name, value in view.options)
    return Collection(items, "{}") if items else None


def _view(view: View) -> tuple[Node, ...]:
    return (
        identifier(view.name),
        multiline(view.definition),
        *keywords(
            columns=Collection(tuple(string(name) for name in view.columns)) if view.columns else None,
            materialized=yes(view.materialized),
            with_data=None if view.with_data else Atom("False"),
            options=_options(view),
            schema=named(view.schema),
        ),
    )
