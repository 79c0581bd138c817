"""create_all and drop_all with what is declared beside tables, so that a database made by them is what the models say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from asyncmig.dialects.holding import held
from asyncmig.dialects.registry import dialect_of
from asyncmig.operations.policies import CreatePolicy, SetRowSecurity
from asyncmig.operations.routines import CreateFunction, CreateTrigger, DropFunction
from asyncmig.operations.schemas import CreateExtension
from asyncmig.operations.views import CreateView, DropView
from asyncmig.schema.declared import with_declared
from asyncmig.schema.dependence import bound_names, early_functions, in_order
from asyncmig.schema.model import Function, Ref, Schema, View

if TYPE_CHECKING:
    from asyncmig.dialects.base import Dialect
    from asyncmig.operations.base import Operation

__all__ = ["listen"]


def listen(metadata: sa.MetaData) -> None:
    """Join the events of a MetaData."""
    sa.event.listen(metadata, "before_create", _before_create)
    sa.event.listen(metadata, "after_create", _after_create)
    sa.event.listen(metadata, "before_drop", _before_drop)
    sa.event.listen(metadata, "after_drop", _after_drop)


def _before_create(metadata: sa.MetaData, connection: sa.Connection, **given: Any) -> None:
    """Extensions, and the functions that tables may call."""
    if _is_whole(given) and (declared := _declared(metadata, connection)) is not None:
        extensions = (CreateExtension(one, if_not_exists=True) for one in declared.extensions.values())
        _run(connection, [*extensions, *(CreateFunction(one, replace=True) for one in _early(declared, metadata))])


def _after_create(metadata: sa.MetaData, connection: sa.Connection, **given: Any) -> None:
    """The rest. Of a create_all for some tables alone: what belongs to those."""
    declared = _declared(metadata, connection)
    if declared is None:
        return
    made = {Ref(table.name, table.schema) for table in given.get("tables") or ()}
    if _is_whole(given):
        early = {function.ref for function in _early(declared, metadata)}
        late = [function for ref, function in declared.functions.items() if ref not in early]
        there = _views_there(declared, connection, given)
        both: list[Function | View] = [*late, *declared.views.values()]
        for one in in_order(both):
            if not isinstance(one, View):
                _run(connection, [CreateFunction(one, replace=True)])
            elif one.ref not in there:
                _run(connection, [CreateView(one)])
        made |= {Ref(ref.name, ref.schema) for ref in declared.views if ref not in there}
    _run(connection, _of_tables(declared, made))


def _of_tables(declared: Schema, made: set[Ref]) -> Iterator[Operation]:
    yield from (CreateTrigger(one) for one in declared.triggers.values() if one.table in made)
    forced = declared.forced
    yield from (SetRowSecurity(ref, True, ref in forced or None) for ref in sorted(declared.secured & made))
    yield from (CreatePolicy(one) for one in declared.policies.values() if one.table in made)


def _before_drop(metadata: sa.MetaData, connection: sa.Connection, **given: Any) -> None:
    """Views stand in the way of their tables. Triggers and policies go with them, and extensions stay: others use them."""
    if _is_whole(given) and (declared := _declared(metadata, connection)) is not None:
        views = reversed(in_order(list(declared.views.values())))
        _run(connection, (DropView(one.ref, one.materialized, if_exists=True) for one in views))


def _after_drop(metadata: sa.MetaData, connection: sa.Connection, **given: Any) -> None:
    if _is_whole(given) and (declared := _declared(metadata, connection)) is not None:
        functions = reversed(in_order(list(declared.functions.values()), bound_names))
        _run(connection, (DropFunction(one.name, one.arguments, one.schema, if_exists=True) for one in functions))


def _is_whole(given: dict[str, Any]) -> bool:
    """Not one of the calls with `tables=`, which are about those alone."""
    return getattr(given.get("_ddl_runner"), "tables", None) is None


def _declared(metadata: sa.MetaData, connection: sa.Connection) -> Schema | None:
    """What this database can hold of it, without SQLAlchemy's own views, which create_all makes itself."""
    name = connection.dialect.name
    if name not in ("postgresql", "sqlite"):
        return None
    declared = held(with_declared(Schema(), (metadata,), name), name)
    own = {Ref(table.name, table.schema, "view") for table in metadata.tables.values()}
    return replace(declared, views={ref: view for ref, view in declared.views.items() if ref not in own})


def _early(declared: Schema, metadata: sa.MetaData) -> list[Function]:
    relations = [table.name for table in metadata.tables.values()] + [view.name for view in declared.views.values()]
    return early_functions(list(declared.functions.values()), relations)


def _views_there(declared: Schema, connection: sa.Connection, given: dict[str, Any]) -> frozenset[Ref]:
    if not given.get("checkfirst"):
        return frozenset()
    has = connection.dialect.has_table
    return frozenset(ref for ref in declared.views if has(connection, ref.name, schema=ref.schema))


def _run(connection: sa.Connection, operations: Iterable[Operation]) -> None:
    dialect: Dialect = dialect_of(connection.dialect)
    for operation in operations:
        for statement in dialect.statements(operation, Schema()):
            # A DDL construct, so that it works with create_mock_engine too; it takes % for a place of its own.
            connection.execute(sa.DDL(statement.sql.replace("%", "%%")))  # type: ignore[no-untyped-call]
