"""Calls of every directive of Alembic with every parameter, as the text of a script; tests/compat runs them through both."""

import itertools

from sqlalchemy.dialects import postgresql as pg

SETUP = """
op.create_table("o", sa.Column("id", sa.Integer, primary_key=True), sa.Column("n", sa.Integer))
op.create_table(
    "t",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("a", sa.String(20), server_default="x"),
    sa.Column("b", sa.Integer),
    sa.Column("c", sa.DateTime, nullable=False),
    sa.Column("Mixed", sa.Text),
    sa.Column("flag", sa.Boolean),
    sa.UniqueConstraint("b", name="uq_b"),
    sa.CheckConstraint("b > 0", name="ck_b"),
    sa.ForeignKeyConstraint(["b"], ["o.id"], name="fk_b"),
)
op.create_index("ix_a", "t", ["a"])
op.create_table("bare", sa.Column("x", sa.Integer), sa.Column("y", sa.Integer))
"""

CONVENTION = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

_TYPES = [
    "sa.Integer()",
    "sa.BigInteger()",
    "sa.SmallInteger()",
    "sa.String(50)",
    "sa.String()",
    "sa.Text()",
    "sa.Unicode(10)",
    "sa.Boolean()",
    "sa.Boolean(create_constraint=True, name='bool_x')",
    "sa.Date()",
    "sa.DateTime()",
    "sa.DateTime(timezone=True)",
    "sa.Time()",
    "sa.Interval()",
    "sa.Numeric(10, 2)",
    "sa.Float()",
    "sa.Float(53)",
    "sa.LargeBinary()",
    "sa.JSON()",
    "sa.Uuid()",
    "sa.Enum('p', 'q', name='kind', native_enum=False)",
    "sa.Enum('p', 'q', name='kind', native_enum=False, create_constraint=True)",
    "sa.VARCHAR(30)",
    "sa.CHAR(3)",
    "sa.DECIMAL(8, 3)",
    "sa.TIMESTAMP()",
]
_PG_TYPES = [
    "pg.JSONB()",
    "pg.UUID()",
    "pg.INET()",
    "pg.ARRAY(sa.Integer())",
    "pg.TSVECTOR()",
    "pg.INTERVAL(fields='DAY')",
]

_DEFAULTS = [
    "'text'",
    "'it''s'.replace(\"''\", \"'\")",
    "'50%'",
    "'5'",
    "sa.text('5')",
    "sa.text('now()')",
    "sa.text('CURRENT_TIMESTAMP')",
    "sa.func.now()",
    "sa.func.lower('X')",
    "sa.literal_column('1 + 1')",
    "sa.false()",
]

