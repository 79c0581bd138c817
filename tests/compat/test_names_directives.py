"""The installed alembic's own list of directives and parameters, held against what scripts get inside a run."""

import inspect
from importlib import import_module
from pathlib import Path

import pytest
from alembic.operations import BatchOperations as InstalledBatchOperations
from alembic.operations import Operations as InstalledOperations

from asyncmig import Config
from asyncmig.alembic_names import project_imports
from asyncmig.environment import Context
from asyncmig.operations.directives.batch import BatchOperations
from asyncmig.operations.facade import Operations

# Not directives: how Alembic makes its module of functions, and its class.
_OWN = {"context", "create_module_class_proxy"}


def _directives(owner: type) -> list[str]:
    """Those of Alembic itself; plug-ins of other tests may have registered more."""
    return sorted(
        name
        for name in dir(owner)
        if not name.startswith("_")
        and name not in _OWN
        and callable(function := getattr(owner, name))
        and getattr(function, "__globals__", {}).get("op_cls", inspect).__name__ != "Shout"
    )


@pytest.mark.parametrize("name", _directives(InstalledOperations))
def test_every_directive_of_alembic_is_a_function_of_ours(tmp_path: Path, name: str) -> None:
    config = Config.from_values(here=tmp_path, script_location="migrations", alembic_compat=True, environ={})
    with project_imports(Context(config)):
        assert callable(getattr(import_module("alembic.op"), name))


@pytest.mark.parametrize(
    ("installed", "ours"),
    [(InstalledOperations, Operations), (InstalledBatchOperations, BatchOperations)],
    ids=["op", "batch"],
)
def test_parameters_have_the_same_names_in_the_same_order(installed: type, ours: type) -> None:
    different = {}
    # A batch inside a batch is nothing that Alembic can run either.
    for name in set(_directives(installed)) - ({"batch_alter_table"} if ours is BatchOperations else set()):
        wanted, found = _parameters(installed, name), _parameters(ours, name)
        if found is None or not _accepts(found, wanted or []):
            different[name] = (wanted, found)
    assert different == {}


def _parameters(owner: type, name: str) -> list[inspect.Parameter] | None:
    function = getattr(owner, name, None)
    if function is None:
        return None
    original = getattr(getattr(function, "__globals__", {}).get("op_cls"), name, None)
    parameters = list(inspect.signature(function).parameters.values())
    if original is not None and all(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters[1:]):
        parameters = list(inspect.signature(original).parameters.values())
    return [p for p in parameters if p.name not in ("self", "operations")]


def _accepts(found: list[inspect.Parameter], wanted: list[inspect.Parameter]) -> bool:
    """Whether what can be called by name, and by position, can be called so here."""
    names = {p.name for p in found}
    any_name = any(p.kind is p.VAR_KEYWORD for p in found)
    for parameter in wanted:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.name not in names and not any_name:
            return False
    positional = [p.name for p in wanted if p.kind is p.POSITIONAL_OR_KEYWORD]
    ours = [p.name for p in found if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)]
    return any(p.kind is p.VAR_POSITIONAL for p in found) or ours[: len(positional)] == positional
