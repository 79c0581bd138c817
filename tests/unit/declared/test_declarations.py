"""Declared objects as values: what they say, for which database, and which mistakes are told at once."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from asyncmig import Extension, Function, MaterializedView, Policy, Trigger, UsageError, View
from asyncmig.dialects.holding import held
from asyncmig.schema import objects
from asyncmig.schema.declared import has_declared, with_declared
from asyncmig.schema.model import Ref, Schema

T = Ref("t")


def read(metadata: sa.MetaData, dialect: str = "postgresql") -> Schema:
    return with_declared(Schema(), (metadata,), dialect)


def test_everything_declared_is_read() -> None:
    m = sa.MetaData()
    View("v", " SELECT 1; ", metadata=m, columns=["a"], options={"security_invoker": True})
    MaterializedView("m", sa.text("SELECT 2"), metadata=m, schema="s")
    Function("f", " a int ", "RETURNS int", metadata=m)
    Trigger("tr", "s.t", "AFTER INSERT", "EXECUTE FUNCTION f()", metadata=m, constraint=True)
    Policy("p", "t", metadata=m, using="a > 1", check=sa.column("b") == "x", command="SELECT", roles=["r"])
    Extension("e", metadata=m, version="1")
    schema = read(m)
    assert set(schema.views.values()) == {
        objects.View("v", "SELECT 1", None, ("a",), options=(("security_invoker", "true"),)),
        objects.View("m", "SELECT 2", "s", materialized=True),
    }
    assert list(schema.functions.values()) == [objects.Function("f", "a int", "RETURNS int")]
    assert list(schema.triggers.values()) == [
        objects.Trigger("tr", Ref("t", "s"), "AFTER INSERT", "EXECUTE FUNCTION f()", True)
    ]
    assert list(schema.policies.values()) == [objects.Policy("p", T, "SELECT", ("r",), "a > 1", "b = 'x'")]
    assert list(schema.extensions.values()) == [objects.Extension("e", None, "1")]
    assert schema.secured == {T}
    assert (has_declared(m), has_declared(sa.MetaData())) == (True, False)


def test_sqlite_holds_plain_views_and_triggers_alone() -> None:
    m = sa.MetaData()
    View("v", "SELECT 1", metadata=m)
    MaterializedView("m", "SELECT 2", metadata=m)
    Function("f", "", "RETURNS int", metadata=m)
    Policy("p", "t", metadata=m, using="a > 1")
    Extension("e", metadata=m)
    schema = held(read(m, "sqlite"), "sqlite")
    assert list(schema.views) == [Ref("v", None, "view")]
    assert (schema.functions, schema.policies, schema.extensions, schema.secured) == ({}, {}, {}, frozenset())


def test_a_declaration_for_one_database_is_no_other_ones() -> None:
    m = sa.MetaData()
    View("v", "SELECT 1", metadata=m, dialect="postgresql")
    View("v", "SELECT 2", metadata=m, dialect="sqlite")
    found = {name: [view.definition for view in read(m, name).views.values()] for name in ("postgresql", "sqlite")}
    assert found == {"postgresql": ["SELECT 1"], "sqlite": ["SELECT 2"]}


def test_a_query_is_spelled_for_its_database_without_spaces_at_the_ends_of_lines() -> None:
    t = sa.table("t", sa.column("a", sa.Boolean), sa.column("b", sa.String))
    m = sa.MetaData()
    View("v", sa.select(t.c.b).where(t.c.a.is_(True), t.c.b == "x \n y"), metadata=m)
    for name, true in (("postgresql", "true"), ("sqlite", "1")):
        (view,) = read(m, name).views.values()
        assert view.definition == f"SELECT t.b\nFROM t\nWHERE t.a IS {true} AND t.b = 'x \n y'"


def test_a_mapped_class_and_a_table_tell_their_metadata_and_their_schema() -> None:
    class Base(DeclarativeBase):
        metadata = sa.MetaData(schema="s")

    class Account(Base):
        __tablename__ = "account"
        id: Mapped[int] = mapped_column(primary_key=True)

    Trigger("tr", Account, "AFTER INSERT", "EXECUTE FUNCTION f()")
    Policy("p", Account.__table__, using="true")
    View("v", "SELECT 1", metadata=Base.metadata)
    schema = read(Base.metadata)
    account = Ref("account", "s")
    assert [one.table for one in (*schema.triggers.values(), *schema.policies.values())] == [account, account]
    assert list(schema.views) == [Ref("v", "s", "view")]


def test_overloads_are_functions_of_their_own() -> None:
    m = sa.MetaData()
    Function("f", "a int", "RETURNS int", metadata=m)
    Function("f", "a text", "RETURNS int", metadata=m)
    assert len(read(m).functions) == 2


M = sa.MetaData()
MISTAKES: dict[str, Callable[[], Any]] = {
    "definition is a text": lambda: View("v", "", metadata=M),
    "name is a text": lambda: View("", "SELECT 1", metadata=M),
    "the query alone": lambda: View("v", "CREATE VIEW v AS SELECT 1", metadata=M),
    "metadata=Base.metadata": lambda: Trigger("tr", "t", "AFTER INSERT", "EXECUTE FUNCTION f()"),
    "the command is one of": lambda: Policy("p", "t", metadata=M, command="READ"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_mistake_is_told_where_it_is_made(words: str) -> None:
    with pytest.raises(UsageError, match=words):
        MISTAKES[words]()
    assert not has_declared(M)


@pytest.mark.parametrize(
    "declare",
    [
        lambda m, dialect: View("v", "SELECT 1", metadata=m, dialect=dialect),
        lambda m, dialect: Function("f", "", "RETURNS int", metadata=m),
        lambda m, dialect: Trigger("tr", "t", "AFTER INSERT", "BEGIN END", metadata=m, dialect=dialect),
        lambda m, dialect: Policy("p", "t", metadata=m),
        lambda m, dialect: Extension("e", metadata=m),
    ],
)
def test_the_same_thing_is_declared_once(declare: Callable[..., object]) -> None:
    m = sa.MetaData()
    declare(m, None)
    with pytest.raises(UsageError, match="declared twice"):
        declare(m, "sqlite")


def test_a_query_that_a_database_has_no_words_for_says_what_to_do() -> None:
    m = sa.MetaData()
    View("v", sa.select(sa.literal(object(), sa.LargeBinary())), metadata=m)
    with pytest.raises(UsageError, match="cannot be written for sqlite") as caught:
        read(m, "sqlite")
    assert 'dialect="postgresql"' in str(caught.value.hint)
