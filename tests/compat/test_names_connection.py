"""What Alembic scripts do with op.get_bind() and op.get_context() works on the asynchronous drivers as on the synchronous ones.

Each line is what scripts of public histories contain; each runs as a revision of its own.
"""

from textwrap import dedent

import pytest
import servers
from projects import Project

TABLES = """
    op.create_table("t", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(50)),
                    sa.Column("n", sa.Integer), sa.Column("at", sa.DateTime), sa.Column("doc", sa.JSON))
    op.execute("insert into t (id, name, n) values (1, 'one', 1)")
"""
HEADER = """
    from sqlalchemy.orm import Session, sessionmaker
    t = sa.table("t", sa.column("id", sa.Integer), sa.column("name", sa.String), sa.column("n", sa.Integer))
    u = sa.table("t", sa.column("id"), sa.column("name"), sa.column("n"), sa.column("at"))
    bind = op.get_bind()
    context = op.get_context()
"""

LOOKING = {
    "inspect": "assert [c['name'] for c in sa.inspect(bind).get_columns('t')][:3] == ['id', 'name', 'n']",
    "inspect_engine": "assert 't' in sa.inspect(bind.engine).get_table_names()",
    "reflected_table": "assert 'n' in sa.Table('t', sa.MetaData(), autoload_with=bind).c",
    "has_table": "assert bind.dialect.has_table(bind, 't')",
    "names": "assert bind.engine.name == bind.dialect.name == context.dialect.name",
    "another_connection": "with bind.engine.connect() as other:\n    assert other.scalar(sa.text('select 1')) == 1",
    "raw_cursor": "cursor = bind.connection.cursor()\ncursor.execute('select 1')\nassert cursor.fetchone()[0] == 1",
    "scalar": "assert bind.scalar(sa.text('select 1')) == bind.exec_driver_sql('select 1').scalar() == 1",
    "context": "assert context.bind is not None and context.connection is not None and not context.as_sql",
    "impl": "context.impl.execute('update t set n = n')\nassert context.impl.dialect is context.dialect and context.impl.bind is not None",
    "options": "assert context.opts['tenant'] == 'acme' and context.opts.get('missing') is None",
    "config": "assert context.config.get_main_option('script_location') and context.config.get_section('alembic')",
    "current": "assert context.get_current_heads() == (context.get_current_revision(),) == (down_revision,)",
    "version_table_schema": "assert context.version_table_schema is None and context.version_table == 'asyncmig_version'",
}
SESSIONS = {
    "commit": "s = Session(bind=bind)\ns.execute(t.insert().values(id=2))\ns.commit()\ns.close()",
    "with_commit": "with Session(bind) as s:\n    s.execute(t.insert().values(id=3))\n    s.commit()",
    "begin": "with Session(bind) as s, s.begin():\n    s.execute(t.insert().values(id=4))",
    "maker": "s = sessionmaker(bind=bind)()\ns.execute(t.insert().values(id=5))\ns.flush()\ns.commit()",
    "query": "assert Session(bind).execute(sa.select(t.c.name).where(t.c.id == 1)).scalar_one() == 'one'",
    "savepoint": "with bind.begin_nested():\n    bind.execute(t.insert().values(id=6))",
    "savepoint_undone": "s = bind.begin_nested()\nbind.execute(t.insert().values(id=7))\ns.rollback()\n"
    "assert not bind.scalar(sa.text('select count(*) from t where id = 7'))",
    "savepoint_failed": "try:\n    with bind.begin_nested():\n        bind.execute(sa.text('select * from missing'))\n"
    "except sa.exc.DBAPIError:\n    pass\nbind.execute(t.insert().values(id=8))",
    "bind_commit": "bind.execute(t.insert().values(id=9))\nbind.commit()\nbind.execute(t.insert().values(id=10))",
    "text_commit": "op.execute('COMMIT')\nop.execute(t.insert().values(id=11))",
    "text_commit_begin": "op.execute('COMMIT')\nop.execute('BEGIN')\nop.execute(t.insert().values(id=12))",
    "autocommit_block": "with context.autocommit_block():\n    op.execute(t.insert().values(id=13))",
    "begin_transaction": "with context.begin_transaction():\n    op.execute(t.insert().values(id=14))",
}
LOOPS = {
    "yield_per": "for row in bind.execution_options(yield_per=1).execute(sa.select(t.c.id)):\n    pass\n"
    "op.execute('alter table t add column extra integer')",
    "stream_left_open": "r = bind.execution_options(stream_results=True).execute(sa.select(t.c.id))\nr.fetchone()\n"
    "op.execute('alter table t add column more integer')",
    "update_while_reading": "for row in bind.execute(sa.select(t.c.id)):\n"
    "    bind.execute(t.update().where(t.c.id == row.id).values(name='z'))",
    "rowcount": "assert bind.execute(t.update().where(t.c.id == 1).values(n=2)).rowcount == 1",
    "create_all": "m = sa.MetaData()\nsa.Table('zz', m, sa.Column('id', sa.Integer))\nm.create_all(bind)\nm.drop_all(bind)",
    "enum": "e = sa.Enum('a', 'b', name='kind')\ne.create(bind, checkfirst=True)\ne.drop(bind, checkfirst=True)",
}
# psycopg2 writes values into the text, so that the server gives them the type that fits.
VALUES = {
    "text_for_integer": "op.execute(t.insert().values(id='20'))\nbind.execute(u.insert().values(id='21', n='3'))",
    "text_compared_with_integer": "op.execute(t.update().where(t.c.id == '1').values(name='x'))\n"
    "assert bind.scalar(sa.text('select name from t where id = :i'), {'i': '1'}) == 'x'",
    "integer_for_text": "op.execute(t.update().where(t.c.id == 1).values(name=12))\n"
    "bind.execute(sa.text('update t set name = :n where id = :i'), {'n': 12, 'i': 1})",
    "text_for_timestamp": "op.bulk_insert(u, [{'id': 22, 'at': '2020-01-01 00:00:00'}])",
    "rows_of_mixed_types": "op.bulk_insert(u, [{'id': '23', 'name': 'x'}, {'id': 24, 'name': 'y'}])",
    "many_rows": "op.bulk_insert(t, [{'id': 1000 + i, 'name': f\"it's $1 {i}\"} for i in range(1200)])\n"
    'assert bind.scalar(sa.text("select name from t where id = 2199")) == "it\'s $1 1199"',
    "type_cannot_be_told": "assert bind.scalar(sa.text('select :x is null'), {'x': None})\n"
    "op.execute(sa.text('select :x || :y').bindparams(x='a', y='b'))",
    "dollar_in_text": "assert bind.scalar(sa.text(\"select '$1' || :x || $q$ $1 $q$\"), {'x': 'a\\\\b'}) == '$1a\\\\b $1 '",
    "negative_numbers": "assert bind.scalar(sa.text('select 1 -:x'), {'x': -2}) == 3",
    "several_statements": "bind.execute(sa.text('insert into t (id) values (30); insert into t (id) values (31);'))\n"
    "bind.exec_driver_sql('insert into t (id) values (32); insert into t (id) values (33)')\n"
    "assert bind.exec_driver_sql('select 1; select 2').scalar() == 2",
    "several_with_values": "bind.execute(sa.text('insert into t (id) values (:a); insert into t (id) values (:b)'), {'a': 34, 'b': 35})",
    "every_type": "import datetime as d, decimal, uuid\n"
    "for type_, value in {'date': d.date(2020, 1, 2), 'time': d.time(1, 2, 3), 'interval': d.timedelta(days=-1, seconds=5),\n"
    "        'timestamp': d.datetime(2020, 1, 2, 3, 4, 5, 6), 'timestamptz': d.datetime(2020, 1, 2, tzinfo=d.UTC),\n"
    "        'numeric': decimal.Decimal('-1.50'), 'float8': -1.5, 'bytea': b'\\x00a', 'uuid': uuid.UUID(int=5), 'boolean': True,\n"
    "        'integer[]': [1, -2], 'text[]': ['a', None, \"b'c\"]}.items():\n"
    "    assert bind.scalar(sa.text(f'select cast(:v as {type_})'), {'v': value}) == value, type_",
    "json": "x = sa.table('t', sa.column('id'), sa.column('doc', sa.JSON))\n"
    "bind.execute(x.insert().values(id=40, doc={'a': \"it's\"}))\n"
    "assert bind.scalar(sa.select(x.c.doc).where(x.c.id == 40)) == {'a': \"it's\"}",
    "arrays": "from sqlalchemy.dialects import postgresql as pg\n"
    "op.create_table('many', sa.Column('k', pg.ARRAY(sa.Enum('p', 'q', name='kk'))), sa.Column('i', pg.ARRAY(pg.INET)), sa.Column('s', pg.ARRAY(sa.String(3))))\n"
    "a = sa.Table('many', sa.MetaData(), autoload_with=bind)\n"
    "op.bulk_insert(a, [{'k': ['p', 'q'], 'i': ['10.0.0.1'], 's': ['abc']}, {'k': [], 'i': None, 's': []}])\n"
    "assert len(bind.execute(sa.select(a.c.k).where(a.c.s == ['abc'])).all()) == 1",
    "marks_of_psycopg2": "bind.exec_driver_sql('insert into t (id, name) values (%s, %s)', [(50, 'a%s$1'), (51, None)])\n"
    "assert bind.exec_driver_sql(\"select name || '5%%' from t where id = %(i)s\", {'i': 50}).scalar() == 'a%s$15%'",
    "in_list": "assert bind.execute(sa.select(t.c.id).where(t.c.id.in_(['1', 999]))).scalars().all() == [1]",
}


