"""Plans: which steps, in which order, with which change to the version table."""

import pytest

from asyncmig.errors import AsyncmigError, MultipleHeads, RevisionNotFound
from asyncmig.revisions.graph import RevisionGraph
from asyncmig.revisions.plan import (
    Direction,
    Plan,
    VersionChange,
    is_at,
    pending,
    plan_downgrade,
    plan_stamp,
    plan_upgrade,
)
from asyncmig.revisions.revision import Revision
from asyncmig.revisions.target import parse_target, parse_targets

# root - left1 - left2 - both - last          base2 - dep1 (depends on left1) - dep2
#     \- right1 --------/
HISTORY = RevisionGraph.build(
    [
        Revision("root1"),
        Revision("left1", ("root1",), branch_labels=("west",)),
        Revision("left2", ("left1",)),
        Revision("right1", ("root1",), branch_labels=("east",)),
        Revision("both1", ("left2", "right1")),
        Revision("last1", ("both1",)),
        Revision("base2", branch_labels=("other",)),
        Revision("dep1", ("base2",), ("left1",)),
        Revision("dep2", ("dep1",)),
    ]
)


@pytest.mark.parametrize(
    ("current", "target", "steps", "after"),
    [
        ("", "root1", "root1", "root1"),
        ("", "left1", "root1 left1", "left1"),
        ("root1", "both1", "left1 left2 right1 both1", "both1"),
        ("right1", "both1", "left1 left2 both1", "both1"),
        ("", "other@head", "base2 root1 left1 dep1 dep2", "dep2"),
        ("left1 base2", "dep1", "dep1", "dep1"),
        ("left2 base2", "dep1", "dep1", "left2 dep1"),
        ("root1", "west@+1", "left1", "left1"),
        ("left1", "+1", "left2", "left2"),
        ("both1", "+1", "last1", "last1"),
        ("last1", "left1", "", "last1"),
        ("dep2", "west@+1", "left2", "dep2 left2"),
        ("last1 dep2", "heads", "", "last1 dep2"),
        ("last1", "heads", "base2 dep1 dep2", "last1 dep2"),
    ],
)
def test_upgrade(current: str, target: str, steps: str, after: str) -> None:
    plan = plan_upgrade(HISTORY, current.split(), parse_target(target))
    assert sorted(plan.ids) == sorted(steps.split())
    assert_orderly(plan)
    assert plan.after == set(after.split())
    assert is_at(HISTORY, current.split(), parse_target(target)) is (not steps)


@pytest.mark.parametrize(
    ("current", "target", "steps", "after"),
    [
        ("last1", "-1", "last1", "both1"),
        ("both1", "left1", "both1 left2", "left1 right1"),
        ("both1", "root1", "both1 left2 left1 right1", "root1"),
        ("left2 right1", "west@root1", "left2 left1", "right1"),
        ("left2 right1", "east@-1", "right1", "left2"),
        ("dep2 left2", "base", "dep2 dep1 base2 left2 left1 root1", ""),
        ("dep2 left2", "other@base", "dep2 dep1 base2", "left2"),
        # what depends on left1 comes down with it, and the row of root1 comes back only once
        ("dep2", "root1", "dep2 dep1 left1", "base2 root1"),
        ("dep1", "other@-1", "dep1", "base2 left1"),
        # west has no row of its own: dep2 stands on it
        ("dep2", "west@-1", "dep2 dep1 left1", "base2 root1"),
        ("left2", "left2", "", "left2"),
        ("left2", "left2-1", "left2", "left1"),
        ("root1", "-1", "root1", ""),
    ],
)
def test_downgrade(current: str, target: str, steps: str, after: str) -> None:
    plan = plan_downgrade(HISTORY, current.split(), parse_target(target))
    assert sorted(plan.ids) == sorted(steps.split())
    assert_orderly(plan)
    assert plan.after == set(after.split())


def assert_orderly(plan: Plan) -> None:
    """Steps join, and below before above when going up."""
    place = plan.before
    for step in plan.steps:
        assert step.before == place
        assert applied_to(step.change, place) == step.after
        place = step.after
    assert place == plan.after
    position = {name: at for at, name in enumerate(plan.ids)}
    for step in plan.steps:
        if step.direction is Direction.STAMP:
            continue
        for below in HISTORY.below(step.revision.id):
            if below in position:
                came_before = position[below] < position[step.revision.id]
                assert came_before is (step.direction is Direction.UPGRADE)


