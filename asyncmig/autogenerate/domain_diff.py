"""The difference between two states of the domains that columns have: NOT NULL, DEFAULT and CHECKs of the domain itself.

ALTER DOMAIN is no operation of its own: it is SQL. What it cannot change is told in words, with the way to do it by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from asyncmig.autogenerate.likeness import Likeness
from asyncmig.autogenerate.sql_names import address, quoted_name
from asyncmig.operations.base import Operation
from asyncmig.operations.sql import Execute
from asyncmig.schema.enums import named_types
from asyncmig.schema.model import Column, Ref, Schema
from asyncmig.schema.spelling import spelling_dialect
from asyncmig.schema.types import SqlText, SqlType, sql_literal, sql_text, sql_type

__all__ = ["diff_domains", "domain_remarks"]

_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")
_INNERMOST = re.compile(r"\([^()]*\)")
_MANY = 4
"""So many CHECKs of a domain are compared with one that joins them by AND in whatever order it does."""


def diff_domains(current: Schema, wanted: Schema, likeness: Likeness) -> list[Operation]:
    """Empty for the domains that the models only refer to: with create_type=False, or a metadata= of its own."""
    if _without_domains(current) and _without_domains(wanted):
        return []  # only what was read names domains, and one side always was
    old, new = _domains(current), _domains(wanted)
    return [
        Execute(sql)
        for ref in new
        if ref in old and old[ref].type is not new[ref].type
        for sql in _changes(ref, old[ref], new[ref], likeness)
    ]


def domain_remarks(current: Schema, wanted: Schema, same_type: Callable[[SqlType, SqlType], bool]) -> Iterator[str]:
    """What differs in a domain and stays so: its base type with its collation, and NOT NULL inside an array."""
    if _without_domains(current):
        return
    old, new = _domains(current), _domains(wanted)
    for ref in (ref for ref in new if ref in old and old[ref].type is not new[ref].type):
        (is_, collation), (wanted_, other) = (_base(side[ref].type) for side in (old, new))
        said = []
        if not same_type(is_, wanted_):
            texts = is_.spelling("postgresql"), wanted_.spelling("postgresql")
            said.append(f"is {texts[0]} in the database and {texts[1]} in the models")
        if collation != other:
            said.append(f"has {_collation(collation)} in the database and {_collation(other)} in the models")
        if not old[ref].type.not_null and new[ref].type.not_null and old[ref].in_arrays:
            yield f"domain {ref} is to be NOT NULL, which PostgreSQL refuses while arrays of it are columns: {_columns(ref, current)}"
        if said:
            yield f"domain {ref} {' and '.join(said)}, which no database can change; {_by_hand(ref, current)}"


def _base(domain: Any) -> tuple[SqlType, str | None]:
    """The type below, and the collation apart: SQLAlchemy lets either of the two types say it."""
    engine, own = domain.data_type, getattr(domain.data_type, "collation", None)
    if own is None:
        return sql_type(engine), domain.collation
    bare = engine.copy()
    bare.collation = None
    return sql_type(bare), domain.collation or own


def _collation(name: str | None) -> str:
    return f"the collation {name}" if name else "the type's collation"


def _by_hand(ref: Ref, current: Schema) -> str:
    """The way that is left, for the columns that have the domain."""
    return (
        f"by hand: CREATE DOMAIN under another name, ALTER TABLE ... ALTER COLUMN ... TYPE for {_columns(ref, current)}, "
        f"DROP DOMAIN {address(ref.schema, ref.name)}, ALTER DOMAIN ... RENAME TO {quoted_name(ref.name)}"
    )


def _columns(ref: Ref, schema: Schema) -> str:
    return ", ".join(f"{t.ref}.{c.name}" for t in schema.tables.values() for c in t.columns if _has(c, ref))


def _has(column: Column, ref: Ref) -> bool:
    return any(_ref(one) == ref for one in named_types(column.type.engine, spelling_dialect("postgresql")))


@dataclass(frozen=True, slots=True)
class _Domain:
    """SQLAlchemy's DOMAIN with each of its CHECKs and the name that this has, or will have.

    `in_arrays` where a column is an array of it: PostgreSQL cannot look at the values in there, and refuses a new NOT
    NULL, and a new CHECK but NOT VALID ("get_rels_with_domain").
    """

    type: Any
    checks: tuple[tuple[str, SqlText], ...]
    in_arrays: bool


def _without_domains(schema: Schema) -> bool:
    return all(enum.values for enum in schema.enums.values())


def _domains(schema: Schema) -> Mapping[Ref, _Domain]:
    dialect = spelling_dialect("postgresql")
    types = {id(c.type): c.type for table in schema.tables.values() for c in table.columns if not c.type.apart}
    found: dict[Ref, _Domain] = {}
    for type_ in types.values():
        for one in named_types(type_.engine, dialect):
            if one.__visit_name__ == "DOMAIN" and one.create_type:
                ref = _ref(one)
                in_arrays = type_.spelling("postgresql").endswith("]") or (ref in found and found[ref].in_arrays)
                found[ref] = _Domain(one, tuple(_checks(ref, one, schema)), in_arrays)
    return found


def _ref(named: Any) -> Ref:
    return Ref(str(named.name), named.schema, "enum")


def _checks(ref: Ref, domain: Any, schema: Schema) -> Iterator[tuple[str, SqlText]]:
    """As they were read; else the one of the type, under PostgreSQL's name for it where it has none."""
    known = schema.enums.get(ref)
    if known is not None and known.checks:
        yield from ((name, sql_text(text)) for name, text in known.checks)
    elif domain.check is not None:
        yield domain.constraint_name or f"{ref.name}_check", sql_text(domain.check)


