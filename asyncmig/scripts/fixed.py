"""Whether a script does the same on every database, told from its text: then what it does can be known before it is done."""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["fixed_functions"]

_DIRECTIVES = frozenset(
    {
        "add_column",
        "alter_column",
        "create_check_constraint",
        "create_exclude_constraint",
        "create_foreign_key",
        "create_index",
        "create_primary_key",
        "create_table",
        "create_table_comment",
        "create_unique_constraint",
        "drop_column",
        "drop_constraint",
        "drop_index",
        "drop_table",
        "drop_table_comment",
        "rename_column",
        "rename_constraint",
        "rename_index",
        "rename_table",
    }
)
_HEADER = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef)


def fixed_functions(tree: ast.Module) -> frozenset[str]:
    """The functions of a script that are nothing but `op` directives on values which its text spells out.

    Those are literals and what SQLAlchemy makes of literals: `sa.Column("id", sa.Integer)`. A condition, a loop, a
    call of anything else, a name that is not imported from SQLAlchemy: then it may depend on where and when it runs.
    """
    body = tree.body
    if not all(_is_header(node) for node in body):
        return frozenset()
    bound = list(_bound(body))
    counts = Counter(name for name, _ in bound)
    trusted = {name for name, whence in bound if whence == "sqlalchemy"}
    ops = {name for name, whence in bound if whence == "op"}
    if any(counts[name] > 1 for name in trusted | ops):
        return frozenset()
    return frozenset(
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef)
        and counts[node.name] == 1
        and not (node.decorator_list or _has_parameters(node.args))
        and all(_is_directive(line, ops, trusted) for line in node.body)
    )


def _is_header(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=targets, value=value):
            return all(isinstance(target, ast.Name) for target in targets) and _is_value(
                value, frozenset(), frozenset()
            )
        case ast.AnnAssign(target=ast.Name(), value=value):
            return value is None or _is_value(value, frozenset(), frozenset())
        case _:
            return isinstance(node, _HEADER)


def _has_parameters(arguments: ast.arguments) -> bool:
    return bool(arguments.posonlyargs or arguments.args or arguments.vararg or arguments.kwonlyargs or arguments.kwarg)


def _bound(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Each name that the module binds, with "op", "sqlalchemy" or "" for where it comes from."""
    for node in body:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    root = alias.name.partition(".")[0]
                    known = root == "sqlalchemy" and (alias.asname is not None or alias.name == root)
                    yield alias.asname or root, root if known else ""
            case ast.ImportFrom(module=module, names=names, level=level):
                for alias in names:
                    yield alias.asname or alias.name, "" if level else _whence(module or "", alias.name)
            case ast.Assign(targets=targets):
                yield from ((target.id, "") for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name, ""
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, ""
            case _:
                pass


def _whence(module: str, name: str) -> str:
    if module in ("asyncmig", "alembic") and name == "op":
        return "op"
    return "sqlalchemy" if module.partition(".")[0] == "sqlalchemy" and name != "*" else ""


def _is_directive(node: ast.stmt, ops: set[str], trusted: set[str]) -> bool:
    match node:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) as call):
            return name in ops and attr in _DIRECTIVES and _are_values(call, ops, trusted)
        case _:
            return False


def _are_values(call: ast.Call, ops: set[str] | frozenset[str], trusted: set[str] | frozenset[str]) -> bool:
    return all(_is_value(value, ops, trusted) for value in (*call.args, *(word.value for word in call.keywords)))


def _is_value(node: ast.expr | None, ops: set[str] | frozenset[str], trusted: set[str] | frozenset[str]) -> bool:
    match node:
        case None | ast.Constant():
            return True
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return all(_is_value(item, ops, trusted) for item in items)
        case ast.Dict(keys=keys, values=values):
            return all(_is_value(item, ops, trusted) for item in (*keys, *values))
        case ast.UnaryOp(operand=operand):
            return _is_value(operand, ops, trusted)
        case ast.BinOp(left=left, right=right):
            return _is_value(left, ops, trusted) and _is_value(right, ops, trusted)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="f")) if name in ops:
            return _are_values(node, ops, trusted)
        case ast.Call(func=function):
            return _is_trusted(function, trusted) and _are_values(node, ops, trusted)
        case _:
            return _is_trusted(node, trusted)


def _is_trusted(node: ast.expr, trusted: set[str] | frozenset[str]) -> TypeGuard[ast.Name | ast.Attribute]:
    """Whether it is a name imported from SQLAlchemy, or an attribute of one."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in trusted