ADD_COLUMN = [
    *(f"op.add_column('t', sa.Column('n', {type_}))" for type_ in _TYPES),
    *(f"op.add_column('t', sa.Column('n', sa.String(20), server_default={default}))" for default in _DEFAULTS),
    "op.add_column('t', sa.Column('n', sa.Integer, nullable=False, server_default='0'))",
    "op.add_column('t', sa.Column('n', sa.Integer, server_default=sa.text('0'), nullable=False))",
    "op.add_column('t', sa.Column('n', sa.Integer, index=True))",
    "op.add_column('t', sa.Column('n', sa.Integer, unique=True, index=True))",
    "op.add_column('t', sa.Column('N and \"more\"', sa.Integer))",
    "op.add_column('t', sa.Column('select', sa.Integer))",
    "op.add_column('t', sa.Column('n', sa.Integer), if_not_exists=True)",
    "op.add_column('t', sa.Column('n', sa.Integer, sa.Computed('b + 1', persisted=True)))",
    "op.add_column('t', sa.Column('n', sa.Integer, sa.Computed('b + 1')))",
    "op.add_column('t', sa.Column('n', sa.Integer, sa.CheckConstraint('n > 5', name='ck_n')))",
    "op.add_column('t', sa.Column('n', sa.Integer, sa.CheckConstraint('n > 5')))",
    "op.add_column('t', sa.Column('n', sa.String(5, collation='C')))",
    "op.add_column('t', sa.Column('n', sa.Integer, comment='said'))",
    "op.add_column('t', sa.Column('n', sa.Integer, unique=True))",
    "op.add_column('t', sa.Column('n', sa.Integer, sa.ForeignKey('o.id')))",
    "op.add_column('t', sa.Column('n', sa.Integer, sa.ForeignKey('o.id', name='fk_n', ondelete='CASCADE')))",
    "op.add_column('t', sa.Column('n', sa.Integer, sa.ForeignKey('o.id', onupdate='SET NULL', deferrable=True, initially='DEFERRED')))",
    "op.add_column('t', sa.Column('n', sa.Integer, sa.ForeignKey('t.id')))",
    "op.add_column('t', sa.Column('n', sa.Integer, sa.ForeignKey('o.id')), inline_references=True)",
    "op.add_column('t', sa.Column('n', sa.Integer, sa.ForeignKey('o.id', ondelete='CASCADE')), inline_references=True)",
    "op.add_column('t', sa.Column('n', sa.Integer, sa.ForeignKey('o.id', name='fk_n')), inline_references=True)",
    "op.add_column('bare', sa.Column('n', sa.Integer, primary_key=True))",
    "op.add_column('bare', sa.Column('n', sa.Integer, primary_key=True), inline_primary_key=True)",
    "op.add_column('t', sa.Column('n', sa.Integer, key='other'))",
]
ADD_COLUMN_PG = [
    *(f"op.add_column('t', sa.Column('n', {type_}))" for type_ in _PG_TYPES),
    "op.add_column('t', sa.Column('n', sa.Integer, sa.Identity()))",
    "op.add_column('t', sa.Column('n', sa.Integer, sa.Identity(always=True, start=5, increment=2)))",
    "op.add_column('t', sa.Column('n', sa.Integer), schema='s')",
    "op.add_column('t', sa.Column('n', sa.Integer, index=True, comment='x'), schema='s')",
    "op.add_column('t', sa.Column('n', sa.Integer, sa.ForeignKey('s.o.id')), schema='s')",
]

