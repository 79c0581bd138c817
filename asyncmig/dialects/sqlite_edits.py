"""Changes to a SQLite table as values, and what each makes of its stored CREATE TABLE text.

An edit replaces, adds or removes one stretch of the text; every other byte stays, comments and spacing included.
SQL in an edit (types, defaults, definitions) is text for SQLite as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from asyncmig.dialects.sqlite_splices import appended, bare, closed, gap, removal, spliced, term, without
from asyncmig.dialects.sqlite_table_text import (
    Clause,
    ClauseKind,
    TableText,
    parse_column,
    parse_constraint,
)
from asyncmig.dialects.sqlite_tokens import Token, code_tokens, mentions, quote
from asyncmig.errors import UnsupportedOperation

__all__ = [
    "AddColumn",
    "AddConstraint",
    "DropColumn",
    "DropConstraint",
    "Edit",
    "NameConstraint",
    "RenameColumn",
    "RenameConstraint",
    "RenameTable",
    "ReorderColumns",
    "SetCollation",
    "SetDefault",
    "SetGenerated",
    "SetNullable",
    "SetOptions",
    "SetType",
    "edited",
]


@dataclass(frozen=True, slots=True)
class AddColumn:
    """`text` is a whole column definition; without `before` and `after` it becomes the last column."""

    text: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class DropColumn:
    """The constraints and indexes of the table that use the column go with it, as in PostgreSQL.

    UnsupportedOperation where a view, a trigger, a generated column or another table's foreign key uses it.
    """

    name: str


@dataclass(frozen=True, slots=True)
class RenameColumn:
    """SQLite carries everything that names the column along: indexes, CHECKs, views, triggers, foreign keys."""

    name: str
    new_name: str


@dataclass(frozen=True, slots=True)
class RenameTable:
    new_name: str


@dataclass(frozen=True, slots=True)
class SetType:
    """`using` is the SQL expression that makes the new values; without it values take on the new affinity, unharmed.

    An empty `type` leaves the column without one.
    """

    column: str
    type: str
    using: str | None = None


@dataclass(frozen=True, slots=True)
class SetNullable:
    column: str
    nullable: bool


@dataclass(frozen=True, slots=True)
class SetDefault:
    """`sql` is a literal or an expression (parentheses are put around it where SQLite wants them); None drops it."""

    column: str
    sql: str | None


@dataclass(frozen=True, slots=True)
class SetCollation:
    column: str
    name: str | None


@dataclass(frozen=True, slots=True)
class SetGenerated:
    """`expression` without parentheses; None makes an ordinary column of it that keeps the values it has."""

    column: str
    expression: str | None
    stored: bool = False


@dataclass(frozen=True, slots=True)
class AddConstraint:
    """`text` is a whole table constraint, with CONSTRAINT and its name if it has one."""

    text: str


@dataclass(frozen=True, slots=True)
class DropConstraint:
    """Every constraint of the table that fits all that is given, inside column definitions too.

    UnsupportedOperation where none does. `columns` are compared in order, `target` is the table of a foreign key,
    `spelling` the whole of one without a name, as `Clause.spelling` has it.
    """

    name: str | None = None
    kind: ClauseKind | None = None
    columns: tuple[str, ...] | None = None
    target: str | None = None
    spelling: str | None = None


@dataclass(frozen=True, slots=True)
class NameConstraint:
    """Gives a name to one that has none; `spelling` is the whole of it, as `Clause.spelling` has it."""

    name: str
    kind: ClauseKind
    columns: tuple[str, ...]
    spelling: str


@dataclass(frozen=True, slots=True)
class RenameConstraint:
    """The constraint of that name, inside a column definition too. UnsupportedOperation where there is none."""

    name: str
    new_name: str


@dataclass(frozen=True, slots=True)
class ReorderColumns:
    """`names` are all columns of the table; a comment between two definitions stays where it is."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetOptions:
    """What stands behind the closing parenthesis: "STRICT, WITHOUT ROWID", or nothing."""

    text: str


Edit = (
    AddColumn
    | DropColumn
    | RenameColumn
    | RenameTable
    | SetType
    | SetNullable
    | SetDefault
    | SetCollation
    | SetGenerated
    | AddConstraint
    | DropConstraint
    | NameConstraint
    | RenameConstraint
    | ReorderColumns
    | SetOptions
)


