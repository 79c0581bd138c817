"""What docs/quickstart.md tells its reader to type, typed."""

import re
from pathlib import Path

from projects import Project
from servers import columns, sqlite_url

PAGE = (Path(__file__).parents[2] / "docs" / "quickstart.md").read_text(encoding="utf-8")


def test_the_quickstart_page_is_true(empty: Project) -> None:
    commands = re.findall(r"^    asyncmig (.+?)(?:  +#.*)?$", PAGE, re.MULTILINE)
    assert commands[:2] == ["init -t quickstart shop", "upgrade head"]
    empty.run(*commands[0].split()).expect()
    shop = Project(empty.folder / "shop")
    shop.run(*commands[1].split()).expect()
    models = shop.folder / "app" / "models.py"
    (stock,) = re.findall(r"^    stock: .*\n", PAGE, re.MULTILINE)
    models.write_text(re.sub(r"^    created_at:", f"{stock}    created_at:", models.read_text(), flags=re.MULTILINE))
    assert commands[2] == 'revision --autogenerate -m "add stock to item"'
    path = shop.folder / shop.run("revision", "--autogenerate", "-m", "add stock to item").expect().stdout.strip()
    (bodies,) = re.findall(r"^    def upgrade.*?^        op\.drop_column.*?$", PAGE, re.MULTILINE | re.DOTALL)
    assert path.read_text().endswith(re.sub("^    ", "", bodies, flags=re.MULTILINE) + "\n")
    for command in commands[3:6]:
        shop.run(*command.split()).expect()
    database = sqlite_url(shop.folder / "items.db")
    assert columns(database, "item")[-1] == "stock"
    assert commands[6] == "downgrade -1"
    shop.run("downgrade", "-1", "--yes").expect()
    assert columns(database, "item")[-1] == "created_at"
    for command in commands[-2:]:
        folder = empty.folder / command.split()[-2]
        folder.mkdir()
        empty.run(*command.split(), folder=folder).expect()
