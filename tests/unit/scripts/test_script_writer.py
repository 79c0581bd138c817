"""New scripts: what they are called, what they say, and that they are written whole or not at all."""

import ast
import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncmig.errors import AsyncmigError, ConfigError, RevisionError, ScriptError, TemplateError
from asyncmig.revisions.graph import RevisionGraph
from asyncmig.revisions.revision import Revision
from asyncmig.scripts.header import read_header
from asyncmig.scripts.templates import templates_root
from asyncmig.scripts.writer import (
    NewRevision,
    check_new,
    create_date,
    file_name,
    new_identifier,
    write_revision,
)

CREATED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=1)))
TEMPLATES = [templates_root() / "async" / "migrations" / "script.py.mako"]
ALEMBIC_TEMPLATE = '''"""${message}

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
Create Date: ${create_date}

"""
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa
${imports if imports else ""}

revision: str = ${repr(up_revision)}
down_revision: Union[str, Sequence[str], None] = ${repr(down_revision)}
branch_labels: Union[str, Sequence[str], None] = ${repr(branch_labels)}
depends_on: Union[str, Sequence[str], None] = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
'''


def write(new: NewRevision, folder: Path, template: str | None = None, name: str = "a1.py") -> Path:
    path = folder / "script.py.mako"
    path.write_text(template or TEMPLATES[0].read_text())
    return write_revision(new, template=path, location=folder / "versions", name=name, created=CREATED)


@pytest.mark.parametrize("template", [None, ALEMBIC_TEMPLATE], ids=["ours", "Alembic's"])
@pytest.mark.parametrize(
    "new",
    [
        NewRevision("a1", "first"),
        NewRevision("a1", "", ("b2",)),
        NewRevision("a1", "merge", ("b2", "c3"), ("shop",), ("d4",)),
        NewRevision(
            "a1", "more", ("b2",), ("shop", "users"), ("d4", "shop"), upgrades="op.f('x')", downgrades="sa.text('')"
        ),
        NewRevision("a1", "data", ("b2",), data=True),
    ],
)
def test_what_is_written_reads_back(new: NewRevision, template: str | None, tmp_path: Path) -> None:
    header = read_header(write(new, tmp_path, template))
    assert (header.revision, header.down_revisions) == (new.id, new.down_revisions)
    assert (header.branch_labels, header.depends_on) == (new.branch_labels, new.depends_on)
    assert header.message == (new.message or "empty message")
    assert header.create_date == "2026-03-04 05:06:07+01:00"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    message=st.text(st.characters(exclude_categories=()), max_size=20)
    | st.text(st.sampled_from(list("\"'\\ \n\r\t${}%#\x00\x0cé日\ud800")), max_size=12)
)
def test_any_message_reads_back(message: str, tmp_path: Path) -> None:
    path = write(NewRevision("a1", message), tmp_path)
    source = path.read_bytes()
    path.unlink()
    docstring = ast.get_docstring(ast.parse(source), clean=False) or ""
    said = docstring.partition("\n\nRevision ID: a1\n")[0]
    # Formatters put a blank before a quote that opens a docstring; so does our template.
    said = said.removeprefix(" ") if message.startswith('"') else said
    assert said == (message.replace("\r\n", "\n") or "empty message")


@pytest.mark.parametrize(
    ("message", "options", "name"),
    [
        ("Create Account!", {}, "a1_create_account.py"),
        ("", {}, "a1.py"),
        ("🎉", {}, "a1.py"),
        ("создать счёт", {}, "a1_создать_счёт.py"),
        ("日本語の表", {}, "a1_日本語の表.py"),
        ('a "quoted" \\ path/../name\n', {}, "a1_a_quoted_path_name.py"),
        ("x" * 60, {}, f"a1_{'x' * 40}.py"),
        ("one two three", {"truncate_slug_length": 9}, "a1_one_two.py"),
        ("one two three", {"truncate_slug_length": 7}, "a1_one.py"),
        ("m", {"template": "%(year)d_%(month).2d_%(day).2d_%(hour).2d%(minute).2d%(second).2d-%(rev)s_%(slug)s"},
         "2026_03_04_050607-a1_m.py"),
        ("m", {"template": "%%(year)d/%%(month).2d/%%(rev)s_%%(slug)s"}, "2026/03/a1_m.py"),
        ("m", {"template": "%(epoch)s_%(rev)s"}, f"{int(CREATED.timestamp())}_a1.py"),
    ],
)  # fmt: skip
def test_a_file_is_named(message: str, options: dict[str, object], name: str) -> None:
    assert file_name(NewRevision("a1", message), CREATED, **options) == name  # type: ignore[arg-type]


@pytest.mark.parametrize("template", ["%(nothing)s", "%(year)", "%d", "%(rev)d"])
def test_a_wrong_file_template_is_a_configuration_error(template: str) -> None:
    with pytest.raises(ConfigError, match="rev"):
        file_name(NewRevision("a1"), CREATED, template=template)


