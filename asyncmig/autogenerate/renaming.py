"""From candidates, wishes and answers to the renames of a script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from asyncmig.autogenerate.questions import Questioner, RenameQuestion
from asyncmig.autogenerate.rename_order import rename_operations
from asyncmig.autogenerate.renames import Rename, column_candidates, followers, table_candidates
from asyncmig.autogenerate.value_renames import ValueRename, parse_value_rename, value_candidates
from asyncmig.errors import UsageError
from asyncmig.operations.base import Operation
from asyncmig.operations.recorder import replay
from asyncmig.operations.tables import RenameTable
from asyncmig.schema.model import Ref, Schema

if TYPE_CHECKING:
    import sqlalchemy as sa

    from asyncmig.dialects.normal import Normal

__all__ = ["Renamed", "declared_renames", "parse_rename", "settle_renames"]


@dataclass(frozen=True, slots=True)
class Renamed:
    """`operations` come first in the script, `current` is the schema after them; `open` nobody answered."""

    current: Schema
    operations: tuple[Operation, ...] = ()
    open: tuple[Rename | ValueRename, ...] = ()


def settle_renames(
    current: Schema,
    wanted: Schema,
    normal: Normal,
    said: Sequence[str],
    declared: Sequence[Rename],
    questioner: Questioner,
) -> Renamed:
    """First tables, then columns: a column may have got a new name in a table that has one too. Then values of enums."""
    wishes = list(said)
    tables = _round(current, wanted, wishes, declared, table_candidates(current, wanted, normal), questioner)
    wishes = [_at_new_table(wish, tables.operations) for wish in wishes]
    declared = [*declared, *(_respelled(tables.current, wanted) if normal.folds_names else ())]
    columns = _round(
        tables.current, wanted, wishes, declared, column_candidates(tables.current, wanted, normal), questioner, True
    )
    values = _values(columns.current, wanted, wishes, questioner)
    if wishes:
        raise _not_found(wishes[0], current, wanted)
    operations = (*tables.operations, *columns.operations, *values.operations)
    unanswered = (*tables.open, *columns.open, *values.open)
    if not operations:
        return Renamed(current, (), unanswered)
    touched = [ref for ref in wanted.tables if values.current.tables.get(ref) is not current.tables.get(ref)]
    names = followers(values.current, wanted, touched, normal)
    return Renamed(replay(names, values.current), (*operations, *names), unanswered)


def _at_new_table(wish: str, renames: Iterable[Operation]) -> str:
    """A column may be called by the old name of its table, which is the database's, as well as by the new one."""
    for one in renames:
        if isinstance(one, RenameTable) and wish.startswith(f"{one.ref}."):
            wish = f"{one.new_ref}{wish.removeprefix(str(one.ref))}"
    return wish


def _respelled(current: Schema, wanted: Schema) -> Iterator[Rename]:
    """Columns of which only the case changed: the one cannot be added beside the other, so nobody need be asked."""
    for ref, table in wanted.tables.items():
        known = current.tables.get(ref)
        if known is None or known is table:
            continue
        names = {column.name.lower(): column.name for column in known.columns}
        for column in table.columns:
            old = names.get(column.name.lower(), column.name)
            if old != column.name:
                yield Rename(ref, old, column.name, is_column=True)


def _values(current: Schema, wanted: Schema, wishes: list[str], questioner: Questioner) -> Renamed:
    """The values of enums, where they are types of their own."""
    chosen: list[ValueRename] = []
    for text in list(wishes):
        found = parse_value_rename(text, current, wanted)
        if found is not None:
            wishes.remove(text)
            chosen.append(found)
    taken = {(one.enum, name) for one in chosen for name in (one.old, one.new)}
    unanswered: list[ValueRename] = []
    for candidate in value_candidates(current, wanted):
        if {(candidate.enum, candidate.old), (candidate.enum, candidate.new)} & taken:
            continue
        answer = questioner.confirm(RenameQuestion(candidate))
        if answer:
            chosen.append(candidate)
        elif answer is None:
            unanswered.append(candidate)
    operations = tuple(one.operation for one in chosen)
    return Renamed(replay(operations, current), operations, tuple(unanswered))


