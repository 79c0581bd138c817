"""Commands that run on each new script: formatters and the like."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import assert_never

from asyncmig.config.keys import PostWriteHook
from asyncmig.errors import AsyncmigError, UsageError

__all__ = ["SCRIPT_TOKEN", "hook_command", "run_hooks"]

SCRIPT_TOKEN = "REVISION_SCRIPT_FILENAME"


def run_hooks(hooks: Sequence[PostWriteHook], path: Path) -> None:
    """Run the hooks in order on a script that is written already.

    A hook that cannot be found or fails ends the row: the error says that the file is there, and what the hook said.
    What hooks print is theirs to lose when they succeed: stdout carries results only.
    """
    for hook in hooks:
        _run(hook, path)


def hook_command(hook: PostWriteHook, path: Path) -> list[str]:
    """The command line of a hook. UsageError when its entry point or module is not installed."""
    options = hook.options if SCRIPT_TOKEN in hook.options else f"{SCRIPT_TOKEN} {hook.options}"
    arguments = [word.replace(SCRIPT_TOKEN, str(path)) for word in shlex.split(options, posix=sys.platform != "win32")]
    match hook.type:
        case "exec":
            return [hook.target, *arguments]
        case "module":
            return [sys.executable, "-m", _installed_module(hook), *arguments]
        case "console_scripts":
            return [sys.executable, "-c", _entry_point(hook), *arguments]
        case _:
            assert_never(hook.type)


def _installed_module(hook: PostWriteHook) -> str:
    from importlib.util import find_spec

    try:
        found = find_spec(hook.target)
    except (ImportError, ValueError):
        found = None
    if found is None:
        raise UsageError(f"There is no module {hook.target!r}.", hint="Install it, or correct post_write_hooks.")
    return hook.target


def _entry_point(hook: PostWriteHook) -> str:
    from importlib.metadata import entry_points

    for entry in entry_points(group="console_scripts", name=hook.target):
        return f"import sys, {entry.module}; sys.exit({entry.module}.{entry.attr}())"
    raise UsageError(
        f"There is no console script {hook.target!r} in this environment.",
        hint="Install it, or correct post_write_hooks.",
    )


def _run(hook: PostWriteHook, path: Path) -> None:
    said = f"{path} was written, but the post-write hook {hook.name!r}"
    try:
        command = hook_command(hook, path)
    except UsageError as error:
        raise UsageError(f"{said} cannot run: {error.message}", hint=error.hint) from error
    try:
        done = subprocess.run(command, cwd=hook.cwd, capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise UsageError(
            f"{said} cannot run: {command[0]}: {error.strerror}.", hint="Install it, or correct post_write_hooks."
        ) from error
    if done.returncode:
        output = (done.stderr.strip() or done.stdout.strip()).splitlines()
        last = f": {output[-1]}" if output else "."
        raise AsyncmigError(
            f"{said} ended with exit code {done.returncode}{last}", hint="The file is as the hook left it."
        )
