"""What a script means, as a digest: formatting, comments, docstrings and line ends do not count.

The normal form is ours: Python's own `ast.dump` differs between versions, a digest in the journal must not.
"""

from __future__ import annotations

import ast
from functools import cache
from hashlib import sha256
from typing import Any

from asyncmig.errors import ScriptError

__all__ = ["NORMAL_FORM", "checksum", "checksum_of", "file_hash"]

NORMAL_FORM = b"1"
"""Names the normal form below, for whoever keeps digests: another form is another name."""

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
    return checksum_of(tree)


def checksum_of(tree: ast.Module) -> str:
    """The same, of a syntax tree."""
    words = _normal(tree)
    words.append("")
    return sha256("\0".join(words).encode("utf-8", "surrogatepass")).hexdigest()


def _normal(root: ast.AST) -> list[str]:
    """The tree as a flat run of words; every opened node and list is closed, so no two trees give the same run.

    An explicit stack, because generated scripts nest deeper than recursion may go: of words, which are said as they are,
    of nodes, and of lists. This runs over every node of every script that is applied, so what a class of nodes has in
    common is worked out once, and what can be said at once does not take the way over the stack.
    """
    words: list[str] = []
    say = words.append
    stack: list[Any] = [root]
    pop = stack.pop
    while stack:
        item = pop()
        kind: Any = type(item)  # mypy takes no class of nodes for hashable
        if kind is str:
            say(item)
        elif kind is ast.Constant:
            say(_constant(item.value))
        elif kind is list:
            say("[")
            stack.append("]")
            stack += [_constant(each) for each in reversed(item)] if type(item[0]) is str else reversed(item)
        elif kind is ast.JoinedStr:
            say("(JoinedStr")
            stack.append(")")
            stack += reversed(_joined(item))
        elif item is None:  # in a list: a key of {**other}, a keyword-only argument without a default
            say(_constant(None))
        else:
            opening, fields = _spoken(kind)
            say(opening)
            later: list[Any] = []
            for name, word in fields:
                value: Any = getattr(item, name, None)
                # What is None or empty is left out, so a field that a newer Python adds changes nothing.
                if value is None:
                    continue
                child = type(value)
                if child is list:
                    if name == "body" and kind in _WITH_DOCSTRING:
                        value = _without_docstring(value)
                    if not value:
                        continue
                elif not isinstance(value, ast.AST):
                    value = _constant(value)
                if later:
                    later.append(word)
                    later.append(value)
                    continue
                say(word)
                if child is str:
                    say(value)
                else:
                    later.append(value)
            if later:
                later.reverse()
                stack.append(")")
                stack += later
            else:
                say(")")
    return words


_WITH_DOCSTRING = frozenset((ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))


@cache
def _spoken(kind: Any) -> tuple[str, tuple[tuple[str, str], ...]]:
    """How a class of nodes begins, and its fields that mean something, in one order on every version."""
    fields = tuple((name, f".{name}") for name in sorted(kind._fields) if name not in _SILENT)
    return f"({kind.__name__}", fields


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
    return body


def _joined(node: ast.JoinedStr) -> list[ast.expr | str]:
    """The parts of an f-string, text as a word: adjacent text joined, empty text dropped, as versions cut them differently."""
    parts: list[ast.expr | str] = []
    text = ""
    for value in node.values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            text += value.value
            continue
        if text:
            parts.append(_constant(text))
            text = ""
        parts.append(value)
    return [*parts, _constant(text)] if text else parts


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
