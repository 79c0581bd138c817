"""One call of a directive through Alembic and through asyncmig: the SQL that each writes, what each leaves in a database."""

import io
import sqlite3
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from directive_cases import SETUP
from sqlalchemy.dialects import postgresql as pg

from asyncmig.database.recording import StatementWriter
from asyncmig.dialects.base import Dialect
from asyncmig.dialects.registry import dialect_for
from asyncmig.operations.base import Operation
from asyncmig.operations.context import ContextSettings
from asyncmig.operations.facade import op as our_op
from asyncmig.operations.recorder import Recorded, Recorder, record
from asyncmig.schema.model import Schema

if TYPE_CHECKING:  # what does without Alembic runs where it is not installed
    from alembic.runtime.migration import MigrationContext

Names = dict[str, Any]


class Settings:
    """What StatementWriter wants of the runner's settings."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect


def run_code(code: str, op: Any) -> None:
    names: Names = {"op": op, "sa": sa, "pg": pg}
    exec(compile(code, "case", "exec"), names)


def recorded(code: str, dialect: Dialect, convention: Mapping[str, Any] | None = None) -> tuple[Recorded, ...]:
    """The operations of a text, as asyncmig records a script."""
    settings = ContextSettings(as_sql=True)
    recorder = Recorder("case", dialect.sqlalchemy, naming_convention=convention, settings=settings)
    return record(lambda: run_code(code, our_op), recorder).items


def our_sql(name: str, code: str, convention: Mapping[str, Any] | None = None) -> list[str]:
    """What --sql writes for the call, after the tables of SETUP."""
    dialect = dialect_for(name)
    writer = StatementWriter(Settings(dialect), lambda refs: Schema())  # type: ignore[arg-type]
    for item in recorded(SETUP, dialect):
        writer.statements(item)
    statements = [s for item in recorded(code, dialect, convention) for s in writer.statements(item)]
    return [_plain(text) for statement in statements for text in dialect.literal(statement)]


@cache
def _setup_sql(name: str) -> list[str]:
    return alembic_sql(name, SETUP)


def alembic_sql(name: str, code: str, convention: Mapping[str, Any] | None = None) -> list[str]:
    """What `alembic upgrade --sql` writes for the call, as statements."""
    from alembic.runtime.migration import MigrationContext

    buffer = io.StringIO()
    metadata = sa.MetaData(naming_convention=convention) if convention else sa.MetaData()
    options = {"as_sql": True, "output_buffer": buffer, "target_metadata": metadata, "literal_binds": True}
    context = MigrationContext.configure(dialect_name=name, opts=options)
    parts: list[str] = []
    implementation: Any = context.impl
    # One call a statement: a text may hold the separator.
    implementation.static_output = lambda text: parts.append(_plain(text.removesuffix(";")))
    _alembic(context, code)
    return parts


def outcome(write: Callable[..., list[str]], *arguments: Any) -> list[str]:
    """The statements, or one line that names the error."""
    try:
        return write(*arguments)
    except Exception as error:
        return [f"error: {type(error).__name__}"]


def _alembic(context: "MigrationContext", code: str) -> None:
    from alembic.operations import Operations as AlembicOperations

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with AlembicOperations.context(context) as op:
            run_code(code, op)


def _plain(text: str) -> str:
    """Alembic writes four spaces for a tab."""
    return "\n".join(line.rstrip() for line in text.replace("\t", "    ").strip().splitlines())


# in a database


def set_up(connection: sa.Connection) -> None:
    """The tables of SETUP, made by Alembic; on PostgreSQL a schema `s` with the same besides."""
    for sql in _setup_sql(connection.dialect.name):
        connection.exec_driver_sql(sql)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("CREATE SCHEMA s")
        connection.exec_driver_sql("SET search_path = s")
        for sql in _setup_sql(connection.dialect.name):
            connection.exec_driver_sql(sql)
        connection.exec_driver_sql("SET search_path = public")


def through_alembic(connection: sa.Connection, code: str, convention: Mapping[str, Any] | None = None) -> None:
    from alembic.runtime.migration import MigrationContext

    metadata = sa.MetaData(naming_convention=convention) if convention else sa.MetaData()
    _alembic(MigrationContext.configure(connection, opts={"target_metadata": metadata}), code)


def through_asyncmig(connection: sa.Connection, code: str, convention: Mapping[str, Any] | None = None) -> None:
    """Each operation spelled with the connection to ask, and sent, as the runner does."""
    for item in recorded(code, dialect_for(connection.dialect.name), convention):
        carry_out(connection, item.operation)


def carry_out(connection: sa.Connection, operation: Operation) -> None:
    def query(sql: str, parameters: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        result = connection.exec_driver_sql(sql.replace("%", "%%") if _is_psycopg(connection) else sql)
        return result.fetchall() if result.returns_rows else []

    base = dialect_for(connection.dialect.name)
    dialect = base.asking(query)
    before = Schema()
    for text, read in dialect.catalog_queries(dialect.reads(operation)):
        before = read(before, [tuple(row) for row in query(text)])
    for statement in dialect.statements(operation, before):
        for sql in dialect.literal(statement):
            query(sql)
        if statement.procedure is not None and statement.procedure.verify is not None:
            statement.procedure.verify(query)


def _is_psycopg(connection: sa.Connection) -> bool:
    return connection.dialect.driver == "psycopg"


@contextmanager
def sqlite_database() -> Iterator[sa.Connection]:
    """In memory, with DDL inside its transactions, rolled back at the end."""
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)

    @sa.event.listens_for(engine, "connect")
    def no_implicit_transactions(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None

    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
    finally:
        engine.dispose()


def reflected(connection: sa.Connection) -> dict[str, Any]:
    """Everything that SQLAlchemy's inspector says of every table, without the order of what has none."""
    found: dict[str, Any] = {}
    inspector = sa.inspect(connection)
    for schema in (None, "s") if connection.dialect.name == "postgresql" else (None,):
        found.update(_schema(inspector, schema))
    return found


def _schema(inspector: sa.Inspector, schema: str | None) -> Iterator[tuple[str, Any]]:
    """One query a kind on PostgreSQL."""
    kinds: dict[str, Any] = {
        "primary key": inspector.get_multi_pk_constraint(schema=schema),
        "foreign keys": inspector.get_multi_foreign_keys(schema=schema),
        "unique": inspector.get_multi_unique_constraints(schema=schema),
        "checks": inspector.get_multi_check_constraints(schema=schema),
        "indexes": inspector.get_multi_indexes(schema=schema),
    }
    if inspector.dialect.supports_comments:
        kinds["comment"] = inspector.get_multi_table_comment(schema=schema)
    for key, columns in inspector.get_multi_columns(schema=schema).items():
        parts = {kind: _unordered(values.get(key)) for kind, values in kinds.items()}
        yield str(key), {"columns": [_spelled(column) for column in columns], **parts}


def _unordered(value: Any) -> Any:
    return sorted(_spelled(item) for item in value) if isinstance(value, list) else value


def _spelled(value: Any) -> str:
    """Equal for equal values; a type and an expression by their text."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_spelled(item)}' for key, item in sorted(value.items()))}}}"
    return str(value) if isinstance(value, sa.TextClause) else repr(value)
