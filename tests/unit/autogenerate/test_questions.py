"""What autogenerate takes for a rename, what it asks, and what the answers make of a script."""

import shlex
from collections.abc import Iterable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import DOMAIN, JSONB

from asyncmig.autogenerate.casts import with_casts
from asyncmig.autogenerate.diff import diff
from asyncmig.autogenerate.filling import Filling, Gap, fill, gaps, sql_value
from asyncmig.autogenerate.questions import DropQuestion, FillQuestion, Lost, NobodyAnswers, RenameQuestion
from asyncmig.autogenerate.renames import Rename, column_candidates, table_candidates
from asyncmig.autogenerate.renaming import Renamed, declared_renames, settle_renames
from asyncmig.autogenerate.steps import Step, steps_of
from asyncmig.autogenerate.suspicion import remarks_on_drops, unimported_models
from asyncmig.autogenerate.value_renames import parse_value_rename, value_candidates
from asyncmig.dialects.normal import normal_for
from asyncmig.dialects.writing import writing_for
from asyncmig.errors import UsageError
from asyncmig.operations.alter_column import AlterColumn, Existing
from asyncmig.operations.base import Operation
from asyncmig.operations.columns import AddColumn
from asyncmig.operations.tables import DropTable
from asyncmig.schema.metadata import schema_from_metadata
from asyncmig.schema.model import Check, Column, Ref, Schema
from asyncmig.schema.types import sql_literal, sql_type

ACCOUNT = Ref("account")
NORMAL = normal_for("sqlite")


