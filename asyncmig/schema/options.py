"""Dialect keywords (`postgresql_with={...}`) as values that can be compared and hashed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from asyncmig.schema.types import SqlText

if TYPE_CHECKING:
    from asyncmig.schema.model import Options

__all__ = ["DDL_IF", "FrozenMap", "freeze", "freeze_options", "option", "thaw_options"]

DDL_IF = "ddl_if"
"""The key under which a constraint's or an index's `ddl_if()` condition travels."""


class FrozenMap(Mapping[str, Any]):
    """A mapping that never changes and can be hashed; equal to any mapping with the same items."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Any]) -> None:
        self._items = {key: freeze(value) for key, value in items.items()}

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return f"FrozenMap({self._items!r})"


def freeze(value: Any) -> Any:
    """The value with lists as tuples, dicts as FrozenMap and SQL expressions as SqlText."""
    if isinstance(value, FrozenMap | SqlText | str):
        return value
    if isinstance(value, Mapping):
        return FrozenMap(value)
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    if isinstance(value, set | frozenset):
        return frozenset(freeze(item) for item in value)
    return _freeze_clause(value)


def _freeze_clause(value: Any) -> Any:
    import sqlalchemy as sa

    from asyncmig.schema.types import sql_text

    if isinstance(value, sa.Column):
        return value.name
    return sql_text(value) if isinstance(value, sa.ClauseElement) else value


def freeze_options(options: Mapping[str, Any]) -> Options:
    """Keywords as a value, sorted by key."""
    return tuple(sorted((key, freeze(value)) for key, value in options.items())) if options else ()


def thaw_options(options: Options) -> dict[str, Any]:
    """Keywords as SQLAlchemy takes them; the `ddl_if` condition is left out, being no keyword."""
    return {key: _thaw(value) for key, value in options if key != DDL_IF}


def option(options: Options, name: str) -> Any:
    """One keyword's value, None where it was not given."""
    return next((value for key, value in options if key == name), None)


def _thaw(value: Any) -> Any:
    if isinstance(value, SqlText):
        return value.clause
    if isinstance(value, FrozenMap):
        return {key: _thaw(item) for key, item in value.items()}
    return [_thaw(item) for item in value] if isinstance(value, tuple) and not hasattr(value, "_fields") else value
