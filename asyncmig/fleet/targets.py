"""A target: one database, or one schema of one; and the texts that name it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy.engine import URL

from asyncmig.errors import ConfigError, UsageError
from asyncmig.url import normalize_url, redact

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Given", "Query", "Target", "as_target", "as_targets", "parse_lines"]

Given: TypeAlias = "str | URL | Target"
Listing: TypeAlias = "Callable[..., object]"


@dataclass(frozen=True, slots=True)
class Target:
    """`url` is None for the project's own database, `schema` None for the whole database.

    `database` names one of [databases.NAME] instead of both. `label` is what results call the target where the
    URL without its password would not do; it must tell the targets of a fleet apart.
    """

    url: URL | None = None
    schema: str | None = None
    database: str | None = None
    label: str | None = None

    @property
    def name(self) -> str:
        """How results and messages call it; never with a password."""
        if self.label or self.database:
            return self.label or self.database or ""
        if self.url is None:
            return self.schema or ""
        shown = redact(self.url)
        return f"{shown}{'&' if '?' in shown else '?'}schema={self.schema}" if self.schema else shown


@dataclass(frozen=True, slots=True)
class Query:
    """A query of the project's own database that lists the targets: schemas or URLs, in its first column."""

    sql: str


def as_target(given: Given) -> Target:
    """The target that a text means: a URL, with ?schema=NAME for a schema of it; else a schema's name."""
    if isinstance(given, Target):
        return given
    if isinstance(given, URL):
        return _of_url(given)
    text = str(given).strip()
    if not text:
        raise UsageError("A target is a URL, a schema's name or a Target, not an empty text.")
    if "://" not in text:
        return Target(schema=text)
    try:
        return _of_url(normalize_url(text))
    except ConfigError as error:
        raise UsageError(f"target {redact(text)}: {error.message}", hint=error.hint) from None


def _of_url(url: URL) -> Target:
    schema = url.query.get("schema")
    if schema is not None and not isinstance(schema, str):
        raise UsageError(f"target {redact(url)} names several schemas.", hint="Give each a line of its own.")
    return Target(normalize_url(url.difference_update_query(["schema"])), schema or None)


def as_targets(given: Iterable[Given]) -> tuple[Target, ...]:
    """Each target once, in the order in which they were given."""
    if isinstance(given, str | bytes):
        raise UsageError(f"targets must be a list, not the text {redact(str(given))!r}.", hint="Put it into a list.")
    return tuple({target.name: target for target in map(as_target, given)}.values())


def parse_lines(text: str) -> list[str]:
    """One target a line; empty lines and those that begin with # do not count."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
