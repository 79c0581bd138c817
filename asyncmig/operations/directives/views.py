"""`op` on views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from asyncmig.errors import OperationError
from asyncmig.operations.directives.base import Directives, check_name
from asyncmig.schema.model import Ref, View
from asyncmig.schema.objects import view_options
from asyncmig.schema.spelling import spelling_dialect

__all__ = ["ViewDirectives"]


class ViewDirectives(Directives):
    __slots__ = ()

    def create_view(
        self,
        name: str,
        definition: str | sa.SelectBase,
        *,
        columns: Sequence[str] = (),
        materialized: bool = False,
        with_data: bool = True,
        replace: bool = False,
        if_not_exists: bool = False,
        options: Mapping[str, object] | None = None,
        schema: str | None = None,
    ) -> None:
        """Create a view from a query: text, or a select() whose values are written into it.

        A materialized view `with_data=False` stays empty until REFRESH. `options` are those of PostgreSQL's WITH (...):
        {"security_invoker": True}. `replace` is replace_view.
        """
        from asyncmig.operations.views import CreateView, ReplaceView

        view = self._view("create_view", name, definition, columns, materialized, with_data, options, schema)
        self._emit(ReplaceView(view) if replace else CreateView(view, if_not_exists))

    def replace_view(
        self,
        name: str,
        definition: str | sa.SelectBase,
        *,
        columns: Sequence[str] = (),
        materialized: bool = False,
        with_data: bool = True,
        options: Mapping[str, object] | None = None,
        schema: str | None = None,
    ) -> None:
        """Give a view another query, or create it where there is none.

        A plain view on PostgreSQL keeps its rights and what depends on it, and may only gain columns; on SQLite, and
        materialized, it is dropped and created.
        """
        from asyncmig.operations.views import ReplaceView

        view = self._view("replace_view", name, definition, columns, materialized, with_data, options, schema)
        self._emit(ReplaceView(view))

    def drop_view(
        self,
        name: str,
        *,
        materialized: bool = False,
        if_exists: bool = False,
        cascade: bool = False,
        schema: str | None = None,
    ) -> None:
        """Drop a view; with `cascade`, those that read it too."""
        from asyncmig.operations.views import DropView

        ref = Ref(check_name("drop_view", "name", name), schema, "view")
        self._emit(DropView(ref, materialized, if_exists, cascade))

    def _view(
        self,
        directive: str,
        name: str,
        definition: object,
        columns: Sequence[str],
        materialized: bool,
        with_data: bool,
        options: Mapping[str, object] | None,
        schema: str | None,
    ) -> View:
        checked = check_name(directive, "name", name)
        text = _query(directive, checked, definition, self._step().sqlalchemy_dialect.name)
        return View(checked, text, schema, tuple(columns), materialized, with_data, view_options(options))


def _query(directive: str, name: str, definition: Any, dialect: str) -> str:
    if isinstance(definition, sa.SelectBase):
        definition = str(definition.compile(dialect=spelling_dialect(dialect), compile_kwargs={"literal_binds": True}))
    elif isinstance(definition, sa.TextClause):
        definition = definition.text
    text = check_name(directive, "definition", definition).strip().rstrip(";").rstrip()
    if text.upper().startswith("CREATE "):
        raise OperationError(f"{directive} {name} wants the query alone, without CREATE VIEW ... AS.")
    return text
