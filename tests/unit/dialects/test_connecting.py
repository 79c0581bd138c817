"""What drivers are told beyond the URL; what somebody gave counts, and is left as it was."""

from pathlib import Path
from unittest.mock import ANY

import pytest
from sqlalchemy.engine import make_url

from asyncmig.dialects.connecting import connecting_to
from asyncmig.errors import ConfigError, DriverError

POOLED = {"statement_cache_size", "prepared_statement_name_func"}


@pytest.mark.parametrize(
    ("url", "pooled", "expected"),
    [
        ("sqlite+aiosqlite:///a.db", False, {"timeout": 0.1}),
        ("sqlite+aiosqlite:///a.db?timeout=5", False, {}),
        (
            "postgresql+asyncpg://h/d",
            False,
            {"timeout": 15, "prepared_statement_cache_size": 0, "server_settings": {"application_name": "asyncmig"}},
        ),
        ("postgresql+psycopg://h/d", False, {"connect_timeout": 15, "application_name": "asyncmig"}),
        ("postgresql+psycopg://h/d", True, {"connect_timeout": 15, "prepare_threshold": None}),
        (
            "postgresql+psycopg://h/d?connect_timeout=3&application_name=shop",
            False,
            {},
        ),
        (
            "postgresql+asyncpg://h/d?ssl=verify-full&sslrootcert=/a b.pem&application_name=shop&options=-c%20jit%3Doff",
            True,
            {
                "dsn": "postgresql://?sslrootcert=%2Fa+b.pem&application_name=shop&options=-c+jit%3Doff",
                "timeout": 15,
                "prepared_statement_cache_size": 0,
                **dict.fromkeys(POOLED, ANY),
            },
        ),
        (
            "postgresql+asyncpg://h/d?connect_timeout=3&command_timeout=1.5&channel_binding=prefer",
            False,
            {
                "timeout": 3,
                "command_timeout": 1.5,
                "prepared_statement_cache_size": 0,
                "server_settings": {"application_name": "asyncmig"},
            },
        ),
        ("mysql+aiomysql://h/d", False, {}),
    ],
)
def test_arguments(url: str, pooled: bool, expected: dict[str, object]) -> None:
    assert connecting_to(make_url(url)).arguments({}, pooled=pooled) == expected


def test_through_a_pooler_asyncpg_leaves_nothing_on_the_server() -> None:
    found = connecting_to(make_url("postgresql+asyncpg://h/d")).arguments({}, pooled=True)
    assert found.keys() == {"timeout", "prepared_statement_cache_size", *POOLED}
    assert found["statement_cache_size"] == 0
    assert found["prepared_statement_name_func"]() != found["prepared_statement_name_func"]()


@pytest.mark.parametrize(
    ("query", "words"),
    [("channel_binding=require", "channel_binding"), ("command_timeout=soon", "command_timeout=soon is not a number")],
)
def test_what_asyncpg_cannot_do_is_said(query: str, words: str) -> None:
    with pytest.raises((ConfigError, DriverError), match=words):
        connecting_to(make_url(f"postgresql+asyncpg://h/d?{query}")).arguments({}, pooled=False)


def test_what_was_given_counts_and_is_left_alone() -> None:
    given = {"timeout": 1, "server_settings": {"jit": "off"}}
    found = connecting_to(make_url("postgresql+asyncpg://h/d")).arguments(given, pooled=False)
    assert found["timeout"] == 1
    assert found["server_settings"] == {"application_name": "asyncmig", "jit": "off"}
    assert given == {"timeout": 1, "server_settings": {"jit": "off"}}


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite+aiosqlite:///a/b.db", Path("a/b.db")),
        ("sqlite+aiosqlite://", None),
        ("sqlite+aiosqlite:///:memory:", None),
        ("sqlite+aiosqlite:///file:a.db?uri=true", None),
        ("postgresql+asyncpg://h/d", None),
    ],
)
def test_the_file_of_a_database(url: str, file: Path | None) -> None:
    assert connecting_to(make_url(url)).file() == file
