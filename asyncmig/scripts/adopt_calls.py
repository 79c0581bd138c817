"""What env.py's running functions tell Alembic, as expressions that can stand at the end of a module."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator
from dataclasses import dataclass
from textwrap import dedent

from asyncmig.scripts.adopt_module import EnvModule, names_in

__all__ = ["RunnerCalls", "Value"]

_URL = "sqlalchemy.url"
_MAKE_ENGINE = ("create_engine", "create_async_engine")


@dataclass(frozen=True, slots=True)
class Value:
    """`text` is None for what only means something inside its function; `constant` is set for a plain string."""

    written: str
    text: str | None
    constant: str | None = None


class RunnerCalls:
    """`loop_name` is the variable that stands for the database where env.py goes through several, else None.

    `lifted` are functions that were defined inside a runner, and must be put in front of the Environment.
    """

    def __init__(self, module: EnvModule, loop_name: str | None) -> None:
        self.module = module
        self.lifted: dict[str, str] = {}
        self.unknown_url: str | None = None
        self._scopes = [node for node in module.dropped if not isinstance(node, ast.Import | ast.ImportFrom)]
        # The first loop goes through the databases' names; later ones may go through what belongs to them.
        self.loop_name = next(_loop_names(self._scopes), loop_name) if loop_name else None

    def configured(self, unread: Container[str] = ()) -> dict[str, Value]:
        """The keywords of context.configure; those of a call with a connection count before those of --sql.

        Of `unread` keywords only what is written is given.
        """
        calls = sorted(self._calls("configure"), key=lambda found: not _has_keyword(found[1], "connection"))
        values: dict[str, Value] = {}
        for scope, call in calls:
            for keyword in call.keywords:
                if keyword.arg is not None and keyword.arg not in values:
                    known = Value(self.module.source(keyword.value), None) if keyword.arg in unread else None
                    values[keyword.arg] = known or self._value(keyword.value, scope)
        return values

    def unpacked(self) -> list[str]:
        """The `**keywords` given to context.configure."""
        found = (
            f"**{self.module.source(k.value)}"
            for _, call in self._calls("configure")
            for k in call.keywords
            if k.arg is None
        )
        return list(dict.fromkeys(found))

    def script_arguments(self) -> dict[str, str]:
        """What context.run_migrations passes on to the scripts' functions."""
        return {
            keyword.arg: value.text
            for scope, call in self._calls("run_migrations")
            for keyword in call.keywords
            if keyword.arg is not None and (value := self._value(keyword.value, scope)).text is not None
        }

    def url(self) -> str | None:
        """env.py's own logic for the URL; None where it is only what alembic.ini says."""
        for scope, expression in self._url_expressions():
            if self._is_from_ini(expression, scope):
                continue
            value = self._value(expression, scope)
            if value.text is not None:
                return _called(value.text)
            # Several databases have their URLs in sections of their own.
            if self.loop_name is None:
                self.unknown_url = self.unknown_url or value.written
        if any(self._sets_url(node) for node in self.module.statements):
            self.unknown_url = None
            return f'config.get_main_option("{_URL}")'
        return None

    # Looking for calls

    def _calls(self, name: str) -> Iterator[tuple[ast.stmt, ast.Call]]:
        for scope in self._scopes:
            for node in ast.walk(scope):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
                    yield scope, node

    def _url_expressions(self) -> Iterator[tuple[ast.stmt, ast.expr]]:
        """Where a runner names the database: online first, then what --sql uses."""
        for scope in self._scopes:
            for node in ast.walk(scope):
                match node:
                    case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=key))], value=value) if key == _URL:
                        yield scope, value
                    case ast.Call(
                        func=ast.Attribute(attr="set_main_option"), args=[ast.Constant(value=key), value]
                    ) if key == _URL:
                        yield scope, value
                    case ast.Call(func=ast.Name(id=name), args=[value, *_]) if name in _MAKE_ENGINE:
                        yield scope, value
                    case ast.Call(func=ast.Name(id=name), keywords=keywords) if name.endswith("engine_from_config"):
                        yield from ((scope, k.value) for k in keywords if k.arg == "url")
        for scope, call in self._calls("configure"):
            yield from ((scope, keyword.value) for keyword in call.keywords if keyword.arg == "url")

    def _sets_url(self, node: ast.stmt) -> bool:
        return any(
            isinstance(one, ast.Call)
            and isinstance(one.func, ast.Attribute)
            and one.func.attr in ("set_main_option", "set_section_option")
            and any(isinstance(argument, ast.Constant) and argument.value == _URL for argument in one.args)
            for one in ast.walk(node)
        )

    def _is_from_ini(self, expression: ast.expr, scope: ast.stmt) -> bool:
        resolved = self._inlined(expression, scope)
        return (
            isinstance(resolved, ast.Call)
            and isinstance(resolved.func, ast.Attribute)
            and resolved.func.attr in ("get_main_option", "get_section_option")
            and any(isinstance(argument, ast.Constant) and argument.value == _URL for argument in resolved.args)
        )

    # What an expression means outside its function

    def _value(self, expression: ast.expr, scope: ast.stmt) -> Value:
        written = self.module.source(expression)
        resolved = self._inlined(expression, scope)
        text = written if resolved is expression else ast.unparse(resolved)
        free = _free_names(resolved) - self.module.names
        for name in sorted(free):
            if not self._lift(name, scope):
                return Value(written, text if free == {self.loop_name} else None)
        constant = resolved.value if isinstance(resolved, ast.Constant) and isinstance(resolved.value, str) else None
        return Value(written, text, constant)

    def _inlined(self, expression: ast.expr, scope: ast.stmt) -> ast.expr:
        """A local variable that is assigned once, replaced by what it is."""
        if not isinstance(expression, ast.Name) or expression.id in self.module.names:
            return expression
        assigned = [
            node.value
            for node in ast.walk(scope)
            if isinstance(node, ast.Assign | ast.AnnAssign)
            and node.value is not None
            and any(isinstance(one, ast.Name) and one.id == expression.id for one in _targets(node))
        ]
        return assigned[0] if len(assigned) == 1 else expression

    def _lift(self, name: str, scope: ast.stmt) -> bool:
        """Move a function that is defined inside the runner out of it, where it needs nothing of the runner."""
        if name in self.lifted:
            return True
        function = next(
            (
                node
                for node in ast.walk(scope)
                if isinstance(node, ast.FunctionDef) and node.name == name and node is not scope
            ),
            None,
        )
        if function is None or _free_names(function) - self.module.names - {name}:
            return False
        first = min([function.lineno, *(one.lineno for one in function.decorator_list)])
        lines = self.module.lines[first - 1 : function.end_lineno]
        self.lifted[name] = dedent("\n".join(lines))
        return True


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _has_keyword(call: ast.Call, name: str) -> bool:
    return any(keyword.arg == name for keyword in call.keywords)


def _loop_names(scopes: list[ast.stmt]) -> Iterator[str]:
    for scope in scopes:
        for node in ast.walk(scope):
            if isinstance(node, ast.For):
                target = node.target.elts[0] if isinstance(node.target, ast.Tuple) else node.target
                if isinstance(target, ast.Name):
                    yield target.id


def _free_names(node: ast.AST) -> set[str]:
    """The names that the node needs from outside; what it binds itself (parameters, comprehensions) is not among them."""
    own = {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)}
    own |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)}
    return names_in(node) - own


def _called(text: str) -> str:
    """`get_url()` as the function get_url: asked only when a database is needed."""
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError:
        return text
    match node:
        case ast.Call(func=ast.Name(id=name), args=[], keywords=[]) if name != "str":
            return name
        case ast.Call():
            return f"lambda: {text}"
        case _:
            return text
