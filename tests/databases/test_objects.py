"""What op has in addition to Alembic's directives, carried out on each database, and undone by its own reverse."""

from collections.abc import Callable
from typing import Any

import pytest
import servers
from projects import Project

from asyncmig.dialects.registry import dialect_for
from asyncmig.errors import Irreversible, MigrationFailed, UnsupportedOperation
from asyncmig.operations.recorder import Recorder, record, replay

pytestmark = pytest.mark.subset

TABLE = """
op.create_table(
    "account",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("email", sa.String(50)),
    sa.CheckConstraint("email <> ''", name="ck_email"),
)
op.create_index("ix_email", "account", ["email"])
op.execute("INSERT INTO account VALUES (1, 'a@b')")
"""
NOTE = 'op.create_function("note", "", "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.email := \'noted\'; RETURN NEW; END $$")'

# by name: which databases, what was there before, the directive, and what a query answers after it
CASES: dict[str, tuple[str, str, str, str, list[tuple[Any, ...]]]] = {
    "rename_column": (
        "both",
        "",
        'op.rename_column("account", "email", "mail")',
        "SELECT mail FROM account",
        [("a@b",)],
    ),
    "rename_index": (
        "postgresql",
        "",
        'op.rename_index("ix_email", "ix_mail")',
        "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'ix%'",
        [("ix_mail",)],
    ),
    "rename_index on SQLite": (
        "sqlite",
        "op.execute('CREATE UNIQUE INDEX ix_lower ON account (lower(email) DESC) /* why */ WHERE id > 0')",
        'op.rename_index("ix_lower", "ix small", table_name="account")',
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND name LIKE 'ix s%'",
        [("ix small", 'CREATE UNIQUE INDEX "ix small" ON account (lower(email) DESC) /* why */ WHERE id > 0')],
    ),
    "rename_constraint": (
        "postgresql",
        "",
        'op.rename_constraint("account", "ck_email", "ck_mail")',
        "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = 'account'::regclass",
        [("ck_mail",)],
    ),
    "rename_constraint on SQLite": (
        "sqlite",
        "op.execute('CREATE TABLE t (a integer CONSTRAINT one CONSTRAINT \"ck_ /* a */\" CHECK (a > 0) -- b\\n, b)')",
        'op.rename_constraint("t", "ck_ /* a */", "ck b")',
        "SELECT sql FROM sqlite_schema WHERE name = 't'",
        [('CREATE TABLE t (a integer CONSTRAINT one CONSTRAINT "ck b" CHECK (a > 0) -- b\n, b)',)],
    ),
    "validate_constraint": (
        "postgresql",
        "op.execute('ALTER TABLE account ADD CONSTRAINT later CHECK (id > 0) NOT VALID')",
        'op.validate_constraint("account", "later")',
        "SELECT convalidated FROM pg_constraint WHERE conname = 'later'",
        [(True,)],
    ),
    "create_sequence": (
        "postgresql",
        "",
        'op.create_sequence("s", start=5, increment=2, minvalue=1, maxvalue=99, cache=3, cycle=True, data_type=sa.SmallInteger)',
        "SELECT start_value, increment_by, min_value, max_value, cache_size, cycle, data_type::text FROM pg_sequences WHERE sequencename = 's'",
        [(5, 2, 1, 99, 3, True, "smallint")],
    ),
    "create_sequence owned": (
        "postgresql",
        "",
        'op.create_sequence("s", owned_by="account.id", if_not_exists=True)',
        "SELECT count(*) FROM pg_depend WHERE objid = 's'::regclass AND refobjid = 'account'::regclass",
        [(1,)],
    ),
    "alter_sequence": (
        "postgresql",
        'op.create_sequence("s", increment=1, cycle=False)',
        'op.alter_sequence("s", increment=7, cycle=True)',
        "SELECT increment_by, cycle FROM pg_sequences WHERE sequencename = 's'",
        [(7, True)],
    ),
    "drop_sequence": (
        "postgresql",
        'op.create_sequence("s", start=3)',
        'op.drop_sequence("s")',
        "SELECT count(*) FROM pg_sequences WHERE sequencename = 's'",
        [(0,)],
    ),
    "create_view": (
        "both",
        "",
        'op.create_view("v", sa.select(sa.table("account", sa.column("email")).c.email).where(sa.text("id = 1")), columns=["mail"])',
        "SELECT mail FROM v",
        [("a@b",)],
    ),
    "create_view if_not_exists": (
        "both",
        'op.create_view("v", "SELECT 1 AS one")',
        'op.create_view("v", "SELECT 2 AS one", if_not_exists=True)',
        "SELECT one FROM v",
        [(1,)],
    ),
    "create_view replace": (
        "both",
        'op.create_view("v", "SELECT 1 AS one")',
        'op.create_view("v", "SELECT 2 AS one; ", replace=True)',
        "SELECT one FROM v",
        [(2,)],
    ),
    "replace_view": (
        "both",
        'op.create_view("v", "SELECT 1 AS one")',
        'op.replace_view("v", "SELECT 2 AS one -- comment")',
        "SELECT one FROM v",
        [(2,)],
    ),
    "replace_view keeps triggers": (
        "sqlite",
        (
            'op.create_view("v", "SELECT id FROM account")\n'
            'op.create_trigger("gate", "v", "INSTEAD OF INSERT", "BEGIN INSERT INTO account VALUES (NEW.id, 1); END")'
        ),
        'op.replace_view("v", "SELECT id, email FROM account")',
        "SELECT tbl_name, sql FROM sqlite_schema WHERE name = 'gate'",
        [("v", "CREATE TRIGGER gate INSTEAD OF INSERT ON v\nBEGIN INSERT INTO account VALUES (NEW.id, 1); END")],
    ),
    "drop_view": (
        "both",
        'op.create_view("v", "SELECT 1 AS one")',
        'op.drop_view("v")\nop.drop_view("w", if_exists=True)\nop.create_view("w", "SELECT 5 AS five")',
        "SELECT five FROM w",
        [(5,)],
    ),
    "materialized view": (
        "postgresql",
        "",
        'op.create_view("v", "SELECT id FROM account", materialized=True, with_data=False)',
        "SELECT relkind::text, relispopulated FROM pg_class WHERE relname = 'v'",
        [("m", False)],
    ),
    "materialized view replaced": (
        "postgresql",
        'op.create_view("v", "SELECT id FROM account", materialized=True)',
        'op.replace_view("v", "SELECT email FROM account", materialized=True)',
        "SELECT email FROM v",
        [("a@b",)],
    ),
    "materialized view dropped": (
        "postgresql",
        'op.create_view("v", "SELECT id FROM account", materialized=True)',
        'op.drop_view("v", materialized=True)',
        "SELECT to_regclass('v')",
        [(None,)],
    ),
    "create_function": (
        "postgresql",
        "",
        'op.create_function("twice", "n integer", "RETURNS integer LANGUAGE sql AS $$ SELECT n * 2; $$;")',
        "SELECT twice(4)",
        [(8,)],
    ),
    "create_function replace": (
        "postgresql",
        'op.create_function("twice", "n integer", "RETURNS integer LANGUAGE sql AS $$ SELECT n $$")',
        'op.create_function("twice", "n integer", "RETURNS integer LANGUAGE sql AS $$ SELECT n * 2 $$", replace=True)',
        "SELECT twice(4)",
        [(8,)],
    ),
    "drop_function": (
        "postgresql",
        'op.create_function("f", "n integer", "RETURNS integer LANGUAGE sql AS $$ SELECT n $$")',
        'op.drop_function("f", "n integer")\nop.drop_function("g", if_exists=True)',
        "SELECT to_regproc('f')",
        [(None,)],
    ),
    "create_trigger": (
        "postgresql",
        NOTE,
        'op.create_trigger("t", "account", "BEFORE UPDATE OF email", "FOR EACH ROW EXECUTE FUNCTION note()")',
        "UPDATE account SET email = 'x' RETURNING email",
        [("noted",)],
    ),
    "create_trigger replace": (
        "postgresql",
        f'{NOTE}\nop.create_trigger("t", "account", "BEFORE INSERT", "FOR EACH ROW EXECUTE FUNCTION note()")',
        'op.create_trigger("t", "account", "BEFORE UPDATE", "FOR EACH ROW EXECUTE FUNCTION note()", replace=True)',
        "UPDATE account SET email = 'x' RETURNING email",
        [("noted",)],
    ),
    "create_trigger on SQLite": (
        "sqlite",
        "",
        (
            'op.create_trigger("t", "account", "AFTER UPDATE OF email", '
            '"BEGIN UPDATE account SET id = id + 1; SELECT CASE WHEN 1 THEN 2 END; END;")'
        ),
        "SELECT sql FROM sqlite_schema WHERE type = 'trigger'",
        [
            (
                (
                    "CREATE TRIGGER t AFTER UPDATE OF email ON account\n"
                    "BEGIN UPDATE account SET id = id + 1; SELECT CASE WHEN 1 THEN 2 END; END"
                ),
            )
        ],
    ),
    "replace and drop_trigger on SQLite": (
        "sqlite",
        'op.create_trigger("t", "account", "AFTER INSERT", "BEGIN SELECT 1; END")',
        'op.create_trigger("t", "account", "AFTER DELETE", "BEGIN SELECT 2; END", replace=True)',
        "SELECT sql FROM sqlite_schema WHERE type = 'trigger'",
        [("CREATE TRIGGER t AFTER DELETE ON account\nBEGIN SELECT 2; END",)],
    ),
    "drop_trigger on SQLite": (
        "sqlite",
        'op.create_trigger("t", "account", "AFTER INSERT", "BEGIN SELECT 1; END")',
        'op.drop_trigger("t", "account")\nop.drop_trigger("u", "account", if_exists=True)',
        "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'",
        [(0,)],
    ),
    "drop_trigger": (
        "postgresql",
        f'{NOTE}\nop.create_trigger("t", "account", "BEFORE UPDATE", "FOR EACH ROW EXECUTE FUNCTION note()")',
        'op.drop_trigger("t", "account")',
        "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal",
        [(0,)],
    ),
    "constraint trigger": (
        "postgresql",
        NOTE,
        (
            'op.create_trigger("t", "account", "AFTER UPDATE", "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()", '
            "constraint=True, replace=True)"
        ),
        "SELECT tgdeferrable, tginitdeferred FROM pg_trigger WHERE NOT tgisinternal",
        [(True, True)],
    ),
    "create_policy": (
        "postgresql",
        "",
        (
            'op.create_policy("own", "account", command="update", roles=["PUBLIC"], using="email = current_role", '
            'check="id > 0", permissive=False)\nop.enable_row_level_security("account", force=True)'
        ),
        (
            "SELECT policyname, permissive, cmd, roles::text, qual, with_check, rowsecurity FROM pg_policies "
            "JOIN pg_tables USING (tablename)"
        ),
        [("own", "RESTRICTIVE", "UPDATE", "{public}", "((email)::text = CURRENT_ROLE)", "(id > 0)", True)],
    ),
    "drop_policy": (
        "postgresql",
        'op.create_policy("own", "account", using="true")\nop.enable_row_level_security("account")',
        'op.disable_row_level_security("account")\nop.drop_policy("own", "account")',
        "SELECT relrowsecurity, (SELECT count(*) FROM pg_policy) FROM pg_class WHERE relname = 'account'",
        [(False, 0)],
    ),
    "create_schema": (
        "postgresql",
        "",
        'op.create_schema("Other one", if_not_exists=True)',
        "SELECT count(*) FROM pg_namespace WHERE nspname = 'Other one'",
        [(1,)],
    ),
    "drop_schema": (
        "postgresql",
        'op.create_schema("other")',
        'op.drop_schema("other")\nop.drop_schema("none", if_exists=True)',
        "SELECT count(*) FROM pg_namespace WHERE nspname = 'other'",
        [(0,)],
    ),
}


