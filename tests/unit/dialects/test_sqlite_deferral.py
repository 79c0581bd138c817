"""SQLite defers foreign keys only; what else says so is refused in words."""

import pytest

from asyncmig.dialects.sqlite_deferral import check_deferral
from asyncmig.errors import UnsupportedOperation
from asyncmig.schema.model import Check, Constraint, ForeignKey, PrimaryKey, Ref, Unique
from asyncmig.schema.types import sql_text

T, P = Ref("t"), Ref("p")


@pytest.mark.parametrize(
    "constraint",
    [
        ForeignKey(("a",), P, ("id",)),
        ForeignKey(("a",), P, ("id",), deferrable=True, initially="DEFERRED"),
        ForeignKey(("a",), P, ("id",), deferrable=False),
        Unique(("a",)),
        Unique(("a",), deferrable=False),
    ],
)
def test_what_sqlite_has_passes(constraint: Constraint) -> None:
    check_deferral(constraint, T)


@pytest.mark.parametrize(
    ("constraint", "hint"),
    [
        (Unique(("a",), "uq", deferrable=True), "Leave out"),
        (Check(sql_text("a > 0"), initially="DEFERRED"), "Leave out"),
        (PrimaryKey(("a",), deferrable=True), "Leave out"),
        (ForeignKey(("a",), P, ("id",), initially="DEFERRED"), "deferrable=True"),
    ],
)
def test_what_it_has_not_is_refused(constraint: Constraint, hint: str) -> None:
    with pytest.raises(UnsupportedOperation) as caught:
        check_deferral(constraint, T)
    assert hint in str(caught.value.hint)
