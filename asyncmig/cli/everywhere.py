"""One question put to each configured database: those that cannot answer do not hide the others."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import typer

from asyncmig.cli import failures
from asyncmig.errors import AsyncmigError

if TYPE_CHECKING:
    from asyncmig.cli.output import Console
    from asyncmig.cli.session import Session
    from asyncmig.migrator import Migrator

T = TypeVar("T")

__all__ = ["Answer", "Failure", "ask_each", "finish", "give_data"]


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What one database said; `name` is None where only one is meant."""

    name: str | None
    report: T


@dataclass(frozen=True, slots=True)
class Failure:
    name: str
    error: AsyncmigError


async def ask_each(
    session: Session, question: Callable[[Migrator], Coroutine[Any, Any, T]]
) -> tuple[list[Answer[T]], list[Failure]]:
    """The answers, and who could not answer. Where only one database is meant its error is simply raised."""
    answers: list[Answer[T]] = []
    failed: list[Failure] = []
    for name, migrator in session.each():
        try:
            async with session.connected(migrator):
                answers.append(Answer(name, await question(migrator)))
        except AsyncmigError as error:
            if name is None:
                raise
            failed.append(Failure(name, error))
    return answers, failed


def give_data(console: Console, answers: Sequence[Answer[dict[str, object]]], failed: Sequence[Failure]) -> None:
    """One database's report as the object itself, several under their names."""
    if len(answers) == 1 and answers[0].name is None:
        console.data(lambda: answers[0].report)
        return
    good: dict[str, object] = {str(answer.name): answer.report for answer in answers}
    bad = {one.name: {"error": failures.error_payload(one.error, one.error.exit_code)} for one in failed}
    console.data(lambda: {"databases": {**good, **bad}})


def finish(session: Session, failed: Sequence[Failure]) -> None:
    """Say who failed, and end with the exit code of the first of them."""
    for one in failed:
        failures.say(one.error, session.console, show_traceback=session.options.traceback, about=f"{one.name}: ")
    if failed:
        raise typer.Exit(failed[0].error.exit_code)
