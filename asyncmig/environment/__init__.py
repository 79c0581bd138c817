"""What migrations/env.py declares, how it is loaded, and which database it means."""

from asyncmig.environment.context import Context, parse_x
from asyncmig.environment.environment import Environment
from asyncmig.environment.load import load_environment
from asyncmig.environment.paths import env_py, import_path
from asyncmig.environment.target import ResolvedTarget, resolve_target

__all__ = [
    "Context",
    "Environment",
    "ResolvedTarget",
    "env_py",
    "import_path",
    "load_environment",
    "parse_x",
    "resolve_target",
]
