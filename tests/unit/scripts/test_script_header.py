"""Headers, read without importing: the pattern, the syntax tree and the import agree wherever each is sure."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncmig.errors import ScriptError
from asyncmig.scripts import header as reading
from asyncmig.scripts.header import Header, read_header, revision_of

ALEMBIC = '''"""create account

Revision ID: 433af9f41996
Revises: 27c6a30d7c24
Create Date: 2026-11-20 19:17:01.5+01:00

"""
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = '433af9f41996'
down_revision: Union[str, Sequence[str], None] = '27c6a30d7c24'
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    pass
'''


def header(
    revision: str | None = "a1",
    down: tuple[str, ...] = (),
    labels: tuple[str, ...] = (),
    depends: tuple[str, ...] = (),
    doc: str = "",
) -> Header:
    return Header(revision, down, labels, depends, doc)


# (source, header, whether the pattern alone is sure)
SOURCES: list[tuple[str, Header, bool]] = [
    ("revision = 'a1'\ndown_revision = None\n", header(), True),
    ('revision = "a1"\r\ndown_revision = "b2"\r\n', header(down=("b2",)), True),
    ("revision = 'a1'\ndown_revision = ('b2', \"c3\")\n", header(down=("b2", "c3")), True),
    ("revision = 'a1'\ndown_revision = [\n    'b2',\n    'c3',\n]\n", header(down=("b2", "c3")), True),
    ("revision = 'a1'\ndown_revision = ('b2')\n", header(down=("b2",)), True),
    ("revision = 'a1'  # mine\ndown_revision = ()\n", header(), True),
    ("revision = 'a1'\ndown_revision = None", header(), True),
    ("\ufeffrevision = 'a1'\ndown_revision = None\n", header(), True),
    ("# -*- coding: utf-8 -*-\nrevision = 'a1'\ndown_revision = 'é'\n", header(down=("é",)), True),
    (
        "revision = 'a1'\ndown_revision = None\nbranch_labels = ('shop', \"it's\")\ndepends_on = ['b2']\n",
        header(labels=("shop", "it's"), depends=("b2",)),
        True,
    ),
    (
        '"""doc"""\nimport x\nfrom y import (\n    a,\n    b,\n)\nrevision = "a1"\ndown_revision = None\n',
        header(doc="doc"),
        True,
    ),
    ("'''doc'''  # hm\n\n\nrevision = 'a1'\ndown_revision = None\n", header(doc="doc"), True),
    # the pattern is not sure of these
    ("'doc'\nrevision = 'a1'\ndown_revision = None\n", header(doc="doc"), False),
    ('"""a \\"quoted\\" doc"""\nrevision = "a1"\ndown_revision = None\n', header(doc='a "quoted" doc'), False),
    ('r"""raw \\d"""\nrevision = "a1"\ndown_revision = None\n', header(doc="raw \\d"), False),
    ("revision = 'a' '1'\ndown_revision = None\n", header(), False),
    ("revision = (\n    'a'\n    '1'\n)\ndown_revision = None\n", header(), False),
    ("revision = 'a1'; down_revision = None\n", header(), False),
    ("revision = '\\x61' '1'\ndown_revision = None\n", header(), False),
    ("revision = 'a1'\ndown_revision = (\n    'b2',  # one\n    'c3',\n)\n", header(down=("b2", "c3")), False),
    ("revision = 'a1'\ndown_revision = {'c3', 'b2'}\n", header(down=("b2", "c3")), False),
    ("x = 1\nrevision = 'a1'\ndown_revision = None\n", header(), False),
    # said twice: the last one holds
    ("revision = 'zz'\nrevision = 'a1'\ndown_revision = None\n", header(), True),
    ("revision = 'zz'\ndown_revision = None\ndef upgrade(): pass\nrevision = 'a1'\n", header(), False),
    # in strings it is only text
    ('"""doc\nrevision = "zz"\n"""\nrevision = "a1"\ndown_revision = None\n', header(doc='doc\nrevision = "zz"'), True),
    ("revision = 'a1'\ndown_revision = None\nSQL = '''\ndown_revision = 'zz'\n'''\n", header(), False),
    ("f = dict(\nrevision = 'zz'\n)\nrevision = 'a1'\ndown_revision = None\n", header(), False),
    ("revision = 'a1'\ndown_revision = None\ndef f(revision='zz'):\n    revision = 'yy'\n", header(), False),
]


@pytest.mark.parametrize(("source", "expected", "sure"), SOURCES)
def test_a_header_is_read_as_python_would(source: str, expected: Header, sure: bool, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_bytes(source.encode())
    assert read_header(path) == expected
    assert reading._by_pattern(source.encode()) == (expected if sure else None)
    assert reading._by_tree(source.encode(), path) == expected


@pytest.mark.parametrize(
    "source",
    [
        "import string\nrevision = string.hexdigits[10] + '1'\ndown_revision = None\n",
        "revision = f'a{1}'\ndown_revision = None\n",
        "revision, down_revision = 'a1', None\n",
        "if True:\n    revision = 'a1'\nelse:\n    revision = 'zz'\ndown_revision = None\n",
        "revision = 'zz'\ndown_revision = None\nfor revision in ['a1']:\n    pass\n",
        "revision = 'zz'\ndown_revision = None\nrevision += '1'\nrevision = revision.replace('zz', 'a')\n",
        "down_revision = None\nfrom os.path import altsep as depends_on\nrevision = 'a1'\n",
        "from collections import *\nrevision = 'a1'\ndown_revision = None\n",
    ],
)
def test_a_computed_header_is_taken_from_the_module(source: str, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(source)
    assert reading._by_pattern(source.encode()) is None
    assert read_header(path) == replace(header(), computed=True)


def test_alembics_own_header_is_read_by_the_pattern() -> None:
    read = reading._by_pattern(ALEMBIC.encode())
    assert read is not None
    assert (read.revision, read.down_revisions) == ("433af9f41996", ("27c6a30d7c24",))
    assert (read.message, read.create_date) == ("create account", "2026-11-20 19:17:01.5+01:00")


def test_another_encoding_is_respected(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_bytes('# coding: latin-1\n"""né"""\nrevision = "a1"\ndown_revision = None\n'.encode("latin-1"))
    assert read_header(path) == header(doc="né")


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("revision = 'a1'\ndown_revision = = None\n", 2, "not valid Python"),
        ("revision = 1\ndown_revision = None\n", 1, "must be a string"),
        ("revision = 'a1'\ndown_revision = ('b', 2)\n", 2, "must be a string, None or a tuple"),
        ("revision = 'a', 'b'\ndown_revision = None\n", 1, "one string"),
        ("x = 1\nrevision = 'a1'\n", None, "no `down_revision"),
        ("x = 1\n", None, "no `revision"),
        ("import nowhere_at_all\nrevision = str('a1')\ndown_revision = None\n", 1, "No module named 'nowhere_at_all'"),
        ("def f():\n    1 / 0\nrevision = f()\ndown_revision = None\n", 2, "ZeroDivisionError"),
    ],
)
def test_what_is_wrong_names_file_and_line(source: str, line: int | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(source)
    with pytest.raises(ScriptError) as caught:
        revision_of(read_header(path), path)
    assert words in str(caught.value)
    assert (caught.value.path, caught.value.line) == (path, line)


def test_a_nameless_script_from_the_first_alembic_is_named_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "1a2b3c.py"
    path.write_text("down_revision = 'ffff'\n")
    assert revision_of(read_header(path), path).id == "1a2b3c"
    assert revision_of(read_header(path), path).down_revisions == ("ffff",)


# -- law: the pattern never says anything but what running the file says ----------------------------------------------

_STRINGS = st.sampled_from(["'a1'", '"b2"', "'c' 'd'", "'\\x61'", "f'x'", "('e5')", "'it\"s'", '"#"', "str('f6')"])
_VALUES = st.one_of(
    st.sampled_from(["None", "'a1'", '"b2"', "('c3', 'd4')"]),
    _STRINGS,
    st.lists(_STRINGS, max_size=3).map(lambda items: "(" + "".join(f"{item}, " for item in items) + ")"),
    st.lists(_STRINGS, max_size=3).map(lambda items: "[\n  " + ",\n  ".join(items) + "]"),
)
_ASSIGNMENTS = st.builds(
    "{}{} = {}{}\n".format,
    st.sampled_from(["revision", "down_revision", "depends_on", "branch_labels"]),
    st.sampled_from(["", ": str", ": 'str | None'"]),
    _VALUES,
    st.sampled_from(["", "  # why", ";", " # revision = 'no'"]),
)
_OTHERS = st.sampled_from(
    [
        "\n",
        "# revision identifiers\n",
        "import sys\n",
        "from os import (\n  path,\n  sep)\n",
        "from os import sep as revision\n",
        "x = '''\nrevision = 'no'\n'''\n",
        "x = dict(\nrevision='no'\n)\n",
        "x = 'a \\\nrevision = no'\n",
        "def f():\n    revision = 'no'\n",
        "if x0:\n    revision = 'no'\n",
        "'''\ndown_revision = 'no'\n'''\n",
        "\\\n\n",
    ]
)


@settings(max_examples=500)
@given(
    st.sampled_from(["", '"""doc"""\n', "'''d\n'''\n", '"""a""" "b"\n', "\n# c\n"]),
    st.lists(_ASSIGNMENTS | _OTHERS, max_size=4).map("".join),
    st.sampled_from(["", "revision = 'a1'\n\ndown_revision: str = ('x', )\n"]),
    st.lists(_ASSIGNMENTS | _OTHERS, max_size=3).map("".join),
)
def test_the_pattern_never_contradicts_the_interpreter(start: str, one: str, usual: str, other: str) -> None:
    source = f"{start}{one}{usual}{other}"
    read = reading._by_pattern(source.encode())
    if read is None:
        return
    scope: dict[str, object] = {"x0": 0}
    exec(compile(source, "script.py", "exec"), scope)
    path = Path("script.py")
    values = {name: reading.as_names(name, scope.get(name), path, None) for name in reading.NAMES}
    assert (read.revision,) == values["revision"]
    assert (read.down_revisions, read.branch_labels) == (values["down_revision"], values["branch_labels"])
    assert read.depends_on == values["depends_on"]
    assert read.doc == str(scope.get("__doc__") or "").strip()
