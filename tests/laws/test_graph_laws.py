"""Laws of histories and plans, over generated graphs; Alembic's own planning is the second opinion."""

import random
import warnings
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from alembic.runtime.migration import HeadMaintainer
from alembic.script import ScriptDirectory
from alembic.script.revision import Revision as AlembicRevision
from alembic.script.revision import RevisionError as AlembicError
from alembic.script.revision import RevisionMap
from alembic.util import CommandError
from hypothesis import assume, given
from hypothesis import strategies as st

from asyncmig.errors import AsyncmigError
from asyncmig.revisions.graph import RevisionGraph
from asyncmig.revisions.plan import Plan, pending, plan_downgrade, plan_stamp, plan_upgrade
from asyncmig.revisions.revision import Revision
from asyncmig.revisions.target import (
    Base,
    Current,
    Head,
    Heads,
    Named,
    Range,
    Relative,
    parse_range,
    parse_target,
)

# -- generated ---------------------------------------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn, *, max_size: int = 14) -> list[Revision]:
    """Several bases, forks, merges (of near and far relatives), dependencies across branches, labels."""
    revisions: list[Revision] = []
    for number in range(draw(st.integers(1, max_size))):
        ids = [revision.id for revision in revisions]
        near = st.sampled_from(ids[-4:]) if ids else st.nothing()
        parents = draw(st.lists(near, max_size=3, unique=True)) if ids else []
        if ids and not parents and draw(st.booleans()):
            parents = [ids[-1]]
        others = [name for name in ids if name not in parents]
        depends_on = draw(st.lists(st.sampled_from(others), max_size=1)) if others else []
        labels = (f"label{number:02}",) if draw(st.integers(0, 6)) == 0 else ()
        # Not in the order of creation, so that no rule can lean on how ids sort.
        identifier = f"{(number * 7 + 3) % 31:02}{draw(st.sampled_from('abc'))}x{number:02}"
        revisions.append(Revision(identifier, tuple(parents), tuple(depends_on), labels))
    return revisions


@dataclass(frozen=True)
class Situation:
    revisions: list[Revision]
    rows: frozenset[str]

    @property
    def graph(self) -> RevisionGraph:
        return RevisionGraph.build(self.revisions)


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    revisions = draw(histories())
    applied = draw(st.lists(st.sampled_from([revision.id for revision in revisions]), max_size=3))
    return Situation(revisions, RevisionGraph.build(revisions).maximal(applied))


def assert_sound(graph: RevisionGraph, plan: Plan) -> None:
    """Rows are always the effective heads of what is applied, and each step has what it stands on."""
    applied = graph.ancestors(plan.before)
    for step in plan.steps:
        name = step.revision.id
        if step.direction == "upgrade":
            assert name not in applied
            assert applied.issuperset(graph.below(name))
            applied.add(name)
        else:
            applied.remove(name)
            assert applied.isdisjoint(graph.descendants([name], inclusive=False))
        assert step.after == graph.maximal(applied)
        rows = set(step.before) - set(step.change.delete) - {old for old, _ in step.change.update}
        rows |= {new for _, new in step.change.update} | set(step.change.insert)
        assert rows == step.after
        assert len(step.change.update) <= 1


# -- laws --------------------------------------------------------------------------------------------------------------


@given(situations(), st.data())
def test_every_upgrade_respects_parents_and_dependencies(situation: Situation, data: st.DataObject) -> None:
    graph = situation.graph
    target = data.draw(st.sampled_from(list(graph)))
    plan = plan_upgrade(graph, situation.rows, Named(target))
    assert_sound(graph, plan)
    assert target in graph.ancestors(plan.after)
    assert set(plan.ids) == graph.ancestors([target]) - graph.ancestors(situation.rows)


@given(situations(), st.data())
def test_every_downgrade_takes_down_what_stands_above_first(situation: Situation, data: st.DataObject) -> None:
    graph = situation.graph
    assume(situation.rows)
    target = data.draw(st.sampled_from(sorted(graph.ancestors(situation.rows))))
    plan = plan_downgrade(graph, situation.rows, Named(target))
    assert_sound(graph, plan)
    assert target in graph.ancestors(plan.after)
    assert not graph.descendants(graph.children(target)) & graph.ancestors(plan.after)


