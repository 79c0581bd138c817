"""The examples of docs/operations.md run, and every directive has one."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from asyncmig.dialects.registry import dialect_for
from asyncmig.operations.facade import op
from asyncmig.operations.recorder import Recorder, record

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.splitlines()[0])
def test_example_can_be_recorded(example: str) -> None:
    recorder = Recorder("example", dialect_for("postgresql").sqlalchemy)
    code = compile(example, "example", "exec")
    recording = record(lambda: exec(code, {"op": op, "sa": sa}), recorder)
    assert recording.items
    for item in recording:
        assert item.operation.describe()


def test_every_directive_is_on_the_page() -> None:
    missing = [name for name in dir(op) if not name.startswith("_") and f"op.{name}" not in PAGE]
    assert missing == []
