"""Every table of schema_cases.py rendered and run again: the same operations, in the form that ruff leaves."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rendering import form, recorded, rendered
from schema_cases import CASES, Case

from asyncmig.autogenerate.diff import diff
from asyncmig.autogenerate.render_context import RenderContext
from asyncmig.autogenerate.script_plain import plain
from asyncmig.dialects.holding import held
from asyncmig.operations.base import Operation
from asyncmig.operations.tables import CreateTable
from asyncmig.schema.metadata import schema_from_metadata
from asyncmig.schema.model import Schema

DIALECTS = ("postgresql", "sqlite")


def created(case: Case, dialect: str) -> list[Operation]:
    wanted = held(schema_from_metadata(case.metadata()), dialect)
    return list(plain(diff(Schema(), wanted)))


def in_database(operation: Operation, dialect: str) -> Operation:
    """Without the CHECKs of types that this database does not create."""
    if not isinstance(operation, CreateTable):
        return operation
    table = held(Schema().with_table(operation.table), dialect).tables[operation.table.ref]
    return replace(operation, table=table)


def context_of(case: Case, dialect: str) -> RenderContext:
    return RenderContext(dialect, dialect == "postgresql", dialect == "sqlite", convention=case.convention)


def runs(case: Case, dialect: str) -> bool:
    return not case.runs_on or dialect in case.runs_on


@pytest.mark.parametrize(
    ("case", "dialect"),
    [
        pytest.param(case, dialect, id=f"{case.name}-{dialect}")
        for case in CASES
        for dialect in DIALECTS
        if runs(case, dialect)
    ],
)
def test_a_rendered_schema_makes_the_same_operations(case, dialect):
    context = context_of(case, dialect)
    operations = created(case, dialect)
    text = rendered(operations, context)
    again = [in_database(operation, dialect) for operation in recorded(text, context)]
    assert form(again, dialect) == form(operations, dialect), text


@pytest.mark.parametrize("dialect", DIALECTS)
def test_rendered_scripts_are_as_ruff_leaves_them(tmp_path: Path, dialect):
    for n, case in enumerate(CASES):
        if runs(case, dialect):
            (tmp_path / f"case_{n}.py").write_text(rendered(created(case, dialect), context_of(case, dialect)))
    for command in (["check", "--select=E4,E7,E9,F"], ["format", "--diff"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "."], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
