"""The shape of a history, and everything that can be wrong with one."""

import random
import re
import sys
from pathlib import Path

import pytest

from asyncmig.errors import GraphError
from asyncmig.revisions.graph import RevisionGraph
from asyncmig.revisions.plan import plan_downgrade, plan_upgrade
from asyncmig.revisions.revision import Revision
from asyncmig.revisions.target import parse_target


def graph(*lines: str) -> RevisionGraph:
    """`"c <- a b; d | label"`: c follows a and b, depends on d, carries a label."""
    return RevisionGraph.build([revision(line) for line in lines])


def revision(line: str) -> Revision:
    rest, _, labels = line.partition("|")
    rest, _, depends_on = rest.partition(";")
    identifier, _, parents = rest.partition("<-")
    return Revision(
        identifier.strip(),
        tuple(parents.split()),
        tuple(depends_on.split()),
        tuple(labels.split()),
        path=Path(f"versions/{identifier.strip()}.py"),
    )


FORK = ("root", "left <- root | west", "left2 <- left", "right <- root | east", "right2 <- right")


def test_heads_bases_forks_and_merges_are_seen() -> None:
    history = graph(*FORK, "both <- left2 right2", "alone", "later <- alone ; both")
    assert history.heads == ("both", "later")
    assert history.effective_heads == ("later",)
    assert history.bases == ("alone", "root")
    assert history.branch_points == ("root",)
    assert history.merge_points == ("both",)
    assert history.children("root") == ("left", "right")
    assert history.parents("both") == ("left2", "right2")
    assert history.dependencies("later") == ("both",)
    assert history.dependents("both") == ("later",)


def test_iteration_is_over_ids_below_before_above() -> None:
    history = graph("later <- alone ; both", "both <- left right", "alone", *FORK[1::2], "root")
    order = list(history)
    assert len(history) == len(order) == 6
    for name in order:
        assert all(order.index(below) < order.index(name) for below in history.below(name))


def test_ancestors_and_descendants_follow_dependencies_only_when_asked() -> None:
    history = graph("a", "b <- a", "x", "y <- x ; b")
    assert history.ancestors(["y"]) == {"a", "b", "x", "y"}
    assert history.ancestors(["y"], dependencies=False) == {"x", "y"}
    assert history.ancestors(["y"], inclusive=False) == {"a", "b", "x"}
    assert history.descendants(["a"]) == {"a", "b", "y"}
    assert history.descendants(["a"], dependencies=False) == {"a", "b"}
    assert history.lineage("b") == {"a", "b"}


def test_maximal_drops_what_another_implies() -> None:
    history = graph("a", "b <- a", "x", "y <- x ; b")
    assert history.maximal(["a", "b", "x"]) == {"b", "x"}
    assert history.maximal(["b", "y"]) == {"y"}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # from the revision that carries it upwards
        (FORK, {"root": set(), "left": {"west"}, "left2": {"west"}, "right2": {"east"}}),
        # and down the line to its beginning
        (("a", "b <- a", "c <- b | mine"), {"a": {"mine"}, "b": {"mine"}, "c": {"mine"}}),
        # a merge has the labels of both sides; below it nothing changes
        ((*FORK, "both <- left2 right2"), {"both": {"west", "east"}, "left": {"west"}}),
        # a label on a merge names what follows
        (("a", "b", "m <- a b | joined", "n <- m"), {"a": set(), "m": {"joined"}, "n": {"joined"}}),
        # a dependency is no line of descent
        (("a | one", "b <- a", "x ; b", "y <- x"), {"x": set(), "y": set()}),
    ],
)
def test_labels_hold_along_their_line(lines: tuple[str, ...], expected: dict[str, set[str]]) -> None:
    history = graph(*lines)
    assert {name: set(history.labels(name)) for name in expected} == expected


def test_scripts_may_abbreviate_parents_and_dependencies_and_depend_on_labels() -> None:
    history = graph("1234567890 | shop", "abcdef1234 <- 123456", "fedcba ; abcd shop")
    assert history.parents("abcdef1234") == ("1234567890",)
    assert history.dependencies("fedcba") == ("abcdef1234", "1234567890")


