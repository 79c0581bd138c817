"""Database URLs: drivers, what is refused, and that no password is ever shown."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import URL, make_url

from asyncmig.errors import ConfigError, DriverError
from asyncmig.url import Redactor, is_memory_sqlite, normalize_url, redact, require_driver


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        ("postgres://u:p@h:1/d", "postgresql+asyncpg://u:p@h:1/d"),
        ("postgresql://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql+asyncpg://h/d", "postgresql+asyncpg://h/d"),
        ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
        ("postgresql+psycopg_async://h/d", "postgresql+psycopg_async://h/d"),
        ("sqlite:///x.db", "sqlite+aiosqlite:///x.db"),
        ("sqlite+aiosqlite:////abs/x.db", "sqlite+aiosqlite:////abs/x.db"),
        ("sqlite://", "sqlite+aiosqlite://"),
        ("postgres://h/d?sslmode=require", "postgresql+asyncpg://h/d?ssl=require"),
        ("postgresql+psycopg://h/d?sslmode=require", "postgresql+psycopg://h/d?sslmode=require"),
        ("postgres://h/d?sslmode=require&ssl=disable", "postgresql+asyncpg://h/d?ssl=disable"),
    ],
)
def test_a_url_gets_its_async_driver(given_url: str, expected: str) -> None:
    assert normalize_url(given_url).render_as_string(hide_password=False) == expected
    assert normalize_url(make_url(given_url)) == make_url(expected)
    assert normalize_url(normalize_url(given_url)) == normalize_url(given_url)


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        (
            "postgresql+psycopg2://u:s3cret@h/d",
            "postgresql+psycopg2 is a synchronous driver. Use postgresql+asyncpg://",
        ),
        ("postgresql+pg8000://u:s3cret@h/d", "postgresql+pg8000 is a synchronous driver. Use postgresql+asyncpg://."),
        ("sqlite+pysqlite:///x", "sqlite+pysqlite is a synchronous driver. Use sqlite+aiosqlite://."),
        ("postgresql+asyncgp://u:s3cret@h/d", "There is no driver postgresql+asyncgp. Use postgresql+asyncpg://."),
        ("mysql+aiomysql://u:s3cret@h/d", "mysql+aiomysql is not supported: asyncmig migrates PostgreSQL and SQLite."),
        ("oracle://u:s3cret@h/d", "oracle is not supported"),
    ],
)
def test_another_driver_is_refused_by_name(given_url: str, expected: str) -> None:
    with pytest.raises(DriverError) as caught:
        normalize_url(given_url)
    assert expected in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["s3cret", "user:s3cret@host/db", "postgresql://u:s3cret@h:port/d", "://s3cret"])
def test_what_is_no_url_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        normalize_url(text)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_driver_that_is_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncmig.url.find_spec", lambda name: None)
    for url, package, install in (
        ("postgresql://h/d", "asyncpg", 'pip install "asyncmig[postgresql]"'),
        ("sqlite:///x", "aiosqlite", 'pip install "asyncmig[sqlite]"'),
        ("postgresql+psycopg://h/d", "psycopg", 'pip install "psycopg[binary]"'),
    ):
        with pytest.raises(DriverError) as caught:
            require_driver(normalize_url(url))
        assert f"needs {package}, which is not installed" in str(caught.value)
        assert install in str(caught.value)


def test_an_installed_driver_is_no_error() -> None:
    require_driver(normalize_url("sqlite:///x"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite://", True),
        ("sqlite:///:memory:", True),
        ("sqlite+aiosqlite:///:memory:?cache=shared", True),
        ("sqlite:///file::memory:?cache=shared&uri=true", True),
        ("sqlite:///file:x?mode=memory&cache=shared&uri=true", True),
        ("sqlite:///memory.db", False),
        ("sqlite:////tmp/x.db", False),
        ("sqlite:///file:x.db?mode=ro&uri=true", False),
        ("postgresql://h/memory", False),
    ],
)
def test_in_memory_is_told_from_files(url: str, expected: bool) -> None:
    assert is_memory_sqlite(make_url(url)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://u:s3cret@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u:s3c/r@et@h/d", "postgresql://u:***@h/d"),
        ("no route to 'postgresql://u:s3cret@h/d', see docs", "no route to 'postgresql://u:***@h/d', see docs"),
        ("a://u:s3cret@h b://v:s3cret@i", "a://u:***@h b://v:***@i"),
        ("sqlite:///x?password=s3cret&mode=ro", "sqlite:///x?password=***&mode=ro"),
        ("host=h user=u password=s3cret dbname=d", "host=h user=u password=*** dbname=d"),
        ("postgresql://h:5432/d", "postgresql://h:5432/d"),
        ("sqlite:////srv/a:b@c.db", "sqlite:////srv/a:b@c.db"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_texts_lose_their_passwords(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_a_url_value_loses_its_password() -> None:
    url = make_url("postgresql://u:s3cret@h/d?sslpassword=s3cret")
    assert redact(url) == "postgresql://u:***@h/d?sslpassword=***"


@given(st.text(st.characters(codec="utf-8"), min_size=3), st.text(max_size=20), st.text(max_size=20))
def test_a_known_password_disappears_from_any_text(password: str, before: str, after: str) -> None:
    url = URL.create("postgresql+asyncpg", "u", password, "h", database="d")
    # What replaces it must not be mistaken for it; and a password that is a name is the next test.
    assume("*" not in password and password not in url.set(password=None).render_as_string())
    for text in (f"{before}{password}{after}", url.render_as_string(hide_password=False), f"connect({password!r})"):
        assert password not in Redactor(url)(text)


def test_a_password_that_is_also_a_name_only_leaves_urls() -> None:
    redactor = Redactor(make_url("postgresql://app:app@h/d"))
    assert redactor('authentication failed for user "app"') == 'authentication failed for user "app"'
    assert redactor("postgresql://app:app@h/d") == "postgresql://app:***@h/d"


def test_a_redactor_without_a_url_still_knows_urls() -> None:
    assert Redactor(None)("a://u:p@h") == "a://u:***@h"
