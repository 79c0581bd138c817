"""Operations on row security and its policies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from asyncmig.operations.base import Operation
from asyncmig.operations.irreversible import unknown_before
from asyncmig.schema.model import Policy, Ref, Schema
from asyncmig.schema.objects import on_table_ref

if TYPE_CHECKING:
    from asyncmig.operations.visitor import OperationVisitor

__all__ = ["CreatePolicy", "DropPolicy", "SetRowSecurity"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CreatePolicy(Operation):
    """It has an effect once row security is enabled on the table: SetRowSecurity."""

    policy: Policy

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.create_policy(self, before)

    def apply(self, schema: Schema) -> Schema:
        return replace(schema, policies={**schema.policies, self.policy.ref: self.policy})

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        return (DropPolicy(self.policy.name, self.policy.table, policy=self.policy),)

    def describe(self) -> str:
        return f"Create policy {self.policy.name} on {self.policy.table}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.policy.ref, self.policy.table})

    @property
    def sign(self) -> str:
        return "+"


@dataclass(frozen=True, slots=True)
class DropPolicy(Operation):
    name: str
    table: Ref
    if_exists: bool = False
    policy: Policy | None = None  # what it was, when the script says so: makes reverse possible

    @property
    def ref(self) -> Ref:
        return on_table_ref(self.name, self.table, "policy")

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.drop_policy(self, before)

    def apply(self, schema: Schema) -> Schema:
        return replace(schema, policies={ref: p for ref, p in schema.policies.items() if ref != self.ref})

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Create it as `before` knows it, else as the operation does."""
        policy = before.policies.get(self.ref, self.policy)
        if policy is None:
            raise unknown_before(self, "the policy")
        return (CreatePolicy(policy),)

    def describe(self) -> str:
        return f"Drop policy {self.name} on {self.table}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref, self.table})

    @property
    def sign(self) -> str:
        return "-"


@dataclass(frozen=True, slots=True)
class SetRowSecurity(Operation):
    """`forced` holds the table's owner to the policies too; None leaves that as it is."""

    table: Ref
    enabled: bool
    forced: bool | None = None

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.set_row_security(self, before)

    def apply(self, schema: Schema) -> Schema:
        table = frozenset({self.table})
        secured = schema.secured | table if self.enabled else schema.secured - table
        if self.forced is None:
            return replace(schema, secured=secured)
        return replace(schema, secured=secured, forced=schema.forced | table if self.forced else schema.forced - table)

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """What `before` knows to have been there already stays."""
        forced = None if self.forced is None or (self.forced and self.table in before.forced) else not self.forced
        if self.enabled and self.table in before.secured:
            return () if forced is None else (SetRowSecurity(self.table, True, forced),)
        return (SetRowSecurity(self.table, not self.enabled, forced),)

    def describe(self) -> str:
        forced = {None: "", True: ", forced for the owner", False: ", not forced for the owner"}[self.forced]
        return f"{'Enable' if self.enabled else 'Disable'} row level security on {self.table}{forced}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.table})