_USING = ["", ", postgresql_using='b::text'"]
ALTER_COLUMN = [
    "op.alter_column('t', 'a', nullable=False)",
    "op.alter_column('t', 'c', nullable=True)",
    "op.alter_column('t', 'a', nullable=False, existing_type=sa.String(20))",
    "op.alter_column('t', 'a', nullable=False, existing_type=sa.String(20), existing_server_default='x')",
    "op.alter_column('t', 'Mixed', nullable=False)",
    *(f"op.alter_column('t', 'a', server_default={default})" for default in _DEFAULTS),
    "op.alter_column('t', 'a', server_default=None)",
    "op.alter_column('t', 'a', server_default=None, existing_server_default='x')",
    "op.alter_column('t', 'a', server_default='y', existing_server_default=sa.text(\"'x'\"))",
    "op.alter_column('t', 'a', new_column_name='renamed')",
    "op.alter_column('t', 'a', new_column_name='Renamed')",
    "op.alter_column('t', 'Mixed', new_column_name='select')",
    "op.alter_column('t', 'b', new_column_name='z', existing_type=sa.Integer(), existing_nullable=True)",
    "op.alter_column('t', 'a', type_=sa.String(99))",
    "op.alter_column('t', 'a', type_=sa.Text, existing_type=sa.String(20))",
    "op.alter_column('t', 'b', type_=sa.BigInteger(), existing_type=sa.Integer(), existing_nullable=True)",
    "op.alter_column('t', 'a', type_=sa.Text(), nullable=False)",
    "op.alter_column('t', 'a', type_=sa.Text(), nullable=False, server_default='q', comment='c')",
    "op.alter_column('t', 'a', type_=sa.Text(), nullable=False, server_default='q', new_column_name='z')",
    "op.alter_column('t', 'b', type_=sa.Enum('p', 'q', name='k', native_enum=False, create_constraint=True), existing_type=sa.Integer(), postgresql_using='b::text')",
    "op.alter_column('t', 'a', comment='said')",
    "op.alter_column('t', 'a', comment=\"it's 5%\")",
    "op.alter_column('t', 'a', comment=None, existing_comment='x')",
    "op.alter_column('t', 'a', comment='said', existing_comment='x', nullable=False)",
    "op.alter_column('t', 'a')",
]
ALTER_COLUMN_PG = [
    *(
        f"op.alter_column('t', 'b', type_={t}{u})"
        for t, u in itertools.product([*_TYPES, *_PG_TYPES], _USING)
        if "create_constraint" not in t
    ),
    "op.alter_column('t', 'b', type_=sa.Text(), postgresql_using='b::text', existing_type=sa.Integer())",
    "op.alter_column('t', 'c', server_default=sa.Identity())",
    "op.alter_column('t', 'id', server_default=sa.Identity(always=True), existing_server_default=None)",
    "op.alter_column('t', 'id', server_default=sa.Identity(always=True, start=3, increment=4, minvalue=1, maxvalue=99, cycle=True, cache=2))",
    "op.alter_column('t', 'id', server_default=None, existing_server_default=sa.Identity())",
    "op.alter_column('t', 'id', server_default=sa.Identity(always=True), existing_server_default=sa.Identity(always=False))",
    "op.alter_column('t', 'id', server_default=sa.Identity(start=5), existing_server_default=sa.Identity())",
    "op.alter_column('t', 'id', server_default=sa.Identity(always=True, increment=5), existing_server_default=sa.Identity(start=1))",
    "op.alter_column('t', 'b', type_=sa.Enum('p', 'q', name='mood'), server_default='p', postgresql_using=\"'p'::mood\")",
    "op.alter_column('t', 'b', type_=sa.Boolean(), server_default=None, existing_server_default='0', postgresql_using='b::int::bool')",
    "op.alter_column('t', 'b', type_=sa.BigInteger(), server_default='7', existing_type=sa.Integer())",
    "op.alter_column('t', 'b', type_=sa.Boolean(), server_default=sa.true(), existing_server_default=None, postgresql_using='b::int::bool')",
    "op.alter_column('t', 'id', server_default=sa.Identity(), existing_server_default=sa.text(\"nextval('t_id_seq'::regclass)\"))",
    "op.alter_column('t', 'id', server_default=sa.text(\"nextval('t_id_seq')\"), existing_server_default=sa.Identity(), existing_type=sa.Integer())",
    "op.alter_column('t', 'a', nullable=False, schema='s')",
    "op.alter_column('t', 'a', type_=sa.Text(), server_default=None, new_column_name='z', comment='q', schema='s')",
    "op.alter_column('t', 'b', type_=sa.Boolean(create_constraint=True, name='bool_b'), existing_type=sa.Integer(), postgresql_using='b::int::bool')",
    "op.alter_column('t', 'b', type_=sa.Integer(), existing_type=sa.Boolean(create_constraint=True, name='ck_b'))",
    "op.alter_column('t', 'b', type_=sa.Text(), existing_type=sa.Enum('p', name='uq_b', native_enum=False, create_constraint=True))",
    "op.alter_column('t', 'b', type_=sa.Enum('p', 'q', name='k', native_enum=False, create_constraint=True), new_column_name='z', existing_type=sa.Integer(), postgresql_using='b::text')",
]

