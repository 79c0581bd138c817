"""A new script: named, rendered from script.py.mako, and written whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

from asyncmig.errors import ConfigError, RevisionError, ScriptError, TemplateError
from asyncmig.revisions.links import check_identifier, check_label
from asyncmig.scripts.files import write_new
from asyncmig.scripts.header import parse_header
from asyncmig.scripts.rendering import render

if TYPE_CHECKING:
    from asyncmig.revisions.graph import RevisionGraph

__all__ = [
    "DEFAULT_FILE_TEMPLATE",
    "NewRevision",
    "check_new",
    "create_date",
    "file_name",
    "new_identifier",
    "write_revision",
]

DEFAULT_FILE_TEMPLATE = "%(rev)s_%(slug)s"

_WORD = re.compile(r"\w+")
_RESERVED = frozenset({"head", "heads", "base", "current"})
_UNFIT_FOR_FILES = re.compile(r"[\s,/\\\x00-\x1f]")
# What may not stand in a docstring as it is: NUL, returns, and halves of surrogate pairs, which no encoding takes.
_UNPRINTABLE = re.compile("[\x00\r\ud800-\udfff]")
_QUOTE_TOO_MANY = re.compile(r'"(?="|\Z)')


@dataclass(frozen=True, slots=True)
class NewRevision:
    """What a new script shall say. `imports`, `upgrades` and `downgrades` are Python; `data` asks for a data migration."""

    id: str
    message: str = ""
    down_revisions: tuple[str, ...] = ()
    branch_labels: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    imports: str = ""
    upgrades: str = ""
    downgrades: str = ""
    data: bool = False


def new_identifier() -> str:
    """Twelve random hexadecimal digits."""
    from secrets import token_hex

    return token_hex(6)


def create_date(timezone: str | None = None, clock: Callable[[tzinfo | None], datetime] = datetime.now) -> datetime:
    """Now, to the second: in the named zone, or local and naive without one. ConfigError for an unknown zone."""
    if timezone is None:
        return clock(None).replace(microsecond=0)
    return clock(UTC).astimezone(_zone(timezone)).replace(microsecond=0)


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    if name.lower() == "utc":  # also where no zone database is installed
        return UTC
    for spelling in (name, name.upper()):
        try:
            return ZoneInfo(spelling)
        except (KeyError, ValueError, OSError):
            continue
    raise ConfigError(
        f"There is no time zone {name!r}.", key="timezone", hint='Use a name like "Europe/Berlin" or "utc".'
    )


def check_new(new: NewRevision, graph: RevisionGraph, *, max_id_length: int | None = None) -> None:
    """RevisionError when id or labels cannot be used, or are used already."""
    wrong = check_identifier(new.id)
    if not wrong and (new.id in _RESERVED or _UNFIT_FOR_FILES.search(new.id)):
        wrong = f"{new.id!r} cannot be a revision id"
    if not wrong and max_id_length is not None and len(new.id) > max_id_length:
        wrong = f"the id {new.id!r} has {len(new.id)} characters, the version column holds {max_id_length}"
    if not wrong and (new.id in graph or new.id in graph.label_owners):
        wrong = f"{new.id!r} is in use already"
    for label in new.branch_labels:
        wrong = wrong or check_label(label)
        if not wrong and (label in _RESERVED or re.search(r"[\s,]", label)):
            wrong = f"{label!r} cannot be a branch label"
        if not wrong and (label in graph or label in graph.label_owners):
            wrong = f"the branch label {label!r} is in use already"
    if wrong:
        raise RevisionError(f"{wrong[0].upper()}{wrong[1:]}.")


def file_name(
    new: NewRevision, created: datetime, *, template: str | None = None, truncate_slug_length: int = 40
) -> str:
    """The file's name with .py, folders before it where the template has them. ConfigError for a wrong template."""
    pattern = (template or DEFAULT_FILE_TEMPLATE).replace("%%(", "%(")  # as INI files spell it
    try:
        name = pattern % {
            "rev": new.id,
            "slug": _slug(new.message, truncate_slug_length),
            "epoch": int(created.timestamp()),
            "year": created.year,
            "month": created.month,
            "day": created.day,
            "hour": created.hour,
            "minute": created.minute,
            "second": created.second,
        }
    except (KeyError, ValueError, TypeError) as error:
        raise ConfigError(
            f"{template!r} cannot be used: {error}.",
            key="file_template",
            hint="It knows %(rev)s, %(slug)s, %(epoch)s, %(year)d, %(month).2d, %(day).2d, %(hour).2d, %(minute).2d "
            "and %(second).2d.",
        ) from error
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.rstrip('_') or new.id}.py"


def _slug(message: str, limit: int) -> str:
    """The words of the message, lower case, cut at a word's end; letters of every script stay."""
    slug = "_".join(_WORD.findall(normalize("NFC", message))).lower()
    if len(slug) > limit:
        slug = slug[:limit].rpartition("_")[0] or slug[:limit]
    return slug.strip("_")


def write_revision(
    new: NewRevision,
    *,
    template: Path,
    location: Path,
    name: str,
    created: datetime,
    config: object = None,
) -> Path:
    """Render `template` and write it to `location / name`, which must not exist; folders are made as needed.

    What was rendered is read back before it is written: TemplateError when it is not a script of this revision.
    ScriptError when the file exists, AsyncmigError when it cannot be written; then nothing is left behind.
    """
    text = render(template, _variables(new, created, config))
    _check_rendered(text, new, template)
    path = location / name
    if not path.resolve().is_relative_to(location.resolve()):
        raise ConfigError(f"{name!r} lies outside of {location}.", key="file_template")
    write_new(path, text.encode())
    return path


def _variables(new: NewRevision, created: datetime, config: object) -> dict[str, object]:
    return {
        "up_revision": new.id,
        "down_revision": _as_written(new.down_revisions),
        "branch_labels": new.branch_labels or None,
        "depends_on": _as_written(new.depends_on),
        "create_date": created,
        "message": _in_docstring(new.message or "empty message"),
        "imports": new.imports,
        "upgrades": new.upgrades,
        "downgrades": new.downgrades,
        "data": new.data,
        "comma": _comma,
        "config": config,
    }


def _as_written(names: tuple[str, ...]) -> str | tuple[str, ...] | None:
    return names[0] if len(names) == 1 else names or None


def _comma(value: str | Iterable[str] | None) -> str:
    return "" if value is None else value if isinstance(value, str) else ", ".join(value)


def _in_docstring(message: str) -> str:
    r"""The message as it must be spelled between three double quotes, to read back as it was."""
    text = _QUOTE_TOO_MANY.sub(r'\\"', message.replace("\r\n", "\n").replace("\\", "\\\\"))
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _check_rendered(text: str, new: NewRevision, template: Path) -> None:
    try:
        header = parse_header(text.encode(), template)
    except ScriptError as error:
        raise TemplateError(f"What the template writes is not a script. {error}") from error
    wanted = {
        "revision": ((header.revision,), (new.id,)),
        "down_revision": (header.down_revisions, new.down_revisions),
        "branch_labels": (header.branch_labels, new.branch_labels),
        "depends_on": (header.depends_on, new.depends_on),
    }
    for name, (written, meant) in wanted.items():
        if written != meant:
            raise TemplateError(f"The template does not write `{name}` as {meant!r}.", path=template)
