"""What is read out of the SQL of views, functions and triggers: names, columns, arguments, parts."""

import pytest

from asyncmig.autogenerate.select_list import gives_all_of_one, has_star, output_names
from asyncmig.dialects.postgresql_object_reading import function_definition, trigger_parts
from asyncmig.dialects.postgresql_routines import without_defaults
from asyncmig.dialects.sqlite_object_text import trigger_of, view_of
from asyncmig.schema.dependence import bound_names, early_functions, in_order, names_in
from asyncmig.schema.model import Function, Policy, Ref, Trigger, View

T = Ref("t")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("SELECT id, t.a, s.t.B FROM t", ["id", "a", "b"]),
        ('select count(*) AS n, (SELECT max(x) FROM u) "As It, Is" from t', None),
        ('select count(*) AS n, (SELECT max(x) FROM u) AS "As It, Is" from t', ["n", "As It, Is"]),
        ("SELECT 'a, b' AS a -- , c\n, b", ["a", "b"]),
        ("SELECT * FROM t", None),
        ("SELECT t.* FROM t", None),
        ("SELECT a + b FROM t", None),
        ("SELECT DISTINCT a FROM t", None),
        ("WITH x AS (SELECT 1) SELECT a FROM x", None),
        ("TABLE t", None),
    ],
)
def test_the_names_of_a_querys_columns_where_its_text_tells(query: str, names: list[str] | None) -> None:
    assert output_names(query) == names


@pytest.mark.parametrize(
    ("query", "star", "all_of_one"),
    [
        ("SELECT * FROM t", True, True),
        ('select * from s."T" where a > 1', True, True),
        ("SELECT * FROM t, u", True, False),
        ("SELECT * FROM t JOIN u USING (a)", True, False),
        ("SELECT a, t.* FROM t", True, False),
        ("SELECT count(*), a * 2, '*' FROM t", False, False),
    ],
)
def test_a_star_that_means_columns(query: str, star: bool, all_of_one: bool) -> None:
    assert (has_star(query), gives_all_of_one(query)) == (star, all_of_one)


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        ("", ""),
        ("a integer, b text", "a integer, b text"),
        (
            "a int DEFAULT 1, b text = 'x, y', c numeric(8, 2) := f(1, 2), OUT d int",
            "a int, b text, c numeric(8, 2), OUT d int",
        ),
        ('"default" int[] DEFAULT ARRAY[1, 2], VARIADIC b text[]', '"default" int[], VARIADIC b text[]'),
    ],
)
def test_drop_function_is_given_arguments_without_defaults(arguments: str, kept: str) -> None:
    assert without_defaults(arguments) == kept


@pytest.mark.parametrize(
    ("sql", "view"),
    [
        ("CREATE VIEW v AS SELECT 1", View("v", "SELECT 1")),
        ("CREATE VIEW v AS\nSELECT a AS b -- AS", View("v", "SELECT a AS b -- AS")),
        (
            'create temp view if not exists main."v" ([a b], c) /* x */ as select 1, 2',
            View("v", "select 1, 2", None, ("a b", "c")),
        ),
    ],
)
def test_a_view_is_read_from_sqlites_text(sql: str, view: View) -> None:
    assert view_of("v", sql) == view


@pytest.mark.parametrize(
    ("sql", "event", "action"),
    [
        ("CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END", "AFTER INSERT", "BEGIN SELECT 1; END"),
        (
            'CREATE TRIGGER IF NOT EXISTS main."tr on" UPDATE OF "on", a ON "t"\nFOR EACH ROW WHEN NEW.a ON BEGIN SELECT 1; END',
            'UPDATE OF "on", a',
            "FOR EACH ROW WHEN NEW.a ON BEGIN SELECT 1; END",
        ),
        ("CREATE TRIGGER tr ON t BEGIN SELECT 1; END", "", "BEGIN SELECT 1; END"),
    ],
)
def test_a_trigger_is_read_from_sqlites_text(sql: str, event: str, action: str) -> None:
    assert trigger_of("tr", sql, T) == Trigger("tr", T, event, action)


@pytest.mark.parametrize(
    ("sql", "parts"),
    [
        (
            "CREATE TRIGGER tr BEFORE INSERT OR UPDATE OF a ON t FOR EACH ROW EXECUTE FUNCTION f()",
            ("BEFORE INSERT OR UPDATE OF a", "FOR EACH ROW EXECUTE FUNCTION f()", False),
        ),
        (
            'CREATE CONSTRAINT TRIGGER "a ""b" AFTER DELETE ON "S".t DEFERRABLE FOR EACH ROW EXECUTE FUNCTION f(\' ON \')',
            ("AFTER DELETE", "DEFERRABLE FOR EACH ROW EXECUTE FUNCTION f(' ON ')", True),
        ),
    ],
)
def test_a_trigger_is_read_from_postgresqls_text(sql: str, parts: tuple[str, str, bool]) -> None:
    assert trigger_parts(sql) == parts


def test_a_functions_definition_is_what_follows_its_arguments() -> None:
    text = "CREATE OR REPLACE FUNCTION s.f(a integer DEFAULT f(1))\n RETURNS int\nAS $$ (a)\n $$\n"
    assert function_definition("a integer DEFAULT f(1)", text) == "RETURNS int\nAS $$ (a)\n $$"


def test_objects_come_after_those_that_they_name_and_circles_come_too() -> None:
    views = [View("a", 'SELECT x FROM "B"'), View("b", "SELECT x FROM c WHERE y = 'a'"), View("c", "SELECT 1 FROM f()")]
    function = Function("f", "", "RETURNS int LANGUAGE sql AS $$ SELECT 1 $$")
    assert [one.name for one in in_order([*views, function])] == ["f", "c", "b", "a"]
    assert {one.name for one in in_order([View("a", "SELECT 1 FROM b"), View("b", "SELECT 1 FROM a")])} == {"a", "b"}


def test_a_body_in_sql_needs_what_it_names_and_is_bound_to_nothing() -> None:
    in_sql = Function("f", "a kind", "RETURNS SETOF u LANGUAGE sql AS $x$ SELECT 1 FROM t $x$")
    assert {"t", "u", "kind"} <= names_in(in_sql)
    assert bound_names(in_sql) & {"t", "u", "kind"} == {"u", "kind"}
    assert "t" not in names_in(Function("f", "", "RETURNS int LANGUAGE plpgsql AS 'SELECT 1 FROM t'"))
    assert names_in(Policy("p", T, using="a = 1", check="b")) >= {"a", "b"}


def test_functions_are_early_unless_they_need_a_relation_or_one_that_does() -> None:
    plain = Function("plain", "", "RETURNS int LANGUAGE sql AS 'SELECT 1'")
    reading = Function("reading", "", "RETURNS int LANGUAGE sql AS 'SELECT 1 FROM t'")
    calling = Function("calling", "", "RETURNS int LANGUAGE sql AS 'SELECT reading()'")
    assert early_functions([calling, reading, plain], ["T"]) == [plain]