_FK_OPTIONS = {
    "onupdate": ["'CASCADE'", "'SET NULL'", "'RESTRICT'"],
    "ondelete": ["'CASCADE'", "'SET NULL'", "'SET DEFAULT'", "'NO ACTION'"],
    "deferrable": ["True", "False"],
    "initially": ["'DEFERRED'", "'IMMEDIATE'"],
    "match": ["'FULL'", "'SIMPLE'"],
    "use_alter": ["True"],
}
CONSTRAINTS = [
    "op.create_check_constraint('ck', 't', 'b > 5')",
    "op.create_check_constraint('ck', 't', sa.column('b') > 5)",
    "op.create_check_constraint('ck', 't', sa.and_(sa.column('b') > 5, sa.column('a') != 'x'))",
    "op.create_check_constraint('ck', 't', sa.text('b % 2 = 0'))",
    "op.create_check_constraint('Quoted Name', 't', sa.func.length(sa.column('a')) > 2)",
    "op.create_check_constraint('ck', 't', 'b > 5', deferrable=True)",
    "op.create_check_constraint(op.f('ck_final'), 't', 'b > 5')",
    "op.create_foreign_key('fk', 't', 'o', ['b'], ['id'])",
    "op.create_foreign_key('fk', 't', 't', ['b'], ['id'])",
    "op.create_foreign_key('fk', 'bare', 'bare', ['x', 'y'], ['y', 'x'])",
    "op.create_foreign_key(None, 't', 'o', ['b'], ['id'])",
    *(
        f"op.create_foreign_key('fk', 't', 'o', ['b'], ['id'], {key}={value})"
        for key, values in _FK_OPTIONS.items()
        for value in values
    ),
    *(
        f"op.create_foreign_key('fk', 't', 'o', ['b'], ['id'], ondelete={d}, onupdate={u}, deferrable=True, initially={i})"
        for d, u, i in itertools.product(_FK_OPTIONS["ondelete"], _FK_OPTIONS["onupdate"], _FK_OPTIONS["initially"])
    ),
    "op.create_primary_key('pk', 'bare', ['x'])",
    "op.create_primary_key('pk', 'bare', ['x', 'y'])",
    "op.create_unique_constraint('uq', 't', ['a'])",
    "op.create_unique_constraint('uq', 't', ['a', 'Mixed'])",
    "op.create_unique_constraint('uq', 't', ['a'], deferrable=True, initially='DEFERRED')",
    "op.create_unique_constraint(op.f('uq'), 't', ['a'])",
    "op.drop_constraint('uq_b', 't', type_='unique')",
    "op.drop_constraint('ck_b', 't', type_='check')",
    "op.drop_constraint('fk_b', 't', type_='foreignkey')",
    "op.drop_constraint('uq_b', 't', 'unique')",
    "op.drop_constraint('uq_b', 't')",
    "op.drop_constraint('uq_b', 't', type_='check')",
    "op.drop_constraint('uq_b', 't', if_exists=True)",
    "op.drop_constraint('nothing', 't', type_='unique', if_exists=True)",
    "op.create_table_comment('t', 'said')",
    "op.create_table_comment('t', \"it's 5%\")",
    "op.create_table_comment('t', 'said', existing_comment='old')",
    "op.drop_table_comment('t')",
    "op.drop_table_comment('t', existing_comment='old')",
]
CONSTRAINTS_PG = [
    "op.create_check_constraint('ck', 't', 'b > 5', postgresql_not_valid=True)",
    "op.create_check_constraint('ck', 't', 'b > 5', schema='s')",
    "op.create_foreign_key('fk', 't', 'o', ['b'], ['id'], postgresql_not_valid=True)",
    "op.create_foreign_key('fk', 't', 'o', ['b'], ['id'], source_schema='s', referent_schema='s')",
    "op.create_foreign_key('fk', 't', 'o', ['b'], ['id'], source_schema='s')",
    "op.create_foreign_key('fk', 't', 'o', ['b'], ['id'], referent_schema='s')",
    "op.create_foreign_key('fk', 't', 't', ['b'], ['id'], source_schema='s', referent_schema='s')",
    "op.create_primary_key('pk', 'bare', ['x'], schema='s')",
    "op.create_unique_constraint('uq', 't', ['a'], schema='s')",
    "op.create_unique_constraint('uq', 't', ['a'], postgresql_nulls_not_distinct=True)",
    "op.create_unique_constraint('uq', 't', ['a'], postgresql_include=['b'])",
    "op.create_unique_constraint('uq', 't', ['a'], comment='said')",
    "op.create_exclude_constraint('ex', 't', ('b', '='), using='btree')",
    "op.create_exclude_constraint('ex', 't', ('b', '='), ('a', '='), using='btree', where='b > 1')",
    "op.create_exclude_constraint('ex', 't', (sa.column('b'), '='), using='btree', where=sa.text('b > 1'), deferrable=True, initially='DEFERRED')",
    "op.create_exclude_constraint('ex', 't', ('b', '='), using='btree', schema='s')",
    "op.create_exclude_constraint('ex', 't', ('a', '='), using='btree', ops={'a': 'text_ops'})",
    "op.drop_constraint('t_pkey', 't', type_='primary')",
    "op.drop_constraint('uq_b', 't', schema='s', type_='unique')",
    "op.create_table_comment('t', 'said', schema='s')",
    "op.drop_table_comment('t', schema='s')",
]

