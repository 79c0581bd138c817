"""Histories that are published as wheels: where they are, what they import, and a project of each for both tools.

Everything is installed once, into virtual environments in ASYNCMIG_HISTORIES_CACHE (default: ~/.cache/asyncmig-histories); asyncmig itself
is taken from this working tree.
"""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
TOOLS = ("alembic==1.20.1", "psycopg2-binary", "asyncpg", "aiosqlite", "greenlet", "anyio", "typer", "mako")


@dataclass(frozen=True, slots=True)
class History:
    """`migrations` is a path in site-packages. `bare` is installed without what it asks for.

    `before` is Python that prepares an empty database, with the synchronous URL in `url`; `url_variable` the environment variable that
    the application reads its URL from, None where alembic.ini says it. `env` stands in for an env.py that imports a whole application.
    """

    name: str
    bare: str
    needs: tuple[str, ...]
    migrations: str
    before: str = ""
    url_variable: str | None = None
    env: str = ""


AIRFLOW = History(
    "airflow",
    "",
    ("apache-airflow-core==3.3.2",),
    "airflow/migrations",
    url_variable="AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
)
MLFLOW = History(
    "mlflow",
    "mlflow==3.18.0",
    # What its models import: all of it would be a gigabyte.
    (
        "cachetools", "click", "cloudpickle", "cryptography", "databricks-sdk", "fastapi", "gitpython", "importlib-metadata",
        "opentelemetry-api", "opentelemetry-proto", "opentelemetry-sdk", "packaging", "protobuf", "pydantic", "python-dotenv",
        "pyyaml", "requests", "sqlparse", "typing-extensions", "uvicorn",
    ),
    "mlflow/store/db_migrations",
    # The first revision of mlflow is older than its history.
    before="from mlflow.store.tracking.dbmodels.initial_models import Base; Base.metadata.create_all(sqlalchemy.create_engine(url))",
)  # fmt: skip

OPTUNA = History(
    "optuna",
    "optuna==5.0.0",
    ("colorlog", "numpy", "packaging", "pyyaml", "sqlalchemy", "tqdm"),
    "optuna/storages/_rdb/alembic",
)
PHOENIX = History(
    "phoenix",
    "arize-phoenix==20.26.1",
    ("sqlalchemy", "typing-extensions"),
    "phoenix/db/migrations",
    env="""
import sqlalchemy as sa
from alembic import context

target_metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_`%(constraint_name)s`",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

engine = sa.create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=sa.pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=target_metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
""",
)


@dataclass(frozen=True, slots=True)
class Replay:
    """A project folder of a history, run with `python`."""

    history: History
    python: Path
    folder: Path

    @classmethod
    def create(cls, history: History, folder: Path) -> "Replay":
        """A copy of the migrations beside their alembic.ini, adopted."""
        python = installed(history)
        packages = Path(_output([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip())
        shutil.copytree(packages / history.migrations, folder / "migrations", ignore=shutil.ignore_patterns("*.pyc"))
        if history.env:
            (folder / "migrations" / "env.py").write_text(history.env, encoding="utf-8")
        replay = cls(history, python, folder)
        replay._write_ini("sqlite://")
        _output([str(python), "-m", "asyncmig", "adopt"], folder, replay._environment("sqlite://"))
        return replay

    def prepare(self, url: str) -> None:
        if self.history.before:
            code = f"import sqlalchemy; url = {synchronous(url)!r}; {self.history.before}"
            _output([str(self.python), "-c", code], self.folder, self._environment(url))

    def run(self, tool: str, direction: str, revision: str, url: str) -> str | None:
        """None, or the last line of what the tool wrote when it failed."""
        self._write_ini(url)
        done = subprocess.run(
            [str(self.python), str(HERE / "histories" / "replay.py"), tool, direction, revision, url],
            cwd=self.folder,
            env=self._environment(url),
            capture_output=True,
            text=True,
            timeout=600,
        )
        lines = done.stderr.strip().splitlines() or ["no word"]
        return lines[-1] if done.returncode else None

    def _write_ini(self, url: str) -> None:
        text = f"[alembic]\nscript_location = migrations\nsqlalchemy.url = {synchronous(url).replace('%', '%%')}\n"
        (self.folder / "alembic.ini").write_text(text + LOGGING, encoding="utf-8")

    def _environment(self, url: str) -> dict[str, str]:
        variables = {**os.environ, "PYTHONPATH": str(ROOT), "AIRFLOW_HOME": str(self.folder / "home")}
        if self.history.url_variable:
            variables[self.history.url_variable] = synchronous(url)
        return variables


LOGGING = """
[loggers]
keys = root
[handlers]
keys =
[formatters]
keys =
[logger_root]
handlers =
"""


def synchronous(url: str) -> str:
    return url.replace("+asyncpg", "+psycopg2").replace("+aiosqlite", "")


def installed(history: History) -> Path:
    """The Python of the environment that has the history's packages; made where it is not there yet."""
    cache = Path(os.environ.get("ASYNCMIG_HISTORIES_CACHE") or Path.home() / ".cache" / "asyncmig-histories")
    folder = cache / f"{history.name}-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        _output([*pip, *history.needs, *TOOLS])
        if history.bare:
            _output([*pip, "--no-deps", history.bare])
        (folder / "complete").touch()
    return python


def _output(command: Sequence[str], folder: Path | None = None, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
