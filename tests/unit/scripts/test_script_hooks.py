"""Post-write hooks: real commands on a real file."""

import sys
from pathlib import Path

import pytest

from asyncmig.config.keys import PostWriteHook
from asyncmig.errors import AsyncmigError, UsageError
from asyncmig.scripts.hooks import hook_command, run_hooks


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "with space" / "a1.py"
    path.parent.mkdir()
    path.write_text("x = 1\n")
    return path


def test_hooks_run_in_order_on_the_file(script: Path, tmp_path: Path) -> None:
    append = tmp_path / "append.py"
    append.write_text("import sys; open(sys.argv[2], 'a').write(sys.argv[1] + chr(10))\n")
    hooks = [
        PostWriteHook(word, "exec", sys.executable, f"{append} {word} REVISION_SCRIPT_FILENAME")
        for word in ("one", "two")
    ]
    run_hooks(hooks, script)
    assert script.read_text() == "x = 1\none\ntwo\n"


def test_a_module_runs_with_the_file_first_when_no_token_says_otherwise(script: Path) -> None:
    hook = PostWriteHook("compile", "module", "py_compile", "")
    assert hook_command(hook, script) == [sys.executable, "-m", "py_compile", str(script)]
    run_hooks([hook], script)
    assert (script.parent / "__pycache__").is_dir()


def test_options_without_the_token_follow_the_file(script: Path) -> None:
    hook = PostWriteHook("format", "exec", "tool", "-l 79 --quiet")
    assert hook_command(hook, script) == ["tool", str(script), "-l", "79", "--quiet"]


def test_the_token_may_be_part_of_an_option(script: Path) -> None:
    hook = PostWriteHook("format", "exec", "tool", "--file=REVISION_SCRIPT_FILENAME 'a b'")
    assert hook_command(hook, script) == ["tool", f"--file={script}", "a b"]


def test_a_console_script_runs_in_this_environment(script: Path) -> None:
    run_hooks([PostWriteHook("version", "console_scripts", "pytest", "--version REVISION_SCRIPT_FILENAME")], script)


def test_a_hook_runs_in_its_folder(script: Path, tmp_path: Path) -> None:
    hook = PostWriteHook(
        "touch", "exec", sys.executable, "-c \"open('here', 'w')\" REVISION_SCRIPT_FILENAME", str(tmp_path)
    )
    run_hooks([hook], script)
    assert (tmp_path / "here").exists()


@pytest.mark.parametrize(
    ("hook", "error", "words"),
    [
        (PostWriteHook("h", "exec", "asyncmig-no-such-tool"), UsageError, "asyncmig-no-such-tool"),
        (PostWriteHook("h", "module", "asyncmig_no_such_module"), UsageError, "asyncmig_no_such_module"),
        (PostWriteHook("h", "module", "asyncmig_no_such.module"), UsageError, "asyncmig_no_such.module"),
        (PostWriteHook("h", "console_scripts", "asyncmig-no-such-script"), UsageError, "asyncmig-no-such-script"),
        (
            PostWriteHook(
                "h", "exec", sys.executable, "-c \"raise SystemExit('cannot parse')\" REVISION_SCRIPT_FILENAME"
            ),
            AsyncmigError,
            "ended with exit code 1: cannot parse",
        ),
    ],
)
def test_a_hook_that_fails_says_that_the_file_is_there(
    hook: PostWriteHook, error: type[AsyncmigError], words: str, script: Path
) -> None:
    with pytest.raises(error) as caught:
        run_hooks([hook], script)
    assert f"{script} was written, but the post-write hook 'h'" in caught.value.message
    assert words in str(caught.value)
    assert script.exists()
