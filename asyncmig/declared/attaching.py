"""How a declaration joins its MetaData: kept there, and created and dropped with its tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from asyncmig.declared.creating import listen
from asyncmig.errors import UsageError
from asyncmig.schema.declared import Declared, register
from asyncmig.schema.ref import Ref

__all__ = ["Relation", "attach", "checked", "metadata_of", "relation_ref"]

Relation = Any
"""A table's name, a sa.Table, or a mapped class."""


def attach(declared: Declared, metadata: sa.MetaData) -> None:
    """Keep it in `metadata`, and let create_all and drop_all know of it."""
    if register(declared, metadata):
        listen(metadata)


def checked(kind: str, parameter: str, value: object) -> str:
    """The text, without space around it and without a last semicolon; UsageError where it is none."""
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{kind}: {parameter} is a text that is not empty, not {value!r}.")
    return value.strip().rstrip(";").rstrip()


def metadata_of(kind: str, relation: Relation, metadata: sa.MetaData | None) -> sa.MetaData:
    """The MetaData that is given, else that of the table; UsageError where neither tells."""
    table = _table(relation)
    found = metadata if metadata is not None else getattr(table, "metadata", None)
    if not isinstance(found, sa.MetaData):
        raise UsageError(f"{kind}: which MetaData it belongs to is not said: metadata=Base.metadata.")
    return found


def relation_ref(relation: Relation, schema: str | None, metadata: sa.MetaData) -> Ref:
    """The address of a table or view: a name may have its schema in front."""
    table = _table(relation)
    if isinstance(table, sa.Table):
        return Ref(table.name, table.schema)
    before, _, name = checked("A declaration", "table", table).rpartition(".")
    return Ref(name, schema or before or metadata.schema)


def _table(relation: Relation) -> Any:
    return getattr(relation, "__table__", relation)
