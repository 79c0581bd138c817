"""What the revisions so far have made, as far as their scripts tell it without a database: recorded, never run."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from asyncmig.database.recording import recorder_of
from asyncmig.database.work import with_arguments
from asyncmig.operations.enums import CreateEnum, DropEnum
from asyncmig.operations.recorder import record, replay
from asyncmig.operations.sql import Execute
from asyncmig.revisions.plan import Direction
from asyncmig.schema.enums import leftover_enums
from asyncmig.schema.model import EnumType, Schema
from asyncmig.scripts.loader import load_script

if TYPE_CHECKING:
    from asyncmig.database.step_settings import StepSettings
    from asyncmig.operations.base import Operation
    from asyncmig.revisions.graph import RevisionGraph
    from asyncmig.revisions.plan import Step

__all__ = ["History"]

logger = logging.getLogger("asyncmig")

_CREATE_TYPE = re.compile(
    r'\bCREATE\s+(?:DOMAIN|TYPE(?=\s+\S+\s+AS\s+ENUM))\s+(?:"?(?P<schema>\w+)"?\.)?"?(?P<name>\w+)"?\s', re.IGNORECASE
)


class History:
    """`settings` spell and name what is recorded; `arguments` are those of env.py for the scripts' functions.

    With `keeps_on_upgrade` an upgrade leaves types behind, as Alembic does: scripts written for it may count on that.
    """

    def __init__(
        self,
        graph: RevisionGraph,
        settings: StepSettings,
        arguments: Mapping[str, Any],
        *,
        keeps_on_upgrade: bool,
    ) -> None:
        self._graph = graph
        self._settings = settings
        self._arguments = arguments
        self._keeps_on_upgrade = keeps_on_upgrade
        self._recorded: dict[str, tuple[Operation, ...]] = {}

    def leftovers(self, step: Step, operations: Sequence[Operation]) -> tuple[DropEnum, ...]:
        """The drops of the types that came with columns and that nothing uses once the step's operations are done."""
        return self._left(step.direction, operations, lambda: self.schema(step.before))

    def left_by(self, name: str, operations: Sequence[Operation]) -> tuple[DropEnum, ...]:
        """The same for the upgrade of one revision of the history."""
        revision = self._graph[name]
        before = frozenset((*revision.down_revisions, *revision.depends_on))
        return self._left(Direction.UPGRADE, operations, lambda: self.schema(before))

    def schema(self, rows: frozenset[str]) -> Schema:
        """At the revisions `rows`; of a script that asks for the database, what it does before it asks."""
        schema = Schema()
        for name in self._graph.ordered(self._graph.ancestors(rows)):
            operations = self._upgrade(name)
            left = self._left(Direction.UPGRADE, operations, partial(_same, schema))
            schema = replay((*operations, *left), schema)
        return schema

    def _left(
        self, direction: Direction, operations: Sequence[Operation], known: Callable[[], Schema]
    ) -> tuple[DropEnum, ...]:
        if direction is Direction.UPGRADE and self._keeps_on_upgrade:
            return ()
        if not any(self._settings.dialect.may_leave_types(operation) for operation in operations):
            return ()
        before = known()
        return tuple(DropEnum(enum.ref, enum=enum) for enum in leftover_enums(before, replay(operations, before)))

    def _upgrade(self, name: str) -> tuple[Operation, ...]:
        if name not in self._recorded:
            self._recorded[name] = tuple(_with_own_types(self._record(name)))
        return self._recorded[name]

    def _record(self, name: str) -> Sequence[Operation]:
        recorder = recorder_of(self._graph[name].path, self._settings)
        try:
            function = with_arguments(load_script(self._graph[name]).upgrade, self._arguments)
            if function is not None:
                record(function, recorder)
        except Exception as error:
            # DynamicScript, mostly; but an old script may fail in any way: its imports are gone, it wants a database.
            logger.debug("revision %s is known only in part: %s", name, error)
        return [item.operation for item in recorder.items]


def _same(schema: Schema) -> Schema:
    return schema


def _with_own_types(operations: Iterable[Operation]) -> Iterable[Operation]:
    """Types that a script creates with SQL of its own are its own to drop, whatever columns say."""
    for operation in operations:
        yield operation
        if isinstance(operation, Execute):
            for match in _CREATE_TYPE.finditer(str(operation.sql)):
                yield CreateEnum(EnumType(match["name"], (), match["schema"]))
