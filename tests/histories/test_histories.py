"""Public histories, replayed as they are by Alembic and by asyncmig, leave the same databases: all the way up, and down again.

pytest -m histories        needs a package index; see published.py for what is installed where
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from published import AIRFLOW, MLFLOW, OPTUNA, PHOENIX, History, Replay
from shapes import differences, shape

pytestmark = pytest.mark.histories


@dataclass(frozen=True, slots=True)
class Case:
    """`differs` are the objects that may differ at the head, each with the reason, and `differs_down` those at `down`.

    `down` is how far back Alembic gets: "base", or the next script of the history fails. asyncmig may get further (`reaches_base`).
    """

    history: History
    kind: str
    down: str
    differs: dict[str, str] = field(default_factory=dict)
    differs_down: dict[str, str] = field(default_factory=dict)
    reaches_base: bool = False


LOST_KEYS = "Alembic's batch loses keys that a script makes under the new name of a column; PostgreSQL has them"

CASES = [
    Case(
        AIRFLOW,
        "sqlite",
        "4bc4d934e2bc",
        {
            "index idx_task_reschedule_ti_id_id_desc": "Alembic's batch loses the DESC of an index",
            "table asset_alias_asset": LOST_KEYS,
            "table callback": "columns that are added stand behind those that were there",
            "table dag_run": "Alembic's batch loses ON DELETE NO ACTION",
        },
        {
            "table dag_code": "the columns of create_primary_key become NOT NULL",
            "table dag_run": "Alembic's batch loses ON DELETE NO ACTION",
            "table dag_schedule_dataset_reference": LOST_KEYS,
            "table dataset_dag_run_queue": LOST_KEYS,
            "table task_outlet_dataset_reference": LOST_KEYS,
            "table task_instance": "columns that are added stand behind those that were there",
        },
    ),
    Case(AIRFLOW, "postgresql", "4bc4d934e2bc"),
    Case(MLFLOW, "sqlite", "c8d9e0f1a2b3", reaches_base=True),
    Case(MLFLOW, "postgresql", "2b4d017a5e9b"),
    Case(OPTUNA, "sqlite", "v3.0.0.c"),
    Case(PHOENIX, "postgresql", "base"),
]


@pytest.fixture(params=CASES, ids=lambda case: f"{case.history.name}-{case.kind}")
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def database_kind(case: Case) -> str:
    return case.kind


def test_both_tools_leave_the_same_database(case: Case, databases: Callable[[], str], tmp_path: Path) -> None:
    replay = Replay.create(case.history, tmp_path / "project")
    theirs, ours = databases(), databases()
    for tool, url in (("alembic", theirs), ("asyncmig", ours)):
        replay.prepare(url)
        assert replay.run(tool, "upgrade", "head", url) is None
    found = differences(shape(theirs), shape(ours))
    assert {name: pair for name, pair in found.items() if name not in case.differs} == {}

    for tool, url in (("alembic", theirs), ("asyncmig", ours)):
        assert replay.run(tool, "downgrade", case.down, url) is None
    found = differences(shape(theirs), shape(ours))
    assert {name: pair for name, pair in found.items() if name not in case.differs_down} == {}

    if case.down == "base":
        return
    assert replay.run("alembic", "downgrade", "base", theirs) is not None
    assert (replay.run("asyncmig", "downgrade", "base", ours) is None) == case.reaches_base
