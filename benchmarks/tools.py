"""The same project for both tools: folder, configuration, env.py and scripts, written from one description.

Each tool writes its own env.py, from its async template; only the URL (and Alembic's transaction_per_migration, which
is what asyncmig does by default) is changed.
"""

import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.shapes import Node

SCRIPTS = Path(sysconfig.get_path("scripts"))


@dataclass(frozen=True, slots=True)
class Tool:
    """One of the two tools and its project in `folder`."""

    name: str
    folder: Path

    def command(self, *arguments: str) -> list[str]:
        """The installed console script with these arguments."""
        return [str(SCRIPTS / self.name), *arguments]

    def run(self, *arguments: str) -> None:
        """Runs a command that is not measured."""
        done = subprocess.run(self.command(*arguments), cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{self.name} {' '.join(arguments)}: {done.stdout}{done.stderr}")

    @property
    def versions(self) -> Path:
        return self.folder / "migrations" / "versions"

    def use(self, url: str) -> None:
        """Writes the database's URL into the configuration."""
        if self.name == "alembic":
            ini = self.folder / "alembic.ini"
            text = re.sub(r"(?m)^sqlalchemy\.url = .*$", lambda _: f"sqlalchemy.url = {url}", ini.read_text())
            ini.write_text(text)
        else:
            (self.folder / "asyncmig.toml").write_text(f'[asyncmig]\nscript_location = "migrations"\nurl = "{url}"\n')


def both(folder: Path, nodes: Iterable[Node], url: str, *, body: str = "pass") -> tuple[Tool, Tool]:
    """Alembic's project and ours, each in a folder of its own. `body` is that of every upgrade(); {number} is the revision's."""
    described = list(nodes)
    tools = Tool("alembic", folder / "alembic"), Tool("asyncmig", folder / "asyncmig")
    for tool in tools:
        tool.folder.mkdir(parents=True)
        tool.run("init", "-t", "async", "migrations")
        tool.use(url)
        for node in described:
            path = tool.versions / f"{node.id}_revision_{node.number}.py"
            path.write_text(_script(node, tool.name, body.format(number=node.number)))
    _one_transaction_a_revision(tools[0])
    return tools


def _one_transaction_a_revision(alembic: Tool) -> None:
    env = alembic.folder / "migrations" / "env.py"
    before = "context.configure(connection=connection, target_metadata=target_metadata)"
    after = before.replace(")", ", transaction_per_migration=True)")
    text = env.read_text()
    if before not in text:
        raise SystemExit("Alembic's async template is not what this benchmark knows")
    env.write_text(text.replace(before, after))


def _script(node: Node, module: str, body: str) -> str:
    down: object = node.parents if len(node.parents) > 1 else (node.parents[0] if node.parents else None)
    return f'''"""revision {node.number}

Revision ID: {node.id}
Revises: {", ".join(node.parents)}
Create Date: 2026-01-01 12:00:00

"""
from typing import Sequence, Union

from {module} import op
import sqlalchemy as sa


# revision identifiers
revision: str = {node.id!r}
down_revision: Union[str, Sequence[str], None] = {down!r}
branch_labels: Union[str, Sequence[str], None] = {node.label!r}
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    {body}


def downgrade() -> None:
    """Downgrade schema."""
    pass
'''


def machine() -> str:
    """One line about what was measured with."""
    import os
    from importlib.metadata import version

    names = ("alembic", "sqlalchemy", "asyncpg", "aiosqlite")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return f"Python {sys.version.split()[0]}, {versions}, {os.cpu_count()} cores"
