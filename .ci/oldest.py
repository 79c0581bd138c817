"""Prints a pip constraint for the lower bound of every run-time dependency and extra of a pyproject.toml."""

import re
import sys
import tomllib
from pathlib import Path


def lower_bounds(pyproject: Path) -> list[str]:
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    requirements = [*project["dependencies"], *(requirement for extra in extras for requirement in extra)]
    bounds = (re.match(r"([\w.-]+)(?:\[.*?\])?>=([\w.]+)", requirement) for requirement in requirements)
    return [f"{bound[1]}=={bound[2]}" for bound in bounds if bound]


if __name__ == "__main__":
    print("\n".join(lower_bounds(Path(sys.argv[1]))))
