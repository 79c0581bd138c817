"""A project folder for a test: configuration, env.py and revision scripts from short texts, and the real command run in it."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncmig.migrator import Migrator

COMMAND = Path(sysconfig.get_path("scripts")) / ("asyncmig.exe" if sys.platform == "win32" else "asyncmig")
STARTED: list["subprocess.Popen[str]"] = []
"""The commands that `Project.start` has started and nobody has ended yet."""


def end_started() -> None:
    """Kills what a test that failed left running: its pipes would be another test's warning, its locks another's wait."""
    while STARTED:
        with STARTED.pop() as process:
            if process.poll() is None:
                process.kill()


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command left: exit code and both streams."""

    code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    def expect(self, code: int = 0) -> "Finished":
        """This, if the exit code is the expected one; else an AssertionError that shows the streams."""
        assert self.code == code, (
            f"exit code {self.code}, expected {code}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        )
        return self


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with asyncmig.toml and migrations/versions/. The methods that write return the project, so that they chain."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> "Project":
        (folder / "migrations" / "versions").mkdir(parents=True)
        return cls(folder).config()

    @property
    def versions(self) -> Path:
        return self.folder / "migrations" / "versions"

    @property
    def config_file(self) -> Path:
        return self.folder / "asyncmig.toml"

    def config(self, **keys: object) -> "Project":
        """Writes asyncmig.toml: script_location and these keys. Values are str, bool, int, list of str, or a dict of them."""
        values = {"script_location": "migrations", **keys}
        plain = [f"{key} = {_toml(value)}" for key, value in values.items() if not isinstance(value, dict)]
        nested = [
            f"\n[asyncmig.{key}.{name}]\n" + "\n".join(f"{inner} = {_toml(value)}" for inner, value in entry.items())
            for key, table in values.items()
            if isinstance(table, dict)
            for name, entry in table.items()
        ]
        self.config_file.write_text("\n".join(["[asyncmig]", *plain, *nested, ""]), encoding="utf-8")
        return self

    def file(self, path: str, text: str) -> "Project":
        """Writes a file of the project, indentation of the text taken away."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(dedent(text), encoding="utf-8")
        return self

    def env(self, text: str) -> "Project":
        return self.file("migrations/env.py", text)

    def revision(
        self,
        revision: str,
        down: str | tuple[str, ...] | None = None,
        *,
        upgrade: str = "pass",
        downgrade: str | None = "pass",
        message: str = "",
        labels: str | Sequence[str] | None = None,
        depends_on: str | Sequence[str] | None = None,
        before: str = "",
    ) -> "Project":
        """Writes a script `<revision>_<message>.py`.

        `upgrade` and `downgrade` are the bodies; "async def ..." texts are taken as whole functions; None leaves the function out.
        `before` is module-level code after the imports (sa and op are imported).
        """
        header = f"revision = {revision!r}\ndown_revision = {down!r}\nbranch_labels = {labels!r}\ndepends_on = {depends_on!r}\n"
        body = "\n\n".join(
            part for part in (dedent(before), _function("upgrade", upgrade), _function("downgrade", downgrade)) if part
        )
        docstring = f'"""{message or revision}\n\nRevision ID: {revision}\n"""\n'
        name = f"{revision}_{(message or 'revision').replace(' ', '_')}.py"
        return self.script(name, f"{docstring}import sqlalchemy as sa\nfrom asyncmig import op\n\n{header}\n\n{body}\n")

    def script(self, name: str, text: str) -> "Project":
        """Writes a file of versions/ as it is."""
        (self.versions / name).write_text(text, encoding="utf-8")
        return self

    def run(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        timeout: float = 150,
        folder: Path | None = None,
    ) -> Finished:
        """Runs the installed `asyncmig` command in the folder, as a user would; no terminal."""
        done = subprocess.run(
            [str(COMMAND), *arguments],
            cwd=folder or self.folder,
            env=_environment(env),
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """Starts the command and returns at once: for races, signals and kills. The caller waits for it."""
        started = subprocess.Popen(
            [str(COMMAND), *arguments],
            cwd=self.folder,
            env=_environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        STARTED.append(started)
        return started

    def migrator(self, **options: Any) -> "Migrator":
        """A Migrator of this project's configuration."""
        from asyncmig import Migrator

        return Migrator(self.config_file, **options)


def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    # 100 columns: the width of a terminal must not decide how a message is wrapped.
    return {**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8", **(extra or {})}


def _function(name: str, body: str | None) -> str:
    if body is None:
        return ""
    text = dedent(body).strip()
    if text.startswith(("async def ", "def ")):
        return text
    return f"def {name}() -> None:\n{indent(text, '    ')}"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, int | float):
        return str(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
