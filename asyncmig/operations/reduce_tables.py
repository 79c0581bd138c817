"""Two operations on tables as one: what `reduced` may make of them, and what it may move past what.

None is the answer wherever the result would not be the same: on each database, for the rows, or as far as is known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any

from asyncmig.operations.alter_column import KEEP, AlterColumn, Existing
from asyncmig.operations.base import Operation
from asyncmig.operations.batch import BatchTable, flattened
from asyncmig.operations.brought import with_brought
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.comments import SetTableComment
from asyncmig.operations.constraints import AddConstraint, DropConstraint, kind_of
from asyncmig.operations.indexes import CreateIndex, DropIndex
from asyncmig.operations.mentions import constraint_uses, index_uses
from asyncmig.operations.policies import SetRowSecurity
from asyncmig.operations.reduce_create import folded
from asyncmig.operations.renaming import RenameColumn, RenameConstraint, RenameIndex, ValidateConstraint
from asyncmig.operations.tables import CreateTable, DropTable, RenameTable
from asyncmig.schema.default_names import default_names
from asyncmig.schema.model import Check, Column, Exclude, PrimaryKey, Ref, Schema, Table, Unique

__all__ = [
    "frees_names",
    "is_about_tables",
    "merged",
    "own_place",
    "passes",
    "places",
    "simplified",
    "takes_name",
]

Merged = tuple[Operation, ...] | None

# Each touches nothing but what it says. Their classes, exactly: what a plug-in derives from one may do more.
_ON_A_TABLE = frozenset(
    {
        AddColumn,
        DropColumn,
        AlterColumn,
        RenameColumn,
        AddConstraint,
        DropConstraint,
        RenameConstraint,
        ValidateConstraint,
        CreateIndex,
        DropIndex,
        RenameIndex,
        SetTableComment,
        SetRowSecurity,
        BatchTable,
    }
)
_PLAIN_OPTIONS = frozenset(
    {
        "info",
        "postgresql_tablespace",
        "postgresql_using",
        "postgresql_with",
        "sqlite_autoincrement",
        "sqlite_strict",
        "sqlite_with_rowid",
    }
)


def is_about_tables(operation: Operation) -> bool:
    """Whether the operation touches nothing but what `places` says, so that others may move past it."""
    kind = type(operation)
    if isinstance(operation, CreateTable):
        # Another table may be in the options (INHERITS), or only this connection see it (TEMPORARY).
        table = operation.table
        return kind is CreateTable and not table.prefixes and _PLAIN_OPTIONS.issuperset(key for key, _ in table.options)
    if isinstance(operation, BatchTable):
        return kind is BatchTable and all(is_about_tables(part) for part in (*operation.operations, *operation.extra))
    if isinstance(operation, DropIndex | RenameIndex):
        return kind in _ON_A_TABLE and operation.ref is not None  # else it may be an index of any table
    return kind in _ON_A_TABLE or kind in (DropTable, RenameTable)


def places(operation: Operation) -> frozenset[Ref]:
    """What the operation must not be moved past, if another touches it: names of indexes and keys among them."""
    return operation.touches() | {
        Ref(name, schema, "index") for part in flattened([operation]) for name, schema in _names(part) if name
    }


def _names(operation: Operation) -> Iterator[tuple[str | None, str | None]]:
    """Of indexes and constraints, which are unique in a schema, as far as the operation says them."""
    match operation:
        case CreateTable():
            table = operation.table
            yield from ((part.name, table.schema) for part in (*table.indexes, *table.constraints))
        case AddColumn():
            yield from ((part.name, operation.ref.schema) for part in (*operation.indexes, *operation.constraints))
        case AddConstraint():
            yield operation.constraint.name, operation.ref.schema
        case DropConstraint():
            yield operation.name, operation.ref.schema
        case RenameConstraint():
            yield from ((name, operation.ref.schema) for name in (operation.old, operation.new))


def takes_name(operation: Operation) -> bool:
    """Whether the operation calls something by a name that must be free then."""
    if isinstance(operation, AddConstraint):
        return isinstance(operation.constraint, PrimaryKey | Unique | Exclude)
    if isinstance(operation, AddColumn):
        return bool(operation.indexes or operation.constraints)
    if isinstance(operation, BatchTable):
        return any(takes_name(part) for part in operation.operations)
    return isinstance(operation, CreateIndex | RenameIndex | RenameConstraint)


def frees_names(operation: Operation) -> bool:
    """Whether indexes and keys go with what the operation drops, which it does not name."""
    return any(isinstance(part, DropTable | DropColumn) for part in flattened([operation]))


def own_place(operation: Operation) -> Collection[Ref]:
    """The table that the operation changes, where it is one that is there."""
    ref = table_of(operation)
    return () if ref is None else (ref,)


def table_of(operation: Operation) -> Ref | None:
    if isinstance(operation, SetRowSecurity):
        return operation.table
    return getattr(operation, "ref", None) if type(operation) in _ON_A_TABLE else None


def simplified(
    operation: Operation, reduced: Callable[[Iterable[Operation]], tuple[Operation, ...]]
) -> tuple[Operation, ...]:
    """The operation by itself: a plain batch with its own parts reduced, nothing where it changes nothing."""
    if isinstance(operation, BatchTable) and is_plain_batch(operation):
        parts = reduced(operation.operations)
        if len(parts) == len(operation.operations):
            return (operation,) if parts else ()
        return (replace(operation, operations=parts),) if parts else ()
    return (operation,)


def is_plain_batch(batch: BatchTable) -> bool:
    """Whether the batch is nothing but its parts, one after the other."""
    return batch.recreate == "auto" and not (
        batch.orders or batch.source or batch.columns or batch.extra or batch.options or batch.convention
    )


def passes(operation: Operation, earlier: Operation) -> bool:
    """Whether the operation may be carried out before an earlier one on the same table."""
    if table_of(operation) != table_of(earlier) or not is_about_tables(earlier):
        return False
    if isinstance(operation, AddColumn):
        alone = not (operation.constraints or operation.indexes or operation.primary_key)
        return alone and isinstance(earlier, AddConstraint | CreateIndex | SetTableComment | SetRowSecurity)
    if isinstance(operation, CreateIndex):
        return isinstance(earlier, AddConstraint | SetTableComment | SetRowSecurity)
    if isinstance(operation, AddConstraint):
        plain = isinstance(operation.constraint, Unique | Check)
        return plain and isinstance(earlier, SetTableComment | SetRowSecurity)
    return isinstance(operation, SetTableComment) and not isinstance(earlier, SetTableComment | BatchTable)


def merged(first: Operation, second: Operation) -> Merged:
    """What both are together, one after the other: () is nothing at all, None that they stay two."""
    if isinstance(first, CreateTable):
        return _with_create(first, second)
    if isinstance(second, DropTable):
        return _dropped_table(first, second)
    if isinstance(second, RenameTable):
        return _renamed_table(first, second)
    if table_of(first) is None or table_of(first) != table_of(second):
        return None
    rule = _RULES.get(type(second))
    return rule(first, second) if rule else None


def _with_create(create: CreateTable, second: Operation) -> Merged:
    if create.if_not_exists:
        return None
    if isinstance(second, DropTable):
        brings = with_brought(Schema(), create.table.columns) != Schema()
        return () if second.ref == create.table.ref and not brings else None
    if isinstance(second, BatchTable) and not is_plain_batch(second):
        return None
    parts = second.operations if isinstance(second, BatchTable) else (second,)
    for part in parts:
        known = isinstance(part, RenameTable) or table_of(part) is not None
        result = folded(create, part) if known and _names_table(part, create.table.ref) else None
        if result is None:
            return None
        create = result
    return (create,)


def _names_table(operation: Operation, ref: Ref) -> bool:
    return (operation.ref if isinstance(operation, RenameTable) else table_of(operation)) == ref


def _dropped_table(first: Operation, drop: DropTable) -> Merged:
    if table_of(first) != drop.ref or _brings(first):
        return None
    # What the script says that the table was, is what it was after `first`.
    return (replace(drop, table=None),)


def _brings(operation: Operation) -> bool:
    """Whether the operation leaves a type or a sequence of its own behind."""
    if isinstance(operation, BatchTable):
        return any(_brings(part) for part in (*operation.operations, *operation.extra))
    if isinstance(operation, AddColumn):
        return _brought(operation.column)
    return isinstance(operation, AlterColumn) and operation.type is not None and _brought(_altered(operation))


def _brought(column: Column) -> bool:
    return with_brought(Schema(), (column,)) != Schema()


def _altered(operation: AlterColumn) -> Column:
    assert operation.type is not None
    return Column(operation.name, operation.type)


def _renamed_table(first: Operation, second: RenameTable) -> Merged:
    if not isinstance(first, RenameTable) or first.new_ref != second.ref:
        return None
    return () if first.ref == second.new_ref else (RenameTable(first.ref, second.new_name),)


def _drop_column(first: Operation, drop: DropColumn) -> Merged:
    match first:
        case AddColumn(if_not_exists=False, primary_key=False) if first.column.name == drop.name:
            whole = all(constraint_uses(c, drop.name) for c in first.constraints)
            return () if whole and all(index_uses(i, drop.name) for i in first.indexes) and not _brings(first) else None
        case AlterColumn(new_name=None) if first.name == drop.name and not _brings(first):
            return (replace(drop, column=None),)
        case AddConstraint() if not isinstance(first.constraint, PrimaryKey):
            return (drop,) if constraint_uses(first.constraint, drop.name) else None
        case CreateIndex(if_not_exists=False) if index_uses(first.index, drop.name):
            return (drop,)
    return None


def _alter_column(first: Operation, second: AlterColumn) -> Merged:
    if isinstance(first, AddColumn) and not first.primary_key and not first.if_not_exists:
        return _added_otherwise(first, second) if first.column.name == second.name else None
    if not isinstance(first, AlterColumn) or (first.new_name or first.name) != second.name:
        return None
    placed = first.before or first.after or second.before or second.after
    # A type that the rows went through may have changed them; an expression knows the column by its name then.
    twice = first.type is not None and second.type is not None
    refilled = first.default is not KEEP and second.default is not KEEP and first.type is not None
    by_name = first.new_name is not None and (second.using or second.checks)
    named_anew = second.new_name is not None and first.checks
    if placed or twice or refilled or by_name or named_anew or (_brings(first) and second.type is not None):
        return None
    both = _altered_at_once(first, second)
    return () if both.changes_nothing else (both,)


def _altered_at_once(first: AlterColumn, second: AlterColumn) -> AlterColumn:
    old, new = first.existing, second.existing
    name = second.new_name or first.new_name
    return replace(
        first,
        type=second.type or first.type,
        nullable=first.nullable if second.nullable is None else second.nullable,
        default=first.default if second.default is KEEP else second.default,
        comment=first.comment if second.comment is KEEP else second.comment,
        new_name=None if name == first.name else name,
        using=second.using or first.using,
        checks=second.checks if second.type is not None else first.checks,
        existing=Existing(
            type=old.type or (new.type if first.type is None else None),
            nullable=old.nullable if old.nullable is not None or first.nullable is not None else new.nullable,
            default=old.default if old.default is not KEEP or first.default is not KEEP else new.default,
            comment=old.comment if old.comment is not None or first.comment is not KEEP else new.comment,
            checks=old.checks or (new.checks if first.type is None else ()),
        ),
    )


def _added_otherwise(add: AddColumn, second: AlterColumn | RenameColumn) -> Merged:
    """The column added as it is afterwards: only where the rows that are there would be filled alike."""
    column = add.column
    filled = column.default or column.computed or column.identity or column.sequence
    if isinstance(second, AlterColumn):
        kept = second.default is KEEP and second.using is None and not (second.before or second.after)
        if not kept or (second.type is not None and filled):
            return None
    table = Table(add.ref.name, (column,), add.ref.schema, add.constraints, add.indexes)
    before = with_brought(Schema(tables={table.ref: table}), table.columns)
    after = second.apply(before)
    changed = after.tables[table.ref]
    (new,) = changed.columns
    names = set(default_names(table).values()) == set(default_names(changed).values())
    given = all(index.name for index in add.indexes)
    if (new.name != column.name and not (names and given)) or with_brought(Schema(), changed.columns) != replace(
        after, tables={}
    ):
        return None
    return (replace(add, column=new, constraints=changed.constraints, indexes=changed.indexes),)


def _rename_column(first: Operation, second: RenameColumn) -> Merged:
    match first:
        case AddColumn(if_not_exists=False, primary_key=False) if first.column.name == second.old:
            return _added_otherwise(first, second)
        case RenameColumn(new=second.old):
            return () if first.old == second.new else (replace(first, new=second.new),)
        case AlterColumn(checks=(), before=None, after=None) if (first.new_name or first.name) == second.old:
            both = replace(first, new_name=None if second.new == first.name else second.new)
            return () if both.changes_nothing else (both,)
    return None


def _drop_constraint(first: Operation, drop: DropConstraint) -> Merged:
    match first:
        case AddConstraint() if first.constraint.name == drop.name and not isinstance(first.constraint, PrimaryKey):
            return () if drop.kind in (None, kind_of(first.constraint)) else None
        case RenameConstraint(new=drop.name):
            return (replace(drop, name=first.old, constraint=None),)
    return None


def _rename_constraint(first: Operation, second: RenameConstraint) -> Merged:
    match first:
        case AddConstraint() if first.constraint.name == second.old and not isinstance(first.constraint, PrimaryKey):
            return (replace(first, constraint=replace(first.constraint, name=second.new)),)
        case RenameConstraint(new=second.old):
            return () if first.old == second.new else (replace(first, new=second.new),)
    return None


def _drop_index(first: Operation, drop: DropIndex) -> Merged:
    match first:
        case CreateIndex(if_not_exists=False) if first.index.name == drop.name:
            return ()
        case RenameIndex(new=drop.name):
            return (replace(drop, name=first.old, index=None),)
    return None


def _rename_index(first: Operation, second: RenameIndex) -> Merged:
    match first:
        case CreateIndex(if_not_exists=False) if first.index.name == second.old:
            return (replace(first, index=replace(first.index, name=second.new)),)
        case RenameIndex(new=second.old):
            return () if first.old == second.new else (replace(first, new=second.new),)
    return None


def _comment(first: Operation, second: SetTableComment) -> Merged:
    return (replace(second, existing=first.existing),) if isinstance(first, SetTableComment) else None


def _batch(first: Operation, second: BatchTable) -> Merged:
    if not (isinstance(first, BatchTable) and is_plain_batch(first) and is_plain_batch(second)):
        return None
    return (replace(first, operations=(*first.operations, *second.operations)),)


_RULES: dict[type[Operation], Callable[[Any, Any], Merged]] = {
    DropColumn: _drop_column,
    AlterColumn: _alter_column,
    RenameColumn: _rename_column,
    DropConstraint: _drop_constraint,
    RenameConstraint: _rename_constraint,
    DropIndex: _drop_index,
    RenameIndex: _rename_index,
    SetTableComment: _comment,
    BatchTable: _batch,
}
