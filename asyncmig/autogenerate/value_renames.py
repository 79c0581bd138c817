"""Which value that an enum loses may be one that it gets, under a new name.

A candidate stands at the same place: between the same neighbours as many values went as came. They pair off in order.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from asyncmig.operations.base import Operation
from asyncmig.operations.enums import RenameEnumValue
from asyncmig.schema.model import EnumType, Ref, Schema

__all__ = ["ValueRename", "parse_value_rename", "value_candidates"]

_PLAIN = re.compile(r"[\w-]+")
_QUOTED = re.compile(r"(?P<enum>.+)\.'(?P<old>(?:[^']|'')*)':'(?P<new>(?:[^']|'')*)'")


@dataclass(frozen=True, slots=True)
class ValueRename:
    enum: Ref
    old: str
    new: str

    @property
    def operation(self) -> Operation:
        return RenameEnumValue(self.enum, self.old, self.new)

    @property
    def flag(self) -> str:
        """As --rename takes it: `account_kind.a:b`, with quotes around values that are more than a word."""
        if _PLAIN.fullmatch(self.old) and _PLAIN.fullmatch(self.new):
            return f"{self.enum}.{self.old}:{self.new}"
        return shlex.quote(f"{self.enum}.{_quoted(self.old)}:{_quoted(self.new)}")

    @property
    def sentence(self) -> str:
        return f"{self.enum} {_quoted(self.old)} renamed to {_quoted(self.new)}"

    @property
    def otherwise(self) -> str:
        """What happens to the rows without it."""
        return "the step fails where rows hold the value"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def value_candidates(current: Schema, wanted: Schema) -> list[ValueRename]:
    return [
        ValueRename(ref, old, new)
        for ref, enum in wanted.enums.items()
        if ref in current.enums and current.enums[ref].values != enum.values
        for old, new in _pairs(current.enums[ref], enum)
    ]


def _pairs(current: EnumType, wanted: EnumType) -> Iterator[tuple[str, str]]:
    matcher = SequenceMatcher(None, current.values, wanted.values, autojunk=False)
    for kind, start, end, other_start, other_end in matcher.get_opcodes():
        if kind != "replace" or end - start != other_end - other_start:
            continue
        for old, new in zip(current.values[start:end], wanted.values[other_start:other_end], strict=True):
            if old not in wanted.values and new not in current.values:  # else one of them was only moved
                yield old, new


def parse_value_rename(text: str, current: Schema, wanted: Schema) -> ValueRename | None:
    """`enum.old:new` or `enum.'old':'new'`, with the schema's name in front of an enum in another one; None: no such."""
    quoted = _QUOTED.fullmatch(text)
    for ref, enum in current.enums.items():
        if ref not in wanted.enums:
            continue
        for new in wanted.enums[ref].values:
            if quoted is not None:
                old = _bare(quoted["old"])
                found = quoted["enum"] == str(ref) and _bare(quoted["new"]) == new
            else:
                old = text.removeprefix(f"{ref}.").removesuffix(f":{new}")
                found = text == f"{ref}.{old}:{new}"
            if found and old in enum.values and new not in enum.values:
                return ValueRename(ref, old, new)
    return None


def _bare(text: str) -> str:
    return text.replace("''", "'")
