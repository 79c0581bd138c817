"""What every family of directives shares: the way to the running step, and keywords checked."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from asyncmig.errors import OperationError
from asyncmig.operations.base import Operation
from asyncmig.operations.sink import Sink, origin_in, running_sink
from asyncmig.schema.types import SqlType

__all__ = ["Directives", "check_keywords", "check_name", "dialect_options"]

_DIALECTS = ("postgresql_", "sqlite_", "mysql_", "mariadb_", "mssql_", "oracle_", "cockroachdb_", "snowflake_")


class Directives:
    """Has no state: which step is meant is looked up at each call."""

    __slots__ = ()

    def _step(self) -> Sink:
        return running_sink()

    def _emit(self, operation: Operation) -> Any:
        sink = running_sink()
        return sink.emit(operation, origin_in(sink.script, 2))

    @property
    def _tolerant(self) -> bool:
        """Whether the script was written for Alembic."""
        return self._step().migration_context().tolerant

    def _check_loosely(self, directive: str, keywords: Mapping[str, Any], known: Iterable[str]) -> None:
        """`check_keywords` where Alembic ignores what it does not know: so does a script that was written for it."""
        if not self._tolerant:
            check_keywords(directive, keywords, known)

    def _as_meant(self, type_: SqlType) -> SqlType:
        """The type of a column that is added or changed: Alembic never looks whether an enum has all its values."""
        return replace(type_, as_found=True) if self._tolerant else type_


def dialect_options(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords of some dialect, `postgresql_where` and its like."""
    return {key: value for key, value in keywords.items() if key.startswith(_DIALECTS)}


def check_keywords(directive: str, keywords: Mapping[str, Any], known: Iterable[str] = ()) -> None:
    """OperationError for a keyword that is neither known nor some dialect's: a misspelt one must not be lost."""
    names = list(known)
    for key in keywords:
        if key not in names and not key.startswith(_DIALECTS):
            near = difflib.get_close_matches(key, names, n=1)
            raise OperationError(
                f"{directive} has no keyword {key!r}.", hint=f"Did you mean {near[0]!r}?" if near else None
            )


def check_name(directive: str, parameter: str, value: object) -> str:
    """`value` when it is a name; OperationError for anything else, such as a Table or Column object."""
    if isinstance(value, str) and value:
        return value
    given = "an empty string" if value == "" else type(value).__name__
    raise OperationError(f"{directive} wants the {parameter} as a string, not {given}.")
