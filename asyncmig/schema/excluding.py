"""Exclusion constraints as SQLAlchemy builds them: a construct of its PostgreSQL dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

__all__ = ["exclude_constraint"]


def exclude_constraint(
    name: str | None, elements: Sequence[tuple[Any, str]], options: Mapping[str, Any]
) -> tuple[sa.Constraint, list[str]]:
    """EXCLUDE over (column or expression, operator) pairs, and the names of its columns."""
    from sqlalchemy.dialects.postgresql import ExcludeConstraint

    constraint = ExcludeConstraint(*elements, name=name, **options)
    columns = (column for _, column, _ in constraint._render_exprs)
    return constraint, [column for column in columns if column is not None]
