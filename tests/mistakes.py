"""What the tests of bad input share: the ids of the project in the fixture `shop`, its files, and what a message must be."""

from projects import Finished, Project

FIRST, SECOND, THIRD = "433af9f41996", "9c1d2e3f4a5b", "433afbbbcccc"
SECRET = "s3cret-0f-ann"


def files(project: Project) -> dict[str, bytes]:
    """Every file of the project; the database's bytes among them."""
    return {
        str(path.relative_to(project.folder)): path.read_bytes()
        for path in sorted(project.folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def check_words(done: Finished, words: tuple[str, ...]) -> None:
    """One paragraph: no traceback, no password, whole sentences, and what the case wants said."""
    assert done.stdout == ""
    *before, last = done.stderr.splitlines()
    assert last.startswith("error: ")
    assert not [
        line
        for line in before
        if not line.startswith(("Database ", "warning: ", "upgrade ", "downgrade ", "The downgrade", "  - "))
    ]
    assert last.endswith((".", "?"))
    assert not [
        ugly
        for ugly in ("..", "?.", ": .", " .", "defect", "unexpected", "None", "Traceback")
        if ugly in last.replace("...", "")
    ]
    assert SECRET not in done.output
    assert [word for word in words if word not in last] == [], last
