"""What the version trees of public projects contain: each trait is a small project, moved by Alembic and by asyncmig, and the databases compared.

Alembic runs in this very process with a synchronous driver, before and after asyncmig, so that helpers are shared by both.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest
import sqlalchemy as sa
from both_tools import reflected

from asyncmig import Migrator

pytest.importorskip("alembic")

ALEMBIC_ENV = """
    import sqlalchemy as sa
    from alembic import context

    {metadata}

    engine = sa.create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata, tenant="acme", transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
"""
OUR_ENV = """
    import sqlalchemy as sa
    from asyncmig import Environment

    {metadata}

    environment = Environment(target_metadata=target_metadata, options={{"tenant": "acme"}})
"""
CONVENTION = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
PARENT = """
    op.create_table("parent", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20)))
    op.execute("insert into parent (id, name) values (1, 'one'), (2, 'two')")
"""
CHILD = """
    op.create_table("child", sa.Column("id", sa.Integer, primary_key=True), sa.Column("parent_id", sa.Integer),
                    sa.Column("n", sa.Integer), sa.Column("code", sa.String(10)))
"""


def script(
    revision: str,
    down: str | tuple[str, ...] | None,
    upgrade: str,
    downgrade: str | None = None,
    *,
    header: str = "import sqlalchemy as sa\nfrom alembic import op",
    **more: object,
) -> str:
    """The text of a revision script; without `downgrade` there is no such function."""
    names = {"revision": revision, "down_revision": down, "branch_labels": None, "depends_on": None, **more}
    lines = [f'"""{revision}"""', dedent(header), *(f"{name} = {value!r}" for name, value in names.items())]
    for name, body in (("upgrade", upgrade), ("downgrade", downgrade)):
        if body is not None:
            lines.append(f"\n\ndef {name}():\n{indent(dedent(body).strip() or 'pass', '    ')}")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Trait:
    """`files` are the paths below migrations/versions and their texts; `helpers` those beside the configuration.

    `metadata` is the convention of target_metadata. `base`: whether the scripts can go all the way back. `databases`: where it runs.
    """

    files: dict[str, str]
    helpers: dict[str, str] = field(default_factory=dict)
    convention: dict[str, str] | None = None
    base: bool = True
    recursive: bool = False
    databases: tuple[str, ...] = ("sqlite", "postgresql")


def one(upgrade: str, downgrade: str | None = "pass", **more: Any) -> Trait:
    """A trait of one script behind the tables parent and child."""
    header = more.pop("header", "")
    down = 'op.drop_table("child")\nop.drop_table("parent")'
    return Trait(
        {
            "a.py": script("aaaa", None, dedent(PARENT) + dedent(CHILD), down),
            "b.py": script(
                "bbbb",
                "aaaa",
                upgrade,
                downgrade,
                header="import sqlalchemy as sa\nfrom alembic import op\n" + dedent(header),
            ),
        },
        **more,
    )


def in_batch(body: str, arguments: str = "", **more: Any) -> Trait:
    return one(
        f'with op.batch_alter_table("child"{arguments}) as batch_op:\n{indent(dedent(body).strip(), "    ")}', **more
    )


TRAITS: dict[str, Trait] = {
    # names
    "from_alembic_op_import": one(
        'add_column("parent", sa.Column("x", sa.Integer))\nexecute("update parent set x = 3")',
        'drop_column("parent", "x")',
        header="from alembic.op import add_column, drop_column, execute",
    ),
    "import_alembic_op": one(
        'alembic.op.add_column("parent", sa.Column("x", sa.Integer))\no.create_index("ix_x", "parent", ["x"])',
        'o.drop_index("ix_x", table_name="parent")\nalembic.op.drop_column("parent", "x")',
        header="import alembic.op\nimport alembic.op as o",
    ),
    "helper_imports_op": one(
        'traits_helper.add(op, "parent")\ntraits_helper.note(batch=BatchOperations)',
        'traits_helper.remove("parent")',
        header="import traits_helper\nfrom alembic.operations.base import BatchOperations",
        helpers={
            "traits_helper.py": """
            import sqlalchemy as sa
            from alembic import context, op
            from alembic.op import get_bind

            def add(given, table):
                assert given.get_bind() is not None and get_bind().dialect.name
                assert not context.is_offline_mode()
                op.add_column(table, sa.Column("added", sa.String(5), server_default="x"))

            def note(batch):
                from alembic import op as late
                with late.batch_alter_table("child") as batch_op:
                    assert isinstance(batch_op, batch)
                    batch_op.add_column(sa.Column("note", sa.Text))

            def remove(table):
                op.drop_column(table, "added")
            """
        },
    ),
    "plug_in_directives": one(
        'op.make_log("log_a")',
        'op.drop_table("log_a")',
        header="import traits_plugin",
        helpers={
            "traits_plugin.py": """
            import sqlalchemy as sa
            from alembic.operations import MigrateOperation, Operations

            @Operations.register_operation("make_log")
            class MakeLog(MigrateOperation):
                def __init__(self, name):
                    self.name = name

                @classmethod
                def make_log(cls, operations, name, **kw):
                    return operations.invoke(cls(name, **kw))

            @Operations.implementation_for(MakeLog)
            def make_log(operations, operation):
                operations.create_table(operation.name, sa.Column("line", sa.Text))
            """
        },
    ),
    # context and connection
    "context": one(
        """
        context = op.get_context()
        assert context.opts["tenant"] == "acme" and context.version_table_schema is None and not context.as_sql
        name = "x_" + context.dialect.name
        op.add_column("parent", sa.Column(name, sa.Integer))
        with context.autocommit_block():
            op.execute("update parent set name = 'three' where id = 1")
        op.execute("update parent set name = 'four' where id = 2")
        """,
        'op.drop_column("parent", "x_" + op.get_context().dialect.name)',
    ),
    "orm_session": one(
        """
        session = Session(bind=op.get_bind())
        for row in session.query(Parent).filter(Parent.name != "two"):
            row.name = row.name.upper()
        session.add(Parent(id=3, name="new"))
        session.commit()
        op.add_column("parent", sa.Column("after", sa.Integer))
        """,
        'op.drop_column("parent", "after")',
        header="""
        from sqlalchemy.orm import Session, declarative_base

        Base = declarative_base()

        class Parent(Base):
            __tablename__ = "parent"
            id = sa.Column(sa.Integer, primary_key=True)
            name = sa.Column(sa.String)
        """,
    ),
    "bind": one(
        """
        bind = op.get_bind()
        if "child" in sa.inspect(bind).get_table_names() and not bind.scalar(sa.text("select count(*) from child")):
            bind.exec_driver_sql("insert into child (id, n) values (1, 1)")
        with bind.begin_nested():
            bind.execute(sa.text("insert into child (id, n) values (:i, :n)"), [{"i": 2, "n": 2}, {"i": 3, "n": 3}])
        columns = {c["name"] for c in sa.inspect(bind).get_columns("child")}
        if "extra" not in columns:
            op.add_column("child", sa.Column("extra", sa.Integer))
        bind.execute(sa.text("update child set extra = n"))
        bind.commit()
        """,
        'op.drop_column("child", "extra")',
    ),
    "server_side_cursors": one(
        """
        bind = op.get_bind()
        t = sa.table("parent", sa.column("id"), sa.column("name"))
        for row in bind.execute(sa.select(t.c.id), execution_options={"yield_per": 1}):
            bind.execute(t.update().where(t.c.id == row.id).values(name=f"row {row.id}"))
        left = bind.execute(sa.select(t.c.id), execution_options={"stream_results": True})
        left.fetchone()
        left.close()
        op.add_column("parent", sa.Column("later", sa.Integer))
        """,
        'op.drop_column("parent", "later")',
    ),
    "commit_in_scripts": one(
        'op.execute("COMMIT")\nop.execute("insert into parent (id, name) values (9, \'nine\')")\nop.execute("update parent set name = \'x\'")',
        databases=("postgresql",),
    ),
    # batches
    "batch_always": in_batch(
        'batch_op.add_column(sa.Column("x", sa.Integer, nullable=False, server_default="4"))',
        ', recreate="always"',
        databases=("sqlite",),
    ),
    "batch_copy_from": one(
        """
        table = sa.Table("child", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("parent_id", sa.Integer),
                         sa.Column("n", sa.Integer), sa.Column("code", sa.String(10)))
        with op.batch_alter_table("child", copy_from=table) as batch_op:
            batch_op.alter_column("n", existing_type=sa.Integer(), type_=sa.BigInteger(), nullable=False)
        """
    ),
    "batch_naming_convention": Trait(
        {
            "a.py": script(
                "aaaa",
                None,
                """
                op.create_table("kid", sa.Column("id", sa.Integer, primary_key=True), sa.Column("u", sa.Integer, unique=True),
                                sa.Column("up", sa.Integer, sa.ForeignKey("kid.id")))
                """,
            ),
            "b.py": script(
                "bbbb",
                "aaaa",
                f"""
                names = { {key: CONVENTION[key] for key in ("fk", "uq")}!r}
                with op.batch_alter_table("kid", naming_convention=names) as batch_op:
                    batch_op.drop_constraint("fk_kid_up_kid", type_="foreignkey")
                    batch_op.drop_constraint("uq_kid_u", type_="unique")
                """,
            ),
        },
        base=False,
        databases=("sqlite",),
    ),
    "batch_writes_the_names_of_its_convention": Trait(
        {
            "a.py": script(
                "aaaa",
                None,
                """
                op.create_table("par", sa.Column("id", sa.Integer, primary_key=True))
                op.create_table("kid", sa.Column("id", sa.Integer, primary_key=True), sa.Column("u", sa.Integer, unique=True),
                                sa.Column("up", sa.Integer, sa.ForeignKey("par.id")), sa.Column("x", sa.Integer))
                """,
            ),
            "b.py": script(
                "bbbb",
                "aaaa",
                f"""
                with op.batch_alter_table("kid", naming_convention={CONVENTION!r}) as batch_op:
                    batch_op.alter_column("x", nullable=False)
                """,
            ),
            "c.py": script(
                "cccc",
                "bbbb",
                """
                assert sa.inspect(op.get_bind()).get_pk_constraint("kid")["name"] == "pk_kid"
                with op.batch_alter_table("kid") as batch_op:
                    batch_op.drop_constraint("fk_kid_up_par", type_="foreignkey")
                    batch_op.drop_constraint("uq_kid_u", type_="unique")
                """,
            ),
        },
        base=False,
        databases=("sqlite",),
    ),
    "batch_table_args": in_batch(
        'batch_op.add_column(sa.Column("x", sa.Integer))',
        ', recreate="always", table_args=(sa.UniqueConstraint("code", name="uq_code"), sa.CheckConstraint("n > 0", name="ck_n"))',
        convention=CONVENTION,
        databases=("sqlite",),
    ),
    "batch_table_kwargs": in_batch(
        'batch_op.add_column(sa.Column("x", sa.Integer))',
        ', table_kwargs={"sqlite_autoincrement": True}',
        databases=("sqlite",),
    ),
    "batch_replaces_a_constraint_of_the_same_name": Trait(
        {
            "a.py": script("aaaa", None, PARENT + CHILD, 'op.drop_table("child")\nop.drop_table("parent")'),
            "b.py": script(
                "bbbb",
                "aaaa",
                'with op.batch_alter_table("child") as b:\n    b.create_unique_constraint("uq", ["code"])',
                "pass",
            ),
            "c.py": script(
                "cccc",
                "bbbb",
                'with op.batch_alter_table("child") as b:\n    b.create_unique_constraint("uq", ["code", "n"])',
                "pass",
            ),
        },
        databases=("sqlite",),
    ),
    "batch_drops_what_is_not_there": one(
        """
        try:
            with op.batch_alter_table("child") as batch_op:
                batch_op.drop_constraint("nothing", type_="foreignkey")
        except ValueError:
            op.execute("update parent set name = 'caught'")
        """,
        databases=("sqlite",),
    ),
    "what_a_table_does_nothing_with": one(
        'op.create_table("made", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), None, sa.Column("x", sa.Integer))',
        'op.drop_table("made")',
    ),
    "a_column_in_place_of_its_name": one(
        'op.alter_column("child", sa.Column("n", sa.Integer, nullable=False))\n'
        'with op.batch_alter_table("child") as batch_op:\n    batch_op.alter_column(sa.Column("n", sa.Integer, nullable=False))',
        databases=("postgresql",),
    ),
    "keys_with_use_alter": one(
        """
        op.create_table("egg", sa.Column("id", sa.Integer, primary_key=True), sa.Column("hen", sa.Integer),
                        sa.ForeignKeyConstraint(["hen"], ["hen.id"], name="fk_hen", use_alter=True))
        op.create_table("hen", sa.Column("id", sa.Integer, primary_key=True), sa.Column("egg", sa.Integer, sa.ForeignKey("egg.id")))
        if op.get_bind().dialect.name == "postgresql":
            op.create_foreign_key("fk_hen", "egg", "hen", ["hen"], ["id"])
        """,
        base=False,
    ),
    "batch_drops_a_key_that_went_with_its_column": one(
        """
        with op.batch_alter_table("child") as batch_op:
            batch_op.create_unique_constraint("uq_code", ["n", "code"])
            batch_op.create_foreign_key("fk_parent", "parent", ["parent_id"], ["id"])
        with op.batch_alter_table("child") as batch_op:
            batch_op.drop_column("parent_id")
            batch_op.drop_constraint("fk_parent", type_="foreignkey")
            batch_op.drop_column("code")
            batch_op.drop_constraint("uq_code", type_="unique")
            batch_op.add_column(sa.Column("code", sa.String(10)))
        """,
        databases=("sqlite",),
    ),
    "batch_makes_a_column_anew": one(
        """
        op.create_index("ix_child_code", "child", ["parent_id", "code"])
        with op.batch_alter_table("child") as batch_op:
            batch_op.drop_column("code")
            batch_op.add_column(sa.Column("code", sa.String(10)))
        """,
        databases=("sqlite",),
    ),
    "batch_makes_a_key_column_anew": one(
        """
        with op.batch_alter_table("child") as batch_op:
            batch_op.create_unique_constraint("uq_code", ["n", "code"])
            batch_op.create_foreign_key("fk_parent", "parent", ["parent_id"], ["id"], ondelete="CASCADE")
        with op.batch_alter_table("child") as batch_op:
            batch_op.drop_column("code")
            batch_op.drop_column("parent_id")
            batch_op.add_column(sa.Column("parent_id", sa.Integer))
            batch_op.add_column(sa.Column("code", sa.String(10)))
        """,
        databases=("sqlite",),
    ),
    "keywords_that_alembic_ignores": one(
        'with op.batch_alter_table("child") as batch_op:\n    batch_op.alter_column("n", type_=sa.BigInteger(), default=0, nullable=True)'
    ),
    "parent_key_changes_before_its_foreign_keys": Trait(
        {
            "a.py": script(
                "aaaa",
                None,
                """
                op.create_table("model", sa.Column("name", sa.String(20), nullable=False), sa.PrimaryKeyConstraint("name", name="model_pk"))
                op.create_table("version", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20)),
                                sa.ForeignKeyConstraint(["name"], ["model.name"], name="version_fk"))
                op.execute("insert into model (name) values ('m')")
                op.execute("insert into version (id, name) values (1, 'm')")
                """,
                'op.drop_table("version")\nop.drop_table("model")',
            ),
            "b.py": script(
                "bbbb",
                "aaaa",
                """
                with op.batch_alter_table("model", recreate="always") as batch_op:
                    batch_op.add_column(sa.Column("space", sa.String(20), nullable=False, server_default="d"))
                    batch_op.drop_constraint("model_pk", type_="primary")
                    batch_op.create_primary_key("model_pk", ["space", "name"])
                with op.batch_alter_table("version", recreate="always") as batch_op:
                    batch_op.add_column(sa.Column("space", sa.String(20), nullable=False, server_default="d"))
                    batch_op.drop_constraint("version_fk", type_="foreignkey")
                    batch_op.create_foreign_key("version_fk2", "model", ["space", "name"], ["space", "name"])
                """,
                """
                with op.batch_alter_table("version", recreate="always") as batch_op:
                    batch_op.drop_constraint("version_fk2", type_="foreignkey")
                    batch_op.drop_column("space")
                    batch_op.create_foreign_key("version_fk", "model", ["name"], ["name"])
                with op.batch_alter_table("model", recreate="always") as batch_op:
                    batch_op.drop_constraint("model_pk", type_="primary")
                    batch_op.drop_column("space")
                    batch_op.create_primary_key("model_pk", ["name"])
                """,
            ),
        },
        databases=("sqlite",),
    ),
    # the names of constraints
    "naming_convention_of_the_metadata": one(
        """
        op.create_table("named", sa.Column("id", sa.Integer, primary_key=True), sa.Column("p", sa.Integer, sa.ForeignKey("parent.id")),
                        sa.Column("u", sa.Integer, unique=True), sa.Column("i", sa.Integer, index=True),
                        sa.CheckConstraint("u > 0", name="positive"))
        op.create_unique_constraint(None, "named", ["i"]) if op.get_bind().dialect.name == "postgresql" else None
        """,
        'op.drop_table("named")',
        convention=CONVENTION,
    ),
    # the history
    "branches_and_dependencies": Trait(
        {
            "a.py": script("aaaa", None, PARENT, 'op.drop_table("parent")', branch_labels=("main",)),
            "b.py": script("bbbb", None, CHILD, 'op.drop_table("child")', branch_labels=["other"], depends_on="aaaa"),
            "c.py": script(
                "cccc",
                "aaaa",
                'op.create_table("c", sa.Column("x", sa.Integer))',
                'op.drop_table("c")',
                depends_on=("bbbb",),
            ),
            "d.py": script("dddd", "bbbb", "op.execute('insert into child (id) values (4)')", "pass"),
        }
    ),
    "merged_heads": Trait(
        {
            "a.py": script("aaaa", None, PARENT, 'op.drop_table("parent")'),
            "b.py": script("bbbb", "aaaa", CHILD, 'op.drop_table("child")'),
            "c.py": script("cccc", "aaaa", 'op.create_table("c", sa.Column("x", sa.Integer))', 'op.drop_table("c")'),
            "d.py": script("dddd", ("bbbb", "cccc"), "pass", "pass"),
        }
    ),
    "recursive_folders_and_computed_headers": Trait(
        {
            "2024/a.py": script("aaaa", None, PARENT, 'op.drop_table("parent")'),
            "2025/01/b.py": '"""b"""\nimport sqlalchemy as sa\nfrom alembic import op\n\nrevision = "b" * 4\ndown_revision = "".join(["aa", "aa"])\n'
            'branch_labels = depends_on = None\n\n\ndef upgrade():\n    op.create_table("b", sa.Column("x", sa.Integer))\n\n\n'
            'def downgrade():\n    op.drop_table("b")\n',
        },
        recursive=True,
    ),
    "no_downgrade": Trait({"a.py": script("aaaa", None, PARENT), "b.py": script("bbbb", "aaaa", CHILD)}, base=False),
}
TRAITS["several_statements"] = one(
    'op.execute("""\n    -- a comment; with a semicolon\n    create table one (x text);\n    insert into one values (1);\n'
    '    insert into one values (\';\');\n""")',
    'op.execute("drop table one")',
    databases=("postgresql",),
)
TRAITS["enum_that_has_other_values"] = one(
    """
    sa.Enum("a", "b", name="kind").create(op.get_bind())
    op.add_column("parent", sa.Column("kind", sa.Enum("a", "b", name="kind")))
    op.add_column("child", sa.Column("kind", sa.Enum("a", "b", "c", name="kind")))
    with op.batch_alter_table("parent") as batch_op:
        batch_op.alter_column("kind", type_=sa.Enum("a", "b", "d", name="kind"), existing_type=sa.Enum("a", "b", name="kind"))
    """,
    'op.drop_column("child", "kind")\nop.drop_column("parent", "kind")\nsa.Enum(name="kind").drop(op.get_bind())',
    databases=("postgresql",),
)
TRAITS["table_with_an_enum_that_has_other_values"] = Trait(
    {
        "a.py": script("aaaa", None, 'op.create_table("one", sa.Column("kind", sa.Enum("a", "b", name="kind")))'),
        "b.py": script("bbbb", "aaaa", 'op.create_table("two", sa.Column("kind", sa.Enum("a", "c", name="kind")))'),
    },
    base=False,
    databases=("postgresql",),
)
TRAITS["enum_created_where_the_script_is_imported"] = one(
    'with op.batch_alter_table("parent") as batch_op:\n    batch_op.add_column(sa.Column("kind", KIND))',
    'op.drop_column("parent", "kind")\nKIND.drop(op.get_bind())',
    header="""
    from sqlalchemy.dialects import postgresql

    KIND = postgresql.ENUM("a", "b", name="kind")
    try:
        KIND.create(op.get_bind(), checkfirst=True)
    except NameError:
        pass  # nothing is running
    """,
    databases=("postgresql",),
)
TRAITS["merged_branches_that_run_in_one_order_only"] = Trait(
    {
        "a.py": script("aaaa", None, PARENT, 'op.drop_table("parent")'),
        "b.py": script("bbbb", "aaaa", 'op.rename_table("parent", "elder")', 'op.rename_table("elder", "parent")'),
        "c.py": script(
            "cccc", "aaaa", 'op.add_column("parent", sa.Column("more", sa.Integer))', 'op.drop_column("parent", "more")'
        ),
        "d.py": script("dddd", ("bbbb", "cccc"), "pass", "pass"),
    }
)
CASES = [(name, kind) for name, trait in TRAITS.items() for kind in trait.databases]


