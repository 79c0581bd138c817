"""What `copy_from` says that the stored table does not: the types of columns, their NULL and default, the constraints.

What it does not mention stays: a column with its values and constraints, indexes, triggers, a collation.
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncmig.dialects import sqlite_edits as edits
from asyncmig.dialects.sqlite_constraints import constraint_of
from asyncmig.dialects.sqlite_table_text import Clause, ColumnText, TableText, parse_table
from asyncmig.dialects.sqlite_tokens import Token, code_tokens, mentions
from asyncmig.errors import UnsupportedOperation
from asyncmig.schema.model import Check, Constraint, ForeignKey, Table
from asyncmig.schema.same_constraint import is_unique_index, lowered, say_the_same

__all__ = ["restated", "source_edits", "type_edits"]


def source_edits(text: TableText, said: TableText, source: Table) -> Iterator[edits.Edit]:
    """From the table as it is stored to what `said`, the text of `source`, has. UnsupportedOperation for a new column."""
    key = lowered(text.primary_key) if lowered(text.primary_key) == lowered(said.primary_key) else ()
    for wanted in said.columns:
        column = text.find(wanted.name)
        if column is None:
            raise UnsupportedOperation(
                f"Table {text.name} has no column {wanted.name}, which copy_from says that it has.",
                hint="Add it with add_column.",
            )
        yield from _column_edits(column, wanted, is_key=column.name.lower() in key)
    yield from _constraint_edits(text, said, source)


def type_edits(text: TableText, said: TableText) -> Iterator[edits.Edit]:
    """The types of the columns that `said` has too."""
    for wanted in said.columns:
        column = text.find(wanted.name)
        if column is not None:
            yield from _type_edits(column, wanted)


def restated(text: TableText, constraint: str) -> list[edits.Edit] | None:
    """What it takes to have a constraint that the table has without a name; None where it has none like it."""
    said = parse_table(f"CREATE TABLE said (said, {constraint})")
    wanted = said.constraints[-1]
    for clause in text.clauses:
        one = _constraint(clause, text)
        if clause.name is None and one and _is_same(clause, one, wanted, _constraint(wanted, said)):
            return list(_renaming(clause, wanted))
    return None


def _type_edits(column: ColumnText, wanted: ColumnText) -> Iterator[edits.Edit]:
    if _words(code_tokens(column.type)) != _words(code_tokens(wanted.type)):
        yield edits.SetType(column.name, wanted.type)


def _column_edits(column: ColumnText, wanted: ColumnText, *, is_key: bool) -> Iterator[edits.Edit]:
    name = column.name
    yield from _type_edits(column, wanted)
    if not is_key and column.not_null != wanted.not_null:
        yield edits.SetNullable(name, not wanted.not_null)
    collation = wanted.clause("collate")
    if collation is not None and _value(column, "collate") != _words(collation.value_tokens):
        yield edits.SetCollation(name, collation.value_tokens[-1].name)
    if column.generated or wanted.generated:
        yield from _generated_edits(column, wanted)
        return
    if _value(column, "default") != _value(wanted, "default"):
        default = wanted.clause("default")
        yield edits.SetDefault(name, None if default is None else " ".join(t.text for t in default.value_tokens))


def _generated_edits(column: ColumnText, wanted: ColumnText) -> Iterator[edits.Edit]:
    """Another expression; what would give up the values that rows have, or the expression, is no copy's to say."""
    said = wanted.clause("generated")
    if said is not None and column.generated and _value(column, "generated") != _words(said.value_tokens):
        yield edits.SetGenerated(column.name, " ".join(_bare(said.value_tokens)), wanted.stored)


def _constraint_edits(text: TableText, said: TableText, source: Table) -> Iterator[edits.Edit]:
    """First all that goes, so that a name is free for what comes."""
    left = [clause for clause in said.clauses if _constraint(clause, said) is not None]
    unsaid = [column.name for column in text.columns if said.find(column.name) is None]
    named: list[edits.Edit] = []
    gone: dict[edits.DropConstraint, None] = {}
    for clause in text.clauses:
        constraint = _constraint(clause, text)
        if constraint is None:
            continue
        same = [other for other in left if _is_same(clause, constraint, other, _constraint(other, said))]
        if same:
            best = next((other for other in same if _name(other) == _name(clause)), same[0])
            left.remove(best)
            named += _renaming(clause, best)
        elif not is_unique_index(constraint, source) and not _is_over(clause, unsaid):
            target = constraint.target.name if isinstance(constraint, ForeignKey) else None
            listed = None if isinstance(constraint, Check) else clause.columns
            spelling = clause.spelling if clause.name is None else None
            # A table may have the same constraint twice, and one edit takes both.
            gone[edits.DropConstraint(clause.name, clause.kind, listed, target, spelling)] = None
    yield from gone
    yield from named
    for clause in left:
        yield edits.AddConstraint(_as_table_constraint(clause))


def _is_over(clause: Clause, columns: list[str]) -> bool:
    """Whether the constraint is about one of the columns."""
    own = lowered(clause.columns)
    return any(name.lower() in own or mentions(clause.tokens, name) for name in columns)


def _renaming(clause: Clause, wanted: Clause) -> Iterator[edits.Edit]:
    if wanted.name is None or _name(wanted) == _name(clause):
        return
    if clause.name is None:
        yield edits.NameConstraint(wanted.name, clause.kind, clause.columns, clause.spelling)
    else:
        yield edits.RenameConstraint(clause.name, wanted.name)


def _as_table_constraint(clause: Clause) -> str:
    """SQLAlchemy writes nothing but CHECKs into columns, and these stand as well behind them."""
    return " ".join(token.text for token in clause.tokens)


def _is_same(clause: Clause, one: Constraint, other_clause: Clause, other: Constraint | None) -> bool:
    def same_check(_: Check, __: Check) -> bool:
        return _words(clause.value_tokens) == _words(other_clause.value_tokens)

    return say_the_same(one, other, same_check)


def _constraint(clause: Clause, text: TableText) -> Constraint | None:
    return constraint_of(clause, text, None)


def _name(clause: Clause) -> str:
    return (clause.name or "").lower()


def _value(column: ColumnText, kind: str) -> tuple[str, ...]:
    clause = next((c for c in reversed(column.clauses) if c.kind == kind), None)
    return () if clause is None else _words(clause.value_tokens)


def _words(tokens: tuple[Token, ...]) -> tuple[str, ...]:
    """What SQLite reads: without comments, and a value without parentheses around it."""
    return _bare(tokens, folded=True)


def _bare(tokens: tuple[Token, ...], *, folded: bool = False) -> tuple[str, ...]:
    words = [token.text.lower() if folded and token.kind == "word" else token.text for token in tokens]
    while len(words) > 2 and words[0] == "(" and words[-1] == ")" and _is_around(words):
        words = words[1:-1]
    return tuple(words)


def _is_around(words: list[str]) -> bool:
    """Whether the first parenthesis is closed by the last."""
    depth = 0
    for place, word in enumerate(words):
        depth += (word == "(") - (word == ")")
        if depth == 0:
            return place == len(words) - 1
    return False
