"""Context: what the functions of env.py are told about the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from asyncmig.config import Config

__all__ = ["Context", "parse_x"]


@dataclass(frozen=True, slots=True)
class Context:
    """The configuration, the -x arguments, and whether SQL is only written out (`offline`, --sql).

    `x` holds the value of each `-x name=value`; a tuple where a name was given several times, "" for `-x name`.
    """

    config: Config
    x_arguments: tuple[str, ...] = ()
    offline: bool = False
    x: Mapping[str, str | tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "x", MappingProxyType(parse_x(self.x_arguments)))

    def get_x(self, name: str, default: str | None = None) -> str | None:
        """The value of `-x name=value`, the last one where it was given several times."""
        value = self.x.get(name, default)
        return value[-1] if isinstance(value, tuple) else value


def parse_x(arguments: Sequence[str]) -> dict[str, str | tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for argument in arguments:
        name, _, value = argument.partition("=")
        found[name.strip()] = (*found.get(name.strip(), ()), value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