def _changes(ref: Ref, old: _Domain, new: _Domain, likeness: Likeness) -> Iterator[str]:
    alter = f"ALTER DOMAIN {address(ref.schema, ref.name)}"
    if bool(old.type.not_null) != bool(new.type.not_null) and not (new.type.not_null and old.in_arrays):
        yield f"{alter} {'SET' if new.type.not_null else 'DROP'} NOT NULL"
    type_, default = sql_type(new.type.data_type), _default(new.type)
    if not likeness.same_text("default", _default(old.type), default, (), type_, f"default of domain {ref}"):
        change = "DROP DEFAULT" if default is None else f"SET DEFAULT {default.spelling('postgresql')}"
        yield f"{alter} {change}"
    yield from (f"{alter} {change}" for change in _check_changes(old, new, _SameCheck(ref, type_, likeness)))


def _default(domain: Any) -> SqlText | None:
    """A string is a value where it stands for a default."""
    given = domain.default
    if given is None:
        return None
    return sql_literal(given) if isinstance(given, str) else sql_text(given)


@dataclass(frozen=True, slots=True)
class _SameCheck:
    """Whether two CHECKs of a domain over `type` mean the same."""

    ref: Ref
    type: SqlType
    likeness: Likeness

    def __call__(self, old: SqlText, new: SqlText) -> bool:
        value, subject = (Column("value", self.type),), f"check of domain {self.ref}"
        return self.likeness.same_text("check", old, new, value, self.type, subject)


def _check_changes(old: _Domain, new: _Domain, same: _SameCheck) -> Iterator[str]:
    left, wanted = list(old.checks), []
    for name, text in new.checks:
        found = next((check for check in left if same(check[1], text)), None)
        if found is None:
            wanted.append((name, text))
        else:
            left.remove(found)
    if len(old.checks) != len(new.checks) and left and wanted and _join_to_same(old, new, same):
        return
    yield from (f"DROP CONSTRAINT {quoted_name(name)}" for name, _ in left)
    valid = " NOT VALID" if old.in_arrays else ""
    for name, text in wanted:
        yield f"ADD CONSTRAINT {quoted_name(name)} CHECK ({text.spelling('postgresql')}){valid}"


def _join_to_same(old: _Domain, new: _Domain, same: _SameCheck) -> bool:
    """Whether the CHECKs of one side, joined by AND, are the one CHECK of the other."""
    olds, news = ([text for _, text in side.checks] for side in (old, new))
    if len(news) == 1:
        return any(same(joined, news[0]) for joined in _joined(olds))
    return len(olds) == 1 and any(same(olds[0], joined) for joined in _joined(news))


def _joined(checks: Sequence[SqlText]) -> Iterator[SqlText]:
    """In every order, and with an AND inside one of them apart or in the same row: who wrote the one chose one of these."""
    whole = [f"({text.spelling('postgresql')})" for text in checks]
    texts = {one: None for terms in (whole, [_term(text[1:-1]) for text in whole]) for one in _rows(terms)}
    yield from map(sql_text, texts)


def _rows(terms: Sequence[str]) -> Iterator[str]:
    orders = permutations(terms) if len(terms) <= _MANY else iter((terms,))
    yield from (" AND ".join(order) for order in orders)


def _term(check: str) -> str:
    """A CHECK as it is joined; ANDs go without the parentheses around them all, as PostgreSQL reads `a AND b AND c`."""
    inner = check[1:-1]
    outline = _QUOTED.sub("", inner)
    while (shorter := _INNERMOST.sub("", outline)) != outline:
        outline = shorter
    words = outline.upper().split()
    return (
        inner
        if check[:1] == "(" and "AND" in words and not ("OR" in words or "(" in outline or ")" in outline)
        else f"({check})"
    )
