"""Rendered scripts run again: what the tests of autogenerate's rendering share.

rendered(up, context)   the text of a script whose upgrade() does these operations
recorded(text)          the operations that its upgrade() (or another function) makes, recorded without a database
form(value, dialect)    a value with SQL and types as one database spells them, to compare by
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import sqlalchemy as sa

from asyncmig.autogenerate.render_context import RenderContext
from asyncmig.autogenerate.script_body import ScriptBody, render_script
from asyncmig.autogenerate.steps import Step
from asyncmig.operations.base import Operation
from asyncmig.operations.recorder import Recorder, record
from asyncmig.schema.model import Check
from asyncmig.schema.options import DDL_IF
from asyncmig.schema.spelling import spelling_dialect
from asyncmig.schema.types import SqlText, SqlType

HEAD = '"""x"""\n\nimport sqlalchemy as sa\nfrom asyncmig import op\n'


def text_of(body: ScriptBody) -> str:
    """The script around a body, as the templates write it."""
    sa_used = "sa." in body.upgrades + body.downgrades
    head = HEAD if sa_used else HEAD.replace("import sqlalchemy as sa\n", "")
    head = head if "op." in body.upgrades + body.downgrades else head.replace("from asyncmig import op\n", "")
    imports = f"{body.imports}\n" if body.imports else ""
    return (
        f"{head}{imports}\n\ndef upgrade() -> None:\n    {body.upgrades}\n\n\n"
        f"def downgrade() -> None:\n    {body.downgrades}\n"
    )


def rendered(up: Iterable[Operation], context: RenderContext, down: Iterable[Operation] = ()) -> str:
    return text_of(render_script([Step(one) for one in up], [Step(one) for one in down], context))


def recorded(text: str, context: RenderContext, function: str = "upgrade") -> list[Operation]:
    names: dict[str, Any] = {}
    exec(compile(text, "rendered.py", "exec"), names)
    recorder = Recorder("rendered.py", spelling_dialect(context.dialect), naming_convention=context.convention)
    return list(record(names[function], recorder).operations)


def form(value: Any, dialect: str) -> Any:
    """Comparable, and readable in a failed assertion."""
    if isinstance(value, SqlText):
        text = value.spelling(dialect)
        while text.startswith("(") and text.endswith(")"):
            text = text[1:-1]
        return text
    if isinstance(value, SqlType):
        return value.spelling(dialect)
    if isinstance(value, sa.Executable):
        return str(value)
    if isinstance(value, Check):
        value = replace(value, rule=None)
    if is_dataclass(value) and not isinstance(value, type):
        pairs = {f.name: form(getattr(value, f.name), dialect) for f in fields(value) if f.compare}
        if "constraints" in pairs:
            pairs["constraints"] = sorted(pairs["constraints"], key=repr)  # their order means nothing to a database
        if "options" in pairs:
            pairs["options"] = [pair for pair in pairs["options"] if pair[0] != DDL_IF]  # settled for one database
        return {"": type(value).__name__, **pairs}
    if isinstance(value, Mapping):
        return {key: form(item, dialect) for key, item in value.items()}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list | tuple):
        return [form(item, dialect) for item in value]
    return value
