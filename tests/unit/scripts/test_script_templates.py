"""`init`: the files of a template, none of them in place of another."""

from pathlib import Path

import pytest

from asyncmig.errors import TemplateError, UsageError
from asyncmig.scripts.templates import init_directory, list_templates, template_files, templates_root

VARIABLES = {"script_location": "migrations", "package": "shop"}


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_template_has_a_name_and_a_line_that_describes_it() -> None:
    described = dict(list_templates())
    assert {"async", "multidb", "pyproject", "quickstart"} <= set(described)
    assert all(described.values())


@pytest.mark.parametrize("template", ["async", "multidb", "pyproject", "quickstart"])
def test_a_template_is_written_whole(template: str, tmp_path: Path) -> None:
    written = init_directory(template, tmp_path / "new", variables=VARIABLES)
    assert {str(path.relative_to(tmp_path / "new")) for path in written} == set(tree(tmp_path / "new"))
    assert not [path for path in written if path.suffix == ".mako" and path.name != "script.py.mako"]
    assert (tmp_path / "new" / "migrations" / "env.py").is_file()


def test_script_templates_and_ordinary_files_are_copied_as_they_are(tmp_path: Path) -> None:
    init_directory("async", tmp_path, variables=VARIABLES)
    for name in ("script.py.mako", "env.py"):
        source = templates_root() / "async" / "migrations" / name
        assert (tmp_path / "migrations" / name).read_bytes() == source.read_bytes()


def test_the_migrations_folder_may_have_another_name(tmp_path: Path) -> None:
    init_directory("async", tmp_path, migrations="db/history", variables={**VARIABLES, "script_location": "db/history"})
    assert (tmp_path / "db" / "history" / "env.py").is_file()
    assert not (tmp_path / "migrations").exists()


@pytest.mark.parametrize("obstacle", ["asyncmig.toml", "migrations/env.py", "migrations"])
def test_what_is_in_the_way_is_named_and_nothing_is_written(obstacle: str, tmp_path: Path) -> None:
    (tmp_path / obstacle).parent.mkdir(exist_ok=True)
    (tmp_path / obstacle).write_text("precious")
    before = tree(tmp_path)
    with pytest.raises(UsageError) as caught:
        init_directory("async", tmp_path, variables=VARIABLES)
    assert obstacle in caught.value.message
    assert tree(tmp_path) == before


def test_other_files_of_a_project_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("precious")
    init_directory("async", tmp_path, variables=VARIABLES)
    assert (tmp_path / "main.py").read_text() == "precious"


def test_a_destination_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(UsageError, match="is a file"):
        init_directory("async", tmp_path / "file", variables=VARIABLES)


def test_a_failure_in_the_middle_takes_back_what_was_written(tmp_path: Path) -> None:
    with pytest.raises(TemplateError):
        init_directory("async", tmp_path, variables={})
    assert tree(tmp_path) == {}


@pytest.mark.parametrize(
    ("name", "words"), [("asink", "Did you mean async"), ("zzz", "multidb"), ("../templates", "no")]
)
def test_an_unknown_template_is_named_with_the_nearest(name: str, words: str) -> None:
    with pytest.raises(TemplateError) as caught:
        template_files(name)
    assert words in str(caught.value)
