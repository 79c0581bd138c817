"""What the repository promises about itself: its top level, the commands of the README, links, and what is never in it."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP_LEVEL = {
    ".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "README.md", "asyncmig", "benchmarks", "docker-compose.yml", "docs",
    "pyproject.toml", "templates", "tests",
}  # fmt: skip
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Spelled in two parts, or this file would be its own finding.
NEVER = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "test.py" + "pi",
    "npm" + "js.",
    "conda-" + "forge",
    "proxy.go" + "lang",
]


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_the_top_level_holds_little() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP_LEVEL


@pytest.mark.parametrize("name", ["main", "tests"])
def test_the_readme_shows_the_command_once(name: str) -> None:
    blocks = re.findall(rf"<!-- command: {name} -->\n```bash\n(.+?)\n```", README, re.DOTALL)
    assert len(blocks) == 1
    assert "\n" not in blocks[0], "one command is one line"


def test_the_check_script_runs_the_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "readme_command tests" in script
    assert "pytest" in re.findall(r"<!-- command: tests -->\n```bash\n(.+?)\n```", README)[0]


def test_links_between_pages_lead_somewhere() -> None:
    pages = [path for path in tracked() if path.suffix == ".md"]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_no_tracked_file_names_a_registry_host_or_a_path_of_one_machine() -> None:
    never = re.compile("|".join([*map(re.escape, NEVER), r"(?<![\w.])/(?:home/\w+|root|work)/\w"]))
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in tracked()
        if path.suffix not in {".png", ".db"}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if never.search(line)
    ]
    assert found == []


def test_no_test_folder_is_a_package() -> None:
    assert [path for path in tracked() if path.name == "__init__.py" and path.is_relative_to(ROOT / "tests")] == []
