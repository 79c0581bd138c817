"""revision --autogenerate and the differences of check: options parsed, questions put to the terminal, results shown."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TextIO

import typer

from asyncmig.cli import failures, payloads, report_texts, words
from asyncmig.cli.everywhere import Answer, ask_each, finish, give_data
from asyncmig.cli.prompts import read_answer
from asyncmig.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from asyncmig.autogenerate.questions import DropQuestion, FillQuestion, Questioner, RenameQuestion
    from asyncmig.cli.output import Console
    from asyncmig.cli.session import Session
    from asyncmig.database.differences import AutogenerateReport
    from asyncmig.migrator import Migrator

__all__ = ["AutogenerateOptions", "TerminalQuestioner", "autogenerate"]

NOTHING = "Nothing differs, so nothing was written."


@dataclass(frozen=True, slots=True)
class AutogenerateOptions:
    """What stands on the command line besides what places a revision."""

    renames: tuple[str, ...] = ()
    defaults: tuple[str, ...] = ()
    allow_drops: bool = False
    split: bool = False
    empty_ok: bool = False
    offline: bool = False

    @property
    def given(self) -> tuple[str, ...]:
        """The options that need --autogenerate, as they are typed."""
        typed = {
            "--rename": self.renames,
            "--default": self.defaults,
            "--allow-drops": self.allow_drops,
            "--split": self.split,
            "--empty-ok": self.empty_ok,
            "--offline": self.offline,
        }
        return tuple(name for name, value in typed.items() if value)

    def keywords(self, questioner: Questioner | None) -> dict[str, Any]:
        """What Migrator.autogenerate takes."""
        return {
            "renames": self.renames,
            "defaults": dict(_default(text) for text in self.defaults),
            "allow_drops": self.allow_drops,
            "split": self.split,
            "empty_ok": self.empty_ok,
            "offline": self.offline,
            "questioner": questioner,
        }


def _default(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not equals or "." not in column:
        raise UsageError(f"--default {text}: not TABLE.COLUMN=VALUE.", hint="For example --default account.kind='a'.")
    return column, value


@dataclass(frozen=True, slots=True)
class TerminalQuestioner:
    """Questions stand on stderr, so that stdout holds the result alone."""

    reader: TextIO
    writer: TextIO

    def confirm(self, question: RenameQuestion | DropQuestion) -> bool | None:
        return read_answer(self.reader, self.writer, f"{question.text} [y/N] ").lower() in ("y", "yes")

    def value(self, question: FillQuestion) -> str | None:
        return read_answer(self.reader, self.writer, f"{question.text} ") or None


def questioner_of(session: Session) -> Questioner | None:
    """The terminal, where somebody sits at one; --yes answers none of these questions."""
    if session.options.no_input or not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    return TerminalQuestioner(sys.stdin, sys.stderr)


async def autogenerate(
    session: Session, message: str | None, placing: dict[str, Any], options: AutogenerateOptions
) -> None:
    """Write the scripts of the chosen database, or of each one that has a history of its own."""
    console = session.console
    keywords = {**placing, **options.keywords(questioner_of(session))}

    async def write(migrator: Migrator) -> AutogenerateReport:
        return await migrator.autogenerate(message, **keywords)

    answers, failed = await ask_each(_with_own_scripts(session), write)
    for one in answers:
        _show(console, one)
    give_data(console, [Answer(one.name, _payload(one.report)) for one in answers], failed)
    finish(session, failed)
    if not any(one.report.files for one in answers):
        hint = "--empty-ok writes an empty script."
        failures.say(CheckFailed(NOTHING, hint=hint), console)
        raise typer.Exit(CheckFailed.exit_code)


def _with_own_scripts(session: Session) -> Session:
    """The session; UsageError where several databases share their scripts and none was chosen."""
    migrators = session.each()
    places = {(one.config.script_location, one.config.version_locations) for _, one in migrators}
    if len(migrators) > 1 and len(places) < len(migrators):
        names = [str(name) for name, _ in migrators]
        raise UsageError(
            f"The databases {', '.join(names)} share their scripts, and autogenerate compares with one of them.",
            hint=f"Choose it: -n {names[0]}.",
        )
    return session


def _show(console: Console, answer: Answer[AutogenerateReport]) -> None:
    report = answer.report
    prefix = f"[{answer.name}] " if answer.name else ""
    for line in report_texts.difference_lines(report.differences):
        console.note(f"{prefix}{line}")
    for warning in report.warnings:
        console.warn(f"{prefix}{warning}")
    console.result("\n".join(words.shown_path(path) for path in report.files))


def _payload(report: AutogenerateReport) -> dict[str, object]:
    return payloads.object_payload(replace(report))