def edited(table: TableText, edit: Edit) -> TableText:
    """The table after the edit; UnsupportedOperation where it does not fit the table.

    Of a rename only the name itself is changed here; what else uses it is SQLite's to carry along.
    """
    match edit:
        case AddColumn():
            return _add_column(table, edit)
        case DropColumn():
            return _drop_column(table, edit.name)
        case RenameColumn():
            column = table.column(edit.name)
            return spliced(table, [(column.start, column.name_end, quote(edit.new_name))])
        case RenameTable():
            return spliced(table, [(table.name_start, table.name_end, quote(edit.new_name))])
        case SetType():
            return _set_type(table, edit)
        case SetNullable():
            return _set_nullable(table, edit)
        case SetDefault():
            value = None if edit.sql is None else term(edit.sql)
            return _set_clause(table, edit.column, "default", value, f"DEFAULT {value}")
        case SetCollation():
            name = None if edit.name is None else bare(edit.name)
            return _set_clause(table, edit.column, "collate", name, f"COLLATE {name}")
        case SetGenerated():
            return _set_generated(table, edit)
        case AddConstraint():
            parse_constraint(edit.text)
            return spliced(table, [appended(table, edit.text)])
        case DropConstraint():
            return _drop_constraint(table, edit)
        case NameConstraint():
            return _name_constraint(table, edit)
        case RenameConstraint():
            return _rename_constraint(table, edit)
        case ReorderColumns():
            return _reordered(table, edit.names)
        case SetOptions():
            return _set_options(table, edit.text)


# columns


def _add_column(table: TableText, edit: AddColumn) -> TableText:
    name = parse_column(edit.text).name
    if table.find(name):
        raise UnsupportedOperation(f"Table {table.name} has a column {name} already.")
    text = closed(edit.text)
    if edit.before is not None:
        at = table.column(edit.before).start
        return spliced(table, [(at, at, text + "," + gap(table, at))])
    last = table.columns[-1] if edit.after is None else table.column(edit.after)
    return spliced(table, [(last.end, last.end, "," + gap(table, last.start) + text)])


def _drop_column(table: TableText, name: str) -> TableText:
    column = table.column(name)
    if len(table.columns) == 1:
        raise UnsupportedOperation(f"{name} is the only column of table {table.name}: a table has at least one.")
    for other in table.columns:
        generated = other.clause("generated")
        if other is not column and generated and mentions(generated.value_tokens, name):
            raise UnsupportedOperation(
                f"Column {table.name}.{name} cannot be dropped: the generated column {other.name} uses it.",
                hint=f"Drop {other.name} first.",
            )
    gone = [c for c in table.constraints if _uses(c, name)]
    inside = [c for other in table.columns if other is not column for c in other.clauses if _uses(c, name)]
    return without(table, [column, *gone], inside)


def _uses(clause: Clause, name: str) -> bool:
    if clause.kind == "check":
        return mentions(clause.value_tokens, name)
    return any(column.lower() == name.lower() for column in clause.columns)


def _set_type(table: TableText, edit: SetType) -> TableText:
    column = table.column(edit.column)
    if edit.type and column.type:
        return spliced(table, [(column.type_start, column.type_end, edit.type)])
    if edit.type:
        return spliced(table, [(column.name_end, column.name_end, f" {edit.type}")])
    return spliced(table, [removal(table.sql, column.type_start, column.type_end)] if column.type else [])


def _set_nullable(table: TableText, edit: SetNullable) -> TableText:
    column = table.column(edit.column)
    if edit.nullable:
        return without(table, (), [clause for clause in column.clauses if clause.kind == "not null"])
    if column.not_null:
        return table
    null = column.clause("null")
    if null is not None:
        return spliced(table, [(null.start, null.end, "NOT NULL")])
    return spliced(table, [(column.type_end, column.type_end, " NOT NULL")])


def _set_generated(table: TableText, edit: SetGenerated) -> TableText:
    if edit.expression is None:
        return _set_clause(table, edit.column, "generated", None, "")
    value = f"({edit.expression})"
    clause = table.column(edit.column).clause("generated")
    text = f"GENERATED ALWAYS AS {value} {'STORED' if edit.stored else 'VIRTUAL'}"
    if clause is not None:
        prefix = f"CONSTRAINT {quote(clause.name)} " if clause.name else ""
        return spliced(table, [(clause.start, clause.end, prefix + text)])
    return _set_clause(table, edit.column, "generated", value, text)


