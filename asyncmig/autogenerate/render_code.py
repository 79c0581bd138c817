"""Python expressions as trees, and how `ruff format` would lay them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

__all__ = [
    "WIDTH",
    "Atom",
    "Call",
    "Collection",
    "Keyword",
    "Node",
    "call",
    "flat",
    "keywords",
    "laid_out",
    "literal",
    "string",
    "strings",
]

WIDTH = 88
"""The line length of `ruff format` where nobody configured it."""

_STEP = "    "


@dataclass(frozen=True, slots=True)
class Atom:
    """Text that is never broken. One with line breaks is a triple-quoted string."""

    text: str


@dataclass(frozen=True, slots=True)
class Keyword:
    """`name=value` in a call, `"key": value` in a dictionary: `name` is what stands before the value."""

    name: str
    value: Node


@dataclass(frozen=True, slots=True)
class Call:
    """`function` may be a call itself, in `sa.Text().with_variant(...)`: then `attribute` is what is called of it."""

    function: str | Call
    arguments: tuple[Node, ...] = ()
    attribute: str = ""


@dataclass(frozen=True, slots=True)
class Collection:
    """A list, a tuple or a dictionary, by its brackets."""

    items: tuple[Node, ...]
    brackets: str = "[]"


Node = Atom | Keyword | Call | Collection


def call(function: str | Call, *arguments: Node, attribute: str = "") -> Call:
    return Call(function, arguments, attribute)


def keywords(**given: Node | None) -> Iterator[Keyword]:
    """Keyword arguments in this order, without those that are None."""
    return (Keyword(f"{name}=", value) for name, value in given.items() if value is not None)


def string(text: str) -> Atom:
    """A string as ruff writes it: double quotes, unless that would take more backslashes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    inside = repr(text + "'\"")[1:-1]  # with both quotes in it, repr escapes the single ones alone
    inside = inside.removesuffix("\\'\"").replace("\\'", "'")
    return Atom(f"{quote}{inside.replace(quote, chr(92) + quote)}{quote}")


def strings(names: Iterable[str], brackets: str = "[]") -> Collection:
    return Collection(tuple(string(name) for name in names), brackets)


def literal(value: object) -> Node | None:
    """The literal of a plain value: None for what has none."""
    if value is None or isinstance(value, bool | int | float):
        return Atom(repr(value))
    if isinstance(value, str):
        return string(value)
    if isinstance(value, list | tuple | frozenset | set):
        items = [literal(item) for item in (sorted(value, key=repr) if isinstance(value, frozenset | set) else value)]
        found = tuple(item for item in items if item is not None)
        return Collection(found, "()" if isinstance(value, tuple) else "[]") if len(found) == len(items) else None
    return None


def flat(node: Node) -> str:
    """The expression in one line."""
    match node:
        case Atom():
            return node.text
        case Keyword():
            return node.name + flat(node.value)
        case Call():
            return f"{_head(node)}({', '.join(flat(item) for item in node.arguments)})"
        case Collection():
            comma = "," if node.brackets == "()" and len(node.items) == 1 else ""
            return f"{node.brackets[0]}{', '.join(flat(item) for item in node.items)}{comma}{node.brackets[1]}"
        case _:
            assert_never(node)


def laid_out(node: Node, indent: str = "", *, prefix: str = "", suffix: str = "") -> list[str]:
    """The lines of the expression, the first one after `prefix`, the last one before `suffix`.

    As ruff does it: a call that does not fit first moves all its arguments to one line of their own, and only then
    each to its own; collections go straight to one item a line, with a comma behind the last.
    """
    line = f"{indent}{prefix}{flat(node)}{suffix}"
    if _fits(line) or isinstance(node, Atom):
        return [line]
    match node:
        case Keyword():
            return laid_out(node.value, indent, prefix=prefix + node.name, suffix=suffix)
        case Call():
            return _broken_call(node, indent, prefix, suffix)
        case Collection():
            opening, closing = node.brackets[0], node.brackets[1]
            return _broken(node.items, indent, f"{prefix}{opening}", f"{closing}{suffix}")
        case _:
            assert_never(node)


def _head(node: Call) -> str:
    return node.function if isinstance(node.function, str) else f"{flat(node.function)}.{node.attribute}"


def _broken_call(node: Call, indent: str, prefix: str, suffix: str) -> list[str]:
    opening, closing = f"{prefix}{_head(node)}(", f"){suffix}"
    if not isinstance(node.function, str) and not _fits(f"{indent}{opening}"):
        rest = ", ".join(flat(item) for item in node.arguments)
        return laid_out(node.function, indent, prefix=prefix, suffix=f".{node.attribute}({rest}){suffix}")
    if not node.arguments:
        return [f"{indent}{opening}{closing}"]
    together = f"{indent}{_STEP}{', '.join(flat(item) for item in node.arguments)}"
    if _fits(together) or (len(node.arguments) == 1 and isinstance(node.arguments[0], Atom) and "\n" in together):
        return [f"{indent}{opening}", together, f"{indent}{closing}"]
    return _broken(node.arguments, indent, opening, closing)


def _broken(items: tuple[Node, ...], indent: str, opening: str, closing: str) -> list[str]:
    if not items:
        return [f"{indent}{opening}{closing}"]
    inner = [line for item in items for line in laid_out(item, indent + _STEP, suffix=",")]
    return [f"{indent}{opening}", *inner, f"{indent}{closing}"]


def _fits(line: str) -> bool:
    return len(line) <= WIDTH and "\n" not in line
