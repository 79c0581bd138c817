"""Async-first schema migrations for PostgreSQL and SQLite.

    from asyncmig import Migrator          # from an application
    from asyncmig import Environment       # in migrations/env.py
    from asyncmig import op                # in a revision script

The names are looked up when they are first used: `import asyncmig` loads nothing else, so a command that
only reads files never pays for SQLAlchemy.
"""

# Type checkers go by the name; typing itself would be most of what importing this package costs.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncmig.config import Config
    from asyncmig.environment import Context, Environment
    from asyncmig.errors import (
        AccessDenied,
        AmbiguousRevision,
        AsyncmigError,
        ChangedScripts,
        CheckFailed,
        ConfigError,
        ConflictingRows,
        ConnectionFailed,
        ConstraintNotFound,
        DatabaseError,
        Declined,
        DriverError,
        DynamicScript,
        EnvironmentFileError,
        FleetFailed,
        ForeignRevision,
        GraphError,
        Interrupted,
        Irreversible,
        LockTimeout,
        MalformedTarget,
        MigrationFailed,
        MultipleHeads,
        NoMigrationRunning,
        NotAtHead,
        OperationError,
        RevisionError,
        RevisionNotFound,
        RunLockLost,
        ScriptError,
        TemplateError,
        UnsupportedOperation,
        UsageError,
        VersionTableError,
    )
    from asyncmig.migrator import Migrator
    from asyncmig.operations.facade import op
    from asyncmig.version import __version__

__all__ = [
    "AccessDenied",
    "AmbiguousRevision",
    "AsyncmigError",
    "ChangedScripts",
    "CheckFailed",
    "Config",
    "ConfigError",
    "ConflictingRows",
    "ConnectionFailed",
    "ConstraintNotFound",
    "Context",
    "DatabaseError",
    "Declined",
    "DriverError",
    "DynamicScript",
    "Environment",
    "EnvironmentFileError",
    "FleetFailed",
    "ForeignRevision",
    "GraphError",
    "Interrupted",
    "Irreversible",
    "LockTimeout",
    "MalformedTarget",
    "MigrationFailed",
    "Migrator",
    "MultipleHeads",
    "NoMigrationRunning",
    "NotAtHead",
    "OperationError",
    "RevisionError",
    "RevisionNotFound",
    "RunLockLost",
    "ScriptError",
    "TemplateError",
    "UnsupportedOperation",
    "UsageError",
    "VersionTableError",
    "__version__",
    "op",
]


def __getattr__(name: str) -> object:
    """Import a public name from where it lives, and keep it, so that the next look does not come here."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_home(name)), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _home(name: str) -> str:
    match name:
        case "Config":
            return "asyncmig.config"
        case "Context" | "Environment":
            return "asyncmig.environment"
        case "Migrator":
            return "asyncmig.migrator"
        case "__version__":
            return "asyncmig.version"
        case "op":
            return "asyncmig.operations.facade"
        case _:
            return "asyncmig.errors"
