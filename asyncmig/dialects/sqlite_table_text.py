"""A stored CREATE TABLE text taken apart: where each column, clause and constraint of it stands.

SQLite keeps the text that created a table, from its name on, and reads it again at every start. The parse follows
the grammar of SQLite's own parse.y, keeps offsets instead of copies, and never looks inside expressions, so all that
is legal there survives: types of many words or none, names in any quotes, constraints without commas between them,
CONSTRAINT names in front of anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from asyncmig.dialects.sqlite_table_parts import Clause, ClauseKind, ColumnText, Reference, TableText
from asyncmig.dialects.sqlite_tokens import Token, code_tokens
from asyncmig.errors import UnsupportedOperation

__all__ = [
    "Clause",
    "ClauseKind",
    "ColumnText",
    "Reference",
    "TableText",
    "is_table",
    "parse_column",
    "parse_constraint",
    "parse_table",
]


_STARTS = {
    "CONSTRAINT",
    "DEFAULT",
    "NULL",
    "NOT",
    "PRIMARY",
    "UNIQUE",
    "CHECK",
    "REFERENCES",
    "COLLATE",
    "AS",
    "DEFERRABLE",
}
_TABLE_STARTS = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"}


def is_table(sql: str) -> bool:
    """Whether a stored text creates a table of its own, not a virtual one."""
    tokens = code_tokens(sql)
    return len(tokens) > 2 and tokens[1].upper == "TABLE"


def parse_table(sql: str) -> TableText:
    """UnsupportedOperation for what is no table with columns of its own, such as a virtual table."""
    return _Reader(sql).table()


def parse_column(text: str) -> ColumnText:
    """One column definition; the offsets count in `text`."""
    reader = _Reader(text)
    column = reader.column()
    reader.expect_end()
    return column


def parse_constraint(text: str) -> Clause:
    """One table constraint."""
    reader = _Reader(text)
    clause = reader.constraint()
    reader.expect_end()
    return clause


class _Reader:
    """A recursive descent over the tokens; `at` is the next one."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.tokens = code_tokens(sql)
        self.at = 0

    # tokens

    def peek(self, ahead: int = 0) -> str:
        index = self.at + ahead
        return self.tokens[index].upper if index < len(self.tokens) else ""

    def take(self) -> Token:
        if self.at >= len(self.tokens):
            raise self._unreadable()
        self.at += 1
        return self.tokens[self.at - 1]

    def takes(self, *words: str) -> bool:
        """Whether exactly these words come next; if so they are read."""
        if any(self.peek(index) != word for index, word in enumerate(words)):
            return False
        self.at += len(words)
        return True

    def expect(self, *words: str) -> None:
        if not self.takes(*words):
            raise self._unreadable()

    def expect_end(self) -> None:
        if self.at < len(self.tokens):
            raise self._unreadable()

    def parentheses(self) -> tuple[int, int]:
        """Read a parenthesised stretch whole; its start and end."""
        start = self.at
        self.expect("(")
        depth = 1
        while depth:
            depth += {"(": 1, ")": -1}.get(self.take().upper, 0)
        return self.tokens[start].start, self.tokens[self.at - 1].end

    def _unreadable(self) -> UnsupportedOperation:
        near = self.sql[self.tokens[self.at].start :][:30] if self.at < len(self.tokens) else "its end"
        return UnsupportedOperation(f"The SQL of this table is not understood near {near!r}: {self.sql}")

    # the table

    def table(self) -> TableText:
        self.expect("CREATE")
        if not self.takes("TEMP"):
            self.takes("TEMPORARY")
        if self.peek() == "VIRTUAL":
            raise UnsupportedOperation(f"A virtual table cannot be altered: {self.sql}")
        self.expect("TABLE")
        self.takes("IF", "NOT", "EXISTS")
        name = self.take()
        if self.takes("."):
            name = self.take()
        opening = self.at
        self.expect("(")
        columns = [self.column()]
        constraints: list[Clause] = []
        while not self.takes(")"):
            comma = self.takes(",")
            if self.peek() in _TABLE_STARTS:
                constraints.append(self.constraint())
            elif comma and not constraints:
                columns.append(self.column())
            else:
                raise self._unreadable()
        closing = self.tokens[self.at - 1]
        return TableText(
            self.sql,
            name.name,
            name.start,
            name.end,
            self.tokens[opening].start,
            closing.start,
            tuple(columns),
            tuple(constraints),
            self.options(),
        )

    def options(self) -> frozenset[str]:
        found: list[str] = []
        while self.at < len(self.tokens) and self.peek() != ";":
            words = [self.take().name.upper()]
            if words == ["WITHOUT"]:
                words.append(self.take().name.upper())
            found.append(" ".join(words))
            self.takes(",")
        return frozenset(found)

    # columns

    def column(self) -> ColumnText:
        name = self.take()
        if name.kind not in ("word", "quoted", "string"):
            self.at -= 1
            raise self._unreadable()
        start = self.at
        while self._in_type():
            self.take()
        if self.at > start and self.peek() == "(":
            self.parentheses()
        last = self.tokens[self.at - 1]
        first = self.tokens[start] if self.at > start else None
        clauses: list[Clause] = []
        while self.at < len(self.tokens) and self.peek() not in (",", ")"):
            clauses.append(self.clause(name.name))
        return ColumnText(
            name.name,
            name.start,
            name.end,
            first.start if first else name.end,
            last.end,
            self.tokens[self.at - 1].end,
            self.sql[first.start : last.end] if first else "",
            tuple(_deferred(clauses)),
        )

    def _in_type(self) -> bool:
        if self.at >= len(self.tokens):
            return False
        token = self.tokens[self.at]
        generated = self.peek() == "GENERATED" and self.peek(1) == "ALWAYS" and self.peek(2) == "AS"
        return token.kind in ("word", "quoted", "string") and token.upper not in _STARTS and not generated

    def constraint_names(self) -> str | None:
        """CONSTRAINT name, as often as it stands there: the last one counts."""
        name = None
        while self.takes("CONSTRAINT"):
            name = self.take().name
        return name

    def clause(self, column: str) -> Clause:
        start = self.at
        clause = Clause("other", 0, 0, (), self.constraint_names(), (column,))
        if self.takes("PRIMARY", "KEY"):
            _ = self.takes("ASC") or self.takes("DESC")
            self.conflict()
            clause = replace(clause, kind="primary key", autoincrement=self.takes("AUTOINCREMENT"))
        elif self.takes("NOT", "NULL"):
            clause = replace(clause, kind="not null")
        elif self.takes("NULL"):
            clause = replace(clause, kind="null")
        elif self.takes("UNIQUE"):
            clause = replace(clause, kind="unique")
        elif self.takes("CHECK"):
            clause = replace(clause, kind="check", value=self.parentheses())
        elif self.takes("DEFAULT"):
            clause = replace(clause, kind="default", value=self.term())
        elif self.takes("COLLATE"):
            token = self.take()
            clause = replace(clause, kind="collate", value=(token.start, token.end))
        elif self.takes("GENERATED", "ALWAYS", "AS") or self.takes("AS"):
            clause = replace(clause, kind="generated", value=self.parentheses())
            _ = self.takes("STORED") or self.takes("VIRTUAL")
        elif self.peek() == "REFERENCES":
            clause = replace(clause, kind="foreign key", reference=self.references())
        elif self.deferrable():
            pass
        elif self.at == start:
            raise self._unreadable()
        self.conflict()
        return self._placed(clause, start)

    def term(self) -> tuple[int, int]:
        """The value of a DEFAULT: parentheses, or a literal or word with its sign."""
        if self.peek() == "(":
            return self.parentheses()
        start = self.take()
        end = self.take() if start.upper in ("+", "-") else start
        return start.start, end.end

    # table constraints

    def constraint(self) -> Clause:
        start = self.at
        clause = Clause("other", 0, 0, (), self.constraint_names())
        if self.takes("PRIMARY", "KEY"):
            columns, autoincrement = self.key_columns()
            clause = replace(clause, kind="primary key", columns=columns, autoincrement=autoincrement)
        elif self.takes("UNIQUE"):
            clause = replace(clause, kind="unique", columns=self.key_columns()[0])
        elif self.takes("CHECK"):
            clause = replace(clause, kind="check", value=self.parentheses())
        elif self.takes("FOREIGN", "KEY"):
            columns = self.key_columns()[0]
            clause = replace(clause, kind="foreign key", columns=columns, reference=self.references())
            self.deferrable()
        elif self.at == start:
            raise self._unreadable()
        self.conflict()
        return self._placed(clause, start)

    def key_columns(self) -> tuple[tuple[str, ...], bool]:
        """The names in a list of columns, with or without COLLATE and DESC; whether AUTOINCREMENT ends it."""
        self.expect("(")
        names: list[str] = []
        autoincrement = False
        while True:
            names.append(self.take().name)
            while self.peek() not in (",", ")"):
                autoincrement = self.take().upper == "AUTOINCREMENT"
            if self.take().upper == ")":
                return tuple(names), autoincrement

    # what both have

    def references(self) -> Reference:
        self.expect("REFERENCES")
        table = self.take().name
        columns = self.key_columns()[0] if self.peek() == "(" else ()
        while True:
            if self.takes("MATCH"):
                self.take()
            elif self.peek() == "ON" and self.peek(1) in ("DELETE", "UPDATE", "INSERT"):
                self.at += 2
                if self.take().upper in ("SET", "NO"):
                    self.take()
            else:
                return Reference(table, columns)

    def deferrable(self) -> bool:
        if not (self.takes("NOT", "DEFERRABLE") or self.takes("DEFERRABLE")):
            return False
        if self.takes("INITIALLY"):
            self.take()
        return True

    def conflict(self) -> None:
        if self.takes("ON", "CONFLICT"):
            self.take()

    def _placed(self, clause: Clause, start: int) -> Clause:
        tokens = self.tokens[start : self.at]
        return replace(clause, start=tokens[0].start, end=tokens[-1].end, tokens=tokens)


def _deferred(clauses: Sequence[Clause]) -> list[Clause]:
    """DEFERRABLE is a clause of its own to SQLite; here it goes with the REFERENCES before it."""
    result: list[Clause] = []
    for clause in clauses:
        deferrable = clause.kind == "other" and any(token.upper == "DEFERRABLE" for token in clause.tokens)
        if deferrable and result and result[-1].kind == "foreign key":
            key = result.pop()
            clause = replace(key, end=clause.end, tokens=(*key.tokens, *clause.tokens))
        result.append(clause)
    return result
