"""Models first: from an empty folder through a rename and a new NOT NULL column, typed into the installed command."""

import json

import pytest
from projects import Project
from servers import columns, execute, rows, sqlite_url

MODELS = """\
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    {name}: Mapped[str] = mapped_column(String(50), index=True)
{more}"""
KIND = "    kind: Mapped[str] = mapped_column(String(5))\n"


def models(place: Project, name: str = "name", more: str = "") -> None:
    place.file("shop/__init__.py", "")
    (place.folder / "shop" / "models.py").write_text(MODELS.format(name=name, more=more))


@pytest.fixture
def begun(empty: Project) -> Project:
    empty.run("init", "-t", "async", "migrations").expect()
    env = empty.folder / "migrations" / "env.py"
    env.write_text(
        env.read_text().replace(
            "target_metadata = None", "from shop.models import Base\n\ntarget_metadata = Base.metadata"
        )
    )
    models(empty)
    return empty


def wanted(place: Project, *arguments: str) -> str:
    """The script that `revision --autogenerate` wrote, brought into the database."""
    done = place.run("revision", "--autogenerate", *arguments).expect()
    place.run("upgrade").expect()
    return (place.folder / done.stdout.strip()).read_text()


@pytest.mark.subset
def test_models_first(begun: Project) -> None:
    url = sqlite_url(begun.folder / "app.db")
    assert "+ Create table account with columns id, name" in begun.run("check").expect(1).stdout
    script = wanted(begun, "-m", "create account")
    assert '        sa.Column("name", sa.String(length=50), nullable=False),\n' in script
    assert begun.run("check").expect().stdout == ""
    execute(url, "INSERT INTO account (name) VALUES ('ann')")

    again = begun.run("revision", "--autogenerate", "-m", "again").expect(1)
    assert again.stdout == ""
    assert "Nothing differs, so nothing was written. --empty-ok" in again.stderr

    models(begun, "full_name", KIND)
    told = begun.run("check").expect(1)
    assert told.stdout.splitlines()[:2] == ["+ Add column account.full_name", "+ Add column account.kind"]
    assert [one["sign"] for one in json.loads(begun.run("check", "--json").stdout)["error"]["differences"]][:2] == [
        "+",
        "+",
    ]
    refused = begun.run("revision", "--autogenerate", "-m", "kind", "--yes").expect(1)
    assert "column account.name (1 row)" in refused.stderr
    assert "--allow-drops" in refused.stderr
    script = wanted(begun, "-m", "kind", "--rename", "account.name:full_name", "--default", "account.kind=a")
    assert 'op.rename_column("account", "name", "full_name")' in script
    assert rows(url, "SELECT full_name, kind FROM account") == [("ann", "a")]
    begun.run("check").expect()

    begun.run("downgrade", "-1", "--yes").expect()
    assert columns(url, "account") == ["id", "name"]
    behind = begun.run("revision", "--autogenerate", "-m", "more").expect(3)
    assert "asyncmig upgrade head" in behind.stderr


def test_offline_needs_no_database(begun: Project) -> None:
    begun.run("revision", "--autogenerate", "--offline", "-m", "create account").expect()
    assert not (begun.folder / "app.db").exists()
    begun.run("check", "--offline").expect()
    models(begun, more=KIND)
    assert begun.run("check", "--offline").expect(1).stdout == "+ Add column account.kind\n"


def test_options_without_autogenerate_are_said_to_have_no_meaning(begun: Project) -> None:
    done = begun.run("revision", "-m", "x", "--rename", "a:b", "--split").expect(2)
    assert "--rename, --split has a meaning with --autogenerate only" in done.stderr
    assert "not TABLE.COLUMN=VALUE" in begun.run("revision", "--autogenerate", "--default", "a").expect(2).stderr
