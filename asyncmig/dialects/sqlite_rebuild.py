"""The statements that put an edited text in place of a table's stored one: by PRAGMA writable_schema, or with a copy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from asyncmig.dialects.sqlite_default_value import default_value
from asyncmig.dialects.sqlite_stored import StoredObject
from asyncmig.dialects.sqlite_table_text import TableText
from asyncmig.dialects.sqlite_tokens import code_tokens, quote, text_literal

__all__ = ["CopyPlan", "in_schema", "replace_text", "twelve_steps"]

_ROWID_NAMES = ("rowid", "_rowid_", "oid")


def replace_text(schema: str, name: str, old: str, new: str, version: int) -> Iterator[str]:
    """The manual's shorter procedure ("Making Other Kinds Of Table Schema Changes"), without its proofs.

    `version` is any number that differs from the current schema_version: other connections read the schema again.
    """
    yield "PRAGMA writable_schema = ON"
    yield (
        f"UPDATE {quote(schema)}.sqlite_schema SET sql = {text_literal(new)}"
        f" WHERE type = 'table' AND name = {text_literal(name)} AND sql = {text_literal(old)}"
    )
    yield f"PRAGMA {quote(schema)}.schema_version = {version}"
    yield "PRAGMA writable_schema = RESET"


class CopyPlan:
    """A table that is made again: from `old` to `new`, the rows through a copy, `kept` created again after it.

    `fresh` are the columns that the rows did not have before, `using` the expressions of those that change.
    `parked` is the name that the old table has meanwhile. In a script each failure must end the transaction, so that
    the statements after it find nothing to destroy, however the shell goes on; a caller with a transaction
    of its own gets ABORT.
    """

    def __init__(
        self,
        schema: str,
        old: TableText,
        new: TableText,
        kept: Sequence[StoredObject],
        parked: str,
        *,
        fresh: frozenset[str] = frozenset(),
        using: Mapping[str, str] | None = None,
        in_script: bool = False,
        legacy: bool = False,
    ) -> None:
        self.schema = schema
        self.old = old
        self.new = new
        self.kept = kept
        self.parked = parked
        self.fresh = fresh
        self.using = using or {}
        self.conflict = "ROLLBACK" if in_script else "ABORT"
        self.legacy = legacy


def twelve_steps(plan: CopyPlan) -> Iterator[str]:
    """The manual's twelve steps with one difference: the old table is renamed away, not the new one into place.

    So the new text is stored as it is (a RENAME would write the name anew), views and other tables' triggers and
    foreign keys are never touched, and a script that fails in the middle has dropped nothing. It takes foreign_keys off,
    and legacy_alter_table on so that the RENAME leaves alone what mentions the table.
    """
    schema, name, parked = quote(plan.schema), quote(plan.old.name), quote(plan.parked)
    if not plan.legacy:
        yield "PRAGMA legacy_alter_table = ON"
    yield f"ALTER TABLE {schema}.{name} RENAME TO {parked}"
    yield in_schema(plan.new.sql, plan.schema, "TABLE")
    columns, values = _copied(plan)
    # OR ABORT overrides the ON CONFLICT of the table's own constraints: with IGNORE there rows would vanish.
    yield (
        f"INSERT OR {plan.conflict} INTO {schema}.{name} ({', '.join(columns)})"
        f" SELECT {', '.join(values)} FROM {schema}.{parked}"
    )
    if plan.old.autoincrement and plan.new.autoincrement:
        remembered = f"FROM {schema}.sqlite_sequence WHERE name = {text_literal(plan.parked)}"
        yield (
            f"DELETE FROM {schema}.sqlite_sequence WHERE name = {text_literal(plan.old.name)}"
            f" AND EXISTS (SELECT 1 {remembered})"
        )
        yield (
            f"INSERT INTO {schema}.sqlite_sequence (name, seq) SELECT {text_literal(plan.old.name)}, seq {remembered}"
        )
    yield f"DROP TABLE {schema}.{parked}"
    yield from (in_schema(stored.sql, plan.schema, stored.type.upper()) for stored in plan.kept)
    if not plan.legacy:
        yield "PRAGMA legacy_alter_table = OFF"


def in_schema(sql: str, schema: str, kind: str) -> str:
    """A stored text as a statement: SQLite keeps it without the name of an attached database."""
    if schema.lower() == "main":
        return sql
    tokens = code_tokens(sql)
    place = next(index for index, token in enumerate(tokens) if token.upper == kind) + 1
    if tokens[place + 1].text == ".":
        return sql
    at = tokens[place].start
    return f"{sql[:at]}{quote(schema)}.{sql[at:]}"


def _copied(plan: CopyPlan) -> tuple[list[str], list[str]]:
    """What is written, and from what: the columns that both have, and the hidden rowid where both have one."""
    columns: list[str] = []
    values: list[str] = []
    rowid = _shared_rowid(plan)
    if rowid:
        columns, values = [rowid[1]], [rowid[0]]
    for column in plan.new.columns:
        key = column.name.lower()
        source = None if key in plan.fresh else plan.old.find(column.name)
        if source is not None and not column.generated:
            columns.append(quote(column.name))
            values.append(plan.using.get(key, quote(source.name)))
    if not columns:  # every row stays one, though nothing of it does
        stored = next(column for column in plan.new.columns if not column.generated)
        return [quote(stored.name)], [default_value(stored)]
    return columns, values


def _shared_rowid(plan: CopyPlan) -> tuple[str, str] | None:
    """What the rowid is called on both sides; None where a column that is copied is the rowid, or there is none."""
    alias = plan.new.rowid_alias
    if plan.new.without_rowid or plan.old.without_rowid or (alias and alias.lower() not in plan.fresh):
        return None
    old, new = _rowid_name(plan.old), quote(alias) if alias else _rowid_name(plan.new)
    return (old, new) if old and new else None


def _rowid_name(table: TableText) -> str | None:
    """The first of its three names that no column has taken."""
    taken: Iterable[str] = {column.name.lower() for column in table.columns}
    return next((name for name in _ROWID_NAMES if name not in taken), None)
