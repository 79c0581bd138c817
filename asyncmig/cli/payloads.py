"""Values as JSON: pure functions from reports and revisions to what json.dumps takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncmig.database.report import Report
    from asyncmig.revisions.revision import Revision
    from asyncmig.scripts.history import Branch, HistoryEntry

__all__ = ["branch_payload", "entry_payload", "object_payload", "plain", "report_payload", "revision_payload"]


def plain(value: object) -> object:
    """A report as objects and lists: dataclasses by field name, enums by value, times in ISO 8601, paths as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def revision_payload(revision: Revision) -> dict[str, object]:
    """A revision as its script's header says."""
    return {
        "revision": revision.id,
        "down_revisions": list(revision.down_revisions),
        "depends_on": list(revision.depends_on),
        "branch_labels": list(revision.branch_labels),
        "message": revision.message,
        "create_date": revision.create_date,
        "path": None if revision.path is None else str(revision.path),
    }


def entry_payload(entry: HistoryEntry) -> dict[str, object]:
    """A revision with its place in the history."""
    return {
        **revision_payload(entry.revision),
        "is_head": entry.is_head,
        "is_current": entry.is_current,
        "is_branch_point": entry.is_branch_point,
        "is_merge_point": entry.is_merge_point,
        "is_base": entry.is_base,
        "is_effective_head": entry.is_effective_head,
        "children": list(entry.children),
    }


def report_payload(report: Report) -> dict[str, object]:
    """What a run did; `sql` is there with --sql only."""
    payload = object_payload(report)
    del payload["opening"]
    if report.sql is None:
        del payload["sql"]
    return payload


def object_payload(report: object) -> dict[str, object]:
    """The fields of a report."""
    payload = plain(report)
    assert isinstance(payload, dict)
    return payload


def branch_payload(branch: Branch) -> dict[str, object]:
    return {**revision_payload(branch.revision), "children": [revision_payload(child) for child in branch.children]}
