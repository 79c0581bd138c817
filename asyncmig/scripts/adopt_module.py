"""An env.py as statements: which run migrations, and what is left of the file without them."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

__all__ = ["EnvModule", "KeptBody", "names_in"]

_RUNNING = frozenset({"configure", "run_migrations", "begin_transaction"})
# An import for its side effects (of models, say) is kept; these have none.
_IDLE = frozenset({*sys.stdlib_module_names, "alembic", "sqlalchemy"})


@dataclass(frozen=True, slots=True)
class KeptBody:
    """The text that is left; `first_import` is the index of the line before which an import may stand."""

    lines: tuple[str, ...]
    first_import: int

    def with_import(self, line: str) -> str:
        lines = (*self.lines[: self.first_import], line, *self.lines[self.first_import :])
        text = re.sub(r"\n{3,}(?!(?:async )?def |class |@|#)", "\n\n", "\n".join(lines))
        return re.sub(r"\n{4,}", "\n\n\n", text).strip()


class EnvModule:
    def __init__(self, text: str, tree: ast.Module) -> None:
        self.text = text
        self.lines = text.splitlines()
        top = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        self.runners = _runners(top)
        self.dropped = [node for node in tree.body if self._runs(node) or _configures_logging(node)]
        self.statements = [node for node in tree.body if node not in self.dropped]
        self.names = frozenset(name for node in self.statements for name in _bound(node)) | frozenset(dir(builtins))

    def source(self, node: ast.AST) -> str:
        return ast.get_source_segment(self.text, node) or ast.unparse(node)

    def kept(self, tail: str, lifted: Mapping[str, str]) -> KeptBody:
        """What stays when `tail` and the `lifted` functions are put behind it."""
        after = _words("\n".join((*lifted.values(), tail)))
        idle = [node for node in self.statements if self._is_idle(node, after)]
        used = after | {name for node in self.statements if node not in idle for name in _used_names(node)}
        gone = {index for node in (*self.dropped, *idle) for index in self._range(node, with_comments=True)}
        changed: dict[int, str] = {}
        for node in self.statements:
            text = _import_of_used(node, used) if isinstance(node, ast.Import | ast.ImportFrom) else None
            if text is not None:
                gone.update(self._range(node, with_comments=not text))
                changed[node.lineno - 1] = text
        gone -= {at for at, text in changed.items() if text}
        kept = [changed.get(at, line) for at, line in enumerate(self.lines) if at not in gone]
        return KeptBody(tuple(kept), self._import_at(gone))

    def _is_idle(self, node: ast.stmt, used: set[str]) -> bool:
        """Whether this is `config = context.config` and nothing asks it any more."""
        if not isinstance(node, ast.Assign) or self.source(node.value) != "context.config":
            return False
        others = {word for one in self.statements if one is not node for word in names_in(one)}
        return all(isinstance(target, ast.Name) and target.id not in others for target in node.targets) and not (
            (names_in(node) - {"context"}) & used
        )

    def _runs(self, node: ast.stmt) -> bool:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return node.name in self.runners
        if isinstance(node, ast.ClassDef | ast.Import | ast.ImportFrom):
            return False
        return bool(self.runners.intersection(names_in(node))) or _calls_alembic(node)

    def _range(self, node: ast.stmt, *, with_comments: bool) -> range:
        decorators = getattr(node, "decorator_list", [])
        start = min([node.lineno, *(one.lineno for one in decorators)]) - 1
        while with_comments and start > 0 and self.lines[start - 1].startswith("#"):
            start -= 1
        return range(start, node.end_lineno or node.lineno)

    def _import_at(self, gone: set[int]) -> int:
        """Before the first statement that is neither the docstring nor a __future__ import."""
        for at, node in enumerate(self.statements):
            docstring = at == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if docstring or (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
                continue
            line = self._range(node, with_comments=True).start
            return sum(index not in gone for index in range(line))
        return sum(index not in gone for index in range(len(self.lines)))


def names_in(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _runners(functions: list[ast.FunctionDef | ast.AsyncFunctionDef]) -> frozenset[str]:
    """The functions that run migrations, and those that lead to one."""
    found = {function.name for function in functions if _calls_alembic(function)}
    while True:
        more = {function.name for function in functions if found.intersection(names_in(function))} - found
        if not more:
            return frozenset(found)
        found |= more


def _calls_alembic(node: ast.AST) -> bool:
    return any(
        isinstance(one, ast.Attribute)
        and one.attr in _RUNNING
        and isinstance(one.value, ast.Name | ast.Attribute)
        and (one.value.id if isinstance(one.value, ast.Name) else one.value.attr) == "context"
        for one in ast.walk(node)
    )


def _configures_logging(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Expr | ast.If):
        return False
    calls = [one for one in ast.walk(node) if isinstance(one, ast.Call)]
    own = [one for one in calls if _last_name(one.func) in ("fileConfig", "dictConfig", "basicConfig")]
    # Nothing but the call, and at most the question whether there is a file.
    return bool(own) and (isinstance(node, ast.Expr) or (len(node.body) == 1 and not node.orelse))


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _used_names(node: ast.stmt) -> set[str]:
    return set() if isinstance(node, ast.Import | ast.ImportFrom) else names_in(node)


def _import_of_used(node: ast.Import | ast.ImportFrom, used: set[str]) -> str | None:
    """The import without names that nothing uses; '' when none is left, None when it stays as it is."""
    if isinstance(node, ast.ImportFrom):
        if node.level or (node.module or "").partition(".")[0] not in _IDLE or node.module == "__future__":
            return None
        idle = [one for one in node.names if (one.asname or one.name) not in used]
    else:
        idle = [
            one
            for one in node.names
            if one.name.partition(".")[0] in _IDLE and (one.asname or one.name.partition(".")[0]) not in used
        ]
    if not idle:
        return None
    left = [one for one in node.names if one not in idle]
    if not left:
        return ""
    names = ", ".join(f"{one.name} as {one.asname}" if one.asname else one.name for one in left)
    return f"from {node.module} import {names}" if isinstance(node, ast.ImportFrom) else f"import {names}"


def _words(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", text))


def _bound(node: ast.stmt) -> Iterator[str]:
    """The names that a module-level statement defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            yield one.id
        elif isinstance(one, ast.alias):
            yield (one.asname or one.name).partition(".")[0]
        elif isinstance(one, ast.FunctionDef | ast.ClassDef):
            yield one.name
