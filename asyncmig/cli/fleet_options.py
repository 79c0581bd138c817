"""What is typed for a fleet, as its settings."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asyncmig.errors import UsageError

if TYPE_CHECKING:
    from asyncmig.config.fleet import FleetSettings
    from asyncmig.migrator import Migrator

__all__ = ["missed_in", "settings_from"]


def settings_from(migrator: Migrator, sources: Mapping[str, Any], numbers: Mapping[str, str | None]) -> FleetSettings:
    """What the configuration says, under what was typed; a source that was typed replaces all of the configuration's."""
    from asyncmig.config.fleet import FailureLimit, FleetSettings

    settings = migrator.config.fleet or FleetSettings()
    if any(sources.values()):
        settings = replace(settings, **_sources(sources))
    for name, least in (("concurrency", 1), ("canary", 0)):
        text = numbers[name]
        if text is not None:
            settings = replace(settings, **{name: _number(name, text, least)})  # type: ignore[arg-type]
    limit = numbers["max_failures"]
    if limit is not None:
        try:
            settings = replace(settings, max_failures=FailureLimit.parse(limit))
        except ValueError:
            hint = "For example --max-failures 5, or --max-failures 10%."
            raise UsageError(f"--max-failures {limit}: neither a number of targets nor a share.", hint=hint) from None
    return settings


def _sources(given: Mapping[str, Any]) -> dict[str, Any]:
    from asyncmig.fleet.targets import parse_lines

    named = list(given["target"] or ())
    file = given["targets"]
    if file == "-":
        named += parse_lines(sys.stdin.read())
    return {
        "targets": tuple(named),
        "file": Path(file).absolute() if file and file != "-" else None,
        "query": given["query"],
        "function": given["function"],
        "databases": given["databases"],
    }


def _number(name: str, text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise UsageError(f"--{name} {text}: not a whole number, {least} or more.")
    return int(text)


def missed_in(path: Path) -> frozenset[str]:
    """The names of the targets that failed or were not started, by a file of --results."""
    from asyncmig.fleet import TargetOutcome

    again = (TargetOutcome.FAILED, TargetOutcome.NOT_STARTED)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["results"]
        return frozenset(str(one["target"]) for one in found if one["outcome"] in again)
    except OSError as error:
        raise UsageError(f"--retry-failed {path}: {error.strerror}.") from error
    except (ValueError, LookupError, TypeError) as error:
        raise UsageError(f"--retry-failed {path}: this is no file of --results.") from error
