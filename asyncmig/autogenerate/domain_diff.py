"""The difference between two states of the domains that columns have: NOT NULL, DEFAULT and CHECK of the domain itself.

ALTER DOMAIN is no operation of its own: it is SQL. What it cannot change, and what no model can say, is told in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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


def diff_domains(current: Schema, wanted: Schema, likeness: Likeness) -> list[Operation]:
    """Empty for the domains that the models only refer to: with create_type=False, or a metadata= of its own."""
    if all(enum.values for schema in (current, wanted) for enum in schema.enums.values()):
        return []  # only what was read names domains, and one side always was
    old, new = _domains(current), _domains(wanted)
    return [
        Execute(sql)
        for ref in new
        if ref in old and old[ref] is not new[ref]
        for sql in _changes(ref, old[ref], new[ref], likeness)
    ]


def domain_remarks(current: Schema, wanted: Schema, same_type: Callable[[SqlType, SqlType], bool]) -> Iterator[str]:
    """What differs in a domain and stays so: its base type with its collation, and CHECKs beyond the first."""
    if all(enum.values for enum in current.enums.values()):
        return
    old, new = _domains(current), _domains(wanted)
    for ref in (ref for ref in new if ref in old and old[ref] is not new[ref]):
        types = [sql_type(side[ref].data_type) for side in (old, new)]
        if not same_type(*types):
            spelled = [type_.spelling("postgresql") for type_ in types]
            yield f"domain {ref} is {spelled[0]} in the database and {spelled[1]} in the models, which nothing can change"
        collations = [side[ref].collation for side in (old, new)]
        if collations[0] != collations[1]:
            yield f"domain {ref} has the collation {collations[0]} in the database and {collations[1]} in the models, which nothing can change"
        further = ", ".join(current.enums[ref].further) if ref in current.enums else ""
        if further:
            yield f"domain {ref} has more CHECKs than a model can say: {further}"


def _domains(schema: Schema) -> Mapping[Ref, Any]:
    dialect = spelling_dialect("postgresql")
    types = {id(c.type): c.type for table in schema.tables.values() for c in table.columns if not c.type.apart}
    named = (one for type_ in types.values() for one in named_types(type_.engine, dialect))
    return {
        Ref(str(one.name), one.schema, "enum"): one
        for one in named
        if one.__visit_name__ == "DOMAIN" and one.create_type
    }


def _changes(ref: Ref, old: Any, new: Any, likeness: Likeness) -> Iterator[str]:
    alter = f"ALTER DOMAIN {address(ref.schema, ref.name)}"
    type_ = sql_type(new.data_type)
    if bool(old.not_null) != bool(new.not_null):
        yield f"{alter} {'SET' if new.not_null else 'DROP'} NOT NULL"
    default = _text(new.default)
    if not likeness.same_text("default", _text(old.default), default, (), type_, f"default of domain {ref}"):
        change = "DROP DEFAULT" if default is None else f"SET DEFAULT {default.spelling('postgresql')}"
        yield f"{alter} {change}"
    check, value = _text(new.check), (Column("value", type_),)
    if not likeness.same_text("check", _text(old.check), check, value, type_, f"check of domain {ref}"):
        if old.check is not None:
            yield f"{alter} DROP CONSTRAINT {quoted_name(old.constraint_name or f'{ref.name}_check')}"
        if check is not None:
            name = f"CONSTRAINT {quoted_name(new.constraint_name)} " if new.constraint_name else ""
            yield f"{alter} ADD {name}CHECK ({check.spelling('postgresql')})"


def _text(given: Any) -> SqlText | None:
    """A string is a value where it stands for a default; a CHECK is SQL always."""
    if given is None:
        return None
    return sql_literal(given) if isinstance(given, str) else sql_text(given)