def _set_clause(table: TableText, name: str, kind: ClauseKind, value: str | None, text: str) -> TableText:
    """Give a column's clause another value, add the clause as `text`, or take it away when there is no value."""
    column = table.column(name)
    clauses = [clause for clause in column.clauses if clause.kind == kind]
    if value is None:
        return without(table, (), clauses)
    if not clauses:
        return spliced(table, [(column.type_end, column.type_end, f" {text}")])
    place = clauses[-1].value
    assert place is not None
    return spliced(table, [(*place, value)])


def _reordered(table: TableText, names: Sequence[str]) -> TableText:
    wanted = [table.column(name) for name in names]
    if {column.start for column in wanted} != {column.start for column in table.columns} or len(wanted) != len(
        table.columns
    ):
        raise UnsupportedOperation(f"The new order of table {table.name} must name each of its columns once.")
    return spliced(
        table,
        [
            (slot.start, slot.end, table.sql[column.start : column.end])
            for slot, column in zip(table.columns, wanted, strict=True)
        ],
    )


# constraints and options


def _drop_constraint(table: TableText, edit: DropConstraint) -> TableText:
    fits = _matcher(edit)
    whole = [clause for clause in table.constraints if fits(clause)]
    inside = [clause for column in table.columns for clause in column.clauses if fits(clause)]
    if not whole and not inside:
        raise UnsupportedOperation(f"Table {table.name} has no {_described(edit)}.")
    return without(table, whole, inside)


def _name_constraint(table: TableText, edit: NameConstraint) -> TableText:
    fits = _matcher(DropConstraint(None, edit.kind, edit.columns, spelling=edit.spelling))
    found = next((clause for clause in table.clauses if clause.name is None and fits(clause)), None)
    if found is None:
        raise UnsupportedOperation(f"Table {table.name} has no {edit.spelling} without a name.")
    return spliced(table, [(found.start, found.start, f"CONSTRAINT {quote(edit.name)} ")])


def _rename_constraint(table: TableText, edit: RenameConstraint) -> TableText:
    fits = _matcher(DropConstraint(edit.name))
    found = [clause for clause in table.clauses if fits(clause)]
    if not found:
        raise UnsupportedOperation(f"Table {table.name} has no constraint {edit.name}.")
    names = [_name_token(clause) for clause in found]
    return spliced(table, [(token.start, token.end, quote(edit.new_name)) for token in names])


def _name_token(clause: Clause) -> Token:
    """CONSTRAINT may stand there several times: the last name counts."""
    place = 0
    while clause.tokens[place + 2].upper == "CONSTRAINT":
        place += 2
    return clause.tokens[place + 1]


def _matcher(edit: DropConstraint) -> Callable[[Clause], bool]:
    name = edit.name.lower() if edit.name is not None else None
    columns = [column.lower() for column in edit.columns] if edit.columns is not None else None
    target = edit.target.lower() if edit.target is not None else None

    def fits(clause: Clause) -> bool:
        return (
            (name is None or (clause.name or "").lower() == name)
            and (edit.kind is None or clause.kind == edit.kind)
            and (columns is None or [column.lower() for column in clause.columns] == columns)
            and (target is None or (clause.reference is not None and clause.reference.table.lower() == target))
            and (edit.spelling is None or clause.spelling == edit.spelling)
        )

    return fits


def _described(edit: DropConstraint) -> str:
    words: list[str] = [edit.kind or "constraint"]
    words += [edit.name] if edit.name else []
    words += [f"on {', '.join(edit.columns)}"] if edit.columns else []
    words += [f"to {edit.target}"] if edit.target else []
    words += [edit.spelling] if edit.spelling else []
    return " ".join(words)


def _set_options(table: TableText, text: str) -> TableText:
    tokens = [token for token in code_tokens(table.sql) if token.start > table.body_end and token.text != ";"]
    if tokens:
        return spliced(table, [(tokens[0].start, tokens[-1].end, text)])
    end = table.body_end + 1
    return spliced(table, [(end, end, f" {text}")] if text else [])
