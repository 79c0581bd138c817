"""PostgreSQL's names as SQL, for the statements that no operation has."""

from __future__ import annotations

from asyncmig.schema.spelling import spelling_dialect

__all__ = ["address", "quoted_name"]


def address(schema: str | None, name: str) -> str:
    return f"{quoted_name(schema)}.{quoted_name(name)}" if schema else quoted_name(name)


def quoted_name(name: str) -> str:
    """In quotes where it needs them."""
    return str(spelling_dialect("postgresql").identifier_preparer.quote(name))
