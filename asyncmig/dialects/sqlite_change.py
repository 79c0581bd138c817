"""How a SQLite table is changed: the cheapest way that is right, proved before anything is touched.

    native ALTER TABLE      ADD COLUMN at the end, DROP COLUMN, RENAME COLUMN, RENAME TABLE
    the stored text         where the rows and keys stay as they are stored (nullability, DEFAULT, CHECK, foreign
                            keys, a type of the same affinity): PRAGMA writable_schema
    twelve steps            everything else: a new table, the rows copied

Everything is tried first on a twin in memory, which has the same schema and no rows: that SQLite takes the new text, and
that no view, trigger or foreign key breaks. With a connection to ask, every row is then held against what the
table becomes. Without one (a script for later) what needs such an answer is written as twelve steps, where SQLite itself
checks each row while it copies.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress

from asyncmig.dialects.sqlite_belongings import belongings, indexes_using, refuse_event, stored_sql, tied_tables
from asyncmig.dialects.sqlite_default_value import held_default
from asyncmig.dialects.sqlite_defaults import changed_defaults, rows_read_default
from asyncmig.dialects.sqlite_edits import (
    AddColumn,
    AddConstraint,
    DropColumn,
    Edit,
    RenameColumn,
    RenameTable,
    SetType,
    edited,
)
from asyncmig.dialects.sqlite_groups import Group, grouped, made_anew
from asyncmig.dialects.sqlite_index_text import indexed
from asyncmig.dialects.sqlite_layout import layout
from asyncmig.dialects.sqlite_misfits import Rows, changes_values, refuse_lossy, refuse_misfits
from asyncmig.dialects.sqlite_native import natively_added
from asyncmig.dialects.sqlite_rebuild import CopyPlan, in_schema, replace_text, twelve_steps
from asyncmig.dialects.sqlite_stored import Query, StoredObject, StoredTable, read_stored
from asyncmig.dialects.sqlite_table_change import AFTER_FAILED_PLAN, Procedure, TableChange, in_use, violations
from asyncmig.dialects.sqlite_table_text import TableText, parse_column, parse_table
from asyncmig.dialects.sqlite_tokens import mentions, pieces, quote
from asyncmig.dialects.sqlite_twin import FOREIGN_KEY, Twin
from asyncmig.errors import UnsupportedOperation

__all__ = ["AFTER_FAILED_PLAN", "Procedure", "TableChange", "change_table", "plan_change"]

_VERSION_STEP = 1_000
"""How far schema_version is moved: more than the statements of a change can move it themselves."""


def change_table(query: Query, table: str, edits: Iterable[Edit], schema: str | None = None) -> TableChange:
    """Plan the edits with a connection at hand, inside the transaction that will carry them out."""
    return plan_change(read_stored(query, table, schema), edits, query)


def plan_change(stored: StoredTable, edits: Iterable[Edit], query: Query | None = None) -> TableChange:
    """The statements for the edits, in their order; without `query` for a script that runs later.

    UnsupportedOperation for what cannot be done without breaking something, ConflictingRows for rows in the way.
    """
    wanted = tuple(edits)
    texts = [edit.text for edit in wanted if isinstance(edit, AddColumn | AddConstraint)]
    texts += [edit.new_name for edit in wanted if isinstance(edit, RenameTable)]  # of what may be called so already
    twin = Twin(stored.involved(texts))
    try:
        planner = _Planner(stored, twin, query)
        planner.change(grouped(wanted))
        planner.restore_indexes(made_anew(wanted))
        return planner.outcome()
    finally:
        twin.close()


class _Planner:
    """`now` is the table as the statements so far leave it; `origins` what its columns are in today's rows."""

    def __init__(self, stored: StoredTable, twin: Twin, query: Query | None) -> None:
        self.stored = stored
        self.twin = twin
        self.query = query
        self.now = stored.text
        self.origins = {column.name: quote(column.name) for column in self.now.columns}
        self.statements: list[str] = []
        self.procedures: list[Procedure] = []
        self.scans = False
        self.broken = twin.broken()
        self._text_from = stored.sql

    def change(self, groups: Iterable[Group]) -> None:
        for group in groups:
            match group:
                case RenameColumn() | RenameTable():
                    self._rename(group)
                case _:
                    self._change(group)

    def restore_indexes(self, columns: Collection[str]) -> None:
        """Those that went with a column of which the change made another: they stay, as in Alembic's batches."""
        there = {o.name for o in self._own_objects("index")}
        for index in self.stored.own("index"):
            if index.name not in there and any(mentions(indexed(index), column) for column in columns):
                with suppress(sqlite3.Error):  # it indexes more than what is there again
                    self.twin.query(index.sql)
                    self.statements.append(in_schema(index.sql, self.stored.schema, "INDEX"))

    def outcome(self) -> TableChange:
        unmatched = tuple(name for kind, name in self.twin.broken() if self._is_passing(kind, name))
        touched = self._foreign_key_tables()
        checked = tuple(name for name in touched if name not in unmatched)
        return TableChange(
            self.now.name,
            self.stored.schema,
            tuple(self.statements),
            tuple(self.procedures),
            self.now.sql,
            self.scans,
            self._after_failure(),
            self.twin.objects(),
            checked,
            unmatched,
            tuple(self._violations_now((*checked, *(name for name in unmatched if name not in checked)))),
        )

    # renames

    def _rename(self, edit: RenameColumn | RenameTable) -> None:
        if isinstance(edit, RenameColumn):
            column = self.now.column(edit.name)
            if column.name == edit.new_name:
                return
            clause = f"RENAME COLUMN {quote(column.name)} TO {self._spelled(edit.new_name)}"
            sentence = f"Column {self.now.name}.{column.name} cannot be renamed to {edit.new_name}"
        else:
            if self.now.name == edit.new_name:
                return
            clause = f"RENAME TO {self._spelled(edit.new_name)}"
            sentence = f"Table {self.now.name} cannot be renamed to {edit.new_name}"
        self._alter(clause, sentence, "rename")
        if isinstance(edit, RenameColumn):
            self.origins = {edit.new_name if n == column.name else n: sql for n, sql in self.origins.items()}
        self._look(edit.new_name if isinstance(edit, RenameTable) else self.now.name)

    def _spelled(self, name: str) -> str:
        """A new name, bare where SQLite reads it so: RENAME writes it like this into everything that it changes."""
        if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            with self.twin.trial():
                try:
                    self.twin.query(f"CREATE TABLE asyncmig_spelling ({name}, other AS ({name}))")
                    return name
                except sqlite3.Error:
                    pass  # a keyword
        return quote(name)

    def _try(self, sql: str, sentence: str) -> None:
        try:
            self.twin.query(sql)
        except sqlite3.Error as error:
            raise UnsupportedOperation(f"{sentence}: {error}.") from error

    # a group of edits that one rebuild could do together

    def _change(self, edits: Sequence[Edit]) -> None:
        before = self.now
        steps = [self.now]
        for edit in edits:
            steps.append(edited(steps[-1], edit))
        after = steps[-1]
        if after.sql == before.sql:
            return
        gone = self._rehearse(after, edits)
        methods = [self._method(old, new, edit) for edit, old, new in zip(edits, steps[:-1], steps[1:], strict=True)]
        if "rebuild" in methods or self._moves_old_rows(before, after):
            self._prove(before, after, edits)
            self._rebuild(after, edits, gone)
            return
        self._prove(before, after, edits)
        for method, edit, new in zip(methods, edits, steps[1:], strict=True):
            match method:
                case "add":
                    assert isinstance(edit, AddColumn)
                    self._add(edit, new.columns[-1].name)
                case "drop":
                    assert isinstance(edit, DropColumn)
                    self._drop(edit.name)
                case "text":
                    self._text(edited(self.now, edit))

    def _method(self, old: TableText, new: TableText, edit: Edit) -> Procedure:
        if isinstance(edit, AddColumn) and natively_added(edit, old, new):
            return "add"
        if isinstance(edit, DropColumn):
            return "drop" if len(new.constraints) == len(old.constraints) and self._drops(old, new, edit) else "rebuild"
        if old.sql == new.sql or (
            self._may_write and layout(old) == layout(new) and not (isinstance(edit, SetType) and edit.using)
        ):
            return "text"
        return "rebuild"

    @property
    def _may_write(self) -> bool:
        return self.query is not None and self.stored.writable

    def _drops(self, old: TableText, new: TableText, edit: DropColumn) -> bool:
        """Whether DROP COLUMN does it, and leaves the text that we want: it can lose comments around the column."""
        if old.sql != self.now.sql:
            return False
        with self.twin.trial():
            try:
                for index in self._indexes_using(edit.name):
                    self.twin.query(f"DROP INDEX {quote(index.name)}")
                self.twin.query(f"ALTER TABLE {quote(old.name)} DROP COLUMN {quote(old.column(edit.name).name)}")
                return self._may_write or pieces(stored_sql(self.twin, self.now.name)) == pieces(new.sql)
            except sqlite3.Error:
                return False

    def _moves_old_rows(self, before: TableText, after: TableText) -> bool:
        """Whether a default changes that rows may be reading instead of holding a value."""
        changed = changed_defaults(before.sql, after.sql)
        if not changed or self.query is None or not self.stored.writable:
            return bool(changed)
        origins = {name.lower(): sql for name, sql in self.origins.items()}
        today = {quote(column.name): column.name for column in self.stored.text.columns}
        columns = [today.get(origins.get(name, "")) for name in changed]
        known = [column for column in columns if column is not None]
        if len(known) < len(columns):
            return True  # a column of this very change: every row is older than it
        order = [column.name for column in self.stored.text.columns]
        self.scans = True
        return rows_read_default(self.query, self.stored, max(known, key=order.index))

    # the three ways

    def _alter(self, clause: str, sentence: str, procedure: Procedure) -> None:
        self._try(f"ALTER TABLE {quote(self.now.name)} {clause}", sentence)
        self._refuse_broken(sentence)
        self.statements.append(f"ALTER TABLE {self._qualified(self.now.name)} {clause}")
        self.procedures.append(procedure)

    def _add(self, edit: AddColumn, name: str) -> None:
        self._alter(f"ADD COLUMN {edit.text.strip()}", f"Column {self.now.name}.{name} cannot be added", "add")
        self._look(self.now.name)

    def _drop(self, name: str) -> None:
        sentence = f"Column {self.now.name}.{name} cannot be dropped"
        for index in self._indexes_using(name):
            self.twin.query(f"DROP INDEX {quote(index.name)}")
            self.statements.append(f"DROP INDEX {self._qualified(index.name)}")
        wanted = edited(self.now, DropColumn(name))
        self._alter(f"DROP COLUMN {quote(self.now.column(name).name)}", sentence, "drop")
        self._look(self.now.name)
        if self._may_write and self.now.sql != wanted.sql:
            self._text(wanted)

    def _text(self, wanted: TableText) -> None:
        if self.now.sql == wanted.sql:
            return
        version = self.stored.schema_version + _VERSION_STEP * (len(self.statements) + 1)
        found = list(replace_text(self.stored.schema, self.now.name, self.now.sql, wanted.sql, version))
        if self.procedures[-1:] == ["text"] and self.statements:
            # Text edits in a row are one: from what the first one found to what the last one wants.
            self.statements[-len(found) :] = replace_text(
                self.stored.schema, self.now.name, self._text_from, wanted.sql, version
            )
        else:
            self._text_from = self.now.sql
            self.statements += found
            self.procedures.append("text")
        self._make_again(wanted)

    def _rehearse(self, wanted: TableText, edits: Sequence[Edit]) -> set[str]:
        """Refuse what SQLite does not take, or what would break something else; the indexes that go with columns."""
        names = [edit.name for edit in edits if isinstance(edit, DropColumn)]
        for name in names:
            refuse_event(self.twin, self.now.name, name, f"Column {self.now.name}.{name} cannot be dropped")
        gone = {index.name for name in names for index in self._indexes_using(name)}
        with self.twin.trial():
            self._make_again(wanted, gone)
        self._look(self.now.name)
        return gone

    def _rebuild(self, wanted: TableText, edits: Sequence[Edit], gone: set[str]) -> None:
        self.statements += twelve_steps(self._copy(wanted, edits, gone))
        self.procedures.append("rebuild")
        self.scans = True
        self._make_again(wanted, gone)

    def _copy(self, wanted: TableText, edits: Sequence[Edit], gone: set[str]) -> CopyPlan:
        return CopyPlan(
            self.stored.schema,
            self.now,
            wanted,
            [o for o in self._own_objects() if o.name not in gone],
            self.stored.free_name(f"{self.now.name}_asyncmig_old"),
            fresh=frozenset(parse_column(e.text).name.lower() for e in edits if isinstance(e, AddColumn)),
            using={e.column.lower(): e.using for e in edits if isinstance(e, SetType) and e.using},
            in_script=self.query is None,
            legacy=self.stored.legacy_alter_table,
        )

    def _make_again(self, wanted: TableText, gone: Collection[str] = ()) -> None:
        """In the twin always by making the table again: there SQLite reads the new text with all its checks."""
        sentence = f"Table {self.now.name} cannot be changed"
        kept = [o for o in self._own_objects() if o.name not in gone]
        parked = self.stored.free_name(f"{self.now.name}_asyncmig_old")
        for sql in twelve_steps(CopyPlan("main", self.now, wanted, kept, parked)):
            self._try(sql, sentence)
        self._refuse_broken(sentence)
        self._look(self.now.name)
        if self.now.sql != wanted.sql:
            raise UnsupportedOperation(f"{sentence}: SQLite reads {wanted.sql!r} as {self.now.sql!r}.")

    # what is asked

    def _prove(self, before: TableText, after: TableText, edits: Sequence[Edit]) -> None:
        """Every row fits; then the columns as they will be."""
        changing = [e for e in edits if isinstance(e, SetType) and changes_values(e, before)]
        uncertain = {e.column.lower() for e in changing}
        fresh = [parse_column(e.text) for e in edits if isinstance(e, AddColumn)]
        self.origins = {name: sql for name, sql in self.origins.items() if after.find(name)}
        self.origins |= {column.name: held_default(column) for column in fresh if not column.generated}
        if self.query is not None:
            refuse_lossy(self.query, Rows(self.stored, self.origins), after, changing)
            known = {name: sql for name, sql in self.origins.items() if name.lower() not in uncertain}
            refuse_misfits(self.query, Rows(self.stored, known), before, after)
        self.origins = {name: sql for name, sql in self.origins.items() if name.lower() not in uncertain}

    def _refuse_broken(self, sentence: str) -> None:
        for (kind, name), error in self.twin.broken().items():
            if (kind, name) not in self.broken and not self._is_passing(kind, name):
                raise in_use(sentence, kind, name, error)

    def _is_passing(self, kind: str, name: str) -> bool:
        """Whether SQLite lives with it for a while and a later change may mend it."""
        return kind == FOREIGN_KEY and self.query is not None and (kind, name) not in self.broken

    def _indexes_using(self, column: str) -> list[StoredObject]:
        return indexes_using(self.twin, self.now.name, column)

    def _own_objects(self, *types: str) -> list[StoredObject]:
        return belongings(self.twin, self.now.name, *types)

    def _foreign_key_tables(self) -> tuple[str, ...]:
        """The tables whose foreign keys the change may have touched: its own, and those that point at it."""
        changed = [clause.spelling for clause in self.now.clauses if clause.reference] != [
            clause.spelling for clause in self.stored.text.clauses if clause.reference
        ]
        if "rebuild" not in self.procedures and not ("text" in self.procedures and changed):
            return ()
        bad = {name for kind, name in self.broken if kind == FOREIGN_KEY}
        return tuple(name for name in tied_tables(self.twin, self.now.name) if name not in bad)

    # the outcome

    def _violations_now(self, tables: Iterable[str]) -> Iterator[tuple[object, ...]]:
        """Before the change, in the names of after it."""
        if self.query is None:
            return
        new, old = self.now.name, self.stored.name
        today = [old if table == new else table for table in tables]
        for row in violations(self.query, self.stored.schema, today):
            yield tuple(new if isinstance(value, str) and value.lower() == old.lower() else value for value in row)

    def _qualified(self, name: str) -> str:
        schema = self.stored.schema
        return quote(name) if schema.lower() == "main" else f"{quote(schema)}.{quote(name)}"

    def _look(self, name: str) -> None:
        self.now = parse_table(stored_sql(self.twin, name))

    def _after_failure(self) -> tuple[str, ...]:
        statements: list[str] = []
        if "rebuild" in self.procedures and not self.stored.legacy_alter_table:
            statements.append("PRAGMA legacy_alter_table = OFF")
        if "text" in self.procedures:
            statements.append("PRAGMA writable_schema = RESET")
        return tuple(statements)