TABLES = [
    "op.create_table('n', sa.Column('id', sa.Integer, primary_key=True))",
    "op.create_table('n', sa.Column('id', sa.Integer, primary_key=True), if_not_exists=True)",
    *(
        f"op.create_table('n', sa.Column('id', sa.Integer, primary_key=True), sa.Column('x', {type_}, nullable=False))"
        for type_ in _TYPES
    ),
    *(f"op.create_table('n', sa.Column('x', sa.String(20), server_default={default}))" for default in _DEFAULTS),
    "op.create_table('n', sa.Column('a', sa.Integer), sa.Column('b', sa.Integer), sa.PrimaryKeyConstraint('a', 'b', name='pk'))",
    "op.create_table('n', sa.Column('a', sa.Integer), sa.UniqueConstraint('a', name='u'), sa.CheckConstraint('a > 1', name='c'))",
    "op.create_table('n', sa.Column('a', sa.Integer), sa.ForeignKeyConstraint(['a'], ['o.id'], ondelete='CASCADE'))",
    "op.create_table('n', sa.Column('a', sa.Integer, sa.ForeignKey('o.id')))",
    "op.create_table('n', sa.Column('a', sa.Integer, sa.ForeignKey('n.b')), sa.Column('b', sa.Integer, unique=True))",
    "op.create_table('n', sa.Column('a', sa.Integer, index=True))",
    "op.create_table('n', sa.Column('a', sa.Integer, unique=True))",
    "op.create_table('n', sa.Column('a', sa.Integer), sa.Index('ix_n', 'a', unique=True))",
    "op.create_table('n', sa.Column('a', sa.Integer, comment='col'), comment='table')",
    "op.create_table('n', sa.Column('a', sa.Integer), prefixes=['TEMPORARY'])",
    "op.create_table('Mixed Name', sa.Column('Select', sa.Integer, primary_key=True))",
    "op.create_table('n', sa.Column('a', sa.Integer), sa.Column('b', sa.Integer, sa.Computed('a * 2', persisted=True)))",
    "op.create_table('n', sa.Column('a', sa.Boolean(create_constraint=True, name='b_a')))",
    "op.create_table('n', sa.Column('id', sa.Integer, primary_key=True, autoincrement=False))",
    "op.create_table('n', sa.Column('id', sa.BigInteger, primary_key=True, autoincrement=True))",
    "op.create_table('n', sa.Column('id', sa.Integer, primary_key=True), sqlite_autoincrement=True)",
    "op.create_table('n', sa.Column('id', sa.Integer, primary_key=True), sqlite_strict=True)",
    "op.create_table('n', sa.Column('id', sa.Integer, primary_key=True), sqlite_with_rowid=False)",
    "op.drop_table('bare')",
    "op.drop_table('bare', if_exists=True)",
    "op.drop_table('nothing', if_exists=True)",
    "op.rename_table('bare', 'renamed')",
    "op.rename_table('bare', 'Renamed')",
    "op.drop_column('bare', 'x')",
    "op.drop_column('t', 'a')",
    "op.drop_column('t', 'Mixed')",
    "op.drop_column('t', 'b')",
    "op.drop_column('bare', 'x', if_exists=True)",
]
TABLES_PG = [
    *(f"op.create_table('n', sa.Column('x', {type_}))" for type_ in _PG_TYPES),
    "op.create_table('n', sa.Column('x', sa.Integer), schema='s')",
    "op.create_table('n', sa.Column('x', sa.Integer, sa.Identity(always=True)))",
    "op.create_table('n', sa.Column('x', sa.Enum('p', 'q', name='kind')))",
    "op.create_table('n', sa.Column('x', sa.Integer), postgresql_with={'fillfactor': 50})",
    "op.create_table('n', sa.Column('x', sa.Integer), postgresql_partition_by='RANGE (x)')",
    "op.create_table('n', sa.Column('x', sa.Integer, index=True, comment='q'), comment='w', schema='s')",
    "op.create_table('n', sa.Column('x', sa.Integer), pg.ExcludeConstraint(('x', '='), using='btree', name='ex'))",
    "op.drop_table('t', schema='s')",
    "op.rename_table('t', 'z', schema='s')",
    "op.drop_column('t', 'a', schema='s')",
]

