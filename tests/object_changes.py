"""Pairs of models that differ in views, functions, triggers or policies: cases for the same tests as change_cases.py."""

from typing import Any

import sqlalchemy as sa
from change_cases import BOTH, POSTGRESQL, SQLITE, Change, Fill, both, column, table

from asyncmig import Function, MaterializedView, Policy, Trigger, View

NOTE = "RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  NEW.a := 'Noted';\n  RETURN NEW;\nEND\n$$"
ROW = "FOR EACH ROW EXECUTE FUNCTION note()"


def view(name: str, definition: Any, **options: Any) -> Fill:
    return lambda m: View(name, definition, metadata=m, **options)


def stored(name: str, definition: str, **options: Any) -> Fill:
    return lambda m: MaterializedView(name, definition, metadata=m, **options)


def function(name: str, arguments: str, definition: str) -> Fill:
    return lambda m: Function(name, arguments, definition, metadata=m)


def trigger(name: str, event: str, action: str = ROW, on: str = "t", **options: Any) -> Fill:
    return lambda m: Trigger(name, on, event, action, metadata=m, **options)


def policy(name: str, using: Any, **options: Any) -> Fill:
    return lambda m: Policy(name, "t", metadata=m, using=using, **options)


def own_policy(on: str) -> Fill:
    return lambda m: Policy("own", on, metadata=m, using="id > 0")


def selected(m: sa.MetaData) -> None:
    t = m.tables["t"]
    View("chosen", sa.select(t.c.id, t.c.a.label("said")).where(t.c.a != "it's 5%", t.c.b > 2), metadata=m)


def sql(arguments: str, returns: str, body: str, name: str = "f") -> Fill:
    return function(name, arguments, f"RETURNS {returns} LANGUAGE sql IMMUTABLE AS $$ SELECT {body} $$")


a, b = column("a", sa.String(20)), column("b", sa.Integer)
T = table(a, b)
U = table(name="u")
KEPT = view("kept", "SELECT id FROM t")
OVER = view("a_over", "SELECT said FROM z_under WHERE said IS NOT NULL")
TWO = "SELECT id, a AS said FROM t"

SET_OF_V = function("f", "", "RETURNS SETOF v LANGUAGE sql STABLE AS $$ SELECT * FROM v $$")
PLAIN = "RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$"