def _round(
    current: Schema,
    wanted: Schema,
    wishes: list[str],
    declared: Sequence[Rename],
    candidates: Sequence[Rename],
    questioner: Questioner,
    columns: bool = False,
) -> Renamed:
    said = [*_wished(current, wanted, wishes, columns), *_declared(current, wanted, declared, columns)]
    chosen = list(dict.fromkeys(said))
    taken = {(one.table, name) for one in chosen for name in (one.old, one.new)}
    unanswered: list[Rename] = []
    for candidate in candidates:
        if {(candidate.table, candidate.old), (candidate.table, candidate.new)} & taken or _is_target(
            candidate, chosen
        ):
            continue
        answer = questioner.confirm(RenameQuestion(candidate))
        if answer:
            chosen.append(candidate)
        elif answer is None:
            unanswered.append(candidate)
    operations = tuple(rename_operations(chosen, current))
    return Renamed(replay(operations, current), operations, tuple(unanswered))


def _is_target(candidate: Rename, chosen: Iterable[Rename]) -> bool:
    """Whether a table's new name was given to another one."""
    if candidate.is_column:
        return False
    return any(one.new == candidate.new and one.table.schema == candidate.table.schema for one in chosen)


def _wished(current: Schema, wanted: Schema, wishes: list[str], columns: bool) -> Iterator[Rename]:
    """Those of this round, taken out of `wishes`."""
    for text in list(wishes):
        found = parse_rename(text, current, wanted)
        if found is not None and found.is_column == columns:
            wishes.remove(text)
            yield found


def parse_rename(text: str, current: Schema, wanted: Schema) -> Rename | None:
    """`table:new` or `table.column:new`, with the schema's name in front of a table in another one; None: no such."""
    old, colon, new = text.rpartition(":")
    if not colon or not old or not new:
        raise UsageError(
            f"--rename {text}: not OLD:NEW.",
            hint="For example account.name:full_name, account:customer, account_kind.a:b.",
        )
    for ref in current.tables:
        if str(ref) == old and replace(ref, name=new) in wanted.tables:
            return Rename(ref, ref.name, new)
    table, _, column = old.rpartition(".")
    for ref, value in current.tables.items():
        if str(ref) == table and ref in wanted.tables and any(c.name == column for c in value.columns):
            return Rename(ref, column, new, is_column=True) if _has(wanted, ref, new) else None
    return None


def _has(schema: Schema, ref: Ref, column: str) -> bool:
    table = schema.tables.get(ref)
    return table is not None and any(one.name == column for one in table.columns)


def _not_found(text: str, current: Schema, wanted: Schema) -> UsageError:
    return UsageError(
        f"--rename {text}: nothing of that name is in the database, or nothing of the new name in the models.",
        hint="The old name is the database's, the new one the models': account.name:full_name, account:customer, account_kind.a:b.",
    )


def _declared(current: Schema, wanted: Schema, declared: Sequence[Rename], columns: bool) -> Iterator[Rename]:
    """What the models say; once done, the remark in the model may stay."""
    for one in declared:
        if one.is_column != columns:
            continue
        if columns:
            if _has(current, one.table, one.old) and not _has(current, one.table, one.new):
                yield one
        elif one.table in current.tables and replace(one.table, name=one.new) not in current.tables:
            yield one


def declared_renames(metadatas: Iterable[sa.MetaData]) -> list[Rename]:
    """`info={"renamed_from": "name"}` of tables and columns."""
    found: list[Rename] = []
    for metadata in metadatas:
        for table in metadata.tables.values():
            former = table.info.get("renamed_from")
            if former:
                found.append(Rename(Ref(str(former), table.schema), str(former), table.name))
            found += [
                Rename(Ref(table.name, table.schema), str(column.info["renamed_from"]), column.name, is_column=True)
                for column in table.columns
                if column.info.get("renamed_from")
            ]
    return found