def _write(project: Project, cases: dict[str, str]) -> None:
    project.env("from asyncmig import Environment\nenvironment = Environment(options={'tenant': 'acme'})\n")
    project.revision("start", upgrade=TABLES)
    before = "start"
    for name, body in cases.items():
        project.revision(name, before, upgrade=dedent(HEADER) + body)
        before = name


@pytest.mark.subset
@pytest.mark.parametrize("cases", [LOOKING, SESSIONS, LOOPS], ids=["looking", "sessions", "loops"])
async def test_scripts_use_the_connection_as_with_alembic(database_project: Project, cases: dict[str, str]) -> None:
    _write(database_project, cases)
    report = await database_project.migrator().upgrade("head")
    assert [step.revision for step in report.steps] == ["start", *cases]


@pytest.mark.subset
async def test_asyncpg_takes_the_values_and_texts_that_psycopg2_takes(project: Project, postgres_url: str) -> None:
    _write(project.config(url=postgres_url, alembic_compat=True), VALUES)
    report = await project.migrator().upgrade("head")
    assert [step.revision for step in report.steps] == ["start", *VALUES]


@pytest.mark.parametrize(
    "body",
    [
        "s = Session(bind)\ns.execute(t.insert().values(id=2))\ns.commit()\ns.close()",
        "with Session(bind) as s, s.begin():\n    s.execute(t.insert().values(id=3))",
        (
            "op.execute('insert into t (id) values (4)')\ns = Session(bind)\ns.execute(sa.text('select 1'))\ns.close()\n"
            "assert bind.scalar(sa.text('select count(*) from t where id = 4')) == 1"
        ),
    ],
    ids=["commit", "begin", "close"],
)
async def test_session_over_the_connection_joins_the_step(
    database_project: Project, database_url: str, body: str
) -> None:
    from asyncmig import MigrationFailed

    _write(database_project, {"broken": f"{body}\nraise ValueError('stop')"})
    with pytest.raises(MigrationFailed, match="ValueError: stop") as caught:
        await database_project.migrator().upgrade("head")
    assert [step.revision for step in caught.value.report.steps] == ["start"]
    assert servers.rows(database_url, "SELECT id FROM t") == [(1,)]