def runs_on(kind: str) -> list[str]:
    return [name for name, case in CASES.items() if case[0] in ("both", kind)]


@pytest.mark.parametrize(
    ("kind", "case"), [(kind, name) for kind in ("postgresql", "sqlite") for name in runs_on(kind)]
)
async def test_the_directive_does_what_it_says(
    request: pytest.FixtureRequest, project: Project, kind: str, case: str
) -> None:
    url = str(request.getfixturevalue("postgres_url" if kind == "postgresql" else "sqlite_url"))
    _, before, body, query, expected = CASES[case]
    project.config(url=url).revision("a1", upgrade=TABLE + before).revision("b2", "a1", upgrade=body)
    await project.migrator().upgrade("head")
    assert servers.rows(url, query) == expected


@pytest.mark.parametrize(
    ("kind", "case"), [(kind, name) for kind in ("postgresql", "sqlite") for name in runs_on(kind)]
)
async def test_sql_of_the_directive_does_the_same(
    request: pytest.FixtureRequest, project: Project, kind: str, case: str, run_sql: Callable[[str, str], str]
) -> None:
    url = str(request.getfixturevalue("postgres_url" if kind == "postgresql" else "sqlite_url"))
    _, before, body, query, expected = CASES[case]
    project.config(url=url).revision("a1", upgrade=TABLE + before).revision("b2", "a1", upgrade=body)
    report = await project.migrator().upgrade("head", sql=True)
    assert report.sql is not None
    run_sql(url, report.sql)
    assert servers.rows(url, query) == expected


