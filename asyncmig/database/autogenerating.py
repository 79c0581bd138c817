"""Autogenerate as a whole: read, ask, compare, and make the steps of new scripts. Nothing in the database is changed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from asyncmig.autogenerate.casts import with_casts
from asyncmig.autogenerate.filling import Filling, Gap, fill, gaps
from asyncmig.autogenerate.fresh_values import with_committed_values
from asyncmig.autogenerate.questions import DropQuestion, Lost, NobodyAnswers, Questioner, RenameQuestion, Wishes
from asyncmig.autogenerate.recreated import with_rights_noted
from asyncmig.autogenerate.renamed_back import parted
from asyncmig.autogenerate.renaming import Renamed, declared_renames, settle_renames
from asyncmig.autogenerate.render_context import RenderContext
from asyncmig.autogenerate.script_body import ScriptBody, render_script
from asyncmig.autogenerate.steps import Step, given_back, steps_of, undone
from asyncmig.autogenerate.suspicion import remarks_on_drops
from asyncmig.database.comparison import CompareOptions, Comparison, compare, compare_offline, compare_schemas
from asyncmig.database.counting import gap_rows, lost_rows
from asyncmig.database.driver import driver_of
from asyncmig.database.replaying import history_schema
from asyncmig.database.report import Difference
from asyncmig.database.request import placed
from asyncmig.dialects.normal import normal_for
from asyncmig.dialects.writing import writing_for
from asyncmig.errors import Declined, NotAtHead, UsageError
from asyncmig.operations.base import Operation
from asyncmig.operations.recorder import replay
from asyncmig.revisions.plan import pending
from asyncmig.revisions.target import parse_target
from asyncmig.schema.declared import has_declared
from asyncmig.schema.model import Schema
from asyncmig.scripts.creation import Request, create_revision
from asyncmig.scripts.writer import new_identifier

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from asyncmig.config import Config
    from asyncmig.database.session import Session
    from asyncmig.database.site import Site
    from asyncmig.revisions.graph import RevisionGraph

__all__ = ["Draft", "Found", "differences_of", "draft_of", "find", "write"]


@dataclass(frozen=True, slots=True)
class Found:
    """What differs. `renames` stand among `comparison.operations` and lead to its `current` from `before`."""

    comparison: Comparison
    before: Schema
    renames: tuple[Operation, ...] = ()
    open: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def operations(self) -> tuple[Operation, ...]:
        return (*self.renames, *self.comparison.operations)


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be written: a body for each script. None of them: nothing differs, or a hook wants none."""

    operations: tuple[Operation, ...]
    bodies: tuple[ScriptBody, ...]
    warnings: tuple[str, ...] = ()


async def find(
    site: Site,
    session: Session | None,
    graph: RevisionGraph,
    *,
    wishes: Wishes | None = None,
    questioner: Questioner | None = None,
    offline: bool = False,
    anywhere: bool = False,
) -> Found:
    """The differences between models and database, or with `offline` between models and history.

    `session` None: no database file yet, or `offline`. NotAtHead unless the database is at every head, or `anywhere`;
    UsageError where there are no models to compare.
    """
    search = _Search(site, session, wishes or Wishes(), questioner or NobodyAnswers())
    search.check_models()
    if offline:
        return await search.against_history(graph)
    if not anywhere:
        await _check_place(site, session, graph)
    return await search.against_database()


async def _check_place(site: Site, session: Session | None, graph: RevisionGraph) -> None:
    if session is None:
        missing = tuple(graph)
    else:
        placement = await placed(session, graph)
        placement.refuse_foreign()
        missing = pending(graph, placement.effective)
    if missing:
        revisions = "1 revision" if len(missing) == 1 else f"{len(missing)} revisions"
        raise NotAtHead(
            f"{site.name} is not at head: it lacks {revisions}, and what those do would be written again.",
            pending=missing,
            hint="Run `asyncmig upgrade head` first, or compare with the scripts alone: --offline.",
        )


