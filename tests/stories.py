"""Random stories: operations that a database accepts one after the other, on the tables and objects that they make.

`stories()` draws one: `before` is what its first operations have made, `operations` are the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa
from hypothesis import strategies as st
from sqlalchemy.dialects.postgresql import DOMAIN

from asyncmig.operations.alter_column import KEEP, AlterColumn
from asyncmig.operations.base import Operation
from asyncmig.operations.batch import BatchTable
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.comments import SetTableComment
from asyncmig.operations.constraints import AddConstraint, DropConstraint
from asyncmig.operations.enums import AddEnumValue, CreateEnum, DropEnum, RenameEnumValue
from asyncmig.operations.indexes import CreateIndex, DropIndex
from asyncmig.operations.policies import CreatePolicy, DropPolicy, SetRowSecurity
from asyncmig.operations.recorder import replay
from asyncmig.operations.renaming import RenameColumn, RenameConstraint, RenameIndex
from asyncmig.operations.routines import CreateFunction, CreateTrigger, DropFunction, DropTrigger
from asyncmig.operations.schemas import CreateExtension
from asyncmig.operations.sequences import AlterSequence, CreateSequence, DropSequence
from asyncmig.operations.sql import Execute
from asyncmig.operations.tables import CreateTable, DropTable, RenameTable
from asyncmig.operations.views import CreateView, DropView, ReplaceView
from asyncmig.schema.model import (
    Check,
    Column,
    EnumType,
    Extension,
    ForeignKey,
    Function,
    Identity,
    Index,
    Policy,
    PrimaryKey,
    Ref,
    Schema,
    Sequence,
    Table,
    Trigger,
    Unique,
    View,
)
from asyncmig.schema.serial import serial_column
from asyncmig.schema.types import SqlText, SqlType, sql_literal, sql_text, sql_type

TABLES = ("t", "u", "v")
COLUMNS = ("a", "b", "c", "d")
TYPES = tuple(
    sql_type(t) for t in (sa.Integer(), sa.String(5), sa.Text(), sa.Enum("x", "y", name="mood"), DOMAIN("d", sa.Text()))
)
TO = {0: (0, 2), 1: (1, 2), 2: (1, 2), 3: (2, 3), 4: (2, 4)}  # what a type may become without a word of how
NOTE = Function("note", "", "RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$")


class Draw:
    """Operations that a database would accept one after the other, and the schema that they have led to.

    `kind` is the database; triggers and domains are not written alike everywhere.
    """

    def __init__(self, draw: st.DrawFn, kind: str) -> None:
        self._draw = draw
        self._kind = kind
        self._number = 0
        self.schema = Schema()

    def fresh(self, prefix: str) -> str:
        """Often a name that was there before: what the wrong order would bring together."""
        self._number += 1
        taken = {c.name for t in self.schema.tables.values() for c in (*t.constraints, *t.indexes)}
        name = f"{prefix}_{self._draw(st.integers(0, 2))}"
        return f"{prefix}_{self._number}n" if name in taken else name

    def column(self, name: str) -> Column:
        domain = [4] if self._kind == "postgresql" else []
        type_ = TYPES[self._draw(st.sampled_from([0, 0, 0, 1, 2, 3, *domain]))]
        identity = Identity() if type_ is TYPES[0] and self._draw(st.integers(0, 5)) == 0 else None
        default = None if identity else self.default(type_)
        return Column(name, type_, self._draw(st.booleans()) and not identity, default, identity)

    def default(self, type_: SqlType) -> SqlText | None:
        return self._draw(st.sampled_from([None, sql_text("1") if type_ is TYPES[0] else sql_literal("x")]))

    def constraint(self, table: Table) -> Unique | Check | ForeignKey:
        name = None if self._draw(st.integers(0, 3)) == 0 else self.fresh("k")
        column = self._draw(st.sampled_from(table.columns)).name
        kind = self._draw(st.sampled_from(["unique", "check", "foreign"]))
        if kind == "foreign" and serial_column(table) != column:  # a key there would leave the SERIAL as it is
            keys = [
                (t.ref, t.primary_key.columns)
                for t in self.schema.tables.values()
                if t.primary_key and t.column(t.primary_key.columns[0]).type == table.column(column).type
            ]
            if keys:
                target, columns = self._draw(st.sampled_from(sorted(keys)))
                return ForeignKey((column,), target, columns, name)
        return Unique((column,), name) if kind == "unique" else Check(sql_text(f'"{column}" IS NOT NULL'), name)

    def index(self, table: Table) -> Index:
        return Index(self.fresh("ix"), (self._draw(st.sampled_from(table.columns)).name,))

    def table(self, name: str) -> Table:
        names = self._draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=3, unique=True))
        key = ()
        if self._draw(st.booleans()):
            key = (PrimaryKey((names[0],), self.fresh("pk") if self._draw(st.booleans()) else None),)
        own = [self.column(column) for column in names]
        return Table(name, tuple(replace(c, nullable=False) if key and c is own[0] else c for c in own), None, key)

    def operation(self) -> Operation:
        if self._draw(st.integers(0, 5)) == 0:
            return self.beside()
        there = sorted(self.schema.tables.values(), key=lambda t: t.name)
        missing = [name for name in TABLES if Ref(name) not in self.schema.tables]
        if not there or (missing and self._draw(st.integers(0, 4)) == 0):
            return CreateTable(self.table(self._draw(st.sampled_from(missing))))
        table = self._draw(st.sampled_from(there))
        pointed = {c.target for t in there for c in t.constraints if isinstance(c, ForeignKey) and t is not table}
        whole = self._draw(st.integers(0, 9))
        if whole == 0 and table.ref not in pointed:
            return DropTable(table.ref, if_exists=self._draw(st.booleans()))
        if whole == 1 and missing:
            return RenameTable(table.ref, self._draw(st.sampled_from(missing)))
        if whole == 2:
            return self.batch(table)
        if whole in (3, 4):
            return self.attached(table)
        return self.change(table)

    def batch(self, table: Table) -> BatchTable:
        parts: list[Operation] = []
        before = self.schema
        for _ in range(self._draw(st.integers(0, 3))):
            parts.append(self.change(self.schema.tables[table.ref], batch=True))
            self.schema = parts[-1].apply(self.schema)
        self.schema = before
        return BatchTable(table.ref, tuple(parts))

    def change(self, table: Table, *, batch: bool = False) -> Operation:
        """In a batch, what batch_alter_table has."""
        names = [column.name for column in table.columns]
        free = [name for name in COLUMNS if name not in names]
        pointed = {
            name
            for other in self.schema.tables.values()
            for c in other.constraints
            if isinstance(c, ForeignKey) and c.target == table.ref
            for name in c.target_columns
        }
        named = [c for c in table.constraints if c.name]
        # A column stays SERIAL when its key goes, and what points at a key holds it.
        held = pointed or serial_column(table)
        free_to_go = [c for c in named if not (held and isinstance(c, PrimaryKey))]
        loose = [name for name in names if name not in pointed]
        choices = ["constraint", "index", "comment", "alter", "alter"]
        choices += ["add", "add"] if free else []
        choices += ["drop", "drop"] if loose and len(names) > 1 else []
        choices += ["drop constraint"] if free_to_go else []
        choices += ["drop index"] if table.indexes else []
        if not batch:
            choices += ["security"]
            choices += ["rename"] if free else []
            choices += ["rename constraint"] if named else []
            choices += ["rename index"] if table.indexes else []
        match self._draw(st.sampled_from(choices)):
            case "constraint":
                return AddConstraint(table.ref, self.constraint(table))
            case "index":
                return CreateIndex(table.ref, self.index(table))
            case "comment":
                return SetTableComment(table.ref, self._draw(st.sampled_from([None, "one", "two"])))
            case "security":
                return SetRowSecurity(table.ref, self._draw(st.booleans()))
            case "add":
                place = self._draw(st.sampled_from([None, names[0]]))
                column = self.column(self._draw(st.sampled_from(free)))
                extra = (Unique((column.name,), self.fresh("k")),) if self._draw(st.integers(0, 4)) == 0 else ()
                return AddColumn(table.ref, column, extra, before=place)
            case "rename":
                return RenameColumn(table.ref, self._draw(st.sampled_from(names)), self._draw(st.sampled_from(free)))
            case "drop":
                return DropColumn(table.ref, self._draw(st.sampled_from(loose)))
            case "drop constraint":
                return DropConstraint(table.ref, self._draw(st.sampled_from(free_to_go)).name or "")
            case "rename constraint":
                return RenameConstraint(table.ref, self._draw(st.sampled_from(named)).name or "", self.fresh("k"))
            case "drop index":
                ref = self._draw(st.sampled_from([None, table.ref]))
                return DropIndex(self._draw(st.sampled_from(table.indexes)).name or "", ref)
            case "rename index":
                ref = self._draw(st.sampled_from([None, table.ref]))
                return RenameIndex(self._draw(st.sampled_from(table.indexes)).name or "", self.fresh("ix"), ref)
        column = self._draw(st.sampled_from(table.columns))
        fixed = column.identity is not None or self.is_key(table, column.name)
        type_ = (
            None if fixed else self._draw(st.sampled_from([None, *(TYPES[to] for to in TO[TYPES.index(column.type)])]))
        )
        return AlterColumn(
            table.ref,
            column.name,
            type=type_,
            nullable=None if fixed else self._draw(st.sampled_from([None, True, False])),
            default=KEEP if fixed or self._draw(st.booleans()) else self.default(type_ or column.type),
            comment=self._draw(st.sampled_from([KEEP, None, "said"])),
            new_name=self._draw(st.sampled_from([None, *free])),
        )

    def attached(self, table: Table) -> Operation:
        """What hangs on a table: triggers and policies."""
        number = self._draw(st.integers(0, 1))
        policy = Policy(f"p{number}", table.ref, using="true", roles=("PUBLIC",))
        choices: list[Operation] = [SetRowSecurity(table.ref, self._draw(st.booleans()))]
        if policy.ref in self.schema.policies:
            choices.append(DropPolicy(policy.name, table.ref))
        else:
            choices.append(CreatePolicy(policy))
        choices += [DropTrigger(one.name, one.table) for one in self.schema.triggers.values() if one.table == table.ref]
        taken = {one.name for one in self.schema.triggers.values()}
        event = self._draw(st.sampled_from(["AFTER INSERT", "BEFORE UPDATE"]))
        if f"tr{number}" not in taken and (self._kind == "sqlite" or NOTE.ref in self.schema.functions):
            action = "BEGIN SELECT 1; END" if self._kind == "sqlite" else "FOR EACH ROW EXECUTE FUNCTION note()"
            choices.append(CreateTrigger(Trigger(f"tr{number}", table.ref, event, action)))
        return self._draw(st.sampled_from(choices))

    def is_key(self, table: Table, column: str) -> bool:
        """Whether a primary key or a foreign key, from either side, holds the column's type."""
        own = [c for c in table.constraints if isinstance(c, PrimaryKey | ForeignKey)]
        keys = [c for t in self.schema.tables.values() for c in t.constraints if isinstance(c, ForeignKey)]
        pointed = any(c.target == table.ref and column in c.target_columns for c in keys)
        return pointed or any(column in c.columns for c in own)

    def beside(self) -> Operation:
        """Free SQL, types, sequences, views."""
        enum, sequence, view = Ref("e", None, "enum"), Ref("s", None, "sequence"), Ref("w", None, "view")
        number = self._draw(st.integers(0, 9))
        choices: list[Operation] = [Execute("SELECT 1")]
        values = self.schema.enums[enum].values if enum in self.schema.enums else ()
        if values:
            choices += [
                DropEnum(enum),
                AddEnumValue(enum, f"n{len(values)}"),
                RenameEnumValue(enum, values[0], f"{values[0]}z"),
            ]
        else:
            choices.append(CreateEnum(EnumType("e", ("p", "q"))))
        if sequence in self.schema.sequences:
            choices += [DropSequence(sequence), AlterSequence(sequence, (("increment", number + 1),))]
        else:
            choices.append(CreateSequence(Sequence("s")))
        if view in self.schema.views:
            choices += [DropView(view), ReplaceView(View("w", f"SELECT {number}"))]
        else:
            choices += [CreateView(View("w", "SELECT 1")), ReplaceView(View("w", f"SELECT {number}"))]
        return self._draw(st.sampled_from([*choices, *self.beyond(number)]))

    def beyond(self, number: int) -> list[Operation]:
        """What PostgreSQL has and SQLite has not."""
        stored = View("m", f"SELECT {number} AS one", materialized=True)
        plain = Function("f", "n integer", f"RETURNS integer LANGUAGE sql AS $$SELECT {number}$$")
        # Every other extension, and dropping this one, is a superuser's to do.
        choices: list[Operation] = [CreateExtension(Extension("plpgsql"), if_not_exists=True)]
        if stored.ref in self.schema.views:
            choices += [DropView(stored.ref, materialized=True), ReplaceView(stored)]
        else:
            choices.append(CreateView(stored))
        if plain.ref in self.schema.functions:
            choices += [DropFunction("f", "n integer"), CreateFunction(plain, replace=True)]
        else:
            choices.append(CreateFunction(plain))
        if NOTE.ref in self.schema.functions:
            choices += [] if self.schema.triggers else [DropFunction("note", "")]
        else:
            choices += [CreateFunction(NOTE), CreateFunction(NOTE)]
        return choices


@dataclass(frozen=True)
class Story:
    before: Schema
    operations: tuple[Operation, ...]


@st.composite
def stories(draw: st.DrawFn, *, whole: bool = False, kind: str = "postgresql") -> Story:
    told = Draw(draw, kind)
    done: list[Operation] = []
    for _ in range(draw(st.integers(1, 14))):
        done.append(told.operation())
        told.schema = done[-1].apply(told.schema)
    # What was there before is not the list's own to change.
    start = 0 if whole else draw(st.integers(0, len(done)))
    return Story(replay(done[:start]), tuple(done[start:]))
