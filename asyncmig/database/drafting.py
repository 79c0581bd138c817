"""From what differs to new scripts: hooks and questions first, then the steps, their text and the files."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from asyncmig.autogenerate.casts import with_casts
from asyncmig.autogenerate.filling import Filling, Gap, fill, gaps
from asyncmig.autogenerate.fresh_values import with_committed_values
from asyncmig.autogenerate.questions import DropQuestion, Lost, NobodyAnswers, Questioner, Wishes
from asyncmig.autogenerate.recreated import with_rights_noted
from asyncmig.autogenerate.renamed_back import parted
from asyncmig.autogenerate.render_context import RenderContext
from asyncmig.autogenerate.script_body import ScriptBody, render_script
from asyncmig.autogenerate.steps import Step, given_back, steps_of, undone, without_remade
from asyncmig.autogenerate.suspicion import remarks_on_drops
from asyncmig.database.counting import gap_rows, lost_rows
from asyncmig.database.driver import driver_of
from asyncmig.dialects.writing import writing_for
from asyncmig.errors import Declined, UsageError
from asyncmig.operations.base import Operation
from asyncmig.operations.recorder import replay
from asyncmig.revisions.target import parse_target
from asyncmig.schema.model import Schema
from asyncmig.scripts.creation import Request, create_revision
from asyncmig.scripts.writer import new_identifier

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from asyncmig.config import Config
    from asyncmig.database.session import Session
    from asyncmig.database.site import Site

from asyncmig.database.finding import Found

__all__ = ["Draft", "draft_of", "write"]

_ALEMBICS = 3  # process_revision_directives(context, revision, directives)


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be written: a body for each script. None of them: nothing differs, or a hook wants none."""

    operations: tuple[Operation, ...]
    bodies: tuple[ScriptBody, ...]
    warnings: tuple[str, ...] = ()


async def draft_of(
    site: Site,
    session: Session | None,
    found: Found,
    *,
    wishes: Wishes | None = None,
    questioner: Questioner | None = None,
    message: str = "",
) -> Draft:
    """The scripts for what was found. Declined where rows would be dropped and nobody allowed it."""
    wishes, questioner = wishes or Wishes(), questioner or NobodyAnswers()
    operations = await _hooked(site, found.operations, message)
    warnings = [*found.warnings, *found.open, *(f"Not certain: {one}." for one in found.comparison.uncertain)]
    if not operations:
        return Draft((), (), tuple(warnings))
    remarks = remarks_on_drops(operations, found.before, site.config.prepend_sys_path)
    going = without_remade(operations)
    losses = await _counted(session, lambda sync: lost_rows(going, driver_of(sync), _dialect(site, session)), ())
    _allow(losses, [*found.open, *remarks], wishes, questioner)
    warnings += remarks
    wanted = gaps(operations, found.before)
    rows = await _counted(session, lambda sync: gap_rows(wanted, driver_of(sync), _dialect(site, session)), {})
    steps = _steps(site, found, operations, rows or dict.fromkeys(wanted, 0), wishes, questioner)
    back = _way_back(found) if tuple(operations) == found.operations else None
    bodies = tuple(_bodies(site, found.before, steps, back, split=wishes.split))
    return Draft(tuple(operations), bodies, tuple(warnings))


async def _counted(session: Session | None, count: Callable[[sa.Connection], Any], nothing: Any) -> Any:
    return nothing if session is None else await session.connection.run_sync(count)


def _dialect(site: Site, session: Session | None) -> Any:
    return site.offline_dialect() if session is None else session.dialect


def _allow(losses: Sequence[Lost], remarks: Sequence[str], wishes: Wishes, questioner: Questioner) -> None:
    """Go on where nothing is lost, or somebody said yes."""
    lost = tuple(one for one in losses if one.rows != 0)
    if not lost or wishes.allow_drops:
        return
    question = DropQuestion(lost, tuple(remarks))
    answer = questioner.confirm(question)
    if answer is None:
        raise Declined(
            f"{question.text} Nobody was asked: nothing was written.",
            hint="Answer with --allow-drops, or with --rename OLD:NEW where something only got a new name.",
        )
    if not answer:
        raise Declined("Not confirmed: nothing was written.", hint="--rename OLD:NEW keeps what only got a new name.")


