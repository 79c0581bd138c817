"""A SQLModel application: its first script, a change of every kind, and the way back."""

import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import servers
from projects import Project

TEMPLATE = Path(__file__).parents[2] / "templates" / "async" / "migrations" / "script.py.mako"
MODELS = """\
import datetime as dt
import enum
import uuid
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import registry
from sqlmodel import AutoString, Field, Relationship, SQLModel


class Base(SQLModel, registry=registry()):
    pass


class Plan(str, enum.Enum):
    FREE = "free"
    PAID = "paid"


class Team(Base, table=True):
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    name: str = Field(index=True, unique=True, max_length=40)
    heroes: list["Hero"] = Relationship(back_populates="team")


class Link(Base, table=True):
    team_id: uuid.UUID = Field(foreign_key="team.id", primary_key=True, ondelete="CASCADE")
    hero_id: int = Field(foreign_key="hero.id", primary_key=True)


class Hero(Base, table=True):
    __table_args__ = (sa.UniqueConstraint("name", "age"), sa.CheckConstraint("age > 0", name="old_enough"))
    id: int | None = Field(default=None, primary_key=True)
    name: str
    secret: str = Field(sa_type=AutoString(30))
    plan: Plan = Plan.FREE
    age: int | None = Field(default=None, ge=0)
    money: Decimal = Field(default=0, max_digits=8, decimal_places=2)
    born: dt.datetime = Field(sa_column=sa.Column(sa.DateTime(timezone=True), server_default=sa.func.now()))
    day: dt.date | None = None
    took: dt.timedelta | None = None
    extra: dict = Field(default_factory=dict, sa_column=sa.Column(sa.JSON))
    active: bool = True
    team_id: uuid.UUID | None = Field(default=None, foreign_key="team.id")
    team: Team | None = Relationship(back_populates="heroes")
"""
ENV = """\
from asyncmig import Environment

import shop_models

environment = Environment(target_metadata=shop_models.Base.metadata)
"""
CHANGED = (
    ("max_length=40", "max_length=60"),
    ('    PAID = "paid"\n', '    PAID = "paid"\n    TEAM = "team"\n'),
    ("    active: bool = True\n", "    nick: str | None = Field(default=None, index=True)\n"),
    ("sa_type=AutoString(30)", "sa_type=AutoString(50)"),
    ("    day: dt.date | None = None\n", ""),
)


async def written(project: Project, message: str) -> str:
    """The script, after it was applied; what it imports is what it uses."""
    async with project.migrator() as migrator:
        (path,) = await migrator.revision(message, autogenerate=True, allow_drops=True)
        await migrator.upgrade("head")
        await migrator.check()
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select=F", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    return path.read_text(encoding="utf-8")


async def test_its_models_are_written_changed_and_taken_back(
    database_project: Project, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def declare(text: str) -> None:
        module = ModuleType("shop_models")
        monkeypatch.setitem(sys.modules, "shop_models", module)
        exec(compile(text, "shop_models.py", "exec"), module.__dict__)

    shutil.copy(TEMPLATE, database_project.folder / "migrations")
    project = database_project.env(ENV)
    declare(MODELS)
    first = await written(project, "first")
    assert "from sqlmodel.sql.sqltypes import AutoString\n" in first
    assert "AutoString(length=30)" in first
    assert "autoincrement" not in first
    servers.execute(database_url, "INSERT INTO team (id, name) VALUES ('00000000000000000000000000000001', 'x')")
    text = MODELS
    for old, new in CHANGED:
        assert old in text
        text = text.replace(old, new)
    declare(text)
    assert "AutoString(length=60)" in await written(project, "second")
    async with project.migrator() as migrator:
        await migrator.downgrade("-1")
    next(project.versions.glob("*_second.py")).unlink()
    declare(MODELS)
    async with project.migrator() as migrator:
        await migrator.check()
    assert servers.rows(database_url, "SELECT name FROM team") == [("x",)]