@dataclass(slots=True)
class _Search:
    site: Site
    session: Session | None
    wishes: Wishes
    questioner: Questioner

    @property
    def metadatas(self) -> tuple[sa.MetaData, ...]:
        return self.site.environment.metadatas

    def check_models(self) -> None:
        if not self.metadatas:
            raise UsageError(
                "There are no models to compare: target_metadata is not set.",
                hint='Set it in env.py (target_metadata=Base.metadata) or in the configuration ("shop.models:Base.metadata").',
            )
        if not any(metadata.tables or metadata._sequences or has_declared(metadata) for metadata in self.metadatas):
            raise UsageError(
                "target_metadata holds no tables, so everything in the database would be dropped.",
                hint="Import the modules that define your models before env.py hands over their metadata.",
            )

    @property
    def options(self) -> CompareOptions:
        environment, config = self.site.environment, self.site.config
        return CompareOptions(
            include_schemas=config.include_schemas,
            include_object=environment.include_object,
            include_name=environment.include_name,
            compare_type=environment.compare_type,
            compare_server_default=environment.compare_server_default,
            compare_objects=frozenset(environment.compare_objects),
            skipped=self.site.ledger_sql.table_names | ({"alembic_version"} - self._named),
        )

    @property
    def _named(self) -> frozenset[str]:
        return frozenset(table.name for metadata in self.metadatas for table in metadata.tables.values())

    async def against_database(self) -> Found:
        if self.session is None:
            found = compare_offline(Schema(), self.metadatas, self.site.offline_dialect().sqlalchemy, self.options)
            return Found(found, Schema())
        connection = self.session.connection
        first = await compare(connection, self.metadatas, self.options)
        renamed = self._renamed(first)
        if not renamed.operations:
            return self._found(first, first.current, renamed)
        again = await compare_schemas(
            connection, renamed.current, first.wanted, self.metadatas, self.options, read=first.current
        )
        return self._found(again, first.current, renamed)

    async def against_history(self, graph: RevisionGraph) -> Found:
        dialect = self.site.offline_dialect()
        current, warnings = history_schema(self.site, graph, dialect)
        first = compare_offline(current, self.metadatas, dialect.sqlalchemy, self.options)
        renamed = self._renamed(first)
        if renamed.operations:
            first = compare_offline(renamed.current, self.metadatas, dialect.sqlalchemy, self.options)
        return replace(self._found(first, current, renamed), warnings=warnings)

    def _renamed(self, found: Comparison) -> Renamed:
        normal = normal_for(self.site.offline_dialect().name)
        declared = declared_renames(self.metadatas)
        return settle_renames(found.current, found.wanted, normal, self.wishes.renames, declared, self.questioner)

    def _found(self, comparison: Comparison, before: Schema, renamed: Renamed) -> Found:
        questions = tuple(RenameQuestion(one).warning for one in renamed.open)
        return Found(comparison, before, renamed.operations, questions)


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
    losses = await _counted(session, lambda sync: lost_rows(operations, driver_of(sync), _dialect(site, session)), ())
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

    filling = Filling(rows, dict(wishes.defaults), questioner, update, wishes.split)
    writing = writing_for(dialect.name)
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
    answer = hook(given) if _wants_one(hook) else _asked_as_alembic(hook, site, given, message)
    if inspect.isawaitable(answer):
        answer = await answer
    result = given if answer is None else list(answer)  # type: ignore[call-overload]
    wrong = next((one for one in result if not isinstance(one, Operation)), None)
    if wrong is not None:
        raise UsageError(f"on_autogenerate gave {type(wrong).__name__}, which is no operation of asyncmig.")
    return result


def _wants_one(hook: Callable[..., object]) -> bool:
    try:
        parameters = inspect.signature(hook).parameters.values()
    except (TypeError, ValueError):
        return True
    return (
        len([p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)])
        <= 1
    )


def _asked_as_alembic(hook: Callable[..., object], site: Site, operations: list[Operation], message: str) -> object:
    """A hook of three parameters is Alembic's: (context, revision, directives), our operations inside."""
    from asyncmig.alembic_names.ops import DowngradeOps, MigrationScript, UpgradeOps

    script = MigrationScript(None, UpgradeOps(operations), DowngradeOps(), message=message)
    directives: list[Any] = [script]
    hook(site.context, (), directives)
    return [one for kept in directives for one in kept.upgrade_ops.ops]


def differences_of(operations: Iterable[Operation]) -> tuple[Difference, ...]:
    """The operations as sentences and data."""
    return tuple(
        Difference(
            one.sign,
            one.describe(),
            "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in type(one).__name__)[1:],
            tuple(sorted(str(ref) for ref in one.touches())),
        )
        for one in operations
    )


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
