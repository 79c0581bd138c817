"""What of a SQLite schema a change of one table can touch, and what has to be there to make sense of that.

A table tied to another by a foreign key is one step away, and no further: whoever points at the child sees nothing of a
change of the parent. So the answer stays small where all tables of a schema hang together.

SQLite's own ALTER TABLE reads every view and trigger again and stops at one that is broken, wherever it is ("ALTER TABLE",
compatibility): what a script has broken for a while, dropping a view to make it anew, is part of the answer too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from asyncmig.dialects.sqlite_table_text import is_table
from asyncmig.dialects.sqlite_tokens import code_tokens

if TYPE_CHECKING:
    from asyncmig.dialects.sqlite_stored import StoredObject

__all__ = ["neighbours"]

# What SQLite takes for a part of a bare name: IdChar() of its tokenizer.
_WORD = re.compile(r"[A-Za-z0-9_$\x80-\U0010ffff]+")

# Tables that a trigger names, where they are easily seen; no table is called so in what else this finds.
_NAMED = re.compile(
    r"""\b(?:into|from|join|update)\s+["`\[]?(?!(?:of|on|or|set)\b)([A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*)"""
)


def neighbours(table: str, objects: Sequence[StoredObject], texts: Iterable[str] = ()) -> tuple[StoredObject, ...]:
    """The table with all that is built on it, and with what those, or `texts`, mention, in the order of `objects`.

    By words, wherever they stand, so that there may be too many; with fewer a view could look broken that is not.
    """
    schema = _Schema(objects)
    touched = [*schema.touched(table.lower()), *schema.fragile()]
    names = {name for o in touched for name in (o.name.lower(), o.table.lower())}
    own = [o.sql for o in touched if o.type == "trigger" or o.name.lower() == table.lower()]
    names |= {name for text in (*texts, *own) for name in schema.mentioned(text)}
    names = schema.explained(names)
    chosen = {id(o) for o in touched} | {id(o) for name in names for o in schema.whole(name)}
    return tuple(o for o in objects if id(o) in chosen)


class _Schema:
    def __init__(self, objects: Sequence[StoredObject]) -> None:
        self._all = [(o, o.sql.lower()) for o in objects]
        self._relations: dict[str, StoredObject] = {}  # tables and views: nothing else is called by its name
        self._parts: dict[str, list[StoredObject]] = {}  # the indexes and triggers of each
        for o in objects:
            if o.type in ("table", "view"):
                self._relations[o.name.lower()] = o
            else:
                self._parts.setdefault(o.table.lower(), []).append(o)
        self._odd = [name for name in self._relations if not _WORD.fullmatch(name)]

    def touched(self, table: str) -> list[StoredObject]:
        """Itself, its parts, whoever points at it, triggers and views that mention it, and so on from those views."""
        found: dict[int, StoredObject] = {}
        seen, todo = {table}, [table]
        while todo:
            name = todo.pop()
            for o, text in self._all:
                if o.table.lower() != name and not self._uses(o, text, name):
                    continue
                found[id(o)] = o
                if o.type == "view" and o.name.lower() not in seen:
                    seen.add(o.name.lower())
                    todo.append(o.name.lower())
        return list(found.values())

    def fragile(self) -> Iterator[StoredObject]:
        """The views, and the triggers that name something which is not there."""
        for o, text in self._all:
            if o.type == "view" or (o.type == "trigger" and not self._relations.keys() >= set(_NAMED.findall(text))):
                yield o

    def _uses(self, o: StoredObject, text: str, name: str) -> bool:
        if o.type == "index" or not _spelled(name, text) or name not in self.mentioned(o.sql):
            return False
        return o.type != "table" or not is_table(o.sql) or name in _pointed_at(o.sql)

    def mentioned(self, text: str) -> set[str]:
        """The tables and views whose names stand in a text."""
        lowered = text.lower()
        found = {word for word in _WORD.findall(lowered) if word in self._relations}
        return found | {name for name in self._odd if _spelled(name, lowered)}

    def explained(self, names: set[str]) -> set[str]:
        """With all that the views among them are made of."""
        seen, todo = set(names), list(names)
        while todo:
            relation = self._relations.get(todo.pop())
            if relation is None or (relation.type == "table" and is_table(relation.sql)):
                continue
            for o in (relation, *self._parts.get(relation.name.lower(), ())):
                fresh = self.mentioned(o.sql) - seen
                seen |= fresh
                todo += fresh
        return seen

    def whole(self, name: str) -> Iterator[StoredObject]:
        """A table with the indexes that may be the key of another, a view with the triggers that let it be written."""
        relation = self._relations.get(name)
        if relation is not None:
            yield relation
            yield from (o for o in self._parts.get(name, ()) if o.type == "index" or relation.type == "view")


def _pointed_at(sql: str) -> set[str]:
    tokens = code_tokens(sql)
    return {after.name.lower() for token, after in pairwise(tokens) if token.upper == "REFERENCES"}


def _spelled(name: str, text: str) -> bool:
    return name in text or ('"' in name and name.replace('"', '""') in text)
