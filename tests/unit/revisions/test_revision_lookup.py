"""What the names for places mean in a history."""

import pytest

from asyncmig.errors import AmbiguousRevision, MultipleHeads, RevisionError, RevisionNotFound
from asyncmig.revisions.graph import RevisionGraph
from asyncmig.revisions.revision import Revision
from asyncmig.revisions.target import parse_range, parse_target

# aaaa1 - aaaa2 - shop1 - shop2
#              \- user1 - user2        and, on its own:  lone1 - lone2 (depends on shop1)
HISTORY = RevisionGraph.build(
    [
        Revision("aaaa1"),
        Revision("aaaa2", ("aaaa1",)),
        Revision("shop1", ("aaaa2",), branch_labels=("shopping",)),
        Revision("shop2", ("shop1",)),
        Revision("user1", ("aaaa2",), branch_labels=("users",)),
        Revision("user2", ("user1",)),
        Revision("lone1", branch_labels=("lonely-1",)),
        Revision("lone2", ("lone1",), ("shop2",)),
    ]
)


@pytest.mark.parametrize(
    ("text", "current", "ids"),
    [
        ("aaaa1", (), ("aaaa1",)),
        ("shop1", (), ("shop1",)),
        ("shopping", (), ("shop1",)),
        ("shoppi", (), ("shop1",)),
        ("heads", (), ("lone2", "user2")),
        ("shopping@head", (), ("shop2",)),
        ("user1@head", (), ("user2",)),
        ("aaaa1@heads", (), ("shop2", "user2")),
        ("base", (), ()),
        ("shopping@base", (), ()),
        ("current", ("user1", "lone1"), ("lone1", "user1")),
        ("users@current", ("user1", "lone1"), ("user1",)),
        ("aaaa1+1", (), ("aaaa2",)),
        ("users@aaaa1+2", (), ("user1",)),
        ("shop2-2", (), ("aaaa2",)),
        ("aaaa1-1", (), ()),
        ("users@head-1", (), ("user1",)),
        ("+1", ("shop1",), ("shop2",)),
        ("-1", ("shop1",), ("aaaa2",)),
        ("users@+1", ("shop2",), ("user1",)),
        ("users@+1", ("user1", "lone1"), ("user2",)),
        ("shopping@+1", (), ("aaaa1",)),
        ("shopping@-1", ("lone2", "user2"), ("shop1",)),
        # looks relative, but is a label
        ("lonely-1", (), ("lone1",)),
        ("lonely-1@head", (), ("lone2",)),
    ],
)
def test_a_target_means(text: str, current: tuple[str, ...], ids: tuple[str, ...]) -> None:
    assert HISTORY.resolve(parse_target(text), current) == ids


@pytest.mark.parametrize(
    ("text", "current", "error", "candidates", "words"),
    [
        ("nobody", (), RevisionNotFound, (), "no revision or branch label 'nobody'"),
        ("shop3", (), RevisionNotFound, ("shop2", "shop1"), "Did you mean"),
        ("aaaa", (), AmbiguousRevision, ("aaaa1", "aaaa2"), "aaaa1, aaaa2"),
        ("use", (), RevisionNotFound, ("user1", "user2"), "at least 4 characters"),
        ("users@shop1", (), RevisionNotFound, ("shop1",), "not on the branch 'users'"),
        ("nobody@head", (), RevisionNotFound, (), "nobody"),
        ("+1", ("shop1", "user1"), AmbiguousRevision, ("shop1", "user1"), "LABEL@+1"),
        ("+1", ("aaaa2",), AmbiguousRevision, ("shop1", "user1"), "above aaaa2"),
        ("+1", (), AmbiguousRevision, ("aaaa1", "lone1"), "above base"),
        ("+9", ("user1",), RevisionNotFound, (), "only 1 revision above"),
        ("user1-9", (), RevisionNotFound, (), "below"),
        ("users@-1", ("shop1",), RevisionNotFound, (), "below"),
    ],
)
def test_what_a_target_cannot_mean(
    text: str, current: tuple[str, ...], error: type[RevisionNotFound], candidates: tuple[str, ...], words: str
) -> None:
    with pytest.raises(error) as caught:
        HISTORY.resolve(parse_target(text), current)
    assert type(caught.value) is error
    assert set(candidates) <= set(caught.value.candidates)
    assert words in str(caught.value)


@pytest.mark.parametrize(("text", "heads"), [("head", ("lone2", "shop2", "user2")), ("aaaa1@head", ("shop2", "user2"))])
def test_head_with_several_names_them_and_the_ways_out(text: str, heads: tuple[str, ...]) -> None:
    with pytest.raises(MultipleHeads, match=r"`heads`.*@head.*asyncmig merge heads") as caught:
        HISTORY.resolve(parse_target(text))
    assert caught.value.heads == heads


EVERYTHING = ["lone2", "lone1", "user2", "user1", "shop2", "shop1", "aaaa2", "aaaa1"]


@pytest.mark.parametrize(
    ("text", "current", "ids"),
    [
        (":", (), EVERYTHING),
        ("shop1:", (), ["shop2", "shop1"]),
        (":user1", (), ["user1", "aaaa2", "aaaa1"]),
        ("aaaa2:users@head", (), ["user2", "user1", "aaaa2"]),
        ("-1:current", ("user2",), ["user2", "user1"]),
        ("-9:current", ("user1",), ["user1", "aaaa2", "aaaa1"]),
        ("current:", ("user1",), ["user2", "user1"]),
        ("current:", (), EVERYTHING),
        (":current", (), []),
        ("aaaa2:users@+1", (), ["user1", "aaaa2"]),
        ("shop1:+1", (), ["shop2", "shop1"]),
        ("shop1:+9", (), ["shop2", "shop1"]),
        ("shop2:shop2", (), ["shop2"]),
    ],
)
def test_a_range_holds_its_ends_and_what_lies_between_newest_first(
    text: str, current: tuple[str, ...], ids: list[str]
) -> None:
    bounds = parse_range(text)
    assert [revision.id for revision in HISTORY.range(bounds.lower, bounds.upper, current)] == ids


def test_a_range_upside_down_is_an_error() -> None:
    bounds = parse_range("shop2:aaaa1")
    with pytest.raises(RevisionError, match="shop2 is not below aaaa1"):
        HISTORY.range(bounds.lower, bounds.upper)
