"""Checksums: equal for equal meaning, on every Python."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from asyncmig.errors import ScriptError
from asyncmig.scripts.checksum import checksum, file_hash

SCRIPT = '''"""create account"""
import sqlalchemy as sa
from asyncmig import op

revision = "a1"


def upgrade() -> None:
    """Make it."""
    op.create_table("account", sa.Column("id", sa.Integer, primary_key=True))
'''

STRINGS = (
    'a = "x" "y"\nb = b"\\x00\\xff"\nc = u"z"\nd = "\\ud800 \\U0001f600"\n'
    "e = 1_000, 0x10, 1.5, 2j, True, None, ..., -1, 1e309\n"
)
F_STRINGS = (
    'f"a{b}c"\nf"{b!r:>{w}.{p}}"\n"x" f"{y}" "z"\nf""\n"" f"{q}"\nf"{a=}"\nf"{a = !s:>10}"\nf"{{}}{x}"\n'
    'f"{x:%Y-%m-%d}"\nf\'\'\'{\nx\n}\'\'\'\nf"{x:{{}}}"\nf"{d[\'k\']}"\nf"\\n{x}\\t"\nf"{x}{y}"\n'
    'f"{(lambda x: 1)(2)}"\n'
)
SYNTAX = (
    "async def f(a, /, b: int = 1, *args, c, **kw) -> None:\n    async with x as y, z:\n        await q\n"
    "    async for i in j: pass\n    return [k async for k in l if k]\nclass A(B, metaclass=C):\n"
    '    """doc"""\n    x: int\n    y: str = "d"\n    (z): int = 1\nmatch p:\n    case {"a": 1, **rest}: pass\n'
    "    case [1, *_] | A(b=2): pass\ntry:\n    pass\nexcept* E as e:\n    raise X from e\nelse:\n    pass\n"
    'lambda: (yield)\nd = {**a, "b": 1}\nx[1:2, ..., None]\nglobal g\nif (n := 1) > 2: pass\nassert x, "m"\n'
    "del x\nfrom . import a as b\nimport c.d\nwith (open(a) as f, open(b)): pass\n"
)

# Digests stand in journals: whatever Python runs this must find these values.
GOLDEN = {
    "strings": (STRINGS, "06095f9b1d0ba9a8464aed11c2843ed219e96414de00b68d5abd8826e2132722"),
    "f-strings": (F_STRINGS, "6afc548791d20252f20b5e8e644bb0a987a87c9f7e2d9eda7355b66a9dbd6d83"),
    "syntax": (SYNTAX, "b87319fb877bef1e6353e4de5ec65d5f1e54991d8bafa88871884ee75acd3863"),
}


@pytest.mark.subset
@pytest.mark.parametrize("name", GOLDEN)
def test_a_digest_is_the_same_on_every_python(name: str) -> None:
    source, digest = GOLDEN[name]
    assert checksum(source) == digest


@pytest.mark.parametrize(
    "other",
    [
        SCRIPT.replace("\n", "\r\n"),
        SCRIPT.replace('"', "'").replace("'''", '"""'),
        SCRIPT.replace('"account", ', '\n        "account",  # the table\n        '),
        SCRIPT.replace("create account", "make the account table"),
        SCRIPT.replace("Make it.", "Other words."),
        SCRIPT.replace('    """Make it."""\n', ""),
        SCRIPT.replace("primary_key=True))", "primary_key=(True),),)"),
        SCRIPT.replace('"account"', 'u"acc" "ount"'),
        "# -*- coding: utf-8 -*-\n\n" + SCRIPT,
        "\ufeff" + SCRIPT,
    ],
)
def test_spelling_does_not_count(other: str) -> None:
    assert other != SCRIPT
    assert checksum(other.encode()) == checksum(SCRIPT.encode()) == checksum(SCRIPT)


@pytest.mark.parametrize(
    "other",
    [
        SCRIPT.replace("account", "accounts"),
        SCRIPT.replace("True", "False"),
        SCRIPT.replace("True", "1"),
        SCRIPT.replace("sa.Integer", "sa.BigInteger"),
        SCRIPT + "    return None\n",
        SCRIPT + "    return\n",
        SCRIPT + "    pass\n",
        SCRIPT.replace("-> None", ""),
        SCRIPT.replace('"a1"', 'b"a1"'),
        SCRIPT.replace("def upgrade", "async def upgrade"),
    ],
)
def test_meaning_counts(other: str) -> None:
    assert other != SCRIPT
    assert checksum(other) != checksum(SCRIPT)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('x = "a", "b"', 'x = "a,b"'),
        ("x = [[1], 2]", "x = [1, [2]]"),
        ("x = 1", "x = 1.0"),
        ("x = 'None'", "x = None"),
        ("x = ')'; y = '('", "x = '('; y = ')'"),
        ("f(a, *b)", "f(a, b)"),
        ('f"{a}b"', 'f"{a}" + "b"'),
        ("if a:\n  b\n  c", "if a:\n  b\nc"),
        ("def f(a, b=1): pass", "def f(a=1, b=1): pass"),
        ("def f(*, a=1, b): pass", "def f(*, a, b=1): pass"),
        ("{**a}", "{a: a}"),
    ],
)
def test_different_trees_have_different_digests(one: str, other: str) -> None:
    assert checksum(one) != checksum(other)


def test_a_docstring_in_the_middle_is_an_ordinary_string() -> None:
    assert checksum("x = 1\n'a'\n") != checksum("x = 1\n'b'\n")


def test_a_deep_expression_needs_no_recursion() -> None:
    source = "x = " + " + ".join(["1"] * 900)
    assert checksum(source) == checksum(source.replace(" ", ""))


def test_what_is_no_python_is_an_error_with_its_line() -> None:
    with pytest.raises(ScriptError) as caught:
        checksum("x = 1\ny = (\n")
    assert caught.value.line == 2


def test_a_file_hash_is_of_the_bytes() -> None:
    assert file_hash(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert file_hash(b"a\r\n") != file_hash(b"a\n")


def test_hash_randomisation_does_not_reach_a_digest() -> None:
    code = f"from asyncmig.scripts.checksum import checksum; print(checksum({SCRIPT!r}))"
    root = Path(__file__).parents[3]
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert digests == {checksum(SCRIPT)}
