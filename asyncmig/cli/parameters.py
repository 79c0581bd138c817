"""Options and arguments whose values are text already: Typer's own, without the conversion step.

Typer converts every value through pydantic, whose import costs more processor time than all else that
`asyncmig heads` does. Here each value is text, a list of texts or a flag, which needs no conversion; what is a
number (`--wait`) is parsed by its command.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

from typer.core import TyperArgument, TyperOption

__all__ = ["PlainParameters", "plain", "protect", "unprotect"]

_P = TypeVar("_P")

# `-1`, `-3:current`, `-2:-1`: a place in the history, never an option.
_RELATIVE = re.compile(r"-\d+(:.*)?\Z", re.DOTALL)
# Invisible and typed by nobody; a control character would be spelt out in Typer's messages.
_MARK = "\u2060"


def _needs_no_conversion(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(isinstance(item, str) for item in value)
    return value is None or isinstance(value, (str, bool))


class _PlainOption(TyperOption):
    def process_value(self, ctx: Any, value: Any) -> Any:
        if (self.required and value is None) or not _needs_no_conversion(value):
            return super().process_value(ctx, value)
        if value is None and self.multiple:
            value = ()
        return self.callback(ctx, self, value) if self.callback is not None else value

    def display_type(self, ctx: Any) -> str:
        return self.metavar or "TEXT"


class _PlainArgument(TyperArgument):
    def process_value(self, ctx: Any, value: Any) -> Any:
        # What is missing goes the long way, whose error names the argument.
        if (self.required and not value) or not _needs_no_conversion(value):
            return super().process_value(ctx, value)
        if value is None and self.nargs == -1:
            value = ()
        return self.callback(ctx, self, value) if self.callback is not None else value

    def display_type(self, ctx: Any) -> str:
        return ""


def plain(parameter: _P) -> _P:
    """The same declaration as a parameter that takes text as it is; anything else comes back unchanged."""
    kind: type[TyperOption] | type[TyperArgument]
    if type(parameter) is TyperOption:
        kind = _PlainOption
    elif type(parameter) is TyperArgument:
        kind = _PlainArgument
    else:
        return parameter
    twin: Any = kind.__new__(kind)
    twin.__dict__.update(parameter.__dict__)
    return twin  # type: ignore[no-any-return]


class PlainParameters:
    """A command all of whose parameters are plain, those included that Typer adds later (--help, completion)."""

    def get_params(self, ctx: Any) -> list[Any]:
        # The same twin each time: Typer compares parameters by identity.
        twins = self.__dict__.setdefault("_twins", {})
        found = super().get_params(ctx)  # type: ignore[misc]
        for parameter in found:
            if id(parameter) not in twins:
                twins[id(parameter)] = plain(parameter)
        return [twins[id(parameter)] for parameter in found]


def protect(arguments: list[str]) -> list[str]:
    """Mark what looks like an option and is a relative revision, so that the parser takes it as a value."""
    return [f"{_MARK}{item}" if _RELATIVE.match(item) else item for item in arguments]


def unprotect(value: Any) -> Any:
    """Undo `protect` in a text or a sequence of texts; other values come back unchanged."""
    if isinstance(value, str):
        return value.replace(_MARK, "")
    if isinstance(value, (list, tuple)):
        return type(value)(unprotect(item) for item in value)
    return value
