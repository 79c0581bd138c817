"""Models of widely used packages show no difference against their own create_all.

pytest -m histories        needs a package index: what the models depend on is installed once, into an environment of its own
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
from published import History, installed

ROOT = Path(__file__).parents[2]
NEEDS = History(
    "packages",
    "",
    ("optuna", "jupyterhub", "buildbot", "celery", "luigi", "casbin-sqlalchemy-adapter", "sqlalchemy>=2.0.36,<2.1"),
    "",
)
PACKAGES = {
    "optuna": "optuna.storages._rdb.models:BaseModel.metadata",
    "jupyterhub": "jupyterhub.orm:Base.metadata",
    "buildbot": "buildbot.db.model:Model.metadata",
    "celery": "celery.backends.database.models:ResultModelBase.metadata",
    "luigi": "luigi.db_task_history:Base.metadata",
    "casbin": "casbin_sqlalchemy_adapter.adapter:Base.metadata",
}
SCRIPT = """
import asyncio, importlib, json, sys, warnings
warnings.simplefilter("ignore")
from sqlalchemy.ext.asyncio import create_async_engine
from asyncmig.database.comparison import compare
from asyncmig.database.connection import Connection

async def main(place, url):
    module, _, attributes = place.partition(":")
    metadata = importlib.import_module(module)
    if module.startswith("celery"):
        metadata.Task, metadata.TaskSet
    for name in attributes.split("."):
        metadata = getattr(metadata, name)
    assert metadata.tables
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        found = await compare(Connection.given(connection), [metadata])
    await engine.dispose()
    print(json.dumps([[o.describe() for o in found.operations], list(found.uncertain), len(metadata.tables)]))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.histories
@pytest.mark.parametrize("package", PACKAGES)
def test_the_models_of_a_package_show_no_difference(package: str, database_url: str) -> None:
    done = subprocess.run(
        [str(installed(NEEDS)), "-c", SCRIPT, PACKAGES[package], database_url],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    differences, uncertain, tables = json.loads(done.stdout.splitlines()[-1])
    assert (differences, uncertain) == ([], [])
    assert tables
