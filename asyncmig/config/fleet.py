"""The [fleet] table: which databases and schemas `asyncmig fleet` visits, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

__all__ = ["FailureLimit", "FleetSettings", "read_fleet"]


@dataclass(frozen=True, slots=True)
class FailureLimit:
    """After how many failures no further target is begun: a `count`, or a `share` of all targets (0.1: a tenth)."""

    count: int | None = None
    share: float | None = None

    @classmethod
    def parse(cls, value: object) -> FailureLimit:
        """5, "5", "10%" or 0.1; ValueError for anything else."""
        if isinstance(value, str):
            text = value.strip()
            value = float(text[:-1]) / 100 if text.endswith("%") else int(text)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError
        if isinstance(value, int) and value >= 1:
            return cls(count=value)
        if isinstance(value, float) and 0 < value <= 1:
            return cls(share=value)
        raise ValueError

    def reached(self, failures: int, total: int) -> bool:
        if failures == 0:
            return False
        if self.count is not None and failures >= self.count:
            return True
        return self.share is not None and failures >= self.share * total


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """docs/fleet.md explains each. `targets`, `file`, `query`, `function` and `databases` add up."""

    targets: tuple[str, ...] = ()
    file: Path | None = None
    query: str | None = None
    function: str | None = None
    databases: bool = False
    concurrency: int = 8
    canary: int = 0
    max_failures: FailureLimit | None = None
    shared_schemas: tuple[str, ...] = ()
    schema_token: str | None = None


_EXPECTED: Mapping[str, str] = {
    "targets": "a list of URLs and schemas",
    "file": "the path of a file",
    "query": "a query in a string",
    "function": 'a string such as "package.module:function"',
    "databases": "true or false",
    "concurrency": "a whole number, 1 or more",
    "canary": "a whole number, 0 or more",
    "max_failures": 'a whole number, or a share such as "10%"',
    "shared_schemas": 'a list of schemas, as in ["public"]',
    "schema_token": "the name of a schema",
}


def read_fleet(table: Mapping[str, object], here: Path) -> FleetSettings:
    """The table's values, typed; paths are relative to `here`. KeyError names an unknown key, ValueError says what is wrong."""
    known = {field.name for field in fields(FleetSettings)}
    for name in table:
        if name not in known:
            raise KeyError(name)
    values: dict[str, object] = {}
    for name, value in table.items():
        try:
            values[name] = _value(name, value, here)
        except (ValueError, TypeError):
            raise ValueError(f"{name} must be {_EXPECTED[name]}, not {value!r}.") from None
    return FleetSettings(**values)  # type: ignore[arg-type]


def _value(name: str, value: object, here: Path) -> object:
    match name:
        case "targets" | "shared_schemas":
            if not isinstance(value, list | tuple):
                raise ValueError
            return tuple(_text(one) for one in value)
        case "file":
            return here / _text(value)
        case "databases":
            if not isinstance(value, bool):
                raise ValueError
            return value
        case "concurrency" | "canary":
            if isinstance(value, bool) or not isinstance(value, int) or value < (name == "concurrency"):
                raise ValueError
            return value
        case "max_failures":
            return value if isinstance(value, FailureLimit) else FailureLimit.parse(value)
        case _:
            return _text(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value.strip()
