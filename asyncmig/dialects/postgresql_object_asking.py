"""What PostgreSQL makes of a view, function, trigger or policy: made in the temporary schema, read back from the catalogs.

TEMP views and functions of pg_temp need no more rights than TEMP tables, and hang on nothing but the transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from asyncmig.dialects.asking import CONSTRAINT, Question
from asyncmig.dialects.postgresql_object_reading import (
    FUNCTION,
    SHAPE,
    function_definition,
    trigger_parts,
    view_definition,
)
from asyncmig.dialects.splitter import split_postgresql

__all__ = ["READ_BACK", "answers", "may_be_put", "scratch"]

_PREFIX = "asyncmig_ask_"
_NUMBER = f"substr({{name}}, {len(_PREFIX) + 1})::int"
_OURS = f"~ '^{_PREFIX}[0-9]+$'"

READ_BACK = f"""
SELECT {_NUMBER.format(name="c.relname")}, pg_catalog.pg_get_viewdef(c.oid), NULL, {SHAPE}
FROM pg_catalog.pg_class AS c
WHERE c.relnamespace = pg_catalog.pg_my_temp_schema() AND c.relkind = 'v' AND c.relname {_OURS}
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = c.oid)
UNION ALL
SELECT {_NUMBER.format(name="p.proname")}, {FUNCTION}, NULL
FROM pg_catalog.pg_proc AS p
WHERE p.pronamespace = pg_catalog.pg_my_temp_schema() AND p.proname {_OURS}
UNION ALL
SELECT {_NUMBER.format(name="t.tgname")}, pg_catalog.pg_get_triggerdef(t.oid, true), NULL, NULL
FROM pg_catalog.pg_trigger AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
WHERE c.relnamespace = pg_catalog.pg_my_temp_schema() AND t.tgname {_OURS}
UNION ALL
SELECT {_NUMBER.format(name="o.polname")}, pg_catalog.pg_get_expr(o.polqual, o.polrelid), NULL, NULL
FROM pg_catalog.pg_policy AS o
JOIN pg_catalog.pg_class AS c ON c.oid = o.polrelid
WHERE c.relnamespace = pg_catalog.pg_my_temp_schema() AND o.polname {_OURS}
"""


def may_be_put(question: Question) -> bool:
    """Whether it is one statement: nobody's text may end the transaction in which it is asked, or do more than asked."""
    return ";" not in question.sql + question.type or len(split_postgresql("\n".join(_statements(0, question)))) == 1


def scratch(questions: Sequence[Question]) -> str:
    """The statements that put a batch of questions, as one text."""
    statements = list(_tables(questions))
    statements += [text for number, question in enumerate(questions) for text in _statements(number, question)]
    # What a body says is compared, not whether it would run now: its tables may only be wanted.
    return ";\n".join(["SET LOCAL check_function_bodies = off", *statements])


def answers(rows: Sequence[Sequence[Any]], questions: Sequence[Question]) -> Mapping[Question, str | None]:
    found = {row[0]: row for row in rows}
    return {
        question: _said(question, found[number]) if number in found else None
        for number, question in enumerate(questions)
    }


def _said(question: Question, row: Sequence[Any]) -> str:
    _, first, second, shape = row
    match question.kind:
        case "view":
            return json.dumps([view_definition(first), list(shape)])
        case "function":
            return json.dumps([first, function_definition(first, second)])
        case "trigger":
            return json.dumps(trigger_parts(first)[:2])
        case _:
            return str(first)


def _statements(number: int, question: Question) -> Iterator[str]:
    name = f"{_PREFIX}{number}"
    match question.kind:
        case "view":
            columns = f" ({', '.join(_quoted(column) for column, _ in question.columns)})" if question.columns else ""
            yield f"CREATE TEMP VIEW {name}{columns} AS\n{question.sql}\n"
        case "function":
            yield f"CREATE FUNCTION pg_temp.{name}({question.type})\n{question.sql}\n"
        case "trigger":
            yield _relation(name, question)
            constraint, event = "", question.type
            if event.startswith(CONSTRAINT):
                constraint, event = CONSTRAINT, event.removeprefix(CONSTRAINT)
            yield f"CREATE {constraint}TRIGGER {name} {event} ON {name}\n{question.sql}\n"
        case _:
            yield f"CREATE POLICY {name} ON pg_temp.{_quoted(question.type)} USING ({question.sql}\n)"


def _tables(questions: Sequence[Question]) -> Iterator[str]:
    """The tables of policies, under their own names: a subquery may say `account.id` of the row that is looked at.

    So nothing but policies is asked in the same batch: views would find these tables in place of the real ones.
    """
    tables: dict[str, dict[str, str]] = {}
    for question in questions:
        if question.kind == "policy":
            tables.setdefault(question.type, {}).update(question.columns)
    for name, columns in tables.items():
        yield f"CREATE TEMP TABLE {_quoted(name)} ({', '.join(f'{_quoted(c)} {type_}' for c, type_ in columns.items())})"


def _relation(name: str, question: Question) -> str:
    """Something with the columns that are mentioned: a view where only that may have the trigger."""
    if question.kind == "trigger" and question.type.upper().startswith("INSTEAD"):
        columns = [f"NULL::{type_} AS {_quoted(column)}" for column, type_ in question.columns]
        return f"CREATE TEMP VIEW {name} AS SELECT {', '.join(columns) or '1 AS one'}"
    return f"CREATE TEMP TABLE {name} ({', '.join(f'{_quoted(column)} {type_}' for column, type_ in question.columns)})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