@pytest.mark.parametrize(
    ("kind", "case"), [(kind, name) for kind in ("postgresql", "sqlite") for name in runs_on(kind)]
)
def test_its_reverse_restores_the_database(
    request: pytest.FixtureRequest, tmp_path: Any, kind: str, case: str, run_sql: Callable[[str, str], str]
) -> None:
    """The operations of the directive, then their reverses in opposite order: the catalog is what it was."""
    url = str(request.getfixturevalue("postgres_url" if kind == "postgresql" else "sqlite_url"))
    if kind == "sqlite":
        servers.sqlite_path(url).touch()
    _, before, body, _, _ = CASES[case]
    dialect = dialect_for(kind)

    def recorded(text: str) -> tuple[Any, ...]:
        path = tmp_path / "script.py"
        space: dict[str, Any] = {}
        lines = "\n".join(f"    {line}" for line in text.splitlines()) or "    pass"
        exec(f"import sqlalchemy as sa\nfrom asyncmig import op\ndef upgrade():\n{lines}", space)
        return record(space["upgrade"], Recorder(path, dialect.sqlalchemy)).operations

    schema = replay(recorded(TABLE + before))
    rehearsal = dialect.rehearsal(lambda refs: replay(()))

    def run(operations: tuple[Any, ...]) -> None:
        for operation in operations:
            found = rehearsal.before(dialect.reads(operation))
            statements = dialect.statements(operation, found)
            rehearsal.wrote(operation, statements)
            for statement in statements:
                servers.execute(url, *dialect.literal(statement))

    run(recorded(TABLE + before))
    was = catalog(url, kind)
    done: list[tuple[Any, Any]] = []
    for operation in recorded(body):
        assert operation.describe()
        assert operation.touches()
        assert operation.sign in "+-~"
        run((operation,))
        done.append((operation, schema))
        schema = operation.apply(schema)
    for operation, earlier in reversed(done):
        try:
            run(operation.reverse(earlier))
        except Irreversible:
            assert operation.if_exists  # nobody knows what was there: it says so
    assert without_comments(catalog(url, kind)) == without_comments(was)


