"""Where a new revision goes."""

from pathlib import Path

import pytest

from asyncmig.errors import ConfigError, MultipleHeads, RevisionError, UsageError
from asyncmig.revisions.graph import RevisionGraph
from asyncmig.revisions.revision import Revision
from asyncmig.revisions.target import Head, parse_target, parse_targets
from asyncmig.scripts.directory import ScriptDirectory
from asyncmig.scripts.placement import (
    check_found_again,
    choose_dependencies,
    choose_location,
    choose_merged,
    choose_parents,
)

HERE = Path("/project")
GRAPH = RevisionGraph.build(
    [
        Revision("aaaa1", path=HERE / "one" / "aaaa1.py"),
        Revision("bbbb1", ("aaaa1",), branch_labels=("west",), path=HERE / "one" / "bbbb1.py"),
        Revision("cccc1", ("aaaa1",), branch_labels=("east",), path=HERE / "two" / "cccc1.py"),
    ]
)


def test_a_new_revision_follows_the_head_asked_for() -> None:
    assert choose_parents(GRAPH, [parse_target("west@head")]) == ("bbbb1",)
    assert choose_parents(GRAPH, [parse_target("base")]) == ()
    assert choose_parents(RevisionGraph.build([]), [Head()]) == ()


def test_one_head_of_several_must_be_chosen() -> None:
    with pytest.raises(MultipleHeads):
        choose_parents(GRAPH, [Head()])


def test_only_a_splice_follows_what_is_no_head() -> None:
    with pytest.raises(RevisionError, match="--splice"):
        choose_parents(GRAPH, [parse_target("aaaa1")])
    assert choose_parents(GRAPH, [parse_target("aaaa1")], splice=True) == ("aaaa1",)


def test_the_same_head_twice_is_refused() -> None:
    with pytest.raises(RevisionError, match="twice"):
        choose_parents(GRAPH, parse_targets(["bbbb1 west"]))


def test_a_merge_joins_two_or_more() -> None:
    assert choose_merged(GRAPH, parse_targets(["heads"])) == ("bbbb1", "cccc1")
    assert choose_merged(GRAPH, parse_targets(["cccc1,bbbb"])) == ("cccc1", "bbbb1")
    with pytest.raises(RevisionError, match="bbbb1, cccc1"):
        choose_merged(GRAPH, parse_targets(["bbbb1"]))
    with pytest.raises(RevisionError, match="aaaa1 is not a head"):
        choose_merged(GRAPH, parse_targets(["aaaa1", "cccc1"]))
    assert choose_merged(GRAPH, parse_targets(["aaaa1", "cccc1"]), splice=True) == ("aaaa1", "cccc1")


def test_dependencies_keep_labels_and_complete_ids() -> None:
    assert choose_dependencies(GRAPH, ["west", "cccc"]) == ("west", "cccc1")
    assert choose_dependencies(GRAPH, ["west@head", "heads"]) == ("bbbb1", "cccc1")
    with pytest.raises(RevisionError, match="depend on"):
        choose_dependencies(GRAPH, ["base"])


def test_a_script_lies_beside_its_parent(tmp_path: Path) -> None:
    several = ScriptDirectory(HERE, (HERE / "one", HERE / "two"))
    assert choose_location(several, GRAPH, ["cccc1"]) == HERE / "two"
    assert choose_location(several, GRAPH, ["cccc1"], HERE / "one") == HERE / "one"
    assert choose_location(ScriptDirectory(HERE), GRAPH, []) == HERE / "versions"
    with pytest.raises(UsageError, match="--version-path"):
        choose_location(several, GRAPH, [])
    with pytest.raises(UsageError, match="not one of the version locations"):
        choose_location(several, GRAPH, [], tmp_path)


def test_a_name_with_folders_needs_folders_to_be_read() -> None:
    check_found_again(ScriptDirectory(HERE), "a1.py")
    check_found_again(ScriptDirectory(HERE, recursive=True), "2026/a1.py")
    with pytest.raises(ConfigError, match="recursive_version_locations"):
        check_found_again(ScriptDirectory(HERE), "2026/a1.py")


@pytest.mark.parametrize("name", ["../a1.py", "/tmp/a1.py", "2026/../../a1.py"])
def test_a_name_stays_below_the_location(name: str) -> None:
    with pytest.raises(ConfigError, match="file_template puts scripts outside"):
        check_found_again(ScriptDirectory(HERE, recursive=True), name)
