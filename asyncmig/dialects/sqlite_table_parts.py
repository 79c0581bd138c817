"""The parts of a stored CREATE TABLE text as values: where each column, clause and constraint of it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from asyncmig.dialects.sqlite_tokens import Token
from asyncmig.errors import UnsupportedOperation

__all__ = ["Clause", "ClauseKind", "ColumnText", "Reference", "TableText"]

ClauseKind = Literal[
    "primary key", "unique", "check", "foreign key", "not null", "null", "default", "collate", "generated", "other"
]


@dataclass(frozen=True, slots=True)
class Reference:
    """What a foreign key points at; no columns means the primary key of `table`."""

    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """A constraint of a column or of the table, from its CONSTRAINT word to its last.

    `columns` are the column names that it lists, the column's own for one inside a column. `tokens` are all of it;
    `value` is the stretch of the expression, term or collation, parentheses included.
    """

    kind: ClauseKind
    start: int
    end: int
    tokens: tuple[Token, ...]
    name: str | None = None
    columns: tuple[str, ...] = ()
    value: tuple[int, int] | None = None
    reference: Reference | None = None
    autoincrement: bool = False

    @property
    def value_tokens(self) -> tuple[Token, ...]:
        if self.value is None:
            return ()
        start, end = self.value
        return tuple(token for token in self.tokens if start <= token.start and token.end <= end)

    @property
    def spelling(self) -> str:
        """The clause without comments, spacing and the case of words: equal means the same to SQLite."""
        return " ".join(token.text.lower() if token.kind == "word" else token.text for token in self.tokens)


@dataclass(frozen=True, slots=True)
class ColumnText:
    """`type` is as written, without the spaces around it; `type_end` is where the type ends, or the name."""

    name: str
    start: int
    name_end: int
    type_start: int
    type_end: int
    end: int
    type: str
    clauses: tuple[Clause, ...]

    def clause(self, kind: ClauseKind) -> Clause | None:
        """The last one of its kind: that is the one which SQLite goes by."""
        return next((clause for clause in reversed(self.clauses) if clause.kind == kind), None)

    @property
    def not_null(self) -> bool:
        return self.clause("not null") is not None

    @property
    def generated(self) -> bool:
        return self.clause("generated") is not None

    @property
    def stored(self) -> bool:
        """Whether its values are in the rows; those of a virtual column are made when they are read."""
        clause = self.clause("generated")
        return clause is None or clause.tokens[-1].upper == "STORED"


@dataclass(frozen=True, slots=True)
class TableText:
    """`sql[body_start]` is the opening parenthesis, `sql[body_end]` the closing one."""

    sql: str
    name: str
    name_start: int
    name_end: int
    body_start: int
    body_end: int
    columns: tuple[ColumnText, ...]
    constraints: tuple[Clause, ...]
    options: frozenset[str]

    @property
    def strict(self) -> bool:
        return "STRICT" in self.options

    @property
    def without_rowid(self) -> bool:
        return "WITHOUT ROWID" in self.options

    @property
    def items(self) -> tuple[ColumnText | Clause, ...]:
        return (*self.columns, *self.constraints)

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """All constraints and clauses, those inside columns too, in the order of the text."""
        return (*(clause for column in self.columns for clause in column.clauses), *self.constraints)

    def find(self, name: str) -> ColumnText | None:
        wanted = name.lower()
        return next((column for column in self.columns if column.name.lower() == wanted), None)

    def column(self, name: str) -> ColumnText:
        """UnsupportedOperation when the table has no such column."""
        found = self.find(name)
        if found is None:
            raise UnsupportedOperation(f"Table {self.name} has no column {name}.")
        return found

    @property
    def primary_key(self) -> tuple[str, ...]:
        clause = next((clause for clause in self.clauses if clause.kind == "primary key"), None)
        return clause.columns if clause else ()

    @property
    def rowid_alias(self) -> str | None:
        """The column that is the rowid itself: the one INTEGER PRIMARY KEY, spelled so."""
        clause = next((clause for clause in self.clauses if clause.kind == "primary key"), None)
        if clause is None or len(clause.columns) != 1 or self.without_rowid:
            return None
        column = self.find(clause.columns[0])
        # A quirk kept by SQLite for its old files: DESC inside the column is no alias, DESC in the table's clause is.
        descending = clause in (column.clauses if column else ()) and any(
            token.upper == "DESC" for token in clause.tokens
        )
        return column.name if column and column.type.upper() == "INTEGER" and not descending else None

    @property
    def autoincrement(self) -> bool:
        return any(clause.autoincrement for clause in self.clauses)
