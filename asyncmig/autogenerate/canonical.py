"""What to ask a database when two spellings differ: questions as values, answers by question.

A question is about one expression and no more of its table than it mentions, so a default that a thousand tables
share is asked once. Which statements ask it is the dialect's (dialects/asking.py), running them database/'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from asyncmig.dialects.asking import Question, QuestionKind
from asyncmig.dialects.normal import Normal
from asyncmig.schema.default_names import words
from asyncmig.schema.model import Column

__all__ = ["Answers", "Inquiry", "mentioned"]

Answers = Mapping[Question, str | None]
"""The database's own spelling; None where it could not say: the expression is of no use there, or rights are missing."""


@dataclass(slots=True)
class Inquiry:
    """Answers as far as there are any; what was asked without one, and what could not be told, is collected."""

    normal: Normal
    answers: Answers = field(default_factory=dict)
    asked: dict[Question, None] = field(default_factory=dict)
    uncertain: dict[str, None] = field(default_factory=dict)

    def same(
        self, kind: QuestionKind, current: str, wanted: str, columns: Iterable[Column], type_: str, subject: str
    ) -> bool:
        """Whether two expressions mean the same; False, and asked, while nobody has told."""
        if self.normal.form(current) == self.normal.form(wanted):
            return True
        columns = tuple(columns)
        told = self.canonical(kind, wanted, columns, type_)
        known = current if self.normal.canonical else self.canonical(kind, current, columns, type_)
        if told is None or known is None:
            self.uncertain[subject] = None
            return False
        if self.normal.form(told) == self.normal.form(known):
            return True
        return self.normal.canonical and self._same_again(kind, told, known, columns, type_)

    def _same_again(self, kind: QuestionKind, told: str, known: str, columns: tuple[Column, ...], type_: str) -> bool:
        """Whether both become the same when they are read once more.

        PostgreSQL spells its own text otherwise when it gets it back, from pg_dump or from a downgrade:
        `(ARRAY['x'::character varying])::text[]` becomes `ARRAY[('x'::character varying)::text]`.
        """
        texts = self.canonical(kind, told, columns, type_), self.canonical(kind, known, columns, type_)
        return (
            texts[0] is not None and texts[1] is not None and self.normal.form(texts[0]) == self.normal.form(texts[1])
        )

    def canonical(self, kind: QuestionKind, sql: str, columns: Iterable[Column], type_: str = "") -> str | None:
        """The database's spelling of a wanted expression, None while it is not known."""
        return self.answer(Question(kind, sql, self.described(sql, columns), type_))

    def answer(self, question: Question) -> str | None:
        """What the database says, None while it is not known; then it is asked."""
        if question not in self.answers:
            self.asked[question] = None
            return None
        return self.answers[question]

    def described(self, sql: str, columns: Iterable[Column]) -> tuple[tuple[str, str], ...]:
        """Names and types of the columns that the SQL mentions."""
        return tuple(self._described(column) for column in mentioned(sql, columns))

    def _described(self, column: Column) -> tuple[str, str]:
        return column.name, column.type.spelling(self.normal.name)


def mentioned(sql: str, columns: Iterable[Column]) -> list[Column]:
    """The columns whose names stand in the expression, whatever they mean there."""
    known = words(sql)
    return [column for column in columns if column.name.lower() in known] if known else []
