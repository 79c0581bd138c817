"""What a url says of the connection behind its "?", with every driver of PostgreSQL."""

import pytest
import servers
from projects import Project
from sqlalchemy.engine import make_url

from asyncmig.errors import AsyncmigError, VersionTableError


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_libpqs_parameters_count_with_each_driver(project: Project, postgres_url: str, driver: str) -> None:
    servers.execute(postgres_url, "CREATE SCHEMA shop")
    query = "sslmode=prefer&connect_timeout=20&application_name=till&options=-csearch_path%3Dshop%20-cwork_mem%3D5MB"
    url = make_url(postgres_url).set(drivername=f"postgresql+{driver}").update_query_string(query)
    project.config(url=url.render_as_string(hide_password=False))
    names = ("application_name", "search_path", "work_mem")
    asked = ", ".join(f"current_setting('{name}')" for name in names)
    project.revision("a1", upgrade=f'op.execute("CREATE TABLE said AS SELECT ARRAY[{asked}] AS settings")')
    await project.migrator().upgrade("head")
    assert servers.rows(postgres_url, "SELECT settings FROM shop.said") == [(["till", "shop", "5MB"],)]
    assert servers.rows(postgres_url, "SELECT version_num FROM shop.asyncmig_version") == [("a1",)]


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_session_that_takes_no_writes_is_told_so(project: Project, postgres_url: str, driver: str) -> None:
    url = make_url(postgres_url).set(drivername=f"postgresql+{driver}")
    standby = url.update_query_dict({"options": "-cdefault_transaction_read_only=on"})
    project.config(url=standby.render_as_string(hide_password=False)).revision("a1", upgrade='op.execute("SELECT 1")')
    with pytest.raises(VersionTableError, match=r"read-only transaction.*Connect to the primary"):
        await project.migrator().upgrade("head")
    writing = project.migrator(url=url.render_as_string(hide_password=False))
    await writing.upgrade("head")
    project.revision("b2", "a1", upgrade='op.execute("CREATE TABLE account (id integer)")')
    with pytest.raises(AsyncmigError, match=r"read-only transaction.*Connect to the primary"):
        await project.migrator().upgrade("head")
    assert servers.rows(postgres_url, "SELECT version_num FROM asyncmig_version") == [("a1",)]
