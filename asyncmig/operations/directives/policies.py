"""`op` on row level security."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from asyncmig.errors import OperationError
from asyncmig.operations.directives.base import Directives, check_name
from asyncmig.schema.model import Policy, Ref

__all__ = ["PolicyDirectives"]

Command = Literal["ALL", "SELECT", "INSERT", "UPDATE", "DELETE"]

_COMMANDS = ("ALL", "SELECT", "INSERT", "UPDATE", "DELETE")


class PolicyDirectives(Directives):
    __slots__ = ()

    def create_policy(
        self,
        name: str,
        table_name: str,
        *,
        command: Command = "ALL",
        roles: str | Sequence[str] = "PUBLIC",
        using: str | None = None,
        check: str | None = None,
        permissive: bool = True,
        schema: str | None = None,
    ) -> None:
        """Create a row security policy: `using` says which rows are seen, `check` which may be written.

        It counts once enable_row_level_security was called for the table.
        """
        from asyncmig.operations.policies import CreatePolicy

        if command.upper() not in _COMMANDS:
            raise OperationError(
                f"create_policy {name}: the command is one of {', '.join(_COMMANDS)}, not {command!r}."
            )
        policy = Policy(
            check_name("create_policy", "name", name),
            Ref(check_name("create_policy", "table name", table_name), schema),
            command.upper(),
            (roles,) if isinstance(roles, str) else tuple(roles),
            using,
            check,
            permissive,
        )
        self._emit(CreatePolicy(policy))

    def drop_policy(self, name: str, table_name: str, *, schema: str | None = None, if_exists: bool = False) -> None:
        """Drop a policy of a table."""
        from asyncmig.operations.policies import DropPolicy

        checked = check_name("drop_policy", "name", name)
        table = Ref(check_name("drop_policy", "table name", table_name), schema)
        self._emit(DropPolicy(checked, table, if_exists))

    def enable_row_level_security(
        self, table_name: str, *, force: bool | None = None, schema: str | None = None
    ) -> None:
        """Let the table's policies count; with `force` for its owner too."""
        from asyncmig.operations.policies import SetRowSecurity

        table = Ref(check_name("enable_row_level_security", "table name", table_name), schema)
        self._emit(SetRowSecurity(table, True, force))

    def disable_row_level_security(
        self, table_name: str, *, force: bool | None = None, schema: str | None = None
    ) -> None:
        """Let everybody with rights on the table see every row; `force=False` takes back a force."""
        from asyncmig.operations.policies import SetRowSecurity

        table = Ref(check_name("disable_row_level_security", "table name", table_name), schema)
        self._emit(SetRowSecurity(table, False, force))
