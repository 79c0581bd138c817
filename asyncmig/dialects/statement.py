"""SQL plus its facts: what is sent, where it came from, and what it does to those who are working."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from asyncmig.operations.base import Operation, Origin
from asyncmig.schema.model import Ref

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["LockLevel", "Parameters", "Procedure", "Statement"]

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class LockLevel(IntEnum):
    """PostgreSQL's table locks, weakest first (manual, "Table-Level Locks"). NONE is no table lock."""

    NONE = 0
    ACCESS_SHARE = 1
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8


@dataclass(frozen=True, slots=True)
class Procedure:
    """Several SQL texts that are one change, planned from what the database holds.

    `identity` is what the journal knows it by: the texts of the same change differ from one database to another.
    `verify` looks, after the last of them, whether all is as planned, with a function that fetches rows.
    `settle` has to look once more at the end of the step, where something is unsettled until then.
    `after_failure` puts the connection back after the rollback. With `foreign_keys_off`, PRAGMA foreign_keys must be
    off before the transaction begins.
    """

    steps: tuple[str, ...]
    identity: str
    verify: Callable[[Callable[..., Sequence[Sequence[Any]]]], None] | None = field(
        default=None, compare=False, repr=False
    )
    after_failure: tuple[str, ...] = ()
    foreign_keys_off: bool = False
    settle: Callable[[Callable[..., Sequence[Sequence[Any]]]], None] | None = field(
        default=None, compare=False, repr=False
    )


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement for one database.

    `sql` is what the driver gets, or, where `clause` is set, its compiled text with placeholders, for
    messages and for the hash. A statement with a clause is executed through SQLAlchemy with `parameters`.
    `transactional` is False where the database refuses to run it inside a transaction block.
    `procedure` says that `sql` stands for several texts, each sent by itself. The facts that are None are not known.
    """

    sql: str
    clause: sa.Executable | None = field(default=None, compare=False, repr=False)
    parameters: Parameters | None = None
    execution_options: Mapping[str, Any] | None = None
    transactional: bool = True
    lock: LockLevel | None = None
    locks: Ref | None = None
    scans: bool | None = None
    rewrites: bool | None = None
    procedure: Procedure | None = None
    operation: Operation | None = field(default=None, compare=False, repr=False)
    origin: Origin | None = None

    @property
    def digest(self) -> str:
        """16 hex digits over the SQL and its parameters: what a resumed step compares."""
        if self.procedure is not None:
            return hashlib.sha256(self.procedure.identity.encode()).hexdigest()[:16]
        text = f"{self.sql}\0{self.parameters!r}" if self.parameters else self.sql
        return hashlib.sha256(text.encode()).hexdigest()[:16]