@given(situations())
def test_down_after_up_ends_where_it_began(situation: Situation) -> None:
    graph = situation.graph
    up = plan_upgrade(graph, frozenset(), Heads())
    assert up.after == set(graph.effective_heads)
    assert plan_downgrade(graph, up.after, Base()).after == frozenset()
    # and step by step from anywhere, since each step's rows are a function of what is applied
    for step in plan_upgrade(graph, situation.rows, Heads()).steps:
        applied = graph.ancestors(step.after) - {step.revision.id}
        assert graph.maximal(applied) == graph.maximal(step.before)


@given(situations(), st.randoms(use_true_random=False))
def test_nothing_depends_on_the_order_of_files(situation: Situation, shuffle: random.Random) -> None:
    shuffled = list(situation.revisions)
    shuffle.shuffle(shuffled)
    one, other = situation.graph, RevisionGraph.build(shuffled)
    assert list(one) == list(other)
    assert (one.heads, one.bases, one.branch_points) == (other.heads, other.bases, other.branch_points)
    assert [one.labels(name) for name in one] == [other.labels(name) for name in one]
    assert plan_upgrade(one, situation.rows, Heads()) == plan_upgrade(other, situation.rows, Heads())
    assert plan_downgrade(one, situation.rows, Base()) == plan_downgrade(other, situation.rows, Base())


@given(situations())
def test_pending_is_the_way_to_heads(situation: Situation) -> None:
    assert pending(situation.graph, situation.rows) == plan_upgrade(situation.graph, situation.rows, Heads()).ids


@given(situations(), st.data())
def test_a_stamp_leaves_rows_of_which_none_implies_another(situation: Situation, data: st.DataObject) -> None:
    graph = situation.graph
    names = data.draw(st.lists(st.sampled_from(list(graph)), min_size=1, max_size=3))
    plan = plan_stamp(graph, situation.rows, [Named(name) for name in names])
    assert plan.after == graph.maximal(plan.after)
    assert graph.ancestors(plan.after) >= set(names)
    assert plan_stamp(graph, plan.after, [Named(name) for name in names]).steps == ()


# -- targets -----------------------------------------------------------------------------------------------------------

_WORDS = st.from_regex(r"[a-z0-9_]{1,12}", fullmatch=True).filter(
    lambda word: word not in {"head", "heads", "base", "current"}
)
_LABELS = st.none() | st.from_regex(r"[a-z][a-z0-9_-]{0,9}", fullmatch=True)
_STEPS = st.integers(-99, 99).filter(bool)
_ORIGINS = st.sampled_from([None, Head(), Heads(), Base(), Current()]) | st.builds(Named, _WORDS)
_TARGETS = (
    st.builds(Head, _LABELS)
    | st.builds(Heads, _LABELS)
    | st.builds(Base, _LABELS)
    | st.builds(Current, _LABELS)
    | st.builds(Named, _WORDS, _LABELS)
    | st.builds(Relative, _STEPS, _ORIGINS, _LABELS)
)


@given(_TARGETS)
def test_a_target_prints_as_it_parses(target: Named | Relative) -> None:
    assert parse_target(str(target)) == target


@given(st.builds(Range, st.none() | _TARGETS, st.none() | _TARGETS))
def test_a_range_prints_as_it_parses(bounds: Range) -> None:
    assert parse_range(str(bounds)) == bounds


# -- the second opinion ------------------------------------------------------------------------------------------------


