"""`${NAME}`, defaults, `${here}` and `$$`, as a table and as laws."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncmig.config.interpolation import Interpolation
from asyncmig.errors import ConfigError

VARIABLES = {"A": "one", "B": "two", "EMPTY": "", "TRICKY": "${A} $$ $", "here": "never seen"}


def filled(text: str, variables: Mapping[str, str] = VARIABLES) -> str:
    return Interpolation(variables, "/srv/app").text(text, key="key")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain", "plain"),
        ("${A}", "one"),
        ("-${A}${B}-", "-onetwo-"),
        ("${NO:-default}", "default"),
        ("${NO:-}", ""),
        ("${A:-default}", "one"),
        ("${EMPTY}", ""),
        ("${EMPTY:-default}", "default"),
        ("${NO:-${B}}", "two"),
        ("${NO:-sqlite:///${here}/app.db}", "sqlite:////srv/app/app.db"),
        ("${NO:-a:-b}", "a:-b"),
        ("${here}/x", "/srv/app/x"),
        ("$$", "$"),
        ("$${A}", "${A}"),
        ("$$$$", "$$"),
        ("$", "$"),
        ("a$b", "a$b"),
        ("}", "}"),
        ("${TRICKY}", "${A} $$ $"),
    ],
)
def test_placeholders_are_filled_in_once(text: str, expected: str) -> None:
    assert filled(text) == expected


@pytest.mark.parametrize("text", ["${", "${}", "${A", "${A:-x", "${1A}", "${A-b}", "${A:b}", "${ A }"])
def test_a_placeholder_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^key has a placeholder at character 1 that cannot be read\."):
        filled(text)


def test_a_missing_variable_is_named_with_its_key() -> None:
    with pytest.raises(ConfigError, match=r"^key needs the environment variable NO, which is not set\.") as caught:
        filled("x${A}${NO}")
    assert caught.value.key == "key"


@given(st.text())
def test_any_text_survives_with_its_dollars_doubled(text: str) -> None:
    assert filled(text.replace("$", "$$")) == text


@given(st.text())
def test_a_value_is_never_interpolated_again(value: str) -> None:
    assert filled("<${X}>", {"X": value}) == f"<{value}>"


@given(st.text(st.characters(codec="utf-8", exclude_characters="%", exclude_categories=("C", "Z")), min_size=1))
def test_a_password_of_any_characters_arrives_in_the_url(password: str) -> None:
    from sqlalchemy import make_url

    text = Interpolation({"P": password, "H": "db.example:6543"}, "/").url("postgresql://app:${P}@${H}/shop", key="url")
    url = make_url(text)
    assert (url.username, url.password, url.host, url.port, url.database) == (
        "app",
        password,
        "db.example",
        6543,
        "shop",
    )


def test_a_password_that_is_encoded_already_stays_as_it_is() -> None:
    filling = Interpolation({"P": "p%40ss", "U": "postgresql://a:b@c/d?x=/y"}, "/")
    assert filling.url("postgresql://u:${P}@h/d", key="url") == "postgresql://u:p%40ss@h/d"
    assert filling.url("${U}", key="url") == "postgresql://a:b@c/d?x=/y"
