"""The pages about the configuration and env.py name every key and field, once, in the order of the code."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from asyncmig.config import KEYS, Config, Key
from asyncmig.environment import Environment

DOCS = Path(__file__).parents[2] / "docs"


def sections(page: str) -> dict[str, str]:
    parts = re.split(r"^### (.+)\n", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_key_has_its_section() -> None:
    assert list(sections("configuration.md")) == [*KEYS, "databases"]


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_a_section_names_variable_and_default(tmp_path: Path, key: Key) -> None:
    text = sections("configuration.md")[key.name]
    assert (f"`{key.variable}`" if key.variable else "No variable") in text
    default = getattr(Config.from_values(here=tmp_path, environ={}), key.name)
    spelled = {
        "script_location": '"migrations"',
        "prepend_sys_path": '["."]',
        "file_template": '"%(rev)s_%(slug)s"',
    }.get(key.name)
    if spelled is None and default is not None:
        spelled = {True: "true", False: "false", (): "[]"}.get(default, f'"{default}"')
        spelled = f"{default:g}" if isinstance(default, int | float) and not isinstance(default, bool) else spelled
    assert (f"Default `{spelled}`" if spelled else "No default.") in text


def test_every_field_of_the_environment_has_its_section() -> None:
    assert list(sections("environment.md")) == [field.name for field in fields(Environment)]
