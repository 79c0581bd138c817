"""What can go wrong: one class for each failure that a caller may treat, each with its data.

AsyncmigError                       exit code 3 unless said otherwise
├── UsageError                      2  the call, the configuration or env.py is wrong
│   ├── ConfigError                    a key, with the file it stands in
│   ├── EnvironmentFileError           env.py, with the line
│   ├── DriverError                    a driver that is missing or not async
│   └── TemplateError                  init or script.py.mako
├── RevisionError                   2  the history on disk, or a name for a place in it
│   ├── ScriptError                    one script, with file and line
│   ├── GraphError                     the scripts do not form a history (cycles, unknown parents)
│   ├── MalformedTarget                not a revision identifier at all
│   ├── RevisionNotFound               with the nearest candidates
│   ├── AmbiguousRevision              with the candidates
│   └── MultipleHeads                  `head` was asked for and there are several
├── CheckFailed                     1  a check answered no
├── Declined                        1  a question was answered no, or could not be asked
├── DatabaseError
│   ├── ConnectionFailed            5  the server does not answer
│   ├── LockTimeout                 5  somebody else holds the run lock, or a lock in the database
│   ├── RunLockLost                    another run has taken the lease over; nothing more was done
│   ├── AccessDenied                   wrong password, missing rights, read-only file
│   ├── ChangedScripts                 scripts that were applied mean something else now
│   ├── ForeignRevision                the database is at a revision that nobody here knows
│   ├── NotAtHead                      autogenerate compares with a database that is at head
│   ├── VersionTableError              the version or journal table cannot be used as it is
│   ├── FleetFailed                 3, 4 or 5, by its targets; carries the report of all
│   └── MigrationFailed             3 or 4, by what had been applied; carries the report
├── OperationError
│   ├── NoMigrationRunning             `op` outside a migration, or in a child task or foreign thread
│   ├── DynamicScript                  a recording met something that only a database can answer
│   ├── UnsupportedOperation           the database has no such thing
│   │   └── ConstraintNotFound         a constraint to drop that the table does not have
│   ├── ConflictingRows                rows of a table do not fit what it is to become
│   └── Irreversible                   an operation that cannot be undone from what is known
└── Interrupted                     130
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncmig.database.report import Report
    from asyncmig.fleet.report import FleetReport

__all__ = [
    "AccessDenied",
    "AmbiguousRevision",
    "AsyncmigError",
    "ChangedScripts",
    "CheckFailed",
    "ConfigError",
    "ConflictingRows",
    "ConnectionFailed",
    "ConstraintNotFound",
    "DatabaseError",
    "Declined",
    "DriverError",
    "DynamicScript",
    "EnvironmentFileError",
    "FleetFailed",
    "ForeignRevision",
    "GraphError",
    "Interrupted",
    "Irreversible",
    "LockTimeout",
    "MalformedTarget",
    "MigrationFailed",
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
]


class AsyncmigError(Exception):
    """An expected failure: `message` says what and where, `hint` what to do, `exit_code` what a shell sees."""

    exit_code: int = 3

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message

    @property
    def data(self) -> Mapping[str, object]:
        """What a program wants to know beyond the sentence: JSON-ready values."""
        return {}


class _Located(AsyncmigError):
    """A failure at a place in a file; `line` counts from 1, None where the whole file is meant."""

    def __init__(
        self, message: str, *, path: Path | None = None, line: int | None = None, hint: str | None = None
    ) -> None:
        where = f"{path}:{line}: " if path and line else f"{path}: " if path else ""
        super().__init__(f"{where}{message}", hint=hint)
        self.path = path
        self.line = line

    @property
    def data(self) -> Mapping[str, object]:
        return {"path": str(self.path) if self.path else None, "line": self.line}


class UsageError(AsyncmigError):
    exit_code = 2


class ConfigError(UsageError):
    """A configuration key that is unknown, missing or malformed; `key` and `path` name it."""

    def __init__(
        self, message: str, *, key: str | None = None, path: Path | None = None, hint: str | None = None
    ) -> None:
        super().__init__(f"{path}: {message}" if path else message, hint=hint)
        self.key = key
        self.path = path

    @property
    def data(self) -> Mapping[str, object]:
        return {"key": self.key, "path": str(self.path) if self.path else None}


class EnvironmentFileError(_Located, UsageError):
    exit_code = 2


class DriverError(UsageError):
    pass


class TemplateError(_Located, UsageError):
    exit_code = 2


class RevisionError(AsyncmigError):
    exit_code = 2


class ScriptError(_Located, RevisionError):
    exit_code = 2


class GraphError(_Located, RevisionError):
    exit_code = 2


class MalformedTarget(RevisionError):
    pass


class RevisionNotFound(RevisionError):
    """`candidates` are full identifiers, the nearest first, possibly none."""

    def __init__(
        self, message: str, *, identifier: str, candidates: Sequence[str] = (), hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.identifier = identifier
        self.candidates = tuple(candidates)

    @property
    def data(self) -> Mapping[str, object]:
        return {"identifier": self.identifier, "candidates": list(self.candidates)}


class AmbiguousRevision(RevisionNotFound):
    pass


class MultipleHeads(RevisionError):
    def __init__(self, message: str, *, heads: Sequence[str], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.heads = tuple(heads)

    @property
    def data(self) -> Mapping[str, object]:
        return {"heads": list(self.heads)}


class CheckFailed(AsyncmigError):
    """`found` is what the check saw, for programs: JSON-ready values."""

    exit_code = 1

    def __init__(self, message: str, *, found: Mapping[str, object] | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.found = found or {}

    @property
    def data(self) -> Mapping[str, object]:
        return self.found


class Declined(AsyncmigError):
    exit_code = 1


class DatabaseError(AsyncmigError):
    pass


class ConnectionFailed(DatabaseError):
    exit_code = 5


class LockTimeout(DatabaseError):
    exit_code = 5


class RunLockLost(DatabaseError):
    """With lock = "lease": another run took the lock over, so what was under way could not be committed."""


class AccessDenied(DatabaseError):
    pass


class ChangedScripts(DatabaseError):
    """`scripts` are the applied revisions whose files mean something else now, with those files."""

    def __init__(self, message: str, *, scripts: Mapping[str, Path], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.scripts = scripts

    @property
    def data(self) -> Mapping[str, object]:
        return {"scripts": {revision: str(path) for revision, path in self.scripts.items()}}


class ForeignRevision(DatabaseError):
    """`revisions` are the identifiers in the version table that neither the scripts nor the journal explain."""

    def __init__(self, message: str, *, revisions: Sequence[str], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.revisions = tuple(revisions)

    @property
    def data(self) -> Mapping[str, object]:
        return {"revisions": list(self.revisions)}


class NotAtHead(DatabaseError):
    """`pending` are the revisions that the database has not."""

    def __init__(self, message: str, *, pending: Sequence[str], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.pending = tuple(pending)

    @property
    def data(self) -> Mapping[str, object]:
        return {"pending": list(self.pending)}


class VersionTableError(DatabaseError):
    pass


class MigrationFailed(DatabaseError):
    """A step failed: `report` says what was applied before it, the rest where and with which statement.

    The exit code is 3 when nothing was applied and 4 when the database did change.
    """

    def __init__(
        self,
        message: str,
        *,
        report: Report,
        revision: str,
        path: Path | None = None,
        line: int | None = None,
        sql: str | None = None,
        changed: bool = False,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = 4 if changed else 3
        self.report = report
        self.revision = revision
        self.path = path
        self.line = line
        self.sql = sql

    @property
    def data(self) -> Mapping[str, object]:
        return {
            "revision": self.revision,
            "path": str(self.path) if self.path else None,
            "line": self.line,
            "sql": self.sql,
            "applied": [step.revision for step in self.report.steps],
        }


class FleetFailed(DatabaseError):
    """Some targets of a fleet failed or were not begun: `report` has the result of each."""

    def __init__(self, message: str, *, report: FleetReport, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.report = report

    @property
    def data(self) -> Mapping[str, object]:
        return {"targets": [result.target for result in self.report.missed]}


class OperationError(AsyncmigError):
    pass


class NoMigrationRunning(OperationError, NameError):
    """A NameError too: scripts that use `op` where they are imported catch that, as Alembic's names raise it."""


class DynamicScript(_Located, OperationError):
    pass


class UnsupportedOperation(OperationError):
    pass


class ConstraintNotFound(UnsupportedOperation, ValueError):
    """A ValueError too: scripts that drop what may not be there catch that, as Alembic's batches raise it."""


class ConflictingRows(OperationError):
    """`count` rows of `table` do not fit a constraint on `columns`; nothing has been changed."""

    def __init__(
        self, message: str, *, table: str, columns: Sequence[str], count: int, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.table = table
        self.columns = tuple(columns)
        self.count = count

    @property
    def data(self) -> Mapping[str, object]:
        return {"table": self.table, "columns": list(self.columns), "count": self.count}


class Irreversible(OperationError):
    pass


class Interrupted(AsyncmigError):
    exit_code = 130