def applied_to(change: VersionChange, rows: frozenset[str]) -> frozenset[str]:
    """The change carried out as the runner does, where deleting or updating a missing row is an error."""
    table = set(rows)
    for row in change.delete:
        table.remove(row)
    for old, new in change.update:
        table.remove(old)
        assert new not in table
        table.add(new)
    for row in change.insert:
        assert row not in table
        table.add(row)
    return frozenset(table)


@pytest.mark.parametrize(
    ("current", "targets", "purge", "after"),
    [
        ("", "head1", False, None),
        ("", "left2", False, "left2"),
        ("left2 right1", "both1", False, "both1"),
        ("both1", "left2 right1", False, "left2 right1"),
        ("left2 dep2", "right1", False, "left2 dep2 right1"),
        ("left2 right1", "root1", False, "root1"),
        ("left2 dep2", "base", False, ""),
        ("right1 dep2", "east@base", False, "dep2"),
        ("left2", "left2", False, "left2"),
        ("", "heads", False, "last1 dep2"),
        ("", "left1 left2", False, "left2"),
        ("gone1 left1", "left2", False, "gone1 left2"),
        ("gone1 left1", "left2", True, "left2"),
        ("gone1", "base", True, ""),
        ("gone1 right1", "right1", True, "right1"),
    ],
)
def test_stamp(current: str, targets: str, purge: bool, after: str | None) -> None:
    rows = current.split()
    if after is None:
        with pytest.raises(RevisionNotFound):
            plan_stamp(HISTORY, rows, parse_targets([targets]), purge)
        return
    plan = plan_stamp(HISTORY, rows, parse_targets([targets]), purge)
    assert plan.after == set(after.split())
    assert all(step.direction is Direction.STAMP for step in plan.steps)
    assert_orderly(plan)


@pytest.mark.parametrize(
    ("up", "current", "target", "words"),
    [
        (True, "root1", "head", "several heads"),
        (True, "root1", "-1", "asyncmig downgrade -1"),
        (True, "left2 right1", "+1", "LABEL@+1"),
        (True, "root1", "+1", "left1, right1"),
        (True, "nobody", "last1", "nobody"),
        (True, "nobody last1", "last1", "nobody"),
        (False, "left1", "+1", "asyncmig upgrade +1"),
        (False, "left2 right1", "-1", "LABEL@-1"),
        (False, "both1", "-1", "left2, right1"),
        (False, "", "-1", "nothing to count from"),
        (False, "left1", "left2", "not applied"),
        (False, "left1", "right1", "not applied"),
        (False, "left1", "heads", "several"),
        (False, "left1", "-3", "there are only 2 revisions below"),
        (True, "last1", "+1", "there is nothing above"),
    ],
)
def test_a_way_that_is_not_clear_is_refused(up: bool, current: str, target: str, words: str) -> None:
    plan = plan_upgrade if up else plan_downgrade
    with pytest.raises(AsyncmigError) as caught:
        plan(HISTORY, current.split(), parse_target(target))
    assert words in str(caught.value)
    assert caught.value.exit_code == 2


def test_rows_that_another_implies_go_with_the_first_step() -> None:
    """They arise when a script gets a depends_on after it was applied."""
    plan = plan_upgrade(HISTORY, ["left1", "dep1"], parse_target("dep2"))
    assert plan.steps[0].change == VersionChange(delete=("dep1",), update=(("left1", "dep2"),))
    assert plan.after == {"dep2"}


def test_pending_is_what_upgrade_heads_would_do() -> None:
    rows = ["left2", "base2"]
    assert pending(HISTORY, rows) == plan_upgrade(HISTORY, rows, parse_target("heads")).ids
    assert pending(HISTORY, ["last1", "dep2"]) == ()


def test_head_names_the_heads_before_anything_is_planned() -> None:
    with pytest.raises(MultipleHeads) as caught:
        plan_upgrade(HISTORY, [], parse_target("head"))
    assert caught.value.heads == ("dep2", "last1")
