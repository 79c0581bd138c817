"""A script is fixed when its text alone says what it does, wherever and whenever it runs."""

import ast

import pytest

from asyncmig.scripts.fixed import fixed_functions

HEAD = """\"\"\"create account\"\"\"
from typing import Sequence, Union
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from asyncmig import op

revision: str = "a1"
down_revision: Union[str, None] = None
branch_labels = depends_on = None


"""

FIXED = {
    "a table": """op.create_table("account", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(50)))""",
    "what comes with it": """op.create_table("a", sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(["b"], ["b.id"], name=op.f("fk")), sqlite_autoincrement=True)
    op.create_index(op.f("ix"), "a", ["b", sa.text("lower(c)")], unique=False, postgresql_where=sa.text("c > -1"))""",
    "a dialect's type": """op.add_column("a", sa.Column("b", postgresql.JSONB(astext_type=sa.Text()), nullable=True))""",
    "nothing": """pass""",
    "a docstring": """\"\"\"nothing yet\"\"\"""",
}
CHANGING = {
    "raw SQL may hold anything, and is not DDL": """op.execute("UPDATE account SET name = 'x'")""",
    "a condition": """if op.get_context().dialect.name == "sqlite":
        op.drop_table("account")""",
    "a loop": """for name in ("a", "b"):
        op.drop_table(name)""",
    "the clock": """op.add_column("a", sa.Column("b", sa.String, server_default=str(__import__("time").time())))""",
    "a call of one's own": """op.drop_table(name())""",
    "a name of the module": """op.drop_table(revision)""",
    "a name of a function": """name = "a"
    op.drop_table(name)""",
    "the connection": """op.get_bind().execute(sa.text("SELECT 1"))""",
    "a batch, which reads the table": """with op.batch_alter_table("a") as batch:
        batch.drop_column("b")""",
    "a method of what was made": """op.create_check_constraint("c", "a", sa.column("x").in_(values))""",
    "an f-string": """op.drop_table(f"a{1}")""",
    "unpacking": """op.create_table("a", *columns)""",
    "awaiting": """await op.connection()""",
    "a value that is kept": """table = op.create_table("a", sa.Column("id", sa.Integer))""",
    "a value that is given back": """return op.drop_table("a")""",
    "a comprehension": """op.create_index("ix", "a", [x for x in ("b", "c")])""",
    "a lambda": """op.create_table("a", sa.Column("id", sa.Integer, default=lambda: 1))""",
}
HEADS = {
    "op of somebody else's": HEAD.replace("from asyncmig import op", "from shop.migrations import op"),
    "op bound twice": HEAD + "from shop import op\n",
    "sa bound again": HEAD + "sa = None\n",
    "sa that is something else": HEAD.replace("import sqlalchemy as sa", "import shop as sa"),
    "work at the top level": HEAD + "import os\nos.environ['x'] = '1'\n",
    "a condition at the top level": HEAD + "if True:\n    import sqlalchemy as sa\n",
    "a function of the same name": HEAD + "def upgrade():\n    pass\n\n\n",
    "a name called": HEAD + "now = str(1)\n",
    "a relative import": HEAD.replace("from asyncmig import op", "from .asyncmig import op"),
    "a star": HEAD.replace("import sqlalchemy as sa", "from sqlalchemy import *"),
}


def is_fixed(source: bytes, name: str) -> bool:
    return name in fixed_functions(ast.parse(source))


def script(body: str, head: str = HEAD, definition: str = "def upgrade():") -> bytes:
    return f"{head}{definition}\n    {body}\n\n\ndef downgrade():\n    pass\n".encode()


@pytest.mark.parametrize("case", FIXED)
def test_directives_on_literals_are_fixed(case: str) -> None:
    assert is_fixed(script(FIXED[case]), "upgrade")


@pytest.mark.parametrize("case", CHANGING)
def test_whatever_may_change_is_not(case: str) -> None:
    assert not is_fixed(script(CHANGING[case]), "upgrade")


@pytest.mark.parametrize("case", HEADS)
def test_the_top_level_has_to_be_plain_too(case: str) -> None:
    assert not is_fixed(script(FIXED["a table"], HEADS[case]), "upgrade")


@pytest.mark.parametrize(
    "definition", ["async def upgrade():", "def upgrade(engine_name):", "@sa.text\ndef upgrade():"]
)
def test_the_function_takes_nothing_and_is_what_it_says(definition: str) -> None:
    assert not is_fixed(script(FIXED["a table"], definition=definition), "upgrade")


def test_each_direction_is_judged_by_itself() -> None:
    source = script(CHANGING["a loop"])
    assert not is_fixed(source, "upgrade")
    assert is_fixed(source, "downgrade")
    assert not is_fixed(source, "sideways")


def test_a_script_written_for_alembic_is_as_good() -> None:
    assert is_fixed(script(FIXED["a table"], HEAD.replace("from asyncmig", "from alembic")), "upgrade")
