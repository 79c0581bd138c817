"""What a script means, as a digest: formatting, comments, docstrings and line ends do not count.

The normal form is ours: Python's own `ast.dump` differs between versions, a digest in the journal must not.
"""

from __future__ import annotations

import ast
from functools import cache
from hashlib import sha256
from typing import Any

from asyncmig.errors import ScriptError

__all__ = ["checksum", "file_hash"]

# Fields that hold no meaning: whether a name is read or written follows from where it stands; `kind` is the u of u"";
# type_comment is a comment; `simple` says whether an annotated name stood in parentheses.
_SILENT = frozenset({"ctx", "kind", "type_comment", "type_ignores", "simple"})


def file_hash(data: bytes) -> str:
    """The digest of a file as it is: equal hashes need no comparison of meanings."""
    return sha256(data).hexdigest()


def checksum(source: bytes | str) -> str:
    """The digest of a script's meaning, equal on every Python version. ScriptError for what is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        raise ScriptError(f"The script is not valid Python: {error}.", line=line) from error
    words = _normal(tree)
    words.append("")
    return sha256("\0".join(words).encode("utf-8", "surrogatepass")).hexdigest()


def _normal(root: ast.AST) -> list[str]:
    """The tree as a flat run of words; every opened node and list is closed, so no two trees give the same run.

    An explicit stack: generated scripts nest deeper than recursion may go. Told apart by exact class and not by
    `match`: this runs over every node of every script that is applied.
    """
    words: list[str] = []
    stack: list[object] = [root]
    while stack:
        item = stack.pop()
        kind = type(item)
        if kind is _Word:
            words.append(item.text)  # type: ignore[attr-defined]
        elif kind is ast.Constant:
            words.append(_constant(item.value))  # type: ignore[attr-defined]
        elif kind is list:
            words.append("[")
            stack.append(_END)
            stack.extend(reversed(item))  # type: ignore[call-overload]
        elif isinstance(item, ast.AST):
            words.append(f"({kind.__name__}")
            if item._fields:
                stack.append(_CLOSE)
                stack.extend(reversed(_joined(item) if isinstance(item, ast.JoinedStr) else _fields(item)))
            else:
                words.append(")")
        else:
            words.append(_constant(item))
    return words


class _Word:
    """A word that is already spelled, so that a string of the script is never taken for structure."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


_WITH_DOCSTRING = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_CLOSE = _Word(")")
_END = _Word("]")


def _fields(node: ast.AST) -> list[object]:
    """Field names and values; what is None or empty is left out, so a field that a newer Python adds changes nothing."""
    fields: list[object] = []
    kind: Any = type(node)  # mypy takes no class of nodes for hashable
    for name, word in _spoken(kind):
        value: Any = getattr(node, name, None)
        if name == "body" and isinstance(node, _WITH_DOCSTRING):
            value = _without_docstring(value)
        if value is not None and value != []:
            fields += (word, value)
    return fields


@cache
def _spoken(kind: Any) -> tuple[tuple[str, _Word], ...]:
    """The fields of a class of nodes that mean something, in one order on every version."""
    return tuple((name, _Word(f".{name}")) for name in sorted(kind._fields) if name not in _SILENT)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
    return body


def _joined(node: ast.JoinedStr) -> list[object]:
    """The parts of an f-string: adjacent text joined, empty text dropped, as versions cut them differently."""
    parts: list[object] = []
    text = ""
    for value in node.values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            text += value.value
            continue
        if text:
            parts.append(text)
            text = ""
        parts.append(value)
    return [*parts, text] if text else parts


def _constant(value: object) -> str:
    """A literal, tagged with its kind: 1, True, 1.0 and "1" are four things."""
    match value:
        case str():
            return f"s{len(value)}:{value}"
        case bytes():
            return f"b:{value.hex()}"
        case bool() | None:
            return f"c:{value}"
        case int():
            return f"i:{value:x}"
        case float():
            return f"f:{value.hex()}"
        case complex():
            return f"j:{value.real.hex()},{value.imag.hex()}"
        case _:
            return "c:Ellipsis" if value is ... else f"c:{value!r}"
