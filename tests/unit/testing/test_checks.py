"""The checks as plain functions, awaited in the test's own loop."""

from collections.abc import Callable

import pytest
import servers
import sqlalchemy as sa
from projects import Project

from asyncmig.errors import CheckFailed, UsageError
from asyncmig.testing import checks

PARENT = 'op.create_table("parent", sa.Column("id", sa.Integer, primary_key=True))'
CHILD = (
    'op.create_table("child", sa.Column("id", sa.Integer, primary_key=True), '
    'sa.Column("parent_id", sa.Integer, sa.ForeignKey("parent.id"), nullable=False), sa.Column("note", sa.Text))'
)

pytestmark = pytest.mark.subset


@pytest.fixture
def family(database_project: Project) -> Project:
    database_project.revision("a1", upgrade=PARENT, downgrade='op.drop_table("parent")')
    return database_project.revision("b2", "a1", upgrade=CHILD, downgrade='op.drop_table("child")')


@pytest.mark.parametrize("check", ["single_head", "upgrade", "downgrade", "up_down_consistency", "data_kept"])
async def test_a_sound_history_passes(family: Project, check: str) -> None:
    family.revision(
        "c3",
        "b2",
        upgrade='op.add_column("child", sa.Column("age", sa.Integer))',
        downgrade='op.drop_column("child", "age")',
    )
    await getattr(checks, check)(family.migrator())


@pytest.mark.parametrize("check", ["upgrade", "downgrade", "up_down_consistency", "data_kept"])
async def test_a_database_that_is_not_empty_is_refused(family: Project, check: str) -> None:
    await family.migrator().upgrade("a1")
    with pytest.raises(UsageError, match="is at a1, and the checks need an empty database"):
        await getattr(checks, check)(family.migrator())


async def test_branches_and_merges_go_down_and_up(family: Project) -> None:
    table = 'op.create_table("{0}", sa.Column("id", sa.Integer))'
    for name, down in (("c3", "b2"), ("d4", "b2"), ("e5", ("c3", "d4")), ("f6", None)):
        family.revision(name, down, upgrade=table.format(name), downgrade=f'op.drop_table("{name}")')
    await checks.up_down_consistency(family.migrator())


async def test_a_column_that_comes_back_otherwise_is_told(family: Project) -> None:
    family.revision(
        "c3",
        "b2",
        upgrade='op.drop_column("child", "note")',
        downgrade='op.add_column("child", sa.Column("note", sa.Integer))',
    )
    with pytest.raises(CheckFailed, match=r"After the downgrade of c3 .*child\.note") as caught:
        await checks.up_down_consistency(family.migrator())
    assert caught.value.data["differences"]


async def test_models_need_to_be_given(family: Project) -> None:
    with pytest.raises(UsageError, match="no models"):
        await checks.models_match(family.migrator())


async def test_values_that_an_upgrade_loses_are_counted(family: Project) -> None:
    family.revision("c3", "b2", upgrade='op.execute("UPDATE child SET note = NULL")')
    with pytest.raises(CheckFailed, match=r"The upgrade to c3 loses 1 of 1 values of child\.note") as caught:
        await checks.data_kept(family.migrator())
    assert caught.value.data == {"lost": ["1 of 1 values of child.note"]}


async def test_what_is_dropped_on_purpose_is_not_lost(family: Project) -> None:
    family.revision("c3", "b2", upgrade='op.drop_column("child", "note")')
    family.revision("d4", "c3", upgrade='op.drop_table("child")')
    await checks.data_kept(family.migrator())


async def test_the_application_may_bring_its_own_rows(family: Project, database_url: str) -> None:
    seen: list[str] = []

    async def fill(connection: object, revision: str) -> None:
        seen.append(revision)
        if revision == "b2":
            await connection.execute(sa.text("INSERT INTO parent VALUES (7)"))  # type: ignore[attr-defined]
            await connection.execute(sa.text("INSERT INTO child VALUES (1, 7, 'kept')"))  # type: ignore[attr-defined]

    await checks.data_kept(family.migrator(), fill)
    assert seen == ["a1", "b2"]
    assert servers.rows(database_url, "SELECT parent_id, note FROM child") == [(7, "kept")]


async def test_samples_fit_columns_of_every_kind(database_project: Project, database_url: str) -> None:
    columns = ", ".join(
        f'sa.Column("c{number}", {kind}, nullable=False)'
        for number, kind in enumerate(
            [
                "sa.Integer", "sa.String(3)", "sa.Text", "sa.Boolean", "sa.Numeric(8, 2)", "sa.Float", "sa.Date",
                "sa.DateTime", "sa.DateTime(timezone=True)", "sa.Time", "sa.LargeBinary", "sa.JSON", "sa.Uuid",
                'sa.Enum("red", "green", name="colour")',
            ]
        )
    )  # fmt: skip
    database_project.revision(
        "a1", upgrade=f'op.create_table("wide", sa.Column("key", sa.String(9), primary_key=True), {columns})'
    )
    database_project.revision("b2", "a1", upgrade='op.execute("DELETE FROM wide")')
    with pytest.raises(CheckFailed, match="1 of 1 rows of wide"):
        await checks.data_kept(database_project.migrator())


async def test_a_table_that_takes_no_sample_stays_empty(database_project: Project, run_sql: Callable[..., str]) -> None:
    strict = 'op.create_table("strict", sa.Column("id", sa.Integer), sa.CheckConstraint("id > 100"))'
    database_project.revision("a1", upgrade=strict).revision("b2", "a1", upgrade='op.execute("DELETE FROM strict")')
    await checks.data_kept(database_project.migrator())


async def test_a_view_that_a_downgrade_leaves_behind_is_told(family: Project) -> None:
    family.revision("c3", "b2", upgrade='op.create_view("v", "SELECT id FROM child")', downgrade="pass")
    with pytest.raises(CheckFailed, match=r"After the downgrade of c3 .*Drop view v"):
        await checks.up_down_consistency(family.migrator())
