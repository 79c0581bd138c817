"""What models declare beside tables: views, functions, triggers, policies, extensions."""

from __future__ import annotations

from asyncmig.declared.extension import Extension
from asyncmig.declared.function import Function
from asyncmig.declared.policy import Policy
from asyncmig.declared.trigger import Trigger
from asyncmig.declared.view import MaterializedView, View

__all__ = ["Extension", "Function", "MaterializedView", "Policy", "Trigger", "View"]
