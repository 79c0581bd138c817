"""Environment: what a project declares in migrations/env.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from sqlalchemy import URL, MetaData
    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["Environment", "Hook"]

# What a project's own functions take and give is theirs; asyncmig passes the values through.
Hook: TypeAlias = Callable[..., Awaitable[None] | None]
Compare: TypeAlias = "bool | Callable[..., bool | None]"

# What each field may hold: a mistake is told where env.py makes it, not in the middle of a run.
_FUNCTIONS = (
    "include_object",
    "include_name",
    "render_item",
    "on_autogenerate",
    "before_step",
    "after_step",
    "on_error",
)
_TEXTS = ("version_table", "version_table_schema")
_MAPPINGS = ("engine_options", "options", "script_arguments")
_SWITCHES = ("compare_type", "compare_server_default")

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The models, the database and the hooks of a project. Declares; nothing runs when it is made.

    `url` or `engine`, not both: a value, or a sync or async function of no argument or of the Context. An engine
    that env.py gives stays open. None for version_table, version_table_schema and include_schemas leaves the
    configuration file's value. `options` are the keywords that scripts see in `op.get_context().opts`;
    `script_arguments` those that `upgrade()` and `downgrade()` are called with.
    """

    target_metadata: MetaData | Sequence[MetaData] | None = None
    url: str | URL | Callable[..., object] | None = None
    engine: AsyncEngine | Callable[..., object] | None = None
    engine_options: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    include_object: Callable[..., bool] | None = None
    include_name: Callable[..., bool] | None = None
    include_schemas: bool | None = None
    compare_type: Compare = True
    compare_server_default: Compare = True
    render_item: Callable[..., str | bool] | None = None
    on_autogenerate: Callable[..., object] | None = None
    before_step: Hook | None = None
    after_step: Hook | None = None
    on_error: Hook | None = None
    version_table: str | None = None
    version_table_schema: str | None = None
    naming_convention: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    script_arguments: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    def __post_init__(self) -> None:
        if self.url is not None and self.engine is not None:
            raise TypeError("Environment takes url= or engine=, not both.")
        self._check(_FUNCTIONS, "a function", lambda value: value is None or callable(value))
        self._check(_TEXTS, "text", lambda value: value is None or isinstance(value, str))
        self._check(_MAPPINGS, "a mapping", lambda value: isinstance(value, Mapping))
        self._check(_SWITCHES, "True, False or a function", lambda value: isinstance(value, bool) or callable(value))
        self._check(("include_schemas",), "True or False", lambda value: value is None or isinstance(value, bool))
        self._check(("naming_convention",), "a mapping", lambda value: value is None or isinstance(value, Mapping))

    def _check(self, names: Sequence[str], wanted: str, fits: Callable[[Any], bool]) -> None:
        for name in names:
            value = getattr(self, name)
            if not fits(value):
                raise TypeError(f"Environment's {name} has to be {wanted}, not {value!r}.")

    @property
    def metadatas(self) -> tuple[MetaData, ...]:
        """target_metadata as a tuple, empty when there is none."""
        if self.target_metadata is None:
            return ()
        return tuple(self.target_metadata) if isinstance(self.target_metadata, Sequence) else (self.target_metadata,)
