"""What a script means, as a digest: formatting, comments, docstrings and line ends do not count.

The normal form is ours: Python's own `ast.dump` differs between versions, a digest in the journal must not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from hashlib import sha256

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
    digest = sha256()
    for part in _normal(tree):
        digest.update(part.encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return digest.hexdigest()


def _normal(root: object) -> Iterator[str]:
    """The tree as a flat run of words; every opened node and list is closed, so no two trees give the same run.

    An explicit stack: generated scripts nest deeper than recursion may go.
    """
    stack: list[object] = [root]
    while stack:
        item = stack.pop()
        match item:
            case _Word(text):
                yield text
            case ast.Constant(value=value):
                yield from _constant(value)
            case ast.JoinedStr():
                yield "(JoinedStr"
                stack.append(_CLOSE)
                stack.extend(reversed(_joined(item)))
            case ast.AST():
                yield f"({type(item).__name__}"
                stack.append(_CLOSE)
                stack.extend(reversed(_fields(item)))
            case list():
                yield "["
                stack.append(_END)
                stack.extend(reversed(item))
            case _:
                yield from _constant(item)


class _Word:
    """A word that is already spelled, so that a string of the script is never taken for structure."""

    __match_args__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


_CLOSE = _Word(")")
_END = _Word("]")


def _fields(node: ast.AST) -> list[object]:
    """Field names and values; what is None or empty is left out, so a field that a newer Python adds changes nothing."""
    fields: list[object] = []
    for name, value in sorted(ast.iter_fields(node)):
        if name in _SILENT:
            continue
        if name == "body" and isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            value = _without_docstring(value)
        if value is None or value == []:
            continue
        fields += [_Word(f".{name}"), value]
    return fields


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


def _constant(value: object) -> Iterator[str]:
    """A literal, tagged with its kind: 1, True, 1.0 and "1" are four things."""
    match value:
        case str():
            yield f"s{len(value)}:{value}"
        case bytes():
            yield f"b:{value.hex()}"
        case bool() | None:
            yield f"c:{value}"
        case int():
            yield f"i:{value:x}"
        case float():
            yield f"f:{value.hex()}"
        case complex():
            yield f"j:{value.real.hex()},{value.imag.hex()}"
        case _:
            yield "c:Ellipsis" if value is ... else f"c:{value!r}"