# fmt: off
OBJECT_CHANGES = [
    Change(
        "views come, each after those that it reads", T, both(T, OVER, view("z_under", TWO), selected),
        ("Create view a_over", "Create view z_under", "Create view chosen"),
    ),
    Change(
        "views go, with the table under them", both(T, KEPT, table(a, name="u"), view("v", "SELECT a FROM u"), view("w", "SELECT a FROM v")),
        both(T, KEPT), ("Drop view w", "Drop view v", "Drop table u"),
    ),
    Change(
        "a view shows a column more, which is new", both(table(a), view("v", "SELECT id FROM t")), both(T, view("v", "SELECT id, b FROM t")),
        ("Replace view v", "Add column t.b"),
    ),
    Change(
        "a view under another one shows less", both(T, OVER, view("z_under", "SELECT id, b, a AS said FROM t")), both(T, OVER, view("z_under", TWO)),
        ("z_under",),
    ),
    Change(
        "columns under views are dropped and get other types", both(T, KEPT, view("z_under", TWO), OVER, view("gone", "SELECT b FROM t")),
        both(table(column("a", sa.Text)), KEPT, view("z_under", TWO), OVER), ("Drop view gone", "Drop column t.b", "Alter column t.a"),
    ),
    Change(
        "views of all columns follow their table",
        both(T, view("v", "SELECT * FROM t"), view("w", "SELECT *, 1 AS one FROM v"), view("x", "SELECT count(*) AS n FROM t")),
        both(
            table(a, column("c", sa.Integer), column("d", sa.Text)), view("v", "SELECT * FROM t"),
            view("w", "SELECT *, 1 AS one FROM v"), view("x", "SELECT count(*) AS n FROM t"),
        ),
        ("Drop column t.b",),
    ),
    Change(
        "a view of all columns gets the new one",
        both(T, view("v", "SELECT * FROM t"), view("w", "SELECT v.*, 1 AS one FROM v")),
        both(table(a, b, column("c", sa.Integer)), view("v", "SELECT * FROM t"), view("w", "SELECT v.*, 1 AS one FROM v")),
        ("Replace view v", "Drop view w", "Create view w"), POSTGRESQL,
    ),
    Change(
        "a view gets names for its columns", both(T, view("v", "SELECT id, a FROM t")), both(T, view("v", "SELECT id, a FROM t", columns=("n", "A b"))),
        ("view v",),
    ),
    Change(
        "a view's trigger outlives its changes",
        both(T, view("v", "SELECT id, a FROM t"), function("note", "", NOTE), trigger("tr", "INSTEAD OF INSERT", on="v")),
        both(T, view("v", "SELECT id, lower(a) AS a FROM t"), function("note", "", NOTE), trigger("tr", "INSTEAD OF INSERT", on="v")),
        ("Create trigger tr on v",), POSTGRESQL,
    ),
    Change(
        "a view's trigger outlives its replacement",
        both(T, view("v", "SELECT id, a FROM t"), trigger("tr", "INSTEAD OF INSERT", "BEGIN INSERT INTO t (a) VALUES (NEW.a); END", on="v")),
        both(T, view("v", "SELECT id, lower(a) AS a FROM t"), trigger("tr", "INSTEAD OF INSERT", "BEGIN INSERT INTO t (a) VALUES (NEW.a); END", on="v")),
        ("Create trigger tr on v", "Replace view v"), SQLITE,
    ),
    Change(
        "a view gets options and another owner's eyes", both(T, KEPT), both(T, view("kept", "SELECT id FROM t", options={"security_invoker": True})),
        ("Replace view kept",), POSTGRESQL,
    ),
    Change(
        "materialized views change, and what reads them",
        both(T, stored("m", "SELECT b, count(*) AS n FROM t GROUP BY b"), view("v", "SELECT n FROM m"), stored("old", "SELECT 1 AS one")),
        both(T, stored("m", "SELECT b, count(*) AS n FROM t WHERE b > 0 GROUP BY b"), view("v", "SELECT n FROM m"), stored("new", "SELECT a FROM t")),
        ("Drop materialized view m", "Create materialized view m", "Drop materialized view old"), POSTGRESQL,
    ),
    Change(
        "an enum under a view loses a value",
        both(table(column("a", sa.Enum("x", "y", name="kind"))), view("v", "SELECT a FROM t")), both(table(column("a", sa.Enum("x", name="kind"))), view("v", "SELECT a FROM t")),
        ("Drop view v", "Create view v"), POSTGRESQL,
    ),
    Change(
        "a function takes another argument, under what calls it",
        both(T, sql("x int", "int", "x"), view("v", "SELECT f(b) AS n FROM t")), both(T, sql("x bigint", "int", "1"), view("v", "SELECT f(b) AS n FROM t")),
        ("Drop view v", "Drop function f(x integer)", "Create function f(x bigint)"), POSTGRESQL,
    ),
    Change(
        "functions are bound to a view, and views to them",
        both(T, view("v", "SELECT id, b FROM t"), SET_OF_V, view("w", "SELECT b FROM f()"), view("gone", "SELECT 1 AS one"), function("g", "x gone", PLAIN)),
        both(T, view("v", "SELECT b FROM t"), SET_OF_V, view("w", "SELECT b FROM f()"), sql("", "int", "1", "h")),
        ("Drop view w", "Drop function f()", "Drop view v", "Create function f()", "Create view w", "Drop function g(x gone)"), POSTGRESQL,
    ),
    Change(
        "triggers come, change and go on SQLite",
        both(T, trigger("one", "AFTER UPDATE OF a", "BEGIN UPDATE t SET b = 1; END"), trigger("two", "AFTER DELETE", "BEGIN SELECT 1; END")),
        both(T, trigger("one", "AFTER UPDATE OF a, b", "WHEN NEW.a <> 'A; x' BEGIN UPDATE t SET b = 1; SELECT 'END'; END"), trigger("six", "AFTER INSERT", "BEGIN SELECT 1; END")),
        ("Drop trigger one on t", "Create trigger one on t", "Drop trigger two on t", "Create trigger six on t"), SQLITE,
    ),
    Change(
        "triggers and their functions come, change and go",
        both(T, function("note", "", NOTE), trigger("one", "BEFORE UPDATE OF a"), trigger("two", "BEFORE INSERT OR DELETE")),
        both(
            T, function("note", "", NOTE.replace("Noted", "noted")), function("tell", "", NOTE),
            trigger("one", "BEFORE UPDATE OF a", "FOR EACH ROW WHEN (NEW.a <> 'x' AND OLD.b IN (1, 2)) EXECUTE PROCEDURE tell('Arg')"),
            trigger("six", "AFTER INSERT", "DEFERRABLE FOR EACH ROW EXECUTE FUNCTION note()", constraint=True),
        ),
        ("Create or replace function note()", "Create function tell()", "Drop trigger two on t", "Create trigger six on t"), POSTGRESQL,
    ),
    Change(
        "what uses a column does not keep it from changing",
        both(T, function("note", "", NOTE), trigger("one", "BEFORE UPDATE OF a", "FOR EACH ROW WHEN (NEW.b > 1) EXECUTE FUNCTION note()"), policy("p", "b > 5")),
        both(
            table(column("a", sa.Text), column("b", sa.BigInteger)), function("note", "", NOTE),
            trigger("one", "BEFORE UPDATE OF a", "FOR EACH ROW WHEN (NEW.b > 1) EXECUTE FUNCTION note()"), policy("p", "b > 5"),
        ),
        ("Drop trigger one on t", "Drop policy p on t", "Alter column t.b"), POSTGRESQL,
    ),
    Change(
        "functions come before and after the tables that they and that call them",
        both(T, sql("x int", "int", "x", "kept")),
        both(
            table(a, column("b", sa.Integer, server_default=sa.text("f(2)")), lambda: sa.CheckConstraint("f(id, 'y') > 0", name="ck")),
            table(b, name="u"), sql("x int", "int", "x", "kept"), sql("x int", "int", "x + 1"), sql("x integer, y text", "int", "f(x) + length(y)"),
            function("u_rows", "", "RETURNS SETOF u LANGUAGE sql STABLE AS $$ SELECT * FROM u $$"), view("v", "SELECT b FROM u_rows()"),
        ),
        ("Create function f(x int)", "Create function u_rows()", "Create view v"), POSTGRESQL,
    ),
    Change(
        "functions return something else, under what calls them",
        both(T, sql("x int", "int", "x"), view("v", "SELECT f(b) AS n FROM t"), policy("p", "f(b) > 0"), sql("x int", "int", "x", "g"), sql("", "int", "7", "h")),
        both(T, sql("x int", "bigint", "x::bigint"), view("v", "SELECT f(b) AS n FROM t"), policy("p", "f(b) > 0"), sql("y int, z int = 3", "int", "z", "g"), sql("", "int", "8", "h")),
        ("Drop function f(x integer)", "Create function f(x int)", "Create view v", "Create policy p on t", "Create or replace function h()"), POSTGRESQL,
    ),
    Change(
        "the first policies of a table come with its row level security", both(T, KEPT),
        both(
            T, KEPT, policy("own", "a = CURRENT_USER AND EXISTS (SELECT 1 FROM t x WHERE x.b = t.b)", command="SELECT"),
            policy("all", sa.column("b") > 1, roles="pg_monitor", permissive=False, check="b > 2"),
        ),
        ("Enable row level security on t", "Create policy own on t"), POSTGRESQL,
    ),
    Change(
        "row level security is forced on the owner", both(T, policy("p", "b > 5"), policy("q", "b > 6")),
        both(T, policy("p", "b > 5", force=True), policy("q", "b > 6")),
        ("Enable row level security on t, forced for the owner",), POSTGRESQL,
    ),
    Change(
        "the first policy of a table forces it", both(T, KEPT), both(T, KEPT, policy("p", "b > 5", force=True)),
        ("Enable row level security on t, forced for the owner",), POSTGRESQL,
    ),
    Change(
        "a table goes whose policy is forced on the owner", both(T, U, policy("p", "b > 5", force=True), own_policy("u")), both(U, own_policy("u")),
        ("Drop table t",), POSTGRESQL,
    ),
    Change(
        "policies change and go", both(T, policy("p", "b > 5"), policy("q", "b > 5"), policy("r", "b in (1, 2)")),
        both(T, policy("p", "b > 6", roles=("pg_monitor", "pg_read_all_data")), policy("r", "b in (1, 2)", check="a <> 'A'")),
        ("Drop policy p on t", "Create policy p on t", "Drop policy q on t"), POSTGRESQL,
    ),
]
# fmt: on

if hasattr(sa, "CreateView"):

    def sqlalchemys(*names: str) -> Fill:
        def fill(m: sa.MetaData) -> None:
            t = m.tables["t"]
            sa.CreateView(sa.select(*(t.c[name] for name in names)).where(t.c.b > 1), "v", metadata=m)

        return fill

    OBJECT_CHANGES += [
        Change("a view of SQLAlchemy's own comes", T, both(T, sqlalchemys("a")), ("Create view v",), BOTH),
        Change("a view of SQLAlchemy's own changes", both(T, sqlalchemys("a")), both(T, sqlalchemys("b")), ("view v",)),
    ]
