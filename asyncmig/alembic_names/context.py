"""`alembic.context`: what scripts, helpers and a converted env.py ask of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from asyncmig.alembic_names.active import ProjectRun, project_run
from asyncmig.environment.context import parse_x
from asyncmig.errors import NoMigrationRunning, UsageError
from asyncmig.operations.facade import op

if TYPE_CHECKING:
    import sqlalchemy as sa

    from asyncmig.environment.script_config import ScriptConfig
    from asyncmig.operations.context import MigrationContext

__all__ = [
    "begin_transaction",
    "config",
    "configure",
    "execute",
    "get_bind",
    "get_context",
    "get_tag_argument",
    "get_x_argument",
    "is_offline_mode",
    "is_transactional_ddl",
    "requires_connection",
    "run_migrations",
]

config: ScriptConfig


def __getattr__(name: str) -> Any:
    if name == "config":
        return _run().config
    raise AttributeError(f"context has no {name!r}")


def get_context() -> MigrationContext:
    return op.get_context()


def get_bind() -> sa.Connection:
    return op.get_bind()


def execute(sql: Any, execution_options: Any = None) -> None:
    op.execute(sql, execution_options=execution_options)


def get_x_argument(as_dictionary: bool = False) -> list[str] | dict[str, str | tuple[str, ...]]:
    """What was given with -x, as it was typed or by name."""
    arguments = _run().context.x_arguments
    if not as_dictionary:
        return list(arguments)
    return {name: value[-1] if isinstance(value, tuple) else value for name, value in parse_x(arguments).items()}


def get_tag_argument() -> str | None:
    tag: str | None = get_context().opts.get("tag")
    return tag


def is_offline_mode() -> bool:
    """Whether SQL is only written out."""
    return _run().context.offline


def is_transactional_ddl() -> bool:
    return True


def requires_connection() -> bool:
    return not is_offline_mode()


def begin_transaction() -> Any:
    return op.get_context().begin_transaction()


def configure(*_: Any, **__: Any) -> NoReturn:
    _for_alembic("configure")


def run_migrations(**_: Any) -> NoReturn:
    _for_alembic("run_migrations")


def _for_alembic(name: str) -> NoReturn:
    raise UsageError(
        f"context.{name} was called, but asyncmig runs the migrations itself.",
        hint="env.py declares: environment = Environment(...). `asyncmig adopt` converts one written for Alembic.",
    )


def _run() -> ProjectRun:
    run = project_run()
    if run is None:
        raise NoMigrationRunning("alembic.context was used where no project is loaded or run.")
    return run
