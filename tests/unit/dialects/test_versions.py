"""Databases that are too old say so, with the version found."""

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from asyncmig.dialects.versions import OLDEST_SQLITE, refuse_old
from asyncmig.errors import DatabaseError


def test_an_old_sqlite_is_named() -> None:
    dialect = sqlite.dialect()
    dialect.server_version_info = (3, 31, 1)
    with pytest.raises(DatabaseError, match=r"SQLite 3\.31\.1, and asyncmig needs 3\.34 or newer"):
        refuse_old(dialect)


@pytest.mark.parametrize("version", [None, OLDEST_SQLITE, (3, 34, 0), (3, 40, 1)])
def test_others_are_not(version: tuple[int, ...] | None) -> None:
    dialect = sqlite.dialect()
    dialect.server_version_info = version
    refuse_old(dialect)
    refuse_old(postgresql.dialect())