class _Peer:
    """The same history and version table in Alembic."""

    class _Script(AlembicRevision):
        module = SimpleNamespace(upgrade=None, downgrade=None)
        doc = ""

    def __init__(self, revisions: list[Revision]) -> None:
        self._map = RevisionMap(
            lambda: [
                self._Script(each.id, each.down_revisions or None, each.depends_on or None, each.branch_labels or None)
                for each in sorted(revisions, key=lambda revision: revision.id)
            ]
        )
        self.directory = ScriptDirectory.__new__(ScriptDirectory)
        self.directory.revision_map = self._map
        self.directory.messaging_opts = {}

    def plan(self, direction: str, rows: frozenset[str], target: str) -> tuple[list[str], frozenset[str]]:
        """Steps and final rows, as `alembic upgrade` and `downgrade` find them."""
        choose = self.directory._upgrade_revs if direction == "upgrade" else self.directory._downgrade_revs
        steps = choose(target, tuple(sorted(rows)))  # type: ignore[arg-type]
        return [step.revision.revision for step in steps], self._rows_after(steps, rows)

    def stamp(self, rows: frozenset[str], target: str) -> frozenset[str]:
        return self._rows_after(self.directory._stamp_revs((target,), tuple(sorted(rows))), rows)

    def _rows_after(self, steps: object, rows: frozenset[str]) -> frozenset[str]:
        table = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.String))
        context = SimpleNamespace(
            as_sql=True, impl=SimpleNamespace(_exec=lambda *_: None), _version=table, version_table="alembic_version"
        )
        maintainer = HeadMaintainer(context, sorted(rows))  # type: ignore[arg-type]
        for step in steps:  # type: ignore[attr-defined]
            maintainer.update_to_step(step)
        return frozenset(maintainer.heads)


def _targets(graph: RevisionGraph) -> list[str]:
    ids = list(graph)
    labels = sorted(graph.label_owners)
    plain = ["head", "heads", "base", "+1", "+2", "-1", "-2", *ids, *labels]
    counted = ["base+1", *(f"{name}{steps}" for name in [*ids, "head"] for steps in ("+1", "-1"))]
    branched = [f"{label}@{rest}" for label in labels for rest in ("head", "heads", "base", "+1", "-1", *ids)]
    return plain + counted + branched


@pytest.mark.parametrize("direction", ["upgrade", "downgrade"])
@given(situations(), st.data())
def test_whatever_alembic_plans_we_plan_too(direction: str, situation: Situation, data: st.DataObject) -> None:
    """The same steps, and the same rows in the end, wherever Alembic finds a way at all.

    Where we refuse or differ on purpose: `-1` with several rows (Alembic takes one of them and warns), LABEL@REV of a
    revision that is not on the branch (Alembic ignores the label), rows of which one implies another (Alembic may
    leave both), LABEL@-N where the label sits above a merge (Alembic takes down the other side of the merge too),
    base-N (to Alembic the way down from base begins at the head).
    """
    graph = situation.graph
    text = data.draw(st.sampled_from(_targets(graph)))
    if direction == "downgrade":
        assume("@head" not in text)  # Alembic forgets the label there
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            steps, rows = _Peer(situation.revisions).plan(direction, situation.rows, text)
        except (AlembicError, CommandError, AssertionError, KeyError):
            assume(False)
    if direction == "downgrade" and text.startswith("-") and len(situation.rows) > 1:
        with pytest.raises(AsyncmigError, match="LABEL@"):
            plan_downgrade(graph, situation.rows, parse_target(text))
        return
    label, _, rest = text.rpartition("@")
    if label and rest in graph and rest not in graph.lineage(graph.label_owners[label]):
        with pytest.raises(AsyncmigError, match="not on the branch"):
            plan_upgrade(graph, situation.rows, parse_target(text))
        return
    plan = (plan_upgrade if direction == "upgrade" else plan_downgrade)(graph, situation.rows, parse_target(text))
    assert_sound(graph, plan)
    if direction == "downgrade" and "@-" in text and graph.merge_points and plan.ids:
        assert set(plan.ids) <= set(steps)
        return
    assert list(plan.ids) == steps
    assert plan.after == graph.maximal(rows)


@given(situations(), st.data())
def test_a_stamp_of_one_revision_leaves_the_rows_that_alembic_leaves(situation: Situation, data: st.DataObject) -> None:
    graph = situation.graph
    text = data.draw(st.sampled_from([*graph, "base"]))
    rows = _Peer(situation.revisions).stamp(situation.rows, text)
    assert plan_stamp(graph, situation.rows, [parse_target(text)]).after == graph.maximal(rows)


@given(histories())
def test_heads_and_bases_are_those_of_alembic(revisions: list[Revision]) -> None:
    graph, peer = RevisionGraph.build(revisions), _Peer(revisions).directory.revision_map
    assert set(graph.heads) == set(peer.heads)
    assert set(graph.effective_heads) == set(peer._real_heads)
    assert set(graph.bases) == set(peer.bases)