def _steps(
    site: Site,
    found: Found,
    operations: Sequence[Operation],
    rows: dict[Gap, int],
    wishes: Wishes,
    questioner: Questioner,
) -> list[Step]:
    dialect = site.offline_dialect()

    def update(gap: Gap, value: str) -> str:
        column = dialect.quote(gap.column)
        return f"UPDATE {dialect.qualify(gap.table)} SET {column} = {value} WHERE {column} IS NULL"

    writing = writing_for(dialect.name)
    filling = Filling(rows, dict(wishes.defaults), questioner, update, wishes.split, writing.row_number)
    steps = with_casts(fill(with_rights_noted(steps_of(operations), writing), filling), writing)
    remarks = [Step(None, (one,)) for one in found.open]
    return with_committed_values([*remarks, *steps])


def _way_back(found: Found) -> list[Step]:
    """The difference the other way round, and the former names."""
    back = found.comparison.back
    if not found.renames:
        return list(given_back(back))
    first, then = parted(back, found.renames)
    renames = [Step(one) for one in found.renames]
    return [*given_back(first), *undone(renames, found.before), *given_back(then)]


def _bodies(
    site: Site, before: Schema, steps: Sequence[Step], back: list[Step] | None, *, split: bool
) -> Iterable[ScriptBody]:
    """One script, or with `split` one for each stretch of steps that change rows or the schema.

    `back` is the way back of them all, None where only undoing each step by itself gives one.
    """
    writing = writing_for(site.offline_dialect().name)
    state = before
    parts = _parts(steps) if split else [list(steps)]
    for part in parts:
        settings = site.settings(site.offline_dialect())
        context = RenderContext(
            writing.name,
            writing.enum_types,
            writing.batches,
            settings.naming_convention,
            site.environment.render_item,
            site.environment.target_metadata,
            settings.context.opts,
        )
        whole = back if len(parts) == 1 else None
        down = with_casts(undone(part, state) if whole is None else whole, writing)
        yield render_script(part, down, context)
        state = replay((step.operation for step in part if step.operation is not None), state)


def _parts(steps: Sequence[Step]) -> list[list[Step]]:
    parts: list[list[Step]] = []
    for step in steps:
        if not parts or parts[-1][-1].data != step.data:
            parts.append([])
        parts[-1].append(step)
    return parts


async def _hooked(site: Site, operations: Sequence[Operation], message: str) -> list[Operation]:
    """What env.py's on_autogenerate makes of the operations; it may change the list, return one, or await."""
    hook = site.environment.on_autogenerate
    if hook is None:
        return list(operations)
    given = list(operations)
    number = _parameters(hook)
    if number not in (1, _ALEMBICS):
        raise UsageError(
            f"on_autogenerate takes the list of operations, or as with Alembic context, revision and directives; "
            f"this one takes {number}.",
            hint="See its page in docs/environment.md.",
        )
    answer = hook(given) if number == 1 else _asked_as_alembic(hook, site, given, message)
    if inspect.isawaitable(answer):
        answer = await answer
    result = given if answer is None else list(answer)  # type: ignore[call-overload]
    wrong = next((one for one in result if not isinstance(one, Operation)), None)
    if wrong is not None:
        raise UsageError(f"on_autogenerate gave {type(wrong).__name__}, which is no operation of asyncmig.")
    return result


def _parameters(hook: Callable[..., object]) -> int:
    """How many positional parameters it has to be given; 1 where it may be called with one, or does not say."""
    try:
        parameters = inspect.signature(hook).parameters.values()
    except (TypeError, ValueError):
        return 1
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)]
    needed = len([p for p in places if p.default is p.empty and p.kind is not p.VAR_POSITIONAL])
    return 1 if needed == 0 and places else needed


def _asked_as_alembic(hook: Callable[..., object], site: Site, operations: list[Operation], message: str) -> object:
    """A hook of three parameters is Alembic's: (context, revision, directives), our operations inside."""
    from asyncmig.alembic_names.ops import DowngradeOps, MigrationScript, UpgradeOps

    script = MigrationScript(None, UpgradeOps(operations), DowngradeOps(), message=message)
    directives: list[Any] = [script]
    hook(site.context, (), directives)
    return [one for kept in directives for one in kept.upgrade_ops.ops]


def write(config: Config, request: Request, draft: Draft, *, empty_ok: bool = False) -> tuple[Path, ...]:
    """A script for each body, each following the one before; an empty one where nothing differs and `empty_ok`."""
    if not draft.bodies:
        return (create_revision(config, request),) if empty_ok else ()
    files: list[Path] = []
    for body in draft.bodies:
        name = request.rev_id or new_identifier()
        files.append(
            create_revision(
                config,
                replace(request, rev_id=name, imports=body.imports, upgrades=body.upgrades, downgrades=body.downgrades),
            )
        )
        request = replace(request, rev_id=None, heads=(parse_target(name),), branch_labels=(), depends_on=())
    return tuple(files)