@dataclass(frozen=True)
class Project:
    folder: Path
    trait: Trait

    @classmethod
    def create(cls, folder: Path, trait: Trait) -> "Project":
        metadata = f"target_metadata = sa.MetaData(naming_convention={trait.convention!r})"
        files = {
            "migrations/env.py": dedent(ALEMBIC_ENV).format(metadata=metadata),
            "migrations/asyncmig_env.py": dedent(OUR_ENV).format(metadata=metadata),
            "asyncmig.toml": '[asyncmig]\nscript_location = "migrations"\nalembic_compat = true\nversion_table = "alembic_version"\n'
            f"recursive_version_locations = {str(trait.recursive).lower()}\n",
            **{f"migrations/versions/{path}": text for path, text in trait.files.items()},
            **{path: dedent(text) for path, text in trait.helpers.items()},
        }
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        return cls(folder, trait)

    def alembic(self, direction: str, revision: str, url: str) -> None:
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(self.folder / "migrations"))
        config.set_main_option("path_separator", "os")
        config.set_main_option("sqlalchemy.url", synchronous(url).replace("%", "%%"))
        config.set_main_option("recursive_version_locations", str(self.trait.recursive).lower())
        getattr(command, direction)(config, revision)

    async def asyncmig(self, direction: str, revision: str, url: str) -> None:
        async with Migrator(self.folder / "asyncmig.toml", url=url) as migrator:
            await getattr(migrator, direction)(revision)


