"""What the environment may change."""

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    database_url: str


def get_settings() -> Settings:
    default = f"sqlite+aiosqlite:///{(PROJECT / 'items.db').as_posix()}"
    return Settings(database_url=os.environ.get("DATABASE_URL", default))
