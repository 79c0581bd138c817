"""Constraint names as they will stand in the database."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.base import _NONE_NAME
from sqlalchemy.sql.elements import conv
from sqlalchemy.sql.naming import _constraint_name_for_table

__all__ = ["resolved_name", "settled_name"]

_DEFAULT_CONVENTION = sa.MetaData().naming_convention


def resolved_name(constraint: sa.Constraint, table: sa.Table) -> str | None:
    """The constraint's name under its metadata's naming convention, or None for one that the database names.

    SQLAlchemy settles most names when a constraint is attached; that of a CHECK which belongs to a type
    only while it compiles. A convention that needs %(constraint_name)s has none to give then: None.
    """
    if constraint.name is not _NONE_NAME:
        return None if constraint.name is None else _as_is(constraint.name)
    try:
        name = _constraint_name_for_table(constraint, table)  # type: ignore[no-untyped-call]
    except sa.exc.InvalidRequestError:
        return None
    return None if name is None or name is _NONE_NAME else _as_is(name)


def _as_is(name: object) -> str:
    """The name object itself: `conv` and `quoted_name` are strings that know how they are truncated and quoted."""
    assert isinstance(name, str)
    return name


def settled_name(name: str | None, metadata: sa.MetaData) -> str | None:
    """The name for a constraint in `metadata`, marked so that a convention there leaves it alone."""
    if name is None or metadata.naming_convention == _DEFAULT_CONVENTION:
        return name
    return name if isinstance(name, conv) else conv(name)
