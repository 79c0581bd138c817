"""The renames of a script in an order that runs: a name is free before another thing gets it.

Where names go round, as two that are exchanged do, one thing steps aside under a name of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from asyncmig.autogenerate.renames import Rename
from asyncmig.errors import UsageError
from asyncmig.operations.base import Operation
from asyncmig.schema.model import Schema

__all__ = ["rename_operations"]

_ASIDE = "_renamed"


def rename_operations(renames: Sequence[Rename], current: Schema) -> list[Operation]:
    """UsageError where a new name is that of something that has no new name itself: it would be in the way."""
    names = {_scope(one): set(_names(one, current)) for one in renames}
    left = list(renames)
    found: list[Operation] = []
    while left:
        one = next((one for one in left if one.new not in names[_scope(one)]), None)
        if one is not None:
            left.remove(one)
        else:
            first = left.pop(0)
            _check_goes_on(first, left)
            one = replace(first, new=_free(first, names[_scope(first)]))
            left.insert(0, _under(first, one.new))
        names[_scope(one)] -= {one.old}
        names[_scope(one)] |= {one.new}
        found.append(one.operation)
    return found


def _scope(rename: Rename) -> object:
    """Where the name must be the only one: a table's columns, or a schema's tables."""
    return rename.table if rename.is_column else rename.table.schema


def _names(rename: Rename, current: Schema) -> Iterable[str]:
    if rename.is_column:
        return [column.name for column in current.tables[rename.table].columns]
    return [ref.name for ref in current.tables if ref.schema == rename.table.schema]


def _check_goes_on(rename: Rename, others: Iterable[Rename]) -> None:
    if not any(_scope(one) == _scope(rename) and one.old == rename.new for one in others):
        raise UsageError(
            f"--rename {rename.flag}: {rename.new} is in the database already, and has no new name itself.",
            hint="Give it one with another --rename, or drop it in a revision before this one.",
        )


def _free(rename: Rename, taken: set[str]) -> str:
    name = f"{rename.old}{_ASIDE}"
    while name in taken:
        name += "_"
    return name


def _under(rename: Rename, name: str) -> Rename:
    """The rename that goes on from the name that was only for a while."""
    table = rename.table if rename.is_column else replace(rename.table, name=name)
    return replace(rename, table=table, old=name)
