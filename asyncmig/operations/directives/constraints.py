"""`op` on constraints and on the comment of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from asyncmig.errors import OperationError
from asyncmig.operations.comments import SetTableComment
from asyncmig.operations.constraints import AddConstraint, DropConstraint
from asyncmig.operations.directives.base import Directives, check_keywords, check_name
from asyncmig.operations.directives.build_constraint import constraint_value, dropped_name
from asyncmig.schema.excluding import exclude_constraint
from asyncmig.schema.model import Ref

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ColumnElement, TextClause

__all__ = ["ConstraintDirectives"]

_COMMON = ("deferrable", "initially", "info", "comment")
_KINDS = ("foreignkey", "primary", "unique", "check", "exclude")


class ConstraintDirectives(Directives):
    __slots__ = ()

    def create_check_constraint(
        self,
        constraint_name: str | None,
        table_name: str,
        condition: str | ColumnElement[bool] | TextClause,
        *,
        schema: str | None = None,
        **kw: Any,
    ) -> None:
        """Add a CHECK; `kw` are deferrable, initially and dialect options such as postgresql_not_valid."""
        check_keywords("create_check_constraint", kw, _COMMON)
        constraint = sa.CheckConstraint(condition, name=constraint_name, **kw)
        self._add("create_check_constraint", table_name, schema, constraint)

    def create_exclude_constraint(self, constraint_name: str, table_name: str, *elements: Any, **kw: Any) -> None:
        """Add EXCLUDE of (column or expression, operator) pairs; `kw`: where, using, ops, deferrable, initially, schema.

        PostgreSQL only.
        """
        check_keywords("create_exclude_constraint", kw, ["where", "using", "ops", "schema", *_COMMON])
        schema = kw.pop("schema", None)
        constraint, names = exclude_constraint(constraint_name, elements, kw)
        self._add("create_exclude_constraint", table_name, schema, constraint, names)

    def create_foreign_key(
        self,
        constraint_name: str | None,
        source_table: str,
        referent_table: str,
        local_cols: Sequence[str],
        remote_cols: Sequence[str],
        *,
        onupdate: str | None = None,
        ondelete: str | None = None,
        deferrable: bool | None = None,
        initially: str | None = None,
        match: str | None = None,
        source_schema: str | None = None,
        referent_schema: str | None = None,
        **dialect_kw: Any,
    ) -> None:
        """Add a foreign key from `source_table` to `referent_table`, which may be the same one."""
        check_keywords("create_foreign_key", dialect_kw, ["use_alter", "link_to_name", "info", "comment"])
        target = check_name("create_foreign_key", "referent table", referent_table)
        local = _names("create_foreign_key", "local_cols", local_cols)
        remote = _names("create_foreign_key", "remote_cols", remote_cols)
        if len(local) != len(remote):
            raise OperationError(
                f"create_foreign_key {constraint_name or ''} pairs {len(local)} columns with {len(remote)}."
            )
        prefix = f"{referent_schema}.{target}" if referent_schema else target
        constraint = sa.ForeignKeyConstraint(
            local,
            [f"{prefix}.{name}" for name in remote],
            name=constraint_name,
            onupdate=onupdate,
            ondelete=ondelete,
            deferrable=deferrable,
            initially=initially,
            match=match,
            **dialect_kw,
        )
        own = remote if (target, referent_schema) == (source_table, source_schema) else []
        self._add("create_foreign_key", source_table, source_schema, constraint, [*local, *own])

    def create_primary_key(
        self, constraint_name: str | None, table_name: str, columns: Sequence[str], *, schema: str | None = None
    ) -> None:
        """Make columns the primary key."""
        names = _names("create_primary_key", "columns", columns)
        constraint = sa.PrimaryKeyConstraint(*names, name=constraint_name)
        self._add("create_primary_key", table_name, schema, constraint, names)

    def create_unique_constraint(
        self,
        constraint_name: str | None,
        table_name: str,
        columns: Sequence[str],
        *,
        schema: str | None = None,
        **kw: Any,
    ) -> None:
        """Add a UNIQUE constraint; `kw` are deferrable, initially and dialect options."""
        check_keywords("create_unique_constraint", kw, _COMMON)
        names = _names("create_unique_constraint", "columns", columns)
        constraint = sa.UniqueConstraint(*names, name=constraint_name, **kw)
        self._add("create_unique_constraint", table_name, schema, constraint, names)

    def drop_constraint(
        self,
        constraint_name: str,
        table_name: str,
        type_: str | None = None,
        *,
        schema: str | None = None,
        if_exists: bool | None = None,
    ) -> None:
        """Drop a constraint by name; `type_` is "foreignkey", "primary", "unique", "check" or None for any."""
        if type_ is not None and type_ not in _KINDS:
            raise OperationError(f"drop_constraint takes as type_ one of {', '.join(_KINDS)}, not {type_!r}.")
        table = check_name("drop_constraint", "table name", table_name)
        convention = self._step().naming_convention
        name = dropped_name(constraint_name, table, schema, type_, convention)
        kept = tuple((convention or {}).items())
        self._emit(DropConstraint(Ref(table, schema), name, type_, bool(if_exists), convention=kept))  # type: ignore[arg-type]

    def create_table_comment(
        self,
        table_name: str,
        comment: str | None,
        *,
        existing_comment: str | None = None,
        schema: str | None = None,
    ) -> None:
        """Say what a table is for; `existing_comment` is what undoes it where the table is not known."""
        name = check_name("create_table_comment", "table name", table_name)
        self._emit(SetTableComment(Ref(name, schema), comment, existing_comment))

    def drop_table_comment(
        self, table_name: str, *, existing_comment: str | None = None, schema: str | None = None
    ) -> None:
        """Take the comment of a table away."""
        name = check_name("drop_table_comment", "table name", table_name)
        self._emit(SetTableComment(Ref(name, schema), None, existing_comment))

    def _add(
        self,
        directive: str,
        table_name: str,
        schema: str | None,
        constraint: sa.Constraint,
        columns: Sequence[str | None] = (),
    ) -> None:
        table = check_name(directive, "table name", table_name)
        value = constraint_value(directive, table, schema, constraint, columns, self._step().naming_convention)
        self._emit(AddConstraint(Ref(table, schema), value))


def _names(directive: str, parameter: str, columns: object) -> list[str]:
    names = list(columns) if isinstance(columns, list | tuple | set | frozenset) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise OperationError(f"{directive} wants {parameter} as a list of column names.")
    return names
