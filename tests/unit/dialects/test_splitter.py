"""Where a text of SQL is cut, case by case."""

from __future__ import annotations

import sqlite3
import time

import pytest

from asyncmig.dialects.splitter import split_postgresql, split_sqlite, transaction_control
from asyncmig.errors import OperationError

BOTH = {
    "one statement": ("select 1", ["select 1"]),
    "one with semicolon": ("select 1;", ["select 1"]),
    "two": ("select 1; select 2", ["select 1", "select 2"]),
    "empty": ("", []),
    "spaces": (" \n\t ", []),
    "empty statements": (";;select 1;;", ["select 1"]),
    "only comments": ("-- a\n/* b */ ; -- c", []),
    "string": ("select ';'; select 2", ["select ';'", "select 2"]),
    "doubled quote": ("select 'a'';'; select 2", ["select 'a'';'", "select 2"]),
    "backslash is plain": (r"select '\'; select 2", [r"select '\'", "select 2"]),
    "identifier": ('select 1 as "a;"""; select 2', ['select 1 as "a;"""', "select 2"]),
    "line comment": ("select 1 -- a;b\n, 2; select 3", ["select 1 -- a;b\n, 2", "select 3"]),
    "block comment": ("select /* ; */ 1; select 2", ["select /* ; */ 1", "select 2"]),
    "quote in comment": ("select 1 -- don't\n; select 2", ["select 1", "select 2"]),
    "comment before": ("-- first\nselect 1;\n-- second\nselect 2", ["-- first\nselect 1", "-- second\nselect 2"]),
    "comment at the end": ("select 1 /* a */ -- b\n; -- c", ["select 1"]),
    "minus and slash": ("select 4 - -2/1; select 2", ["select 4 - -2/1", "select 2"]),
    "unterminated string": ("select 'a; select 2", ["select 'a; select 2"]),
    "end as a statement": ("begin; select 1; end; select 2", ["begin", "select 1", "end", "select 2"]),
    "not a trigger": ("create table t (x); select 2", ["create table t (x)", "select 2"]),
}

POSTGRESQL = {
    "dollar quote": ("do $$ begin; end $$; select 2", ["do $$ begin; end $$", "select 2"]),
    "tagged": ("select $a$ ; $$ ; $b$ ; $a$; select 2", ["select $a$ ; $$ ; $b$ ; $a$", "select 2"]),
    "tags in a row": ("select $a$;$a$$b$;$b$; select 2", ["select $a$;$a$$b$;$b$", "select 2"]),
    "parameters": ("select $1, a$b, c$$d; select 2", ["select $1, a$b, c$$d", "select 2"]),
    "nested comment": ("select /* /* ; */ ; */ 1; select 2", ["select /* /* ; */ ; */ 1", "select 2"]),
    "unterminated comment": ("select 1 /* ; /* */; select 2", ["select 1 /* ; /* */; select 2"]),
    "escape string": (r"select E'\';'; select 2", [r"select E'\';'", "select 2"]),
    "lower escape string": (r"select e'\\'; select 2", [r"select e'\\'", "select 2"]),
    "continued escape string": ("select E'a'\n'\\';'; select 2", ["select E'a'\n'\\';'", "select 2"]),
    "e ends a name": (r"select date'\'; select 2", [r"select date'\'", "select 2"]),
    "unicode string": (r"select U&'\0061;'; select 2", [r"select U&'\0061;'", "select 2"]),
    "unicode name": (r'select 1 as U&"\0061;"; select 2', [r'select 1 as U&"\0061;"', "select 2"]),
    "rule": (
        "create rule r as on insert to t do also (delete from a; delete from b); select 2",
        ["create rule r as on insert to t do also (delete from a; delete from b)", "select 2"],
    ),
    "atomic function": (
        "create or replace function f() returns int begin atomic select case when 1=1 then 2 end; select 3; end; select 2",
        [
            "create or replace function f() returns int begin atomic select case when 1=1 then 2 end; select 3; end",
            "select 2",
        ],
    ),
    "atomic procedure with comments": (
        "-- a\ncreate /* b */ procedure p() begin atomic /* end */ insert into t values ('end'); end; select 2",
        [
            "-- a\ncreate /* b */ procedure p() begin atomic /* end */ insert into t values ('end'); end",
            "select 2",
        ],
    ),
    "names like begin": (
        "create function f(begin int, begin_at int) returns int language sql as 'select 1;'; select 2",
        ["create function f(begin int, begin_at int) returns int language sql as 'select 1;'", "select 2"],
    ),
    "copy from a file": ("copy t from '/tmp/x'; select 2", ["copy t from '/tmp/x'", "select 2"]),
    "copy to": ("copy (select 'from stdin') to stdout", ["copy (select 'from stdin') to stdout"]),
}

