"""Async-first schema migrations for PostgreSQL and SQLite.

    from asyncmig import Migrator          # from an application
    from asyncmig import Environment       # in migrations/env.py
    from asyncmig import op                # in a revision script

The names are looked up when they are first used: `import asyncmig` loads nothing else, so a command that
only reads files never pays for SQLAlchemy.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncmig.config import Config
    from asyncmig.environment import Context, Environment
    from asyncmig.errors import (
        AccessDenied,
        AmbiguousRevision,
        AsyncmigError,
        CheckFailed,
        ConfigError,
        ConnectionFailed,
        DatabaseError,
        Declined,
        DriverError,
        DynamicScript,
        EnvironmentFileError,
        ForeignRevision,
        GraphError,
        Interrupted,
        Irreversible,
        LockTimeout,
        MalformedTarget,
        MigrationFailed,
        MultipleHeads,
        NoMigrationRunning,
        OperationError,
        RevisionError,
        RevisionNotFound,
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
    "CheckFailed",
    "Config",
    "ConfigError",
    "ConnectionFailed",
    "Context",
    "DatabaseError",
    "Declined",
    "DriverError",
    "DynamicScript",
    "Environment",
    "EnvironmentFileError",
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
    "OperationError",
    "RevisionError",
    "RevisionNotFound",
    "ScriptError",
    "TemplateError",
    "UnsupportedOperation",
    "UsageError",
    "VersionTableError",
    "__version__",
    "op",
]

_ELSEWHERE: Final = MappingProxyType({
    "Config": "asyncmig.config",
    "Context": "asyncmig.environment",
    "Environment": "asyncmig.environment",
    "Migrator": "asyncmig.migrator",
    "__version__": "asyncmig.version",
    "op": "asyncmig.operations.facade",
})


def __getattr__(name: str) -> object:
    """Import a public name's module; all that are not named in `_ELSEWHERE` are errors."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_ELSEWHERE.get(name, "asyncmig.errors")), name)
    # Kept, so that the next look does not come here.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
