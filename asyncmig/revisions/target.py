"""What a user types for a place in the history, as a value: `head`, `ae10`, `shop@+1`, `-3:current`.

Parsing needs no graph: whether the name exists is for `RevisionGraph.resolve`. `str(target)` gives the text back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from asyncmig.errors import MalformedTarget

__all__ = [
    "Base",
    "Current",
    "Head",
    "Heads",
    "Named",
    "Origin",
    "Range",
    "Relative",
    "Target",
    "parse_range",
    "parse_target",
    "parse_targets",
]

_RELATIVE = re.compile(r"(?P<origin>[^@:,+\s-]*)(?P<steps>[+-][0-9]{1,9})")
_NAME = re.compile(r"[^@:,\s]+")
_HINT = "Use a revision id, at least 4 characters of one, head, heads, base, current, +N, -N, REV+N or LABEL@REV."


def _on_branch(branch: str | None, text: str) -> str:
    return f"{branch}@{text}" if branch else text


@dataclass(frozen=True, slots=True)
class Head:
    """The one head (of the branch): several are an error."""

    branch: str | None = None

    def __str__(self) -> str:
        return _on_branch(self.branch, "head")


@dataclass(frozen=True, slots=True)
class Heads:
    """All heads (of the branch); without a branch those that no other revision depends on."""

    branch: str | None = None

    def __str__(self) -> str:
        return _on_branch(self.branch, "heads")


@dataclass(frozen=True, slots=True)
class Base:
    """Before the first revision (of the branch)."""

    branch: str | None = None

    def __str__(self) -> str:
        return _on_branch(self.branch, "base")


@dataclass(frozen=True, slots=True)
class Current:
    """Where the database is."""

    branch: str | None = None

    def __str__(self) -> str:
        return _on_branch(self.branch, "current")


@dataclass(frozen=True, slots=True)
class Named:
    """A full id, a unique prefix of one, or a branch label; with a branch, it must lie on it."""

    identifier: str
    branch: str | None = None

    def __str__(self) -> str:
        return _on_branch(self.branch, self.identifier)


Origin = Head | Heads | Base | Current | Named


@dataclass(frozen=True, slots=True)
class Relative:
    """`steps` up (positive) or down from `origin`, None being where the database is. `origin` has no branch."""

    steps: int
    origin: Origin | None = None
    branch: str | None = None

    def __str__(self) -> str:
        return _on_branch(self.branch, f"{self.origin or ''}{self.steps:+d}")


Target = Head | Heads | Base | Current | Named | Relative

_KEYWORDS: dict[str, type[Head] | type[Heads] | type[Base] | type[Current]] = {
    "head": Head,
    "heads": Heads,
    "base": Base,
    "current": Current,
}


@dataclass(frozen=True, slots=True)
class Range:
    """`lower:upper`; a side left out is None, which means base below and heads above."""

    lower: Target | None = None
    upper: Target | None = None

    def __str__(self) -> str:
        return f"{self.lower or ''}:{self.upper or ''}"


def parse_target(text: str) -> Target:
    """One target. MalformedTarget when the text can be no name for a revision at all."""
    stripped = text.strip()
    branch, at, rest = stripped.partition("@")
    if not at:
        return _parse_unqualified(stripped, None, text)
    if not _NAME.fullmatch(branch):
        raise MalformedTarget(f"{text!r} has no branch label before the @.", hint=_HINT)
    return _parse_unqualified(rest, branch, text)


def parse_targets(texts: Iterable[str]) -> tuple[Target, ...]:
    """Several targets; each text may itself hold several, separated by commas or blanks."""
    return tuple(parse_target(part) for text in texts for part in re.split(r"[,\s]+", text.strip()) if part)


def parse_range(text: str) -> Range:
    """`a:b`, `a:`, `:b` or `:`. MalformedTarget without exactly one colon."""
    lower, colon, upper = text.strip().partition(":")
    if not colon or ":" in upper:
        raise MalformedTarget(f"{text!r} is not a range of revisions.", hint="Write LOWER:UPPER, LOWER: or :UPPER.")
    return Range(parse_target(lower) if lower.strip() else None, parse_target(upper) if upper.strip() else None)


def _parse_unqualified(rest: str, branch: str | None, text: str) -> Target:
    if relative := _RELATIVE.fullmatch(rest):
        return _parse_relative(relative["origin"], int(relative["steps"]), branch, text)
    if ":" in rest:
        raise MalformedTarget(
            f"{text!r} is a range, and one revision is meant here.",
            hint="Give head, an id or +N; ranges are for --sql and `history -r`.",
        )
    if not _NAME.fullmatch(rest):
        raise MalformedTarget(f"{text!r} is not a revision identifier.", hint=_HINT)
    return _parse_origin(rest, branch)


def _parse_relative(origin: str, steps: int, branch: str | None, text: str) -> Relative:
    if steps == 0:
        raise MalformedTarget(f"{text!r} moves by no revision at all.", hint=_HINT)
    return Relative(steps, _parse_origin(origin, None) if origin else None, branch)


def _parse_origin(text: str, branch: str | None) -> Origin:
    keyword = _KEYWORDS.get(text)
    return keyword(branch) if keyword else Named(text, branch)
