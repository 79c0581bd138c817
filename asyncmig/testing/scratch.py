"""Databases that exist for a test: empty ones, and copies of one that was migrated once."""

from __future__ import annotations

import os
import shutil
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import sqlalchemy as sa

from asyncmig.database.engine import Database
from asyncmig.database.failures import is_access_denied, message_of, sqlstate_of
from asyncmig.errors import AccessDenied
from asyncmig.url import normalize_url

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["Scratch"]

_BUSY = "55006"
_BUSY_SECONDS = 10.0


@dataclass(slots=True)
class Scratch:
    """`server` is the URL of a database that is left alone: the new ones are made beside it.

    On PostgreSQL its role needs CREATEDB. On SQLite they are files in `folder`. `made` are those not yet dropped.
    """

    server: URL
    folder: Path
    made: list[URL] = field(default_factory=list)

    @classmethod
    def beside(cls, url: str, folder: Path) -> Scratch:
        return cls(normalize_url(url), folder)

    async def fresh(self) -> str:
        """The URL of one more empty database."""
        return await self._make(None)

    async def copy(self, template: str) -> str:
        """The URL of one more database that is as `template` is; nobody may be connected to that one."""
        return await self._make(normalize_url(template))

    async def drop(self, url: str) -> None:
        """Drop a database of ours, whoever is still connected."""
        target = normalize_url(url)
        self.made.remove(target)
        if self._on_files:
            for path in self.folder.glob(f"{Path(target.database or '').name}*"):
                path.unlink()
            return
        await self._administer(f'DROP DATABASE IF EXISTS "{target.database}" WITH (FORCE)')

    async def drop_all(self) -> None:
        for url in list(self.made):
            await self.drop(url.render_as_string(hide_password=False))

    @property
    def _on_files(self) -> bool:
        return self.server.get_backend_name() == "sqlite"

    async def _make(self, template: URL | None) -> str:
        name = f"asyncmig_test_{os.getpid()}_{uuid.uuid4().hex[:8]}"
        if self._on_files:
            url = self.server.set(database=str(self.folder / f"{name}.db"), query={})
            if template is not None:
                shutil.copyfile(template.database or "", url.database or "")
        else:
            url = self.server.set(database=name)
            source = template.database if template is not None else "template0"
            await self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
        self.made.append(url)
        return url.render_as_string(hide_password=False)

    async def _administer(self, statement: str) -> None:
        """Run it in the database that is left alone; again while somebody is still leaving the template."""
        database = Database(self.server, "asyncmig_url")
        try:
            async with database.connect() as connection:
                with anyio.fail_after(_BUSY_SECONDS):
                    while (reason := await connection.run_sync(_attempt, statement)) is not None:
                        if sqlstate_of(reason) != _BUSY:
                            raise _refused(reason, database.name) from reason
                        await anyio.sleep(0.05)
        finally:
            await database.aclose()


def _attempt(connection: sa.Connection, statement: str) -> sa.exc.DBAPIError | None:
    try:
        connection.exec_driver_sql(statement)
    except sa.exc.DBAPIError as error:
        return error
    return None


def _refused(reason: sa.exc.DBAPIError, name: str) -> Exception:
    if is_access_denied(reason):
        return AccessDenied(
            f"{name}: {message_of(reason)}.",
            hint="The tests make databases of their own: give the role CREATEDB, or another role by --asyncmig-url.",
        )
    return reason
