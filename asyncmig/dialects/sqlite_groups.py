"""Edits in the groups that they can be carried out in together, one rebuild a group at most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace

from asyncmig.dialects.sqlite_edits import (
    AddColumn,
    AddConstraint,
    DropColumn,
    Edit,
    RenameColumn,
    RenameTable,
    SetCollation,
    SetDefault,
    SetGenerated,
    SetNullable,
    SetType,
)
from asyncmig.dialects.sqlite_table_text import parse_column
from asyncmig.dialects.sqlite_tokens import code_tokens

__all__ = ["Group", "grouped", "made_anew"]

_ABOUT_ONE = (SetType, SetNullable, SetDefault, SetCollation, SetGenerated)

Group = RenameColumn | RenameTable | tuple[Edit, ...]


def grouped(edits: Iterable[Edit]) -> Iterator[Group]:
    """Renames by themselves, as early as can be, so that what stands around them stays together.

    A group never drops a column and adds another of that name, nor changes what a column of its own starts with:
    a copy finds its columns by name, and fills a new one with its last default.
    """
    group: list[Edit] = []
    for edit in _renames_first(list(edits)):
        if isinstance(edit, RenameColumn | RenameTable):
            if group:
                yield tuple(group)
                group = []
            yield edit
            continue
        if group and _conflicts(group, edit):
            yield tuple(group)
            group = []
        group.append(edit)
    if group:
        yield tuple(group)


def _renames_first(edits: list[Edit]) -> list[Edit]:
    leading: list[Edit] = []
    rest: list[Edit] = []
    for edit in edits:
        if isinstance(edit, RenameColumn) and not any(_stops(earlier, edit) for earlier in rest):
            leading.append(edit)
            rest = [_renamed(earlier, edit) for earlier in rest]
        else:
            rest.append(edit)
    return [*leading, *rest]


def _stops(earlier: Edit, rename: RenameColumn) -> bool:
    """Whether a rename cannot go before an edit: anything in it but the column that it is about says either name."""
    if isinstance(earlier, RenameColumn | RenameTable):
        return True
    about = "column" if isinstance(earlier, _ABOUT_ONE) else ""
    if isinstance(earlier, _ABOUT_ONE) and earlier.column.lower() == rename.new_name.lower():
        return True
    values = (getattr(earlier, field.name) for field in fields(earlier) if field.name != about)
    return any(_says(text, rename) for value in values for text in _texts(value))


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(map(str, value)) if isinstance(value, tuple) else ()


def _says(text: str, rename: RenameColumn) -> bool:
    names = {rename.name.lower(), rename.new_name.lower()}
    return text.lower() in names or any(token.name.lower() in names for token in code_tokens(text))


def _renamed(edit: Edit, rename: RenameColumn) -> Edit:
    if isinstance(edit, _ABOUT_ONE) and edit.column.lower() == rename.name.lower():
        return replace(edit, column=rename.new_name)
    return edit


def _conflicts(group: Sequence[Edit], edit: Edit) -> bool:
    if isinstance(edit, SetDefault | SetGenerated):
        return any(isinstance(e, AddColumn) and _name(e) == edit.column.lower() for e in group)
    if isinstance(edit, AddColumn):
        return any(isinstance(e, DropColumn) and e.name.lower() == _name(edit) for e in group)
    if isinstance(edit, SetType) and edit.using:
        # The expression is about the columns as they are before it.
        return any(isinstance(e, AddColumn | SetGenerated | AddConstraint) for e in group)
    return False


def _name(edit: AddColumn) -> str:
    return parse_column(edit.text).name.lower()


def made_anew(edits: Iterable[Edit]) -> set[str]:
    """The columns that are dropped and then added again."""
    gone: set[str] = set()
    again: set[str] = set()
    for edit in edits:
        if isinstance(edit, DropColumn):
            gone.add(edit.name.lower())
        elif isinstance(edit, AddColumn):
            again |= gone & {parse_column(edit.text).name.lower()}
    return again
