"""SQLite: changes to a table that is there, one operation or a batch of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from asyncmig.dialects.ddl import CompilingDialect
from asyncmig.dialects.statement import Procedure, Statement
from asyncmig.errors import UnsupportedOperation
from asyncmig.operations.alter_column import AlterColumn
from asyncmig.operations.batch import BatchTable
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.comments import SetTableComment
from asyncmig.operations.constraints import AddConstraint, DropConstraint
from asyncmig.operations.indexes import CreateIndex, DropIndex
from asyncmig.operations.mentions import index_uses
from asyncmig.operations.renames import renamed_index
from asyncmig.operations.renaming import RenameConstraint
from asyncmig.operations.tables import CreateTable
from asyncmig.schema.model import Schema, Table

if TYPE_CHECKING:
    from asyncmig.dialects.sqlite_edits import Edit
    from asyncmig.dialects.sqlite_stored import Query, StoredTable
    from asyncmig.dialects.sqlite_table_change import TableChange
    from asyncmig.dialects.sqlite_table_text import TableText
    from asyncmig.operations.base import Operation
    from asyncmig.schema.model import Ref

__all__ = ["SqliteTables"]


class SqliteTables(CompilingDialect):
    """`query` is the connection to ask, None where the statements are for later: then `before.stored` has to say.

    With `recalls`, the changes were carried out before, and only what the journal knows them by is wanted.
    """

    query: Query | None = None
    recalls: bool = False

    def alter_column(self, operation: AlterColumn, before: Schema) -> Sequence[Statement]:
        if operation.changes_nothing:
            return ()
        return self.changed(operation, (operation,), before)

    def add_constraint(self, operation: AddConstraint, before: Schema) -> Sequence[Statement]:
        return self.changed(operation, (operation,), before)

    def drop_constraint(self, operation: DropConstraint, before: Schema) -> Sequence[Statement]:
        return self.changed(operation, (operation,), before)

    def rename_constraint(self, operation: RenameConstraint, before: Schema) -> Sequence[Statement]:
        return self.changed(operation, (operation,), before)

    def drop_column(self, operation: DropColumn, before: Schema) -> Sequence[Statement]:
        return self.changed(operation, (operation,), before)

    def set_table_comment(self, operation: SetTableComment, before: Schema) -> Sequence[Statement]:
        return ()  # the database has no comments

    def batch_table(self, operation: BatchTable, before: Schema) -> Sequence[Statement]:
        """Indexes go first and come last, whatever the order: between them the table changes once."""
        if not (operation.operations or operation.orders or operation.recreate == "always"):
            return ()
        dropped, created = _around(operation.operations)
        if operation.makes_anew:
            created += [part for part in operation.extra if isinstance(part, CreateIndex)]
        return (
            *(s for part in dropped for s in self.drop_index(part, before)),
            *self._changed_once(operation, before, frozenset(part.name for part in dropped)),
            *(s for part in created for s in self.create_index(part, before)),
        )

    # one change

    def changed(
        self,
        operation: Operation,
        parts: Sequence[Operation],
        before: Schema,
        batch: BatchTable | None = None,
        gone: frozenset[str] = frozenset(),
    ) -> Sequence[Statement]:
        """One statement for all the parts, or SQLite's own ALTER TABLE where that is all.

        `gone` are the indexes that are dropped before it.
        """
        ref = _table(operation)
        if self.recalls:
            return (Statement("", procedure=Procedure((), operation.describe()), operation=operation),)
        if self.query is None and (ref.schema or "main") not in before.stored:
            return self._unseen(operation, parts)
        return self._written(operation, self._plan(ref, parts, before, batch, gone))

    def _changed_once(self, batch: BatchTable, before: Schema, dropped: frozenset[str]) -> Sequence[Statement]:
        others = DropIndex | CreateIndex | SetTableComment
        anew = batch.makes_anew
        extra = batch.extra if anew else ()
        parts = [part for part in (*batch.operations, *extra) if not isinstance(part, others)]
        said = anew and (batch.source or batch.columns or batch.options or batch.convention)
        if not (parts or batch.orders or said):
            return ()
        first = parts[0] if parts else None
        if self.only_adds(batch) and isinstance(first, AddColumn):
            return self.statements(replace(first, indexes=()), before)
        return self.changed(batch, parts, before, batch, dropped)

    def only_adds(self, batch: BatchTable) -> bool:
        """Whether the batch needs no look at the table: indexes aside, one column that SQLite can just add."""
        if batch.orders or (batch.makes_anew and (batch.source or batch.columns or batch.options or batch.extra)):
            return False
        parts = [part for part in batch.operations if not isinstance(part, DropIndex | CreateIndex | SetTableComment)]
        if len(parts) != 1 or not isinstance(parts[0], AddColumn):
            return not parts
        # In a batch what the column brings along are constraints of the table.
        return not (parts[0].constraints or parts[0].if_not_exists) and self.natively_added(parts[0])

    @abstractmethod
    def natively_added(self, operation: AddColumn) -> bool:
        """Whether SQLite's ALTER TABLE can add the column, whatever rows the table has."""

    def _plan(
        self, ref: Ref, parts: Sequence[Operation], before: Schema, batch: BatchTable | None, gone: frozenset[str]
    ) -> TableChange:
        # What edits stored texts is a third of asyncmig's code, and most runs change no table that is there.
        from asyncmig.dialects.sqlite_change import plan_change
        from asyncmig.dialects.sqlite_translation import Translation

        stored = self._stored(ref, before, batch.source if batch else None)
        stored = replace(stored, objects=tuple(o for o in stored.objects if o.type != "index" or o.name not in gone))
        convention = batch.convention if batch else ()
        translation = Translation(self, ref, stored.text, convention, replaces=batch is not None)
        if batch is not None and batch.makes_anew:
            for edit in list(self._said_edits(stored.text, batch)):
                translation.edit(edit)
            for check in batch.checks:
                translation.restate(AddConstraint(ref, check))
            translation.name_constraints()
        for part in parts:
            if batch is not None and part in batch.extra:
                translation.restate(part)
            else:
                translation.add(part)
        if batch is not None:
            translation.order(batch.orders)
            if batch.makes_anew:
                translation.options(batch.options)
        change = plan_change(stored, translation.edits, self.query)
        if batch is not None and batch.recreate == "never" and "rebuild" in change.procedures:
            raise UnsupportedOperation(
                f'{batch.describe()}: the table has to be made again, and recreate="never" forbids it.',
                hint='Leave recreate at "auto".',
            )
        return change

    def _said_edits(self, text: TableText, batch: BatchTable) -> Iterator[Edit]:
        """What copy_from and reflect_args say of the table that its text does not."""
        from asyncmig.dialects.sqlite_source import source_edits, type_edits
        from asyncmig.dialects.sqlite_table_text import parse_table

        if batch.columns:
            columns = tuple(replace(column, sequence=None) for column in batch.columns)
            yield from type_edits(text, parse_table(self._text_of(Table(batch.ref.name, columns))))
        if batch.source is not None:
            yield from source_edits(text, parse_table(self._text_of(batch.source)), batch.source)

    def _written(self, operation: Operation, change: TableChange) -> Sequence[Statement]:
        native = self._native(operation, change)
        steps = change.statements if native is None else (native,)
        if not steps and self.query is None:
            return ()
        procedure = Procedure(
            steps,
            operation.describe(),
            # SQLite's own ALTER TABLE keeps names as it was given them: in quotes or without.
            change.verify if steps and native is None else None,
            change.after_failure,
            change.needs_foreign_keys_off,
            change.settle if change.unmatched else None,
        )
        sql = ";\n".join(steps)
        statement = Statement(
            sql, scans=change.scans, rewrites=change.rewrites, procedure=procedure, operation=operation
        )
        return (statement,)

    def _native(self, operation: Operation, change: TableChange) -> str | None:
        """The one ALTER TABLE of a lone rename or drop, in the words that other tools use."""
        table = f"ALTER TABLE {self.qualify(operation.ref)}" if isinstance(operation, AlterColumn | DropColumn) else ""
        if isinstance(operation, DropColumn) and change.procedures == ("drop",) and len(change.statements) == 1:
            return f"{table} DROP COLUMN {self.quote(operation.name)}"
        if isinstance(operation, AlterColumn) and change.procedures == ("rename",) and operation.new_name:
            return f"{table} RENAME COLUMN {self.quote(operation.name)} TO {self.quote(operation.new_name)}"
        return None

    # what the table is

    def _stored(self, ref: Ref, before: Schema, source: Table | None) -> StoredTable:
        from asyncmig.dialects.sqlite_stored import read_stored, stored_from

        if self.query is not None:
            return read_stored(self.query, ref.name, ref.schema)
        rows = list(before.stored[ref.schema or "main"])
        if source is not None and not any(row[0] == "table" and row[1].lower() == ref.name.lower() for row in rows):
            rows.append(("table", ref.name, ref.name, self._text_of(source)))
        return stored_from(rows, ref.name, ref.schema or "main")

    def _text_of(self, source: Table) -> str:
        return self.create_table(CreateTable(replace(source, indexes=())), Schema())[0].sql

    def _unseen(self, operation: Operation, parts: Sequence[Operation]) -> Sequence[Statement]:
        """Without the table to look at: what SQLite's ALTER TABLE does, if that is all."""
        sql = [self._alone(part) for part in parts]
        if None in sql:
            raise UnsupportedOperation(
                f"{operation.describe()}: the table has to be known for this, and nobody has looked at it.",
                hint="Run it with a connection, or from the revision that creates the table on.",
            )
        return tuple(Statement(text, operation=operation) for text in sql if text is not None)

    def _alone(self, part: Operation) -> str | None:
        if isinstance(part, DropColumn) and not part.if_exists:
            return f"ALTER TABLE {self.qualify(part.ref)} DROP COLUMN {self.quote(part.name)}"
        if isinstance(part, AlterColumn) and part.new_name and replace(part, new_name=None).changes_nothing:
            names = f"{self.quote(part.name)} TO {self.quote(part.new_name)}"
            return f"ALTER TABLE {self.qualify(part.ref)} RENAME COLUMN {names}"
        return None


def _around(parts: Sequence[Operation]) -> tuple[list[DropIndex], list[CreateIndex]]:
    """The indexes that a batch drops and those it creates, these as the parts that follow in it leave them."""
    dropped: list[DropIndex] = []
    created: list[CreateIndex] = []
    for part in parts:
        if isinstance(part, CreateIndex):
            created.append(part)
        elif isinstance(part, AddColumn):
            created += [CreateIndex(part.ref, index) for index in part.indexes]
        elif isinstance(part, DropIndex):
            left = [other for other in created if other.index.name != part.name]
            dropped += [part] if len(left) == len(created) else []
            created = left
        elif isinstance(part, DropColumn):
            created = [other for other in created if not index_uses(other.index, part.name)]
        elif isinstance(part, AlterColumn) and part.new_name is not None:
            created = [replace(o, index=renamed_index(o.index, part.name, part.new_name)) for o in created]
    return dropped, created


def _table(operation: Operation) -> Ref:
    if isinstance(
        operation, AddColumn | AlterColumn | DropColumn | AddConstraint | DropConstraint | RenameConstraint | BatchTable
    ):
        return operation.ref
    raise AssertionError(f"{type(operation).__name__} changes no table")
