"""Histories to measure with: revisions and their parents, independent of the tool that reads them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

BRANCHES = 10


@dataclass(frozen=True, slots=True)
class Node:
    """A revision: its id, its parents in order, its own branch label, its place in the order of creation."""

    id: str
    parents: tuple[str, ...]
    number: int
    label: str | None = None


def line(size: int) -> Iterator[Node]:
    """One after the other."""
    for number in range(size):
        yield Node(_id(number), (_id(number - 1),) if number else (), number)


def diamonds(size: int) -> Iterator[Node]:
    """Of every ten revisions the line forks into two, and the tenth merges them."""
    tip = left = right = ""
    for number in range(size):
        place = number % 10
        if place == 0:
            parents: tuple[str, ...] = (tip,) if tip else ()
            left = right = _id(number)
        elif place == 9 or (number == size - 1 and left != right):
            parents = (left, right)
        else:
            parents = (left,) if place % 2 else (right,)
        yield Node(_id(number), parents, number)
        if len(parents) == 2:
            tip = left = right = _id(number)
        elif place % 2:
            left = _id(number)
        elif place:
            right = _id(number)


def branches(size: int) -> Iterator[Node]:
    """Ten branches that grow side by side and never meet; each has its own base."""
    for number in range(size):
        yield Node(_id(number), (_id(number - BRANCHES),) if number >= BRANCHES else (), number)


def labelled(size: int) -> Iterator[Node]:
    """The same ten branches, each with a label at its base."""
    for node in branches(size):
        label = None if node.parents else f"branch{node.number}"
        yield Node(node.id, node.parents, node.number, label)


def labelled_throughout(size: int) -> Iterator[Node]:
    """The same ten branches, a label on each revision: what is above it inherits them all."""
    for node in branches(size):
        yield Node(node.id, node.parents, node.number, f"label{node.number}")


SHAPES: dict[str, Callable[[int], Iterator[Node]]] = {
    "a line": line,
    "a merge every ten": diamonds,
    "ten branches": branches,
    "ten labelled branches": labelled,
    "ten branches, labels throughout": labelled_throughout,
}


def heads(nodes: list[Node]) -> list[str]:
    """The ids that are nobody's parent, in the order of creation."""
    parents = {parent for node in nodes for parent in node.parents}
    return [node.id for node in nodes if node.id not in parents]


def _id(number: int) -> str:
    # spread like real ids: a prefix of one is rarely that of another
    return blake2b(str(number).encode(), digest_size=6).hexdigest()
