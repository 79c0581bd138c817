"""What PostgreSQL makes of an expression: put into a TEMP table, read back from the catalogs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from asyncmig.dialects.asking import Question
from asyncmig.dialects.literals import quoted
from asyncmig.schema.model import EnumType

__all__ = ["BATCH", "READ_BACK", "answers", "scratch"]

BATCH = 200
"""Tables at a time: some 850 in one transaction are more than the default lock table holds, indexes and all."""

_PREFIX = "asyncmig_ask_"
_VALUE = "asyncmig_value"

READ_BACK = f"""
SELECT substr(c.relname, {len(_PREFIX) + 1})::int,
  pg_catalog.format_type(a.atttypid, a.atttypmod)
    || coalesce((SELECT ' COLLATE ' || quote_ident(co.collname) FROM pg_catalog.pg_collation AS co
      JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
      WHERE co.oid = a.attcollation AND a.attcollation <> t.typcollation), ''),
  pg_catalog.pg_get_expr(d.adbin, d.adrelid), pg_catalog.pg_get_expr(k.conbin, k.conrelid),
  pg_catalog.pg_get_indexdef(i.indexrelid, 1, false), pg_catalog.pg_get_expr(i.indpred, i.indrelid)
FROM pg_catalog.pg_class AS c
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = '{_VALUE}'
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid AND k.contype = 'c'
LEFT JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid
WHERE c.relnamespace = pg_catalog.pg_my_temp_schema() AND c.relkind = 'r' AND c.relname ~ '^{_PREFIX}[0-9]+$'
"""
_COLUMN = {"type": 1, "default": 2, "computed": 2, "check": 3, "element": 4, "predicate": 5}


def scratch(questions: Sequence[Question], enums: Sequence[EnumType] = ()) -> str:
    """The statements that put a batch of questions, as one text.

    `enums` have other values in the models than in the database. A temporary type of that name, which is found first
    and spelled the same, knows the models' ones.
    """
    types = (
        f"CREATE TYPE pg_temp.{_quoted(enum.name)} AS ENUM ({', '.join(map(quoted, enum.values))})" for enum in enums
    )
    tables = (text for number, question in enumerate(questions) for text in _statements(number, question))
    return ";\n".join((*types, *tables))


def answers(rows: Sequence[Sequence[Any]], questions: Sequence[Question]) -> Mapping[Question, str | None]:
    found = {row[0]: row for row in rows}
    return {
        question: found[number][_COLUMN[question.kind]] if number in found else None
        for number, question in enumerate(questions)
    }


def _statements(number: int, question: Question) -> Iterator[str]:
    table = f"{_PREFIX}{number}"
    columns = [f"{_quoted(name)} {type_}" for name, type_ in question.columns]
    match question.kind:
        case "type":
            columns.append(f"{_VALUE} {question.sql}")
        case "default":
            columns.append(f"{_VALUE} {question.type} DEFAULT {question.sql}")
        case "computed":
            columns.append(f"{_VALUE} {question.type} GENERATED ALWAYS AS ({question.sql}) STORED")
        case "check":
            columns.append(f"CHECK ({question.sql})")
        case _:
            columns.append(f"{_VALUE} integer")
    yield f"CREATE TEMP TABLE {table} ({', '.join(columns)})"
    if question.kind == "element":
        yield f"CREATE INDEX ON {table} (({question.sql}))"
    elif question.kind == "predicate":
        yield f"CREATE INDEX ON {table} ({_VALUE}) WHERE {question.sql}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