def test_folders_in_the_template_are_made(tmp_path: Path) -> None:
    assert write(NewRevision("a1"), tmp_path, name="2026/03/a1.py") == tmp_path / "versions/2026/03/a1.py"


def test_a_name_outside_of_the_location_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="outside"):
        write(NewRevision("a1"), tmp_path, name="../a1.py")
    assert not (tmp_path / "a1.py").exists()


def test_a_script_is_never_overwritten(tmp_path: Path) -> None:
    path = write(NewRevision("a1"), tmp_path)
    path.write_text("precious")
    with pytest.raises(ScriptError, match="already"):
        write(NewRevision("a1"), tmp_path)
    assert path.read_text() == "precious"
    assert names_in(path.parent) == ["a1.py"]


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """The kernel lets no file of this process grow beyond `size` bytes: the write itself fails, half way."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_that_fails_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    template = tmp_path / "script.py.mako"
    template.write_text(TEMPLATES[0].read_text())
    with small_files(100), pytest.raises(AsyncmigError, match="cannot be written: File too large") as caught:
        write_revision(
            NewRevision("a1"), template=template, location=tmp_path / "versions", name="2026/a1.py", created=CREATED
        )
    assert caught.value.exit_code == 3
    assert names_in(tmp_path) == ["script.py.mako"]


@pytest.mark.parametrize("call", ["fsync", "link"])
def test_a_full_disk_leaves_nothing_behind(call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(AsyncmigError, match="No space left on device"):
        write(NewRevision("a1"), tmp_path, name="2026/a1.py")
    assert names_in(tmp_path) == ["script.py.mako"]


def test_a_file_system_without_hard_links_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    path = write(NewRevision("a1"), tmp_path)
    assert names_in(path.parent) == ["a1.py"]
    with pytest.raises(ScriptError, match="already"):
        write(NewRevision("a1"), tmp_path)


@pytest.mark.parametrize(
    ("template", "line", "words"),
    [
        ("${nobody}\n", None, "'nobody'"),
        ("revision = 'a1'\n% if x:\n", None, "malformed"),
        ("\n\n${1 / 0}\n", 3, "ZeroDivisionError"),
        ("revision = 'zz'\ndown_revision = None\n", None, "`revision`"),
        ("revision = 'a1'\ndown_revision = None\n", None, "`branch_labels`"),
        ("revision = 'a1'\ndef (\n", None, "not a script"),
        ("revision = str('a1')\n", None, "not a script"),
    ],
)
def test_a_template_that_writes_no_script_is_named(template: str, line: int | None, words: str, tmp_path: Path) -> None:
    with pytest.raises(TemplateError) as caught:
        write(NewRevision("a1", branch_labels=("shop",)), tmp_path, template)
    assert words in str(caught.value)
    assert "script.py.mako" in str(caught.value)
    if line:
        assert caught.value.line == line
    assert not (tmp_path / "versions").exists()


def test_a_missing_template_says_where_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="asyncmig init"):
        write_revision(
            NewRevision("a1"), template=tmp_path / "x.mako", location=tmp_path, name="a1.py", created=CREATED
        )


GRAPH = RevisionGraph.build([Revision("a1", branch_labels=("shop",))])


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (NewRevision("a-1"), "may not contain '-'"),
        (NewRevision(""), "may not be empty"),
        (NewRevision("head"), "cannot be a revision id"),
        (NewRevision("a/b"), "cannot be a revision id"),
        (NewRevision("a b"), "cannot be a revision id"),
        (NewRevision("a1"), "in use"),
        (NewRevision("shop"), "in use"),
        (NewRevision("x" * 33), "33 characters"),
        (NewRevision("b2", branch_labels=("shop",)), "'shop' is in use"),
        (NewRevision("b2", branch_labels=("x@y",)), "may not contain '@'"),
        (NewRevision("b2", branch_labels=("base",)), "cannot be a branch label"),
    ],
)
def test_an_id_or_label_that_cannot_serve_is_refused(new: NewRevision, words: str) -> None:
    with pytest.raises(RevisionError) as caught:
        check_new(new, GRAPH, max_id_length=32)
    assert words in str(caught.value)


def test_a_new_id_serves() -> None:
    check_new(NewRevision(new_identifier(), branch_labels=("users",)), GRAPH)
    assert len(new_identifier()) == 12


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (None, "2026-01-01 00:00:00"),
        ("utc", "2026-01-01 00:00:00+00:00"),
        ("Europe/Berlin", "2026-01-01 01:00:00+01:00"),
        ("est5edt", "2025-12-31 19:00:00-05:00"),
    ],
)
def test_the_date_is_in_the_zone_asked_for(zone: str | None, expected: str) -> None:
    def clock(zone: tzinfo | None) -> datetime:
        return datetime(2026, 1, 1, 0, 0, 0, 999, tzinfo=zone)

    assert str(create_date(zone, clock)) == expected


@pytest.mark.parametrize("zone", ["Nowhere/Land", "../etc/passwd", ""])
def test_an_unknown_zone_is_a_configuration_error(zone: str) -> None:
    with pytest.raises(ConfigError, match="time zone"):
        create_date(zone)
