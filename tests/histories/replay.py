"""Moves the project in the working directory with one of the two tools: `replay.py alembic|asyncmig upgrade|downgrade REV URL`.

Runs with the Python that has the history's packages. Ends with 1 when the tool failed, the error as the last line of stderr.
"""

import asyncio
import logging
import sys
import warnings


def alembic(direction: str, revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    getattr(command, direction)(Config("alembic.ini"), revision)


async def asyncmig(direction: str, revision: str, url: str) -> None:
    from asyncmig import Migrator

    async with Migrator("asyncmig.toml", url=url) as migrator:
        await getattr(migrator, direction)(revision)


def main() -> int:
    tool, direction, revision, url = sys.argv[1:]
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    try:
        if tool == "alembic":
            alembic(direction, revision)
        else:
            asyncio.run(asyncmig(direction, revision, url))
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        print(f"{type(error).__name__}: {lines[0]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
