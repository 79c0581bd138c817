"""What `pytest --test-migrations` runs: each check on an empty database of its own."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import pytest

from asyncmig.errors import AsyncmigError
from asyncmig.testing import checks
from asyncmig.testing.background import awaited

if TYPE_CHECKING:
    from asyncmig.migrator import Migrator

__all__ = [
    "test_data_kept",
    "test_downgrade",
    "test_models_match",
    "test_single_head",
    "test_up_down_consistency",
    "test_upgrade",
]


def test_single_head(migrator: Migrator) -> None:
    _hold(checks.single_head, migrator)


def test_upgrade(migrator: Migrator) -> None:
    _hold(checks.upgrade, migrator)


def test_downgrade(migrator: Migrator) -> None:
    _hold(checks.downgrade, migrator)


def test_up_down_consistency(migrator: Migrator) -> None:
    _hold(checks.up_down_consistency, migrator)


def test_models_match(migrator: Migrator) -> None:
    site = awaited(migrator.site)
    if not site.environment.metadatas:
        pytest.skip("target_metadata is not given")
    _hold(checks.models_match, migrator)


def test_data_kept(migrator: Migrator) -> None:
    _hold(checks.data_kept, migrator)


def _hold(check: Callable[[Migrator], Coroutine[Any, Any, None]], migrator: Migrator) -> None:
    try:
        awaited(check, migrator)
    except AsyncmigError as error:
        # The sentence says it: the frames are ours, not the project's, and what the driver said stands in it.
        raise pytest.fail.Exception(str(error), pytrace=False) from None
