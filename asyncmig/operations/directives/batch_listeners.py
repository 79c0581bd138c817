"""What listeners of batch_alter_table's `reflect_kwargs` say of the columns of a table that is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from asyncmig.errors import OperationError
from asyncmig.schema.model import Ref

__all__ = ["Listener", "column_listeners", "told_types"]

Listener = Callable[[sa.Inspector, sa.Table, dict[str, Any]], object]

_WITHOUT_EFFECT = frozenset({"autoload_replace", "extend_existing", "info", "keep_existing", "resolve_fks", "quote"})
_SAID_ELSEWHERE = frozenset({"comment", "info"})
"""Keys of a column that are no part of a table in SQLite."""


def column_listeners(keywords: Mapping[str, Any]) -> tuple[Listener, ...]:
    """The listeners among the keywords for sa.Table; OperationError for what would change the table in another way."""
    other = sorted(set(keywords) - _WITHOUT_EFFECT - {"listeners"})
    if other:
        raise OperationError(f"batch_alter_table takes listeners in reflect_kwargs, not {', '.join(other)}.")
    found = tuple(keywords.get("listeners") or ())
    for event, _ in found:
        if event != "column_reflect":
            raise OperationError(
                f"A listener in reflect_kwargs of batch_alter_table hears column_reflect, not {event}.",
                hint="Give the table to copy_from instead.",
            )
    return tuple(listener for _, listener in found)


def told_types(listeners: Sequence[Listener], inspector: sa.Inspector, ref: Ref) -> list[sa.Column[Any]]:
    """The columns to which a listener gave another type; OperationError where it changed something else."""
    table = sa.Table(ref.name, sa.MetaData(), schema=ref.schema)
    found: list[sa.Column[Any]] = []
    for column in inspector.get_columns(ref.name, ref.schema):
        told: dict[str, Any] = dict(column)
        for listener in listeners:
            listener(inspector, table, told)
        changed = [key for key in told if key not in _SAID_ELSEWHERE and told[key] is not dict(column).get(key)]
        if set(changed) - {"type"}:
            raise OperationError(
                f"A listener in reflect_kwargs changed the {', '.join(changed)} of column {column['name']} of {ref}: "
                "only its type is for a listener to say.",
                hint="Change it with alter_column in the batch, or give the table to copy_from.",
            )
        if changed:
            found.append(sa.Column(column["name"], told["type"]))
    return found