def without_comments(rows: list[tuple[Any, ...]]) -> list[str]:
    return [str(row).replace('"ix_lower"', "ix_lower") for row in rows]


def catalog(url: str, kind: str) -> list[tuple[Any, ...]]:
    if kind == "sqlite":
        return servers.rows(url, "SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2")
    return servers.rows(
        url,
        """
        SELECT 'relation', relname::text, relkind::text, relrowsecurity::text, relispopulated::text,
          CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) WHEN relkind = 'i' THEN pg_get_indexdef(oid) END
          FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid), NULL, NULL, NULL FROM pg_constraint
          WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND conname <> 'later'
        UNION ALL SELECT 'function', proname, pg_get_functiondef(oid), NULL, NULL, NULL FROM pg_proc
          WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid), NULL, NULL, NULL FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT 'policy', policyname, cmd, qual, with_check, NULL FROM pg_policies
        UNION ALL SELECT 'sequence', sequencename, start_value::text, increment_by::text, cycle::text, NULL FROM pg_sequences
        UNION ALL SELECT 'schema', nspname, NULL, NULL, NULL, NULL FROM pg_namespace WHERE nspname NOT LIKE 'pg%'
        UNION ALL SELECT 'column', attname, NULL, NULL, NULL, NULL FROM pg_attribute
          WHERE attrelid = 'account'::regclass AND attnum > 0
        ORDER BY 1, 2, 3
        """,
    )


