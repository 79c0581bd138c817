"""Scripts, loaded: what cannot run is found here, before the first statement."""

import sys
from pathlib import Path

import pytest

from asyncmig.errors import ScriptError
from asyncmig.revisions.plan import Direction
from asyncmig.revisions.revision import Revision
from asyncmig.scripts.loader import load_script

HEADER = 'revision = "a1"\ndown_revision = "b2"\n'
REVISION = Revision("a1", ("b2345",))


def loading(tmp_path: Path, source: str, revision: Revision = REVISION) -> Revision:
    path = tmp_path / "a1_script.py"
    path.write_text(source)
    return Revision(revision.id, revision.down_revisions, path=path)


def test_a_script_has_its_functions_and_leaves_no_module_behind(tmp_path: Path) -> None:
    before = set(sys.modules)
    script = load_script(loading(tmp_path, HEADER + "def upgrade(): pass\nasync def downgrade(): pass\n"))
    assert script.upgrade is script.module.upgrade
    assert (script.is_async(Direction.UPGRADE), script.is_async(Direction.DOWNGRADE)) == (False, True)
    assert script.function(Direction.STAMP) is None
    assert not {name for name in set(sys.modules) - before if "script" in name}


def test_a_missing_direction_is_none(tmp_path: Path) -> None:
    script = load_script(loading(tmp_path, HEADER + "def upgrade(): pass\n"))
    assert script.downgrade is None
    assert script.is_async(Direction.DOWNGRADE) is False


def test_classes_that_look_their_module_up_can_be_defined(tmp_path: Path) -> None:
    source = (
        "from __future__ import annotations\nfrom dataclasses import KW_ONLY, dataclass\n"
        + HEADER
        + "@dataclass\nclass Row:\n    _: KW_ONLY\n    x: int\n"
    )
    assert load_script(loading(tmp_path, source)).module.Row(x=1).x == 1


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("def upgrade(:\n", 3, "not valid Python"),
        ("def f():\n    raise KeyError('k')\nf()\n", 4, "KeyError: 'k'"),
        ("import asyncmig_nowhere\n", 3, "No module named"),
        ("raise SystemExit(3)\n", 3, "SystemExit: 3"),
        ("def upgrade():\n    yield 1\n", 3, "`upgrade` contains `yield`"),
        ("async def downgrade():\n    x = 1\n    yield x\n", 3, "`downgrade` contains `yield`"),
        ("upgrade = 1\n", 3, "not a function"),
        ("async def fill(): pass\ndef upgrade():\n    x = 1\n    fill()\n", 6, "fill() is an `async def`"),
        ("async def fill(): pass\nasync def upgrade():\n    if x:\n        fill()\n", 6, "await fill(...)"),
        ("revision = 'zz'\n", 1, "read as 'a1'"),
        ("down_revision = ('b2', 'c3')\n", 2, "but was read as"),
    ],
)
def test_what_cannot_run_names_file_and_line(source: str, line: int, words: str, tmp_path: Path) -> None:
    revision = loading(tmp_path, HEADER + source)
    with pytest.raises(ScriptError) as caught:
        load_script(revision)
    assert words in str(caught.value)
    assert (caught.value.path, caught.value.line) == (revision.path, line)


def test_the_cause_is_kept(tmp_path: Path) -> None:
    with pytest.raises(ScriptError) as caught:
        load_script(loading(tmp_path, HEADER + "1 / 0\n"))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize(
    "body",
    [
        "async def fill(): pass\nasync def upgrade():\n    await fill()\n",
        "import asyncio\nasync def fill(): pass\ndef upgrade():\n    asyncio.run(fill())\n",
        "async def fill(): pass\ndef upgrade():\n    task = fill()\n    return task\n",
        "def upgrade():\n    async def fill(): pass\n",
        "async def fill(): pass\ndef upgrade():\n    def fill(): pass\n    fill()\n",
        "async def fill(): pass\ndef upgrade(fill=print):\n    fill()\n",
        "def upgrade():\n    def rows():\n        yield 1\n    list(rows())\n",
    ],
)
def test_coroutines_that_somebody_runs_are_nobodys_business(body: str, tmp_path: Path) -> None:
    assert load_script(loading(tmp_path, HEADER + body)).upgrade is not None


def test_a_script_that_vanished_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="cannot be read"):
        load_script(Revision("a1", path=tmp_path / "gone.py"))