class Answers:
    """A questioner that answers from a list, and remembers what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def confirm(self, question: RenameQuestion | DropQuestion) -> bool | None:
        self.asked.append(question.text)
        answer: bool | None = self.answers.pop(0)
        return answer

    def value(self, question: FillQuestion) -> str | None:
        self.asked.append(question.text)
        answer: str | None = self.answers.pop(0)
        return answer


def schema(*columns: Any, name: str = "account", items: Iterable[Any] = ()) -> Schema:
    metadata = sa.MetaData()
    sa.Table("team", metadata, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table(name, metadata, sa.Column("id", sa.Integer, primary_key=True), *columns, *items)
    return schema_from_metadata(metadata)


def string(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.String(50), **options)


ALIKE = [
    ("in place", [string("name")], [string("full_name")], ["account.name:full_name"]),
    ("another type", [string("name")], [sa.Column("full_name", sa.Integer)], []),
    ("another name and place", [string("name"), sa.Column("x", sa.Integer)],
     [sa.Column("x", sa.Integer), string("motto", nullable=False, server_default="q")], []),
    ("moved to the end, similar", [string("name"), sa.Column("x", sa.Integer)],
     [sa.Column("x", sa.Integer), string("names")], ["account.name:names"]),
    ("two at once", [string("first"), string("last")], [string("first_name"), string("last_name")],
     ["account.first:first_name", "account.last:last_name"]),
    ("a key", [sa.Column("team", sa.ForeignKey("team.id"))], [sa.Column("team_id", sa.ForeignKey("team.id"))],
     ["account.team:team_id"]),
    ("only added", [], [string("name")], []),
    ("only dropped", [string("name")], [], []),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "flags"), [case[1:] for case in ALIKE], ids=[case[0] for case in ALIKE])
def test_columns_that_are_alike_are_candidates(before: list[Any], after: list[Any], flags: list[str]) -> None:
    found = column_candidates(schema(*before), schema(*after), NORMAL)
    assert [rename.flag for rename in found] == flags


def test_tables_that_are_alike_are_candidates() -> None:
    before = schema(string("name"), string("email"), string("note"))
    after = schema(string("name"), string("email"), string("remark"), name="customer")
    assert [rename.flag for rename in table_candidates(before, after, NORMAL)] == ["account:customer"]
    assert table_candidates(before, schema(string("other"), name="customer"), NORMAL) == []


def test_of_very_many_tables_those_that_are_the_same_are_candidates() -> None:
    def many(prefix: str) -> Schema:
        metadata = sa.MetaData()
        for n in range(400):
            own = sa.Column(f"own_{n}", sa.Integer)
            sa.Table(f"{prefix}_{n}", metadata, sa.Column("id", sa.Integer, primary_key=True), own)
        return schema_from_metadata(metadata)

    found = table_candidates(many("old"), many("new"), NORMAL)
    assert [rename.flag for rename in found] == [f"old_{n}:new_{n}" for n in range(400)]


def settled(before: Schema, after: Schema, questioner: Any = None, **options: Any) -> Renamed:
    said = options.get("said", ())
    return settle_renames(before, after, NORMAL, said, options.get("declared", ()), questioner or NobodyAnswers())


def test_a_confirmed_rename_keeps_what_belongs_to_the_column() -> None:
    before = schema(string("name", index=True, nullable=False), items=[sa.UniqueConstraint("name", name="uq_name")])
    after = schema(
        string("full_name", index=True, nullable=False), items=[sa.UniqueConstraint("full_name", name="uq_full_name")]
    )
    answers = Answers(True)
    found = settled(before, after, answers)
    assert answers.asked == ["Was account.name renamed to account.full_name?"]
    assert [one.describe() for one in found.operations] == [
        "Rename column account.name to full_name",
        "Rename constraint uq_name of account to uq_full_name",
        "Rename index ix_account_name to ix_account_full_name",
    ]
    assert diff(found.current, after) == []


@pytest.mark.parametrize(("answer", "still_open"), [(False, 0), (None, 1)])
def test_without_a_yes_it_is_a_drop_and_an_addition(answer: bool | None, still_open: int) -> None:
    before, after = schema(string("name")), schema(string("full_name"))
    found = settled(before, after, Answers(answer))
    assert found.operations == ()
    assert len(found.open) == still_open


def test_a_renamed_table_and_its_renamed_column_are_asked_one_after_the_other() -> None:
    before = schema(string("name"), string("email"), string("note"))
    after = schema(string("name"), string("email"), string("remark"), name="customer")
    answers = Answers(True, True)
    found = settled(before, after, answers)
    assert answers.asked == [
        "Was account renamed to customer?",
        "Was customer.note renamed to customer.remark?",
    ]
    assert diff(found.current, after) == []


def test_a_flag_answers_and_nobody_is_asked() -> None:
    before, after = schema(string("name")), schema(sa.Column("full_name", sa.Text))
    answers = Answers()
    found = settled(before, after, answers, said=["account.name:full_name"])
    assert [one.describe() for one in found.operations] == ["Rename column account.name to full_name"]
    assert [one.describe() for one in diff(found.current, after)] == ["Alter column account.full_name: type Text()"]
    assert answers.asked == []


@pytest.mark.parametrize("text", ["account", "account:", ":x", "account.nothing:full_name", "account.name:nothing"])
def test_a_flag_that_fits_nothing_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match="--rename"):
        settled(schema(string("name")), schema(string("full_name")), said=[text])


def kinds(*values: str) -> Schema:
    """A schema as PostgreSQL tells it: texts with their casts."""
    kind = sa.Enum(*values, name="kind")
    default, check = sa.text(f"'{values[0]}'::kind"), sa.text(f"note <> '{values[0]}' OR kind <> '{values[0]}'::kind")
    return schema(
        sa.Column("kind", kind, server_default=default), string("note"), items=[sa.CheckConstraint(check, name="c")]
    )


VALUES = [
    ("in place", "a b c", "a x c", ["kind.b:x"]),
    ("two at once, and one more", "a b c", "x y c d", ["kind.a:x", "kind.b:y"]),
    ("one for two", "a b c", "a x y c", []),
    ("only moved", "a b c", "c b a", []),
    ("only added", "a b", "a x b", []),
    ("only removed", "a b c", "a c", []),
]


@pytest.mark.parametrize(("before", "after", "flags"), [case[1:] for case in VALUES], ids=[case[0] for case in VALUES])
def test_values_of_an_enum_at_the_same_place_are_candidates(before: str, after: str, flags: list[str]) -> None:
    found = value_candidates(kinds(*before.split()), kinds(*after.split()))
    assert [rename.flag for rename in found] == flags


@pytest.mark.parametrize("said", [(), ("kind.a:b",), ("kind.'a':'b'",)], ids=["asked", "bare", "quoted"])
def test_a_renamed_value_is_renamed_in_every_expression(said: tuple[str, ...]) -> None:
    before, after = kinds("a", "z"), kinds("b", "z")
    answers = Answers(True)
    found = settled(before, after, answers, said=said)
    assert answers.asked == ([] if said else ["Was kind 'a' renamed to 'b'?"])
    assert [one.describe() for one in found.operations] == ["Rename value a of enum kind to b"]
    (check,) = [c for c in found.current.tables[ACCOUNT].constraints if isinstance(c, Check)]
    assert check.text.spelling("postgresql") == "note <> 'a' OR kind <> 'b'::kind"
    assert found.current.tables[ACCOUNT].column("kind") == after.tables[ACCOUNT].column("kind")
    assert found.current.enums == after.enums
    (back,) = found.operations[0].reverse(before)
    assert back.apply(found.current) == before


def test_values_that_are_more_than_a_word_stand_in_quotes() -> None:
    (found,) = value_candidates(kinds("it's: a", "z"), kinds("b c", "z"))
    (flag,) = shlex.split(found.flag)
    assert flag == "kind.'it''s: a':'b c'"
    assert parse_value_rename(flag, kinds("it's: a", "z"), kinds("b c", "z")) == found


def test_a_model_says_what_it_was_called() -> None:
    metadata = sa.MetaData()
    sa.Table(
        "customer", metadata, sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("label", sa.Text, info={"renamed_from": "name"}), info={"renamed_from": "account"},
    )  # fmt: skip
    declared = declared_renames([metadata])
    assert declared == [
        Rename(ACCOUNT, "account", "customer"),
        Rename(Ref("customer"), "name", "label", is_column=True),
    ]
    before = sa.MetaData()
    sa.Table("account", before, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))
    wanted = schema_from_metadata(metadata)
    found = settled(schema_from_metadata(before), wanted, declared=declared)
    assert diff(found.current, wanted) == []
    again = settled(wanted, wanted, declared=declared)
    assert again.operations == ()


def added(name: str, engine: Any, **options: Any) -> AddColumn:
    return AddColumn(ACCOUNT, Column(name, sql_type(engine), **options))


KIND = added("kind", sa.String(5), nullable=False)
GAP = Gap(ACCOUNT, "kind", None)


def filling(rows: dict[Gap, int], questioner: Any = None, split: bool = False, **defaults: str) -> Filling:
    values = {f"account.{name}": value for name, value in defaults.items()}
    return Filling(rows, values, questioner or NobodyAnswers(), lambda gap, value: f"UPDATE {gap.name} {value}", split)


def told(steps: Iterable[Step]) -> list[str]:
    return [step.operation.describe() if step.operation else step.notes[0] for step in steps]


def test_gaps_are_not_null_columns_that_nothing_fills() -> None:
    current = schema(string("name"))
    nullable, default = added("a", sa.Text()), added("b", sa.Text(), nullable=False, default=sql_literal(""))
    narrowed: Operation = AlterColumn(ACCOUNT, "name", nullable=False)
    assert gaps([nullable, default, KIND, narrowed], current) == [GAP, Gap(ACCOUNT, "name", "name")]
    assert gaps([AddColumn(Ref("new"), KIND.column)], current) == []


def test_rows_are_asked_for_a_value_which_the_column_then_keeps_no_default_of() -> None:
    answers = Answers("'a'")
    steps = fill([Step(KIND)], filling({GAP: 12}, answers))
    assert "12 rows of account would have no value" in answers.asked[0]
    assert told(steps) == ["Add column account.kind", "Alter column account.kind: no default"]
    assert steps[0].operation == added("kind", sa.String(5), nullable=False, default=sql_literal("a"))


def test_without_an_answer_there_are_three_steps() -> None:
    steps = fill([Step(KIND)], filling({GAP: 12}))
    assert told(steps) == [
        "Add column account.kind",
        "Give the rows of account a value here, for example:",
        "Alter column account.kind: not nullable",
    ]
    assert [step.data for step in steps] == [False, True, False]


def test_an_empty_table_is_asked_nothing_and_warned_about() -> None:
    steps = fill([Step(KIND)], filling({GAP: 0}, Answers()))
    assert steps == [Step(KIND, ("This fails where account has rows: they would have no value for kind.",))]


def test_a_flag_gives_the_value_and_a_split_moves_it_into_a_step_of_its_own() -> None:
    steps = fill([Step(KIND)], filling({GAP: 12}, split=True, kind="a"))
    assert told(steps) == [
        "Add column account.kind",
        "Execute UPDATE account.kind 'a'",
        "Alter column account.kind: not nullable",
    ]


def test_a_default_for_a_column_that_is_not_asked_about_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"account\.kinds"):
        fill([Step(KIND)], filling({GAP: 12}, kinds="a"))


VALUES = [
    ("'a'", sa.String(), "'a'"), ("a", sa.String(), "'a'"), ("it's", sa.Text(), "'it''s'"), ("5", sa.Integer(), "5"),
    ("5", sa.String(), "'5'"), ("now()", sa.DateTime(), "now()"), ("true", sa.Boolean(), "true"),
    ("2024-01-01", sa.Date(), "'2024-01-01'"), ("current_date", sa.Date(), "current_date"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "engine", "sql"), VALUES)
def test_a_value_is_read_as_a_shell_hands_it_over(text: str, engine: Any, sql: str) -> None:
    assert sql_value(text, sql_type(engine)) == sql


CASTS = [
    (sa.String(), sa.Integer(), "a::INTEGER"), (sa.Integer(), sa.String(), None), (sa.Integer(), sa.BigInteger(), None),
    (sa.Integer(), sa.Boolean(), "a::BOOLEAN"), (sa.Text(), sa.Enum("x", name="k"), "a::k"),
    (sa.Enum("x", name="j"), sa.Enum("x", name="k"), "a::text::k"), (sa.Integer(), sa.ARRAY(sa.Integer), "CASE WHEN a IS NOT NULL THEN ARRAY[a]::INTEGER[] END"),
    (sa.Date(), sa.DateTime(), None), (sa.DateTime(), sa.Integer(), "a::text::INTEGER"), (sa.Text(), sa.JSON(), "a::JSON"),
    (sa.Boolean(), sa.Integer(), "a::INTEGER"), (sa.Boolean(), sa.BigInteger(), "a::INTEGER::BIGINT"),
    (sa.SmallInteger(), sa.Boolean(), "a <> 0"), (sa.Text(), DOMAIN("d", sa.Integer), "a::d"),
    (sa.Integer(), DOMAIN("d", sa.Integer), None), (DOMAIN("d", sa.Integer), sa.BigInteger(), None),
    (sa.JSON().with_variant(JSONB(), "postgresql"), sa.Text(), None), (sa.ARRAY(sa.String(5)), sa.ARRAY(sa.String(9)), None),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "using"), CASTS)
def test_a_cast_is_proposed_where_postgresql_makes_none_by_itself(old: Any, new: Any, using: str | None) -> None:
    change = AlterColumn(ACCOUNT, "a", type=sql_type(new), existing=Existing(sql_type(old)))
    (step,) = with_casts([Step(change)], writing_for("postgresql"))
    assert isinstance(step.operation, AlterColumn)
    assert step.operation.using == using
    assert bool(step.notes) is (using is not None)
    assert with_casts([Step(change)], writing_for("sqlite")) == [Step(change)]


LOSSES = [
    (sa.DateTime(), sa.Date(), "the time of day"), (sa.DateTime(), sa.Time(), "the day"), (sa.Date(), sa.DateTime(), None),
    (sa.Numeric(10, 3), sa.Numeric(10, 2), "digits behind the point"), (sa.Numeric(10, 2), sa.Numeric(12, 4), None),
    (sa.Float(), sa.Integer(), "digits behind the point"), (sa.Integer(), sa.Numeric(10), None), (sa.Text(), sa.String(5), None),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "lost"), LOSSES)
def test_what_a_cast_loses_without_a_word_is_said(old: Any, new: Any, lost: str | None) -> None:
    change = AlterColumn(ACCOUNT, "a", type=sql_type(new), existing=Existing(sql_type(old)))
    (step,) = with_casts([Step(change)], writing_for("postgresql"))
    assert step.notes == ((f"Data is lost here: the values of account.a lose {lost}.",) if lost else ())


def test_a_default_steps_aside_while_its_column_is_cast() -> None:
    existing = Existing(sql_type(sa.String()), default=sql_literal("5"))
    change = AlterColumn(ACCOUNT, "a", type=sql_type(sa.Integer()), existing=existing)
    assert told(with_casts([Step(change)], writing_for("postgresql"))) == [
        "Alter column account.a: no default",
        "Alter column account.a: type Integer()",
        "Alter column account.a: default '5'",
    ]


def test_a_question_names_rows_and_its_flag() -> None:
    question = DropQuestion((Lost("table", "account", 1204), Lost("column", "a.b", 1)), ("Odd.",))
    assert question.text == ("Odd. The script would drop table account (1,204 rows), column a.b (1 row). Write it?")
    assert question.flag == "--allow-drops"
    assert RenameQuestion(Rename(ACCOUNT, "a", "b", is_column=True)).flag == "--rename account.a:b"
    assert FillQuestion(ACCOUNT, "kind", 1).flag == "--default account.kind=VALUE"


def test_metadata_that_lost_most_of_its_tables_is_called_out() -> None:
    tables = dict.fromkeys(map(Ref, "abcd"))
    current = Schema(tables=tables)  # type: ignore[arg-type]
    drops = steps_of(DropTable(ref) for ref in tables)
    operations = [step.operation for step in drops if step.operation]
    (remark,) = remarks_on_drops(operations, current, [])
    assert remark.startswith("4 of the 4 tables in the database have no model")
    assert remarks_on_drops(operations[:1], current, []) == []


def test_a_module_that_was_not_imported_is_named(tmp_path: Any) -> None:
    (tmp_path / "shop").mkdir()
    models = tmp_path / "shop" / "order.py"
    models.write_text('class Order(Base):\n    __tablename__ = "orders"\n')
    (tmp_path / "shop" / "words.py").write_text('x = "orders"\n')
    assert unimported_models(["orders"], [tmp_path], frozenset()) == {"orders": models}
    assert unimported_models(["orders"], [tmp_path], frozenset({models})) == {}
