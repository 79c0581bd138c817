"""The Python in the pages on deploying, FastAPI, testing and observing: it compiles, and what it imports of ours is there."""

import ast
import importlib
import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[3] / "docs"
PAGES = ("deploying.md", "fastapi.md", "testing.md", "observing.md")
BLOCKS = [
    pytest.param(block, id=f"{page}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL), 1)
]


@pytest.mark.parametrize("block", BLOCKS)
def test_the_code_of_a_page_compiles_and_imports_what_exists(block: str) -> None:
    tree = ast.parse(block)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "asyncmig":
            module = importlib.import_module(node.module)
            assert [
                alias.name for alias in node.names if not hasattr(module, alias.name) and not _is_module(node, alias)
            ] == []


def _is_module(node: ast.ImportFrom, alias: ast.alias) -> bool:
    return importlib.util.find_spec(f"{node.module}.{alias.name}") is not None


def test_each_page_has_code_and_stands_in_the_index() -> None:
    index = (DOCS / "index.md").read_text("utf-8")
    assert [page for page in PAGES if f"({page})" not in index] == []
    assert len(BLOCKS) >= 12


def test_the_events_of_the_page_are_the_events() -> None:
    from typing import get_args

    from asyncmig.database.events import Event

    page = (DOCS / "observing.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(\w+)` \| `\w+` \|", page, re.MULTILINE)) == {
        event.__name__ for event in get_args(Event)
    }
