"""Laws of the SQL splitter over random token sequences."""

from __future__ import annotations

import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from asyncmig.dialects.splitter import split_postgresql, split_sqlite

TEXT = st.text(alphabet="a;'\"-/*$\\ ()[]`\nEe", max_size=8)
WORDS = st.sampled_from(
    ["select", "a", "1", "e", "name", "=", "-", "/", "begin", "end", "case", "e2", ",", "é", "_x$y"]
)


def quoted(mark: str, text: str) -> str:
    return mark + text.replace(mark, mark * 2) + mark


def is_comment(token: str) -> bool:
    return token.startswith(("--", "/*"))


COMMENT = TEXT.map(lambda text: "/* " + text.replace("/", "").replace("*", "") + " */")
LINE = TEXT.map(lambda text: "--" + text.replace("\n", "") + "\n")
COMMON = st.one_of(WORDS, TEXT.map(lambda t: quoted("'", t)), TEXT.map(lambda t: quoted('"', t)), COMMENT, LINE)
POSTGRESQL = st.one_of(
    COMMON,
    TEXT.map(lambda t: "E'" + t.replace("\\", "\\\\").replace("'", "\\'") + "'"),
    TEXT.map(lambda t: f"$t${t}$t$"),
    TEXT.map(lambda t: "$$" + t.replace("$", "") + "$$"),
    COMMENT.map(lambda c: f"/* ; {c} ' */"),
    st.lists(WORDS, max_size=3).map(lambda words: f"({'; '.join(words)})"),
    st.sampled_from(["$1", "n'a;\\'", "x$$y"]),
)
SQLITE = st.one_of(
    COMMON,
    TEXT.map(lambda t: quoted("`", t)),
    TEXT.map(lambda t: "[" + t.replace("]", "") + "]"),
    st.sampled_from(["$1", "$$", "e'a;\\'", "/* /* ; */"]),
)


def expected(tokens: list[str]) -> str:
    """The statement that is to come out: without comments at its end."""
    while tokens and is_comment(tokens[-1]):
        tokens = tokens[:-1]
    return " ".join(tokens)


def texts(tokens: st.SearchStrategy[str]) -> st.SearchStrategy[list[list[str]]]:
    return st.lists(st.lists(tokens, max_size=6), max_size=5)


def joined(statements: list[list[str]]) -> str:
    return ";".join(" ".join(tokens) for tokens in statements)


@given(texts(POSTGRESQL))
def test_postgresql_is_cut_at_every_semicolon_outside_quotes_and_nowhere_else(statements):
    assert split_postgresql(joined(statements)) == [text for text in map(expected, statements) if text]


@given(texts(SQLITE))
def test_sqlite_is_cut_at_every_semicolon_outside_quotes_and_nowhere_else(statements):
    assert split_sqlite(joined(statements)) == [text for text in map(expected, statements) if text]


@given(st.text(alphabet="ab;'\"-/*$E\\ ()\n", max_size=40))
def test_splitting_postgresql_parts_again_changes_nothing(sql):
    parts = split_postgresql(sql)
    assert split_postgresql(";".join(parts)) == parts


@given(st.text(alphabet="ab;'\"-/*[]`\\ ()\n", max_size=40))
def test_splitting_sqlite_parts_again_changes_nothing(sql):
    parts = split_sqlite(sql)
    assert split_sqlite(";".join(parts)) == parts


@given(texts(SQLITE))
def test_every_sqlite_part_is_what_sqlite_calls_complete(statements):
    for part in split_sqlite(joined(statements)):
        assert sqlite3.complete_statement(f"{part};")


BODIES = st.sampled_from(["select 1", "select new.end", "select case when 1 then 2 end", "select ';end;'"])


@given(st.lists(BODIES, min_size=1))
def test_a_trigger_stays_whole(body):
    trigger = f"create trigger t after insert on a begin {'; '.join(body)}; end"
    assert split_sqlite(f"select 0; {trigger}; select 1") == ["select 0", trigger, "select 1"]