INDEXES = [
    "op.create_index('ix', 't', ['a'])",
    "op.create_index('ix', 't', ['a', 'b'], unique=True)",
    "op.create_index('ix', 't', ['a'], if_not_exists=True)",
    "op.create_index('ix', 't', [sa.text('lower(a)')])",
    "op.create_index('ix', 't', [sa.func.lower(sa.column('a')), 'b'])",
    "op.create_index('ix', 't', [sa.column('a').desc()])",
    "op.create_index('ix', 't', [sa.text('a DESC')])",
    "op.create_index('Mixed Index', 't', ['Mixed'])",
    "op.create_index(op.f('ix_final'), 't', ['a'])",
    "op.create_index('ix', 't', ['a'], postgresql_where=sa.text('b > 1'), sqlite_where=sa.text('b > 1'))",
    "op.create_index('ix', 't', ['a'], postgresql_where='b > 1')",
    "op.drop_index('ix_a')",
    "op.drop_index('ix_a', 't')",
    "op.drop_index('ix_a', table_name='t')",
    "op.drop_index('ix_a', 't', if_exists=True)",
    "op.drop_index('nothing', if_exists=True)",
]
INDEXES_PG = [
    *(
        f"op.create_index('ix', 't', ['a'], {option})"
        for option in [
            "postgresql_using='hash'",
            "postgresql_concurrently=True",
            "postgresql_concurrently=True, if_not_exists=True",
            "postgresql_include=['b']",
            "postgresql_with={'fillfactor': 50}",
            "postgresql_ops={'a': 'text_pattern_ops'}",
            "postgresql_nulls_not_distinct=True, unique=True",
            "postgresql_tablespace='pg_default'",
            "schema='s'",
        ]
    ),
    "op.drop_index('ix_a', schema='s')",
    "op.drop_index('ix_a', 't', schema='s')",
    "op.drop_index('ix_a', postgresql_concurrently=True)",
    "op.drop_index('ix_a', postgresql_concurrently=True, if_exists=True)",
]

ROWS = [
    "op.execute('UPDATE t SET b = 1')",
    "op.execute(sa.text('UPDATE t SET b = 1'))",
    "op.execute(sa.text('UPDATE t SET b = :b').bindparams(b=5))",
    "op.execute(sa.update(sa.table('t', sa.column('b', sa.Integer))).values(b=5))",
    "op.execute(sa.update(sa.table('t', sa.column('a', sa.String))).values(a=op.inline_literal('q')))",
    "op.execute(sa.delete(sa.table('t', sa.column('b', sa.Integer))).where(sa.column('b') == 5))",
    "op.execute('UPDATE t SET b = 1', execution_options={'x': 1})",
    "op.get_bind().execute(sa.text('UPDATE t SET b = 1'))",
    "op.get_bind().execution_options(x=1).execute(sa.update(sa.table('t', sa.column('b', sa.Integer))).values(b=5))",
    "sa.Enum('p', 'q', name='kind').create(op.get_bind(), checkfirst=False)",
    "kind = sa.Enum('p', 'q', name='kind'); kind.create(op.get_bind()); op.add_column('t', sa.Column('k', kind))",
    "kind = sa.Enum('p', 'q', name='kind'); kind.create(op.get_bind()); kind.drop(op.get_bind(), checkfirst=False)",
    "sa.Table('made', sa.MetaData(), sa.Column('i', sa.Integer, index=True)).create(op.get_bind())",
    "sa.Table('made', sa.MetaData(), sa.Column('k', sa.Enum('p', 'q', name='kind'))).create(op.get_bind())",
    "op.bulk_insert(sa.table('o', sa.column('id', sa.Integer), sa.column('n', sa.Integer)), [{'id': 1, 'n': 2}, {'id': 2, 'n': 3}])",
    "op.bulk_insert(sa.table('o', sa.column('id', sa.Integer)), [{'id': 1}], multiinsert=False)",
    "op.bulk_insert(sa.table('o', sa.column('id', sa.Integer)), [])",
    "op.bulk_insert(op.create_table('n', sa.Column('j', sa.JSON)), [{'j': ['x']}, {'j': 'y'}, {'j': None}])",
    "op.bulk_insert(sa.table('o', sa.column('id', sa.Integer), sa.column('n', sa.Integer)), [{'id': 1, 'n': None}])",
    "op.bulk_insert(sa.table('t', sa.column('id', sa.Integer), sa.column('a', sa.String), sa.column('c', sa.DateTime)), [{'id': 1, 'a': \"it's 5%\", 'c': op.inline_literal('2020-01-02 03:04:05', sa.String())}])",
]

