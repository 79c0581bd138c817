"""The answer of operations that cannot be undone from what is known."""

from __future__ import annotations

from asyncmig.errors import Irreversible
from asyncmig.operations.base import Operation

__all__ = ["BY_HAND", "unknown_before"]

BY_HAND = "Write the downgrade by hand."


def unknown_before(operation: Operation, what: str) -> Irreversible:
    """`what` names the thing whose former shape nobody recorded."""
    return Irreversible(f"{operation.describe()}: what {what} looked like is not known.", hint=BY_HAND)
