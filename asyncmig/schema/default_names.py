"""The names of constraints that were given none: PostgreSQL's, and by agreement the same on SQLite, which keeps none.

So one script can drop such a constraint on both.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from asyncmig.schema.model import Check, Constraint, Exclude, ForeignKey, PrimaryKey, Table, Unique

__all__ = ["default_name", "default_names", "words"]

_LIMIT = 63
_WORD = re.compile(r"""'(?:[^']|'')*'|"(?P<quoted>(?:[^"]|"")*)"|(?P<bare>[^\W\d][\w$]*)""")
_ENDINGS: dict[type, str] = {PrimaryKey: "pkey", Unique: "key", ForeignKey: "fkey", Exclude: "excl", Check: "check"}


def default_names(table: Table) -> dict[int, str]:
    """Of each constraint without a name, by id(): the name that none of the table's others has."""
    taken = {constraint.name for constraint in table.constraints if constraint.name is not None}
    columns = [column.name for column in table.columns]
    found: dict[int, str] = {}
    for constraint in table.constraints:
        if constraint.name is None:
            found[id(constraint)] = name = default_name(constraint, table.name, columns, taken)
            taken.add(name)
    return found


def default_name(constraint: Constraint, table: str, columns: Iterable[str], taken: Collection[str] = ()) -> str:
    """What PostgreSQL would call the constraint ("ChooseConstraintName"), numbered where that is taken."""
    ending = _ENDINGS[type(constraint)]
    body = _shortened(table, "_".join(_parts(constraint, columns)), ending)
    name, number = f"{body}_{ending}", 0
    while name in taken:
        number += 1
        name = f"{body}_{ending}{number}"
    return name


def _parts(constraint: Constraint, columns: Iterable[str]) -> tuple[str, ...]:
    match constraint:
        case PrimaryKey():
            return ()
        case Unique() | ForeignKey():
            return constraint.columns
        case Check():
            known = words(_sql(constraint))
            mentioned = [column for column in columns if column.lower() in known]
            return tuple(mentioned) if len(mentioned) == 1 else ()
        case Exclude():
            return tuple(part if isinstance(part, str) else "expr" for part, _ in constraint.elements)


def _sql(check: Check) -> str:
    return str(getattr(check.text.clause, "text", None) or check.text.spelling("postgresql"))


def words(sql: str) -> frozenset[str]:
    """All that may be a column's name in an expression, in lower case."""
    matches = list(_WORD.finditer(sql))
    quoted = (match["quoted"].replace('""', '"').lower() for match in matches if match["quoted"] is not None)
    bare = (match["bare"].lower() for match in matches if match["bare"] is not None)
    return frozenset((*quoted, *bare))


def _shortened(table: str, middle: str, ending: str) -> str:
    """Table and columns, the longer of the two cut first, so that all fits into a name ("makeObjectName")."""
    room = _LIMIT - len(ending) - 1 - (1 if middle else 0)
    while len(table) + len(middle) > room:
        if len(table) > len(middle):
            table = table[:-1]
        else:
            middle = middle[:-1]
    return f"{table}_{middle}" if middle else table