_BATCH = [
    "batch_op.add_column(sa.Column('n', sa.Integer))",
    "batch_op.add_column(sa.Column('n', sa.String(5), nullable=False, server_default='x'))",
    "batch_op.add_column(sa.Column('n', sa.Integer), if_not_exists=True)",
    "batch_op.add_column(sa.Column('n', sa.Integer, index=True))",
    "batch_op.add_column(sa.Column('n', sa.Integer)); batch_op.create_foreign_key('fk_n', 'o', ['n'], ['id'])",
    "batch_op.add_column(sa.Column('n', sa.Integer)); batch_op.create_index('ix_n', ['n'])",
    "batch_op.add_column(sa.Column('n', sa.Integer, sa.ForeignKey('o.id', name='fk_n')))",
    "batch_op.add_column(sa.Column('n', sa.Boolean(create_constraint=True, name='bool_n')))",
    "batch_op.alter_column('a', nullable=False)",
    "batch_op.alter_column('a', nullable=False, existing_type=sa.String(20))",
    "batch_op.alter_column('c', nullable=True)",
    "batch_op.alter_column('a', server_default='new')",
    "batch_op.alter_column('a', server_default=None)",
    "batch_op.alter_column('a', server_default=sa.text('CURRENT_TIMESTAMP'))",
    "batch_op.alter_column('a', type_=sa.String(99))",
    "batch_op.alter_column('a', type_=sa.Text(), existing_type=sa.String(20), existing_nullable=True)",
    "batch_op.alter_column('b', type_=sa.BigInteger(), nullable=False)",
    "batch_op.alter_column('a', new_column_name='renamed')",
    "batch_op.alter_column('a', new_column_name='renamed', type_=sa.Text(), nullable=False, server_default='z')",
    "batch_op.alter_column('a', comment='said')",
    "batch_op.drop_column('a')",
    "batch_op.drop_column('Mixed')",
    "batch_op.drop_column('Mixed'); batch_op.drop_column('flag')",
    "batch_op.create_check_constraint('ck', sa.column('b') > 5)",
    "batch_op.create_check_constraint('ck', 'b > 5')",
    "batch_op.create_unique_constraint('uq', ['a'])",
    "batch_op.create_unique_constraint('uq', ['a', 'c'])",
    "batch_op.create_foreign_key('fk', 'o', ['b'], ['id'], ondelete='CASCADE')",
    "batch_op.create_foreign_key('fk', 't', ['b'], ['id'])",
    "batch_op.drop_constraint('uq_b', type_='unique')",
    "batch_op.drop_constraint('ck_b', type_='check')",
    "batch_op.drop_constraint('ck_b', type_='unique')",
    "batch_op.drop_constraint('fk_b', type_='foreignkey')",
    "batch_op.drop_constraint('fk_b', type_='foreignkey'); batch_op.drop_column('b')",
    "batch_op.create_index('ix', ['b'])",
    "batch_op.create_index('ix', ['b', 'a'], unique=True)",
    "batch_op.create_index(batch_op.f('ix_final'), ['b'])",
    "batch_op.drop_index('ix_a')",
    "batch_op.drop_index('ix_a'); batch_op.create_index('ix_a', ['a'], unique=True)",
    "batch_op.create_table_comment('said')",
    "batch_op.drop_table_comment()",
    "batch_op.execute('UPDATE t SET b = 1')",
    "batch_op.alter_column('a', nullable=False); batch_op.alter_column('b', nullable=False); batch_op.create_index('ix', ['b'])",
]
_BATCH_ALWAYS = [
    "pass",
    "batch_op.add_column(sa.Column('n', sa.Integer), insert_before='b')",
    "batch_op.add_column(sa.Column('n', sa.Integer), insert_after='id')",
    "batch_op.add_column(sa.Column('n', sa.Integer), insert_after='flag')",
]