@pytest.mark.parametrize(
    ("lines", "path", "message"),
    [
        (("a", "b <- A"), "versions/b.py", "down_revision 'A' of revision b is not among the scripts"),
        (("abcdef", "b <- abcdeg"), "versions/b.py", "The nearest: abcdef"),
        (("a", "b ; zzz"), "versions/b.py", "depends_on 'zzz' of revision b"),
        (("abcd1", "abcd2", "b <- abcd"), "versions/b.py", "could be abcd1, abcd2"),
        (("a <- c", "b <- a", "c <- b"), "versions/a.py", "cycle: a -> c -> b -> a"),
        (("r", "a <- r c", "b <- a", "c <- b", "d <- c"), "versions/a.py", "cycle: a -> c -> b -> a"),
        (("a", "b <- a ; d", "c", "d <- c ; b"), "versions/b.py", "dependency cycle: b -> d -> b"),
        (("a <- a",), "versions/a.py", "its own down_revision"),
        (("a ; a",), "versions/a.py", "depends on itself"),
        (("a-b",), "versions/a-b.py", "may not contain '-'"),
        (("a@b",), "versions/a@b.py", "may not contain '@'"),
        (("a+1",), "versions/a+1.py", "may not contain '+'"),
        (("a:b",), "versions/a:b.py", "may not contain ':'"),
        (("a | x@y",), "versions/a.py", "may not contain '@'"),
        (("a | x", "b | x"), "versions/b.py", "label 'x' is already used by revision a"),
        (("a | b", "b"), "versions/a.py", "label 'b' is the id of a revision"),
    ],
)
def test_what_makes_no_history_names_the_script(lines: tuple[str, ...], path: str, message: str) -> None:
    with pytest.raises(GraphError, match=re.escape(message)) as caught:
        graph(*lines)
    assert caught.value.path == Path(path)
    assert caught.value.exit_code == 2


def test_a_duplicate_id_names_both_files() -> None:
    twice = [Revision("a", path=Path("versions/one.py")), Revision("a", path=Path("versions/two.py"))]
    with pytest.raises(GraphError) as caught:
        RevisionGraph.build(twice)
    assert "one.py" in str(caught.value)
    assert "two.py" in str(caught.value)


def test_an_id_longer_than_the_version_column_is_refused_only_when_the_length_is_known() -> None:
    long = Revision("x" * 33)
    assert "x" * 33 in RevisionGraph.build([long])
    with pytest.raises(GraphError, match="33 characters, the version column holds 32"):
        RevisionGraph.build([long], max_id_length=32)


def test_the_line_is_told_where_the_caller_knows_it() -> None:
    asked = []

    def locate(path: Path, name: str) -> int:
        asked.append((path, name))
        return 12

    with pytest.raises(GraphError, match=r"b\.py:12: ") as caught:
        RevisionGraph.build([revision("b <- nobody")], locate=locate)
    assert caught.value.line == 12
    assert asked == [(Path("versions/b.py"), "down_revision")]


def test_an_empty_history_is_a_history() -> None:
    history = graph()
    assert (history.heads, history.effective_heads, history.bases, list(history)) == ((), (), (), [])


def test_a_deep_history_needs_no_recursion() -> None:
    ids = [f"r{number:05}" for number in range(10_000)]
    revisions = [Revision(name, (ids[at - 1],) if at else ()) for at, name in enumerate(ids)]
    random.Random(1).shuffle(revisions)
    history = RevisionGraph.build(revisions)
    assert list(history) == ids
    assert len(history.ancestors([ids[-1]])) == 10_000


@pytest.mark.parametrize("width", [2, 10])
def test_a_tower_of_diamonds_is_walked_once(width: int) -> None:
    """Going every way through it would take width ** 300 steps."""
    revisions: list[Revision] = []
    tops: tuple[str, ...] = ()
    for level in range(300):
        sides = tuple(f"s{level:03}x{number}" for number in range(width))
        revisions += [Revision(name, tops) for name in sides]
        revisions.append(Revision(f"m{level:03}", sides))
        tops = (f"m{level:03}",)
    history = RevisionGraph.build(revisions)
    assert len(history.ancestors(tops)) == len(history.descendants(history.bases)) == len(revisions)


def diamonds(size: int) -> list[Revision]:
    """A merge every ten revisions, a label and a dependency now and then."""
    found, below = [], "n0"
    found.append(Revision("n0", ()))
    for number in range(1, size):
        name = f"n{number}"
        if number % 10:
            found.append(Revision(name, (below if number % 2 else found[max(0, number - 2)].id,)))
        else:
            found.append(Revision(name, (found[-1].id, found[-2].id)))
        below = name
    return found


def calls_for(size: int) -> int:
    """How many functions are called to order a history and to plan the way through it and back."""
    revisions, count = diamonds(size), 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        history = RevisionGraph.build(revisions)
        up = plan_upgrade(history, frozenset(), parse_target("heads"))
        down = plan_downgrade(history, up.after, parse_target("base"))
    finally:
        sys.setprofile(None)
    assert len(up.steps) == len(down.steps) == size
    return count


def test_work_doubles_when_the_history_doubles() -> None:
    assert calls_for(2_000) < 2.2 * calls_for(1_000)
