"""`${NAME}`, `${NAME:-default}`, `${here}` and `$$` in a string of the configuration file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from asyncmig.errors import ConfigError

__all__ = ["Interpolation", "has_placeholder"]

_OPEN = re.compile(r"\$\$|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What ends the user or the password of a URL. '%' is left alone: a value that is encoded already stays as it is.
_URL_DELIMITERS = re.compile(r"[@/:?#\[\]\s]")


def has_placeholder(text: str) -> bool:
    return "${" in text


@dataclass(frozen=True, slots=True)
class Interpolation:
    """The variables that a file's strings may name; `here` is the file's folder and hides a variable of that name."""

    variables: Mapping[str, str]
    here: str

    def text(self, text: str, *, key: str) -> str:
        """The string with its variables filled in; ConfigError for one that is not set and has no default."""
        return _Reader(text, key, self._value).read()

    def url(self, text: str, *, key: str) -> str:
        """As `text`, but a value that stands for a user or a password may hold any character, '@' and '/' too."""
        return _Reader(text, key, self._value, credentials=_credentials(text)).read()

    def _value(self, name: str) -> str | None:
        return self.here if name == "here" else self.variables.get(name)


def _credentials(text: str) -> range:
    """The positions between `://` and the last '@' after it: the user and the password of a URL template."""
    start, end = text.find("://"), text.rfind("@")
    return range(start, end) if 0 <= start < end else range(0)


class _Reader:
    """One pass over one string; a default may hold placeholders itself, a value that is filled in may not."""

    def __init__(
        self, text: str, key: str, value: Callable[[str], str | None], *, credentials: range = range(0)
    ) -> None:
        self._text = text
        self._key = key
        self._value = value
        self._credentials = credentials
        self._at = 0

    def read(self, *, inside: bool = False) -> str:
        """Up to the end, or inside a default up to the brace that closes it (left to the caller)."""
        parts: list[str] = []
        while self._at < len(self._text) and not (inside and self._text[self._at] == "}"):
            opening = _OPEN.match(self._text, self._at)
            if opening is None:
                parts.append(self._text[self._at])
                self._at += 1
            else:
                start, self._at = self._at, opening.end()
                parts.append("$" if opening[0] == "$$" else self._placeholder(start))
        return "".join(parts)

    def _placeholder(self, start: int) -> str:
        name = _NAME.match(self._text, self._at)
        if name is None:
            raise self._malformed(start)
        self._at = name.end()
        default = self._default()
        if self._text[self._at : self._at + 1] != "}":
            raise self._malformed(start)
        self._at += 1
        return self._fill(name[0], default, start)

    def _default(self) -> str | None:
        if not self._text.startswith(":-", self._at):
            return None
        self._at += 2
        return self.read(inside=True)

    def _fill(self, name: str, default: str | None, start: int) -> str:
        value = self._value(name)
        if value is None or (value == "" and default is not None):
            value = default
        if value is None:
            raise ConfigError(
                f"{self._key} needs the environment variable {name}, which is not set.",
                key=self._key,
                hint=f"Set it, or give it a default: ${{{name}:-...}}.",
            )
        if start not in self._credentials:
            return value
        return _URL_DELIMITERS.sub(lambda found: quote(found[0], safe=""), value)

    def _malformed(self, start: int) -> ConfigError:
        return ConfigError(
            f"{self._key} has a placeholder at character {start + 1} that cannot be read.",
            key=self._key,
            hint="Write ${NAME}, ${NAME:-default} or ${here}; a dollar sign itself is $$.",
        )