NOT_ON_SQLITE = {
    'op.create_enum("e", ["a"])': "enum types",
    'op.add_enum_value("e", "b")': "enum types",
    'op.create_sequence("s")': "sequences",
    'op.alter_sequence("s", restart=3)': "sequences",
    'op.drop_sequence("s")': "sequences",
    'op.create_function("f", "", "RETURNS void")': "functions",
    'op.drop_function("f")': "functions",
    'op.create_policy("p", "account")': "row level security",
    'op.drop_policy("p", "account")': "row level security",
    'op.enable_row_level_security("account")': "row level security",
    'op.create_extension("e")': "extensions",
    'op.alter_extension("e", version="2")': "extensions",
    'op.drop_extension("e")': "extensions",
    'op.create_schema("s")': "schemas",
    'op.drop_schema("s")': "schemas",
    'op.create_view("v", "SELECT 1", materialized=True)': "materialized views",
    'op.drop_view("v", materialized=True)': "materialized views",
    'op.drop_view("v", cascade=True)': "CASCADE",
    'op.create_trigger("t", "account", "AFTER INSERT", "BEGIN SELECT 1; END", constraint=True)': "constraint triggers",
    'op.validate_constraint("account", "ck_email")': "NOT VALID",
}


@pytest.mark.parametrize("line", NOT_ON_SQLITE)
async def test_sqlite_says_what_it_does_not_have(at_sqlite: Project, sqlite_url: str, line: str) -> None:
    at_sqlite.revision("a1", upgrade=TABLE + line)
    with pytest.raises(MigrationFailed, match=f"SQLite has no .*{NOT_ON_SQLITE[line]}") as caught:
        await at_sqlite.migrator().upgrade("head")
    assert isinstance(caught.value.__cause__, UnsupportedOperation)
    assert caught.value.line is not None
    assert "account" not in servers.tables(sqlite_url)


async def test_an_extension_comes_and_goes(
    project: Project, postgres_server: servers.PostgresServer, postgres_url: str
) -> None:
    database = postgres_url.rpartition("/")[2]
    project.config(url=postgres_server.superuser_url(database))
    project.revision(
        "a1",
        upgrade="""
        op.create_schema("extras")
        op.drop_extension("plpgsql", cascade=True)
        op.create_extension("plpgsql", if_not_exists=True)
        """,
        downgrade='op.drop_extension("plpgsql", if_exists=True)',
    )
    await project.migrator().upgrade("head")
    found = "SELECT extname FROM pg_extension"
    assert servers.rows(postgres_url, found) == [("plpgsql",)]
    await project.migrator().downgrade("base")
    assert servers.rows(postgres_url, found) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('op.create_view("v", "CREATE VIEW v AS SELECT 1")', "the query alone"),
        ('op.create_enum("e", "abc")', "list of values"),
        ('op.create_enum("e", ["a", "a"])', "names a value twice"),
        ('op.add_enum_value("e", "c", before="a", after="b")', "not both"),
        ('op.alter_sequence("s")', "nothing to change"),
        ('op.alter_extension("e")', "a version or a schema"),
        ('op.create_sequence("s", owned_by="column")', "table.column"),
        ('op.create_policy("p", "t", command="READ")', "the command is one of"),
        ('op.rename_column("t", "", "b")', "old column name"),
    ],
)
async def test_a_call_that_says_nothing_sensible_is_refused(at_sqlite: Project, line: str, words: str) -> None:
    at_sqlite.revision("a1", upgrade=line)
    with pytest.raises(MigrationFailed, match=words):
        await at_sqlite.migrator().upgrade("head")
