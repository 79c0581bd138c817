"""`op.alter_column`."""

from __future__ import annotations

from typing import Any, Literal, cast

import sqlalchemy as sa

from asyncmig.errors import OperationError
from asyncmig.operations.alter_column import KEEP, AlterColumn, Default, Existing, Keep
from asyncmig.operations.directives.base import Directives, check_name
from asyncmig.operations.directives.build_constraint import type_checks
from asyncmig.schema.metadata import default_from_sqlalchemy
from asyncmig.schema.model import Ref
from asyncmig.schema.types import SqlType, sql_type

__all__ = ["AlterColumnDirectives", "ServerDefault", "TypeGiven"]

TypeGiven = sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]] | None
ServerDefault = str | bool | sa.Identity | sa.Computed | sa.DefaultClause | sa.TextClause | sa.ColumnElement[Any] | None


class AlterColumnDirectives(Directives):
    __slots__ = ()

    def alter_column(
        self,
        table_name: str,
        column_name: str,
        *,
        nullable: bool | None = None,
        comment: str | Literal[False] | None = False,
        server_default: ServerDefault = False,
        new_column_name: str | None = None,
        type_: TypeGiven = None,
        existing_type: TypeGiven = None,
        existing_server_default: ServerDefault = False,
        existing_nullable: bool | None = None,
        existing_comment: str | None = None,
        schema: str | None = None,
        **kw: Any,
    ) -> None:
        """Change what is given of a column: type_, nullable, server_default (None drops it), comment, its name.

        `existing_*` say what it was, for the way back and for types and defaults that depend on it;
        postgresql_using is the SQL that makes the new values of another type.
        """
        known = ["autoincrement", "existing_autoincrement", "insert_before", "insert_after"]
        self._check_loosely("alter_column", kw, known)
        table = check_name("alter_column", "table name", table_name)
        nothing = type_ is None and nullable is None and new_column_name is None
        given: object = column_name
        if nothing and server_default is comment is False and isinstance(given, sa.Column) and self._tolerant:
            return  # a slip for the name and what is to change: Alembic never comes to look at it
        name = check_name("alter_column", "column name", column_name)
        renamed = None if new_column_name is None else check_name("alter_column", "new name", new_column_name)
        convention = self._step().naming_convention
        existing = Existing(
            _type(existing_type),
            existing_nullable,
            _default("existing_server_default", existing_server_default),
            existing_comment,
            type_checks(table, schema, name, existing_type, convention),
        )
        self._emit(
            AlterColumn(
                Ref(table, schema),
                name,
                type=None if type_ is None else self._as_meant(sql_type(type_)),
                nullable=nullable,
                default=_default("server_default", server_default),
                comment=KEEP if comment is False else comment,
                new_name=None if renamed == name else renamed,
                using=kw.get("postgresql_using"),
                checks=type_checks(table, schema, renamed or name, type_, convention),
                existing=existing,
                before=kw.get("insert_before"),
                after=kw.get("insert_after"),
            )
        )


def _type(given: TypeGiven) -> SqlType | None:
    return None if given is None else sql_type(given)


def _default(parameter: str, given: ServerDefault) -> Default | Keep:
    if given is False:
        return KEEP
    try:
        return default_from_sqlalchemy(cast("Any", given))
    except (TypeError, sa.exc.ArgumentError) as error:
        raise OperationError(f"alter_column takes no {type(given).__name__} as {parameter}.") from error
