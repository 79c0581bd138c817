"""Names for places in the history, parsed and printed."""

import pytest

from asyncmig.errors import MalformedTarget
from asyncmig.revisions.target import (
    Base,
    Current,
    Head,
    Heads,
    Named,
    Range,
    Relative,
    Target,
    parse_range,
    parse_target,
    parse_targets,
)

FORMS: list[tuple[str, Target]] = [
    ("ae1027a6acf", Named("ae1027a6acf")),
    ("ae10", Named("ae10")),
    ("head", Head()),
    ("heads", Heads()),
    ("base", Base()),
    ("current", Current()),
    ("+2", Relative(2)),
    ("-1", Relative(-1)),
    ("ae10+2", Relative(2, Named("ae10"))),
    ("ae10-2", Relative(-2, Named("ae10"))),
    ("head-1", Relative(-1, Head())),
    ("base+1", Relative(1, Base())),
    ("current-3", Relative(-3, Current())),
    ("shop@head", Head("shop")),
    ("shop@heads", Heads("shop")),
    ("shop@base", Base("shop")),
    ("shop@+1", Relative(1, None, "shop")),
    ("shop@-1", Relative(-1, None, "shop")),
    ("shop@ae10", Named("ae10", "shop")),
    ("shop@ae10-1", Relative(-1, Named("ae10"), "shop")),
    ("ae10@head", Head("ae10")),
    ("my-branch@head", Head("my-branch")),
    ("release-1@head", Head("release-1")),
    ("my-branch", Named("my-branch")),
]


@pytest.mark.parametrize(("text", "target"), FORMS)
def test_each_form_parses_to_its_value_and_prints_as_typed(text: str, target: Target) -> None:
    assert parse_target(text) == target
    assert str(target) == text


def test_blanks_around_a_target_do_not_count() -> None:
    assert parse_target("  head\n") == Head()


@pytest.mark.parametrize(
    "text", ["", "  ", "@head", "shop@", "a:b", "a b", "a@b@c", "+0", "head-0", "a,b", "shop@@head"]
)
def test_what_is_no_name_is_malformed(text: str) -> None:
    with pytest.raises(MalformedTarget, match="head") as caught:
        parse_target(text)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-3:current", Range(Relative(-3), Current())),
        (":head", Range(None, Head())),
        ("base:", Range(Base(), None)),
        (":", Range()),
        ("ae10:shop@head", Range(Named("ae10"), Head("shop"))),
    ],
)
def test_each_range_parses_to_its_ends_and_prints_as_typed(text: str, expected: Range) -> None:
    assert parse_range(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize("text", ["head", "a:b:c", ""])
def test_a_range_has_exactly_one_colon(text: str) -> None:
    with pytest.raises(MalformedTarget):
        parse_range(text)


def test_a_list_of_targets_may_use_commas_and_blanks() -> None:
    assert parse_targets(["ae10, 27c6", "head"]) == (Named("ae10"), Named("27c6"), Head())
