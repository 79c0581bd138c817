"""`op` on functions and triggers."""

from __future__ import annotations

from asyncmig.operations.directives.base import Directives, check_name
from asyncmig.schema.model import Function, Ref, Trigger

__all__ = ["RoutineDirectives"]


class RoutineDirectives(Directives):
    __slots__ = ()

    def create_function(
        self, name: str, arguments: str, definition: str, *, replace: bool = False, schema: str | None = None
    ) -> None:
        """CREATE FUNCTION name(arguments) definition.

        `arguments` is what stands in the parentheses, "" for none; `definition` all that follows them:
        "RETURNS trigger LANGUAGE plpgsql AS $$ ... $$".
        """
        from asyncmig.operations.routines import CreateFunction

        function = Function(
            check_name("create_function", "name", name),
            arguments.strip(),
            _text("create_function", "definition", definition),
            schema,
        )
        self._emit(CreateFunction(function, replace))

    def drop_function(
        self,
        name: str,
        arguments: str | None = None,
        *,
        schema: str | None = None,
        if_exists: bool = False,
        cascade: bool = False,
    ) -> None:
        """Drop a function; `arguments` tell overloads apart and may be left out where there is only one."""
        from asyncmig.operations.routines import DropFunction

        checked = check_name("drop_function", "name", name)
        self._emit(DropFunction(checked, arguments, schema, if_exists, cascade))

    def create_trigger(
        self,
        name: str,
        table_name: str,
        event: str,
        action: str,
        *,
        replace: bool = False,
        constraint: bool = False,
        schema: str | None = None,
    ) -> None:
        """CREATE TRIGGER name event ON table action.

        `event` is "AFTER UPDATE OF email"; `action` "FOR EACH ROW EXECUTE FUNCTION note()" on PostgreSQL and
        "BEGIN ...; END" on SQLite. `replace` drops one of that name first where the database cannot replace it.
        """
        from asyncmig.operations.routines import CreateTrigger

        trigger = Trigger(
            check_name("create_trigger", "name", name),
            Ref(check_name("create_trigger", "table name", table_name), schema),
            _text("create_trigger", "event", event),
            _text("create_trigger", "action", action),
            constraint,
        )
        self._emit(CreateTrigger(trigger, replace))

    def drop_trigger(
        self,
        name: str,
        table_name: str,
        *,
        schema: str | None = None,
        if_exists: bool = False,
        cascade: bool = False,
    ) -> None:
        """Drop a trigger of a table."""
        from asyncmig.operations.routines import DropTrigger

        checked = check_name("drop_trigger", "name", name)
        table = Ref(check_name("drop_trigger", "table name", table_name), schema)
        self._emit(DropTrigger(checked, table, if_exists, cascade))


def _text(directive: str, parameter: str, value: object) -> str:
    text = check_name(directive, parameter, value).strip()
    # A trigger's body on SQLite ends in END, a function's in its quote: the semicolon behind is the shell's.
    return text.rstrip(";").rstrip()