def _batched(body: str, arguments: str = "") -> str:
    return f"with op.batch_alter_table('t'{arguments}) as batch_op:\n    {body}"


BATCH = [_batched(body) for body in _BATCH]
BATCH_SQLITE = [
    *(_batched(body, ", recreate='always'") for body in [*_BATCH, *_BATCH_ALWAYS]),
    _batched("pass", ", recreate='always', partial_reordering=[('c', 'a', 'id', 'b', 'Mixed', 'flag')]"),
    _batched("batch_op.add_column(sa.Column('n', sa.Integer))", ", recreate='never'"),
    _batched("pass", ", recreate='always', table_args=(sa.UniqueConstraint('a', name='uq_extra'),)"),
    _batched("pass", ", recreate='always', table_args=(sa.CheckConstraint('b > 9', name='ck_extra'),)"),
    _batched("batch_op.alter_column('a', nullable=False)", ", reflect_args=[sa.Column('flag', sa.Boolean)]"),
    _batched("batch_op.alter_column('a', nullable=False)", ", reflect_kwargs={}"),
    "with op.batch_alter_table('bare') as batch_op:\n    batch_op.create_primary_key('pk', ['x'])",
    "with op.batch_alter_table('bare', recreate='always') as batch_op:\n    batch_op.create_primary_key('pk', ['x', 'y'])",
    (
        "with op.batch_alter_table('bare', naming_convention={'uq': 'uq_%(table_name)s_%(column_0_name)s'}) as batch_op:\n"
        "    batch_op.create_unique_constraint('uq_given', ['x'])"
    ),
]
BATCH_PG = [
    "with op.batch_alter_table('t', schema='s') as batch_op:\n    batch_op.add_column(sa.Column('n', sa.Integer))",
    "with op.batch_alter_table('t', schema='s') as batch_op:\n    batch_op.drop_constraint('uq_b')\n    batch_op.drop_index('ix_a')",
    "with op.batch_alter_table('bare') as batch_op:\n    batch_op.create_primary_key('pk', ['x'])",
    "with op.batch_alter_table('t') as batch_op:\n    batch_op.create_exclude_constraint('ex', ('b', '='), using='btree')",
]

CONVENTIONAL = [
    "op.create_table('n', sa.Column('id', sa.Integer, primary_key=True), sa.Column('x', sa.Integer, sa.ForeignKey('o.id'), unique=True))",
    "op.create_table('n', sa.Column('x', sa.Integer, index=True), sa.CheckConstraint('x > 1', name='low'))",
    "op.create_unique_constraint(None, 't', ['a'])",
    "op.create_foreign_key(None, 't', 'o', ['b'], ['id'])",
    "op.create_check_constraint('low', 't', 'b > 1')",
    "op.create_check_constraint(op.f('low'), 't', 'b > 1')",
    "op.create_primary_key(None, 'bare', ['x'])",
    "op.create_index(None, 't', ['b'])",
    "op.drop_constraint('low', 't', type_='check')",
    "op.drop_constraint(op.f('low'), 't', type_='check')",
    "op.drop_constraint('uq_b', 't', type_='unique')",
    "op.add_column('t', sa.Column('n', sa.Integer, sa.ForeignKey('o.id'), index=True))",
    "op.add_column('t', sa.Column('n', sa.Boolean(create_constraint=True, name='n')))",
]

COMMON = [*ADD_COLUMN, *ALTER_COLUMN, *CONSTRAINTS, *TABLES, *INDEXES, *ROWS, *BATCH]
POSTGRESQL = [*ADD_COLUMN_PG, *ALTER_COLUMN_PG, *CONSTRAINTS_PG, *TABLES_PG, *INDEXES_PG, *BATCH_PG]
SQLITE = BATCH_SQLITE

NAMES = {"pg": pg}
