"""Which of two branches goes first: as with Alembic, because merged histories often run in that order only."""

from pathlib import Path

import pytest

from asyncmig.revisions.graph import RevisionGraph
from asyncmig.revisions.order import newest_first
from asyncmig.revisions.plan import plan_downgrade, plan_upgrade
from asyncmig.revisions.revision import Revision
from asyncmig.revisions.target import parse_target


def history(text: str) -> RevisionGraph:
    """`a; b: a; c: a d` is a, b on top of it, and c that merges a and d."""
    parts = [part.partition(":") for part in text.split(";")]
    return RevisionGraph.build(Revision(name.strip(), tuple(below.split())) for name, _, below in parts)


@pytest.mark.parametrize(
    ("text", "upwards"),
    [
        ("base; one: base; two: base; both: one two", "base two one both"),
        ("base; one: base; two: base; both: two one", "base one two both"),
        ("base; a1: base; a2: a1; b1: base; b2: b1; both: a2 b2", "base b1 b2 a1 a2 both"),
        ("base; a: base; b: base; c: base; d: base; ab: a b; cd: c d; all: ab cd", "base d b c cd a ab all"),
        ("base; left: base; other: base; right: base; lo: left other; end: lo right", "base other right left lo end"),
    ],
)
def test_the_first_parent_of_a_merge_goes_last(text: str, upwards: str) -> None:
    graph = history(text)
    assert list(graph) == upwards.split()
    up = plan_upgrade(graph, (), parse_target("heads"))
    assert list(up.ids) == upwards.split()
    assert list(plan_downgrade(graph, up.after, parse_target("base")).ids) == upwards.split()[::-1]


def test_heads_stand_in_the_order_of_their_scripts() -> None:
    graph = RevisionGraph.build(
        Revision(name, path=Path("versions") / path)
        for name, path in [("in", "deep/0.py"), ("last", "3_last.py"), ("first", "1_first.py")]
    )
    assert list(graph) == ["in", "last", "first"]


def test_many_branches_side_by_side_have_an_order_in_linear_time() -> None:
    """Too many for Alembic's order: still each after what is below it, and each once."""
    below: dict[str, tuple[str, ...]] = {"base": ()}
    for line in range(300):
        names = [f"{line}-{step}" for step in range(10)]
        below |= {name: (other,) for name, other in zip(names, ["base", *names], strict=False)}
    below["all"] = tuple(f"{line}-9" for line in range(300))
    order = newest_first(below, ["all"], below)
    places = {name: place for place, name in enumerate(order)}
    assert len(places) == len(order) == len(below)
    assert all(places[name] < places[lower] for name, lowers in below.items() for lower in lowers)