def synchronous(url: str) -> str:
    return url.replace("+asyncpg", "+psycopg").replace("+aiosqlite", "")


def content(url: str) -> dict[str, Any]:
    """Schema and rows, but for the version table and the journal; without the order of rows."""
    engine = sa.create_engine(synchronous(url), poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        schema = {k: v for k, v in reflected(connection).items() if "alembic_version" not in k}
        names = [name for name in sa.inspect(connection).get_table_names() if not name.startswith("alembic_version")]
        rows = {name: sorted(map(repr, connection.exec_driver_sql(f'select * from "{name}"'))) for name in names}
    engine.dispose()
    return {"schema": schema, "rows": rows}


@pytest.fixture
def helpers_on_path(tmp_path: Path) -> Iterator[None]:
    """The project's folder on sys.path, as the working directory is for the command of either tool."""
    known = set(sys.modules)
    sys.path.insert(0, str(tmp_path))
    yield
    with contextlib.suppress(ValueError):
        sys.path.remove(str(tmp_path))
    for name in [name for name in set(sys.modules) - known if name.startswith("traits_")]:
        del sys.modules[name]


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.node.callspec.params["kind"])


@pytest.mark.parametrize(("name", "kind"), CASES, ids=[f"{name}-{kind}" for name, kind in CASES])
@pytest.mark.usefixtures("helpers_on_path")
@pytest.mark.filterwarnings("ignore")
async def test_both_tools_end_with_the_same_database(
    tmp_path: Path, databases: Callable[[], str], name: str, kind: str
) -> None:
    trait = TRAITS[name]
    project = Project.create(tmp_path, trait)
    theirs, ours = databases(), databases()
    project.alembic("upgrade", "heads", theirs)
    await project.asyncmig("upgrade", "heads", ours)
    assert content(ours) == content(theirs)
    if trait.base:
        await project.asyncmig("downgrade", "base", ours)
        project.alembic("downgrade", "base", theirs)
        assert content(ours) == content(theirs)