TRIGGER = """create trigger t after update on a begin
  update b set x = case when new.x then 1 else 2 end; -- ; end;
  select "end", [end] from "begin";
end"""

SQLITE = {
    "brackets": ("select [a;b]; select 2", ["select [a;b]", "select 2"]),
    "backticks": ("select `a;``b`; select 2", ["select `a;``b`", "select 2"]),
    "comments do not nest": ("select /* /* */ 1; select 2 /* */", ["select /* /* */ 1", "select 2"]),
    "no dollar quotes": ("select $a$; select $a$", ["select $a$", "select $a$"]),
    "no escape strings": (r"select e'\'; select 2", [r"select e'\'", "select 2"]),
    "trigger": (f"{TRIGGER}; select 2", [TRIGGER, "select 2"]),
    "trigger at the end": (f"select 1; {TRIGGER}\n;\n", ["select 1", TRIGGER]),
    "temporary trigger": (
        "create temp trigger if not exists t begin select 1; end /* x */ ; select 2",
        ["create temp trigger if not exists t begin select 1; end", "select 2"],
    ),
    "column called end": (
        "create trigger t after insert on a begin select new.end; delete from b; end; select 2",
        ["create trigger t after insert on a begin select new.end; delete from b; end", "select 2"],
    ),
}


def cases(*tables: dict[str, tuple[str, list[str]]]) -> list[object]:
    return [pytest.param(sql, parts, id=name) for table in tables for name, (sql, parts) in table.items()]


@pytest.mark.parametrize(("sql", "parts"), cases(BOTH, POSTGRESQL))
def test_split_postgresql_cuts_between_statements(sql, parts):
    assert split_postgresql(sql) == parts


@pytest.mark.parametrize(("sql", "parts"), cases(BOTH, SQLITE))
def test_split_sqlite_cuts_between_statements(sql, parts):
    assert split_sqlite(sql) == parts


@pytest.mark.parametrize(("sql", "parts"), cases({k: v for k, v in BOTH.items() if "unterminated" not in k}, SQLITE))
def test_split_sqlite_agrees_with_sqlite(sql, parts):
    """Each part is complete with its semicolon, and no shorter beginning of it was."""
    for part in parts:
        assert sqlite3.complete_statement(f"{part};")
        for position, letter in enumerate(part):
            if letter == ";":
                assert not sqlite3.complete_statement(part[: position + 1])


@pytest.mark.parametrize(
    "sql",
    [
        "COPY t FROM STDIN;\n1\t2\n\\.\n",
        'copy public."T" (a, "b;") from stdin with (format csv)',
        "-- dumped\ncopy t(a) from\n stdin; 1",
        "select 1; copy t from stdin;\n1\n\\.\n",
    ],
)
def test_copy_from_stdin_is_refused_with_a_way_out(sql):
    with pytest.raises(OperationError, match=r"COPY .* STDIN") as caught:
        split_postgresql(sql)
    assert "bulk_insert" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("COMMIT", "commit"),
        ("commit work", "commit"),
        ("COMMIT AND CHAIN", "commit"),
        ("END", "commit"),
        ("end transaction", "commit"),
        ("PREPARE TRANSACTION 'x'", "commit"),
        ("COMMIT PREPARED 'x'", None),
        ("ROLLBACK PREPARED 'x'", None),
        ("ROLLBACK", "rollback"),
        ("rollback and no chain", "rollback"),
        ("ABORT", "rollback"),
        ("ROLLBACK TO x", "savepoint"),
        ("ROLLBACK WORK TO SAVEPOINT x", "savepoint"),
        ("rollback transaction to x", "savepoint"),
        ("SAVEPOINT x", "savepoint"),
        ("RELEASE x", "savepoint"),
        ("BEGIN", "begin"),
        ("BEGIN IMMEDIATE", "begin"),
        ("START TRANSACTION", "begin"),
        ("/* a /* b */ c */ -- d\n COMMIT", "commit"),
        ("start", None),
        ("ending", None),
        ("committed", None),
        ("select 'commit'", None),
        ("-- commit", None),
        ("", None),
    ],
)
def test_transaction_control_knows_what_ends_a_transaction(sql, kind):
    assert transaction_control(sql) == kind


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO t VALUES (1, 'abc''d', now(), a.b/2 - 3);\n" * 20_000,
        "-- a comment\n" * 80_000,
        "(" * 1_000_000,
        "create trigger t begin " + "select 1; " * 100_000 + "end;",
        "'" + "x" * 1_000_000 + "'; select 1",
    ],
    ids=["inserts", "comments", "parentheses", "trigger", "string"],
)
@pytest.mark.parametrize("split", [split_postgresql, split_sqlite])
def test_a_megabyte_is_cut_in_linear_time(split, text):
    """Generous: these take about 0.1 s, and minutes where a pattern backtracks or a slice is copied per token."""
    started = time.process_time()
    split(text)
    assert time.process_time() - started < 5
