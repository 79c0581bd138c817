"""The way between SQLAlchemy's MetaData and our values."""

from __future__ import annotations

import sqlalchemy as sa

from asyncmig.schema.enums import brought_types
from asyncmig.schema.from_metadata import (
    ColumnParts,
    column_from_sqlalchemy,
    default_from_sqlalchemy,
    from_sqlalchemy,
    sequence_from_sqlalchemy,
)
from asyncmig.schema.model import Schema
from asyncmig.schema.pool import THROW_AWAY, Pool
from asyncmig.schema.to_metadata import Original, column_to_sqlalchemy, sequence_to_sqlalchemy, to_sqlalchemy

__all__ = [
    "THROW_AWAY",
    "ColumnParts",
    "Original",
    "column_from_sqlalchemy",
    "column_to_sqlalchemy",
    "default_from_sqlalchemy",
    "from_sqlalchemy",
    "schema_from_metadata",
    "sequence_from_sqlalchemy",
    "sequence_to_sqlalchemy",
    "to_sqlalchemy",
]


def schema_from_metadata(*metadatas: sa.MetaData) -> Schema:
    """Every table, enum and sequence that the metadata declare; a later one wins over an equal name.

    What is declared beside them is text of one database: declared.py adds that.
    """
    pool = Pool()
    found = [from_sqlalchemy(t, pool) for m in metadatas for t in m.tables.values() if not _is_view(t)]
    sequences = [sequence_from_sqlalchemy(s) for m in metadatas for s in m._sequences.values()]
    one_of_each = {id(column.type): column for table in found for column in table.columns}
    types = brought_types(one_of_each.values())
    return Schema(
        tables={table.ref: table for table in found},
        enums={one.ref: one for one in types if not one.domain},
        sequences={sequence.ref: sequence for sequence in sequences},
        # Of everything else it is read from the values themselves; a domain is not among them.
        schemas=frozenset(one.schema for one in types if one.domain and one.schema is not None),
    )


def _is_view(table: sa.Table) -> bool:
    """SQLAlchemy 2.1 keeps views among the tables; 2.0 has none."""
    return bool(getattr(table, "is_view", False))
