"""Which database a run means, and the word for the place that named it."""

from pathlib import Path

import pytest
from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from asyncmig.config import Config
from asyncmig.environment import Context, Environment, ResolvedTarget, resolve_target
from asyncmig.errors import ConfigError, DriverError, EnvironmentFileError, UsageError


def config(here: Path, file: str | None = None, **options: object) -> Config:
    (here / "asyncmig.toml").write_text("[asyncmig]\n" + ("" if file is None else f'url = "{file}"\n'))
    return Config.load(cwd=here, **{"environ": {}, **options})  # type: ignore[arg-type]


async def resolved(given: Config, environment: Environment, *, offline: bool = False) -> ResolvedTarget:
    return await resolve_target(given, environment, Context(given, offline=offline))


PLACES = ["--url", "ASYNCMIG_URL", "migrations/env.py", "asyncmig.toml", "DATABASE_URL"]


@pytest.mark.parametrize("first", range(len(PLACES)))
async def test_the_first_place_wins_and_is_named(tmp_path: Path, first: int) -> None:
    present = PLACES[first:]
    url = {name: f"sqlite:///{number}.db" for number, name in enumerate(PLACES)}
    given = config(
        tmp_path,
        url["asyncmig.toml"] if "asyncmig.toml" in present else "",
        overrides={"url": url["--url"]} if "--url" in present else {},
        environ={name: url[name] for name in ("ASYNCMIG_URL", "DATABASE_URL") if name in present},
    )
    environment = Environment(url=url["migrations/env.py"] if "migrations/env.py" in present else None)
    target, source = await resolved(given, environment)
    assert isinstance(target, URL)
    assert (target.database, source) == (f"{first}.db", PLACES[first])


async def test_a_url_from_python_is_called_by_its_argument(tmp_path: Path) -> None:
    given = Config.from_values(here=tmp_path, environ={}, url="sqlite:///x.db")
    assert (await resolved(given, Environment(url="sqlite:///y.db"))).source == "url="


def sync_url() -> str:
    return "sqlite:///f.db"


async def async_url(context: Context) -> URL:
    return make_url(f"sqlite:///{context.get_x('name', 'f')}.db")


class Secret:
    """What pydantic's SecretStr looks like."""

    def get_secret_value(self) -> str:
        return "sqlite:///f.db"


class Dsn:
    """What pydantic's URL types look like."""

    def unicode_string(self) -> str:
        return "sqlite:///f.db"

    __str__ = unicode_string


@pytest.mark.parametrize("url", ["sqlite:///f.db", sync_url, async_url, lambda context: sync_url(), Secret(), Dsn()])
async def test_the_url_may_be_a_value_a_function_or_a_setting(tmp_path: Path, url: object) -> None:
    target, _ = await resolved(config(tmp_path), Environment(url=url))  # type: ignore[arg-type]
    assert target == make_url("sqlite+aiosqlite:///f.db")


async def test_an_engine_of_env_py_stands_above_the_file_and_below_the_command_line(tmp_path: Path) -> None:
    engine = create_async_engine("sqlite+aiosqlite://")

    async def make() -> AsyncEngine:
        return engine

    for given in (engine, make):
        assert await resolved(config(tmp_path, "sqlite:///file.db"), Environment(engine=given)) == (
            engine,
            "migrations/env.py",
        )
    overridden = config(tmp_path, overrides={"url": "sqlite:///c.db"})
    assert (await resolved(overridden, Environment(engine=engine))).source == "--url"
    await engine.dispose()


@pytest.mark.parametrize("empty", ["", None, lambda: None])
async def test_an_empty_url_of_env_py_is_no_url(tmp_path: Path, empty: object) -> None:
    target = await resolved(config(tmp_path, "sqlite:///file.db"), Environment(url=empty))  # type: ignore[arg-type]
    assert target.source == "asyncmig.toml"


async def test_without_any_url_the_places_are_listed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        await resolved(config(tmp_path), Environment())
    for place in ("--url", "ASYNCMIG_URL", "env.py", "configuration file", "DATABASE_URL"):
        assert place in str(caught.value)


async def test_a_missing_variable_is_an_error_only_when_the_file_is_asked(tmp_path: Path) -> None:
    given = config(tmp_path, "postgresql://${NOT_SET}@h/d", environ={"DATABASE_URL": "sqlite:///d.db"})
    assert (await resolved(given, Environment(url="sqlite:///e.db"))).source == "migrations/env.py"
    with pytest.raises(ConfigError, match="NOT_SET"):
        await resolved(given, Environment())


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite+aiosqlite://"])
async def test_an_in_memory_database_is_refused_with_the_reason(tmp_path: Path, url: str) -> None:
    given = config(tmp_path, url)
    with pytest.raises(UsageError, match=r"asyncmig\.toml names an in-memory SQLite database: it would be gone"):
        await resolved(given, Environment())
    assert (await resolved(given, Environment(), offline=True)).source == "asyncmig.toml"


async def test_a_wrong_engine_or_url_of_env_py_is_named(tmp_path: Path) -> None:
    import sqlalchemy as sa

    given = config(tmp_path)
    with pytest.raises(EnvironmentFileError, match="engine is of type Engine, not an AsyncEngine"):
        await resolved(given, Environment(engine=lambda: sa.create_engine("sqlite://")))
    with pytest.raises(EnvironmentFileError, match="url is of type int, not a string"):
        await resolved(given, Environment(url=lambda: 3))
    with pytest.raises(EnvironmentFileError, match="KeyError: 'DB_NAME'"):
        await resolved(given, Environment(url=lambda: {}["DB_NAME"]))  # type: ignore[misc, index]
    with pytest.raises(DriverError, match=r"postgresql\+asyncpg://"):
        await resolved(given, Environment(url="postgresql+psycopg2://u:p@h/d"))
