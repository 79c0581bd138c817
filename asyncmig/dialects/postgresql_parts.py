"""Rows of pg_constraint and pg_index as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from asyncmig.schema.expressions import verbatim
from asyncmig.schema.model import Check, Constraint, Exclude, ForeignKey, Index, PrimaryKey, Ref, Unique
from asyncmig.schema.options import freeze_options
from asyncmig.schema.types import SqlText

__all__ = ["read_constraint", "read_index"]

_ACTIONS = {"a": None, "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_MATCHES = {"s": None, "f": "FULL", "p": "PARTIAL"}
_DESC, _NULLS_FIRST = 1, 2

Numbers = Mapping[int, str]


def read_constraint(row: Sequence[Any], numbers: Numbers, target_schema: str | None) -> Constraint:
    """`numbers` are the names of the table's columns; `target_schema` that of a foreign key's target."""
    kind, columns = row[2], tuple([numbers[n] for n in row[3] or () if n])
    name, deferrable, comment = row[1], row[4] or None, row[7]
    initially = "DEFERRED" if row[5] else None
    if kind == "f":
        return _foreign_key(row, columns, target_schema)
    if kind == "c":
        options: dict[str, Any] = {} if row[6] else {"postgresql_not_valid": True}
        if row[16]:
            options["postgresql_no_inherit"] = True
        return Check(SqlText(verbatim(row[15])), name, comment=comment, options=freeze_options(options))
    if kind == "x":
        return _exclude(row, numbers)
    included = [numbers[n] for n in row[17][len(columns) :]]
    extra: dict[str, Any] = {"postgresql_include": included} if included else {}
    if kind == "p":
        return PrimaryKey(columns, name, deferrable, initially, comment, freeze_options(extra))
    if row[18]:
        extra["postgresql_nulls_not_distinct"] = True
    return Unique(columns, name, deferrable, initially, comment, freeze_options(extra))


def _foreign_key(row: Sequence[Any], columns: tuple[str, ...], target_schema: str | None) -> ForeignKey:
    deleted = _ACTIONS[row[12]]
    if row[14]:
        deleted = f"{deleted} ({', '.join(row[14])})"
    return ForeignKey(
        columns,
        Ref(row[9], target_schema),
        tuple(row[10]),
        row[1],
        _ACTIONS[row[11]],
        deleted,
        row[4] or None,
        "DEFERRED" if row[5] else None,
        _MATCHES[row[13]],
        row[7],
        () if row[6] else (("postgresql_not_valid", True),),
    )


def _exclude(row: Sequence[Any], numbers: Numbers) -> Exclude:
    parts = [
        numbers[number] if number else SqlText(verbatim(text)) for number, text in zip(row[17], row[19], strict=False)
    ]
    names = [part if isinstance(part, str) else text for part, text in zip(parts, row[19], strict=True)]
    return Exclude(
        tuple(zip(parts, row[20], strict=True)),
        row[1],
        row[22],
        None if row[21] is None else SqlText(verbatim(row[21])),
        row[4] or None,
        "DEFERRED" if row[5] else None,
        freeze_options({name: ops for name, ops in zip(names, row[23], strict=True) if ops}),
    )


def read_index(row: Sequence[Any], numbers: Numbers) -> Index:
    _, name, unique, keys, count, method, sorts, texts, classes, collations, storage, predicate, space, distinct = row
    options: dict[str, Any] = {}
    if texts is None and classes is None and collations is None and not any(sorts):
        elements: tuple[str | SqlText, ...] = tuple([numbers[n] for n in keys[:count]])
    else:
        elements = tuple(_elements(row, numbers, options))
    if len(keys) > count:
        options["postgresql_include"] = [numbers[n] for n in keys[count:]]
    if method != "btree":
        options["postgresql_using"] = method
    if storage:
        options["postgresql_with"] = dict(o.partition("=")[::2] for o in storage)
    if predicate is not None:
        options["postgresql_where"] = SqlText(verbatim(predicate))
    if space is not None:
        options["postgresql_tablespace"] = space
    if distinct:
        options["postgresql_nulls_not_distinct"] = True
    return Index(name, elements, unique, freeze_options(options))


def _elements(row: Sequence[Any], numbers: Numbers, options: dict[str, Any]) -> Any:
    keys, count, sorts, texts, classes, collations = row[3], row[4], row[6], row[7], row[8], row[9]
    operators: dict[str, str] = {}
    for place in range(count):
        name = numbers[keys[place]] if keys[place] else None
        suffix = _suffix(collations[place] if collations else None, None, sorts[place])
        operator = classes[place] if classes else None
        if operator and name is not None and not suffix:
            operators[name] = operator
            operator = None
        suffix = _suffix(collations[place] if collations else None, operator, sorts[place])
        if name is not None and not suffix:
            yield name
        else:
            yield SqlText(verbatim((_quoted(name) if name is not None else texts[place]) + suffix))
    if operators:
        options["postgresql_ops"] = operators


def _suffix(collation: str | None, operator: str | None, sort: int) -> str:
    parts = []
    if collation:
        parts.append(f' COLLATE "{collation}"')
    if operator:
        parts.append(f" {operator}")
    if sort & _DESC:
        parts.append(" DESC")
    if bool(sort & _DESC) != bool(sort & _NULLS_FIRST):
        parts.append(" NULLS FIRST" if sort & _NULLS_FIRST else " NULLS LAST")
    return "".join(parts)


def _quoted(name: str) -> str:
    from asyncmig.schema.spelling import spelling_dialect

    return str(spelling_dialect("postgresql").identifier_preparer.quote(name))
