"""What a script is rendered for, and what renderers note on the way: imports, and things that cannot be written."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from asyncmig.autogenerate.render_code import Atom, Node, call, string
from asyncmig.errors import OperationError
from asyncmig.schema.spelling import spelling_dialect

__all__ = ["AutogenContext", "Imports", "RenderContext", "RenderItem", "Unrenderable", "identifier"]

RenderItem = Callable[[str, Any, Any], "str | bool"]
"""Alembic's render_item(type_, obj, autogen_context): Python, or False for the usual way."""


class Unrenderable(OperationError):
    """Something that no script can say: a type without an address, a value without a literal."""


_TAKEN = frozenset({"sa", "op", "revision", "down_revision", "branch_labels", "depends_on", "upgrade", "downgrade"})
_MODULE = re.compile(r"\s*(?:from|import)\s+(?P<module>[\w.]+)")
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(slots=True)
class Imports:
    """The names that a script needs beside `sa` and `op`, each under a local name of its own."""

    _names: dict[tuple[str, str], str] = field(default_factory=dict)
    lines: set[str] = field(default_factory=set)  # whole lines that hooks asked for

    def name(self, module: str, name: str) -> str:
        """The local name of `module.name`, which is imported from now on."""
        known = self._names.get((module, name))
        if known is None:
            used = _TAKEN | set(self._names.values())
            known = next(n for n in (name, *(f"{name}_{i}" for i in range(2, 1000))) if n not in used)
            self._names[(module, name)] = known
        return known

    def text(self) -> str:
        """Import lines in the order of isort, those of the application in a block of their own."""
        found = [(module, _line(module, name, local)) for (module, name), local in self._names.items()]
        found += [(_module_of(line), line) for line in self.lines]
        blocks = [[one for one in found if _is_application(one[0]) is own] for own in (False, True)]
        return "\n\n".join("\n".join(_merged(block)) for block in blocks if block)


@dataclass(slots=True)
class AutogenContext:
    """What render_item is told: Alembic's attributes as far as they mean something here."""

    imports: set[str]
    dialect: Any = None
    metadata: Any = None
    opts: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    connection: None = None
    migration_context: None = None


@dataclass(slots=True)
class RenderContext:
    """`dialect` is the database that the script is for; `convention` the naming convention under which it will run.

    `enum_types`: enums are types of their own there. `batches`: a table may have to be made again for a change, so
    that several changes of one are worth a batch.
    """

    dialect: str
    enum_types: bool = True
    batches: bool = False
    convention: Mapping[str, Any] | None = None
    render_item: RenderItem | None = None
    metadata: Any = None
    opts: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    imports: Imports = field(default_factory=Imports)

    def custom(self, kind: str, item: Any) -> Node | None:
        """What the project's render_item makes of an object; None where it has nothing to say."""
        if self.render_item is None:
            return None
        context = AutogenContext(self.imports.lines, spelling_dialect(self.dialect), self.metadata, self.opts)
        answer = self.render_item(kind, item, context)
        return Atom(answer) if isinstance(answer, str) else None

    def name(self, name: str | None, kind: str) -> Node | None:
        """A constraint's or an index's name: as op.f() where a naming convention made it, or would change it."""
        if name is None:
            return None
        from sqlalchemy.sql.elements import conv

        if isinstance(name, conv) or self._is_renamed(kind):
            return call("op.f", string(name))
        return identifier(name)

    def _is_renamed(self, kind: str) -> bool:
        pattern = (self.convention or {}).get(kind)
        return isinstance(pattern, str) and "%(constraint_name)s" in pattern


def identifier(name: str) -> Node:
    """A name; one that is never to be quoted says so."""
    if getattr(name, "quote", None) is False and name != name.lower():
        return call("sa.quoted_name", string(name), Atom("False"))
    return string(name)


def _line(module: str, name: str, local: str) -> str:
    return f"from {module} import {name}" + (f" as {local}" if local != name else "")


def _module_of(line: str) -> str:
    found = _MODULE.match(line)
    return found["module"] if found else ""


def _merged(found: list[tuple[str, str]]) -> list[str]:
    """`from` imports of one module in one line, as isort has them; plain imports first."""
    plain = sorted({line for _, line in found if not line.lstrip().startswith("from ")})
    names: dict[str, set[str]] = {}
    for module, line in found:
        if line.lstrip().startswith("from "):
            names.setdefault(module, set()).update(part.strip() for part in line.partition(" import ")[2].split(","))
    return [*plain, *(f"from {module} import {_listed(names[module])}" for module in sorted(names))]


def _listed(names: set[str]) -> str:
    """Constants, classes, then the rest, as isort sorts them; aliased ones in place."""
    return ", ".join(sorted(names, key=lambda name: (not name.isupper(), not name[:1].isupper(), name)))


def _is_application(module: str) -> bool:
    """Whether a module is the project's own: neither installed nor Python's."""
    root = module.partition(".")[0]
    if root in sys.stdlib_module_names:
        return False
    found = sys.modules.get(module) or sys.modules.get(root)
    path = getattr(found, "__file__", None)
    return path is not None and not re.search(r"[/\\](?:site|dist)-packages[/\\]", path)
