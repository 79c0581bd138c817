"""How a database is asked what it makes of an expression or an object: in scratch ones, which are rolled back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "CONSTRAINT",
    "OBJECTS",
    "REFUSED",
    "Question",
    "QuestionKind",
    "arguments_and_definition",
    "definition_and_shape",
]

QuestionKind = Literal[
    "type", "default", "computed", "check", "element", "predicate", "view", "function", "trigger", "policy"
]
OBJECTS: frozenset[QuestionKind] = frozenset({"view", "function", "trigger", "policy"})

REFUSED = ""
"""The answer about an object that cannot be made in the database as it is: something that it uses is not there yet."""


CONSTRAINT = "CONSTRAINT "
"""In front of the event of a constraint trigger."""


@dataclass(frozen=True, slots=True)
class Question:
    """`columns` are the names and types that `sql` may mention; `type` that of the column which has the default.

    Of objects: a view's query, its `columns` without types; a function's definition, its arguments as `type`; a trigger's
    action, its event as `type`; one condition of a policy, its table's name as `type`.
    """

    kind: QuestionKind
    sql: str
    columns: tuple[tuple[str, str], ...] = ()
    type: str = ""


def definition_and_shape(answer: str) -> tuple[str, tuple[str, ...]]:
    """What the answer about a view says."""
    definition, shape = json.loads(answer)
    return definition, tuple(shape)


def arguments_and_definition(answer: str) -> tuple[str, str]:
    """What the answer about a function says; about a trigger, its event and its action."""
    first, second = json.loads(answer)
    return first, second
