"""Random pairs of models that have much in common: what a database was made from, and what it is to become.

`pairs(kind)` draws them for one kind of database; which rows both sides can have is worked out in model_rows.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from drawn_models import CHECKS, KINDS, LENGTHS, NAMES, NUMBERED, TABLES, VALUES, Col, Models, Part, Tab, defaults_of
from hypothesis import strategies as st


class _Draw:
    def __init__(self, draw: st.DrawFn, dialect: str) -> None:
        self.draw = draw
        self.dialect = dialect
        self.kinds = [name for name, kind in KINDS.items() if dialect in kind.runs_on]
        self.postgresql = dialect == "postgresql"

    def chance(self, one_in: int) -> bool:
        """Falls to False, so that what Hypothesis shrinks gets plainer."""
        return bool(self.draw(st.integers(0, one_in - 1)) == one_in - 1)

    def pick(self, values: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(list(values)))

    def models(self) -> Models:
        there = [name for name in TABLES if self.chance(2)] or [TABLES[0]]
        tables = [self.table(name) for name in there]
        return self.whole(Models(tuple(tables), self.pick(VALUES), self.pick((1, 2)), self.positive()))

    def positive(self) -> tuple[tuple[str, Any], ...]:
        found: dict[str, Any] = {}
        if self.chance(2):
            found["check"] = self.pick(("VALUE >= 0", "VALUE < 100"))
        if self.chance(3):
            found["constraint_name"] = "fits" if "check" in found else None
        if self.chance(3):
            found["default"] = self.pick(("5", "7"))
        return tuple(found.items())

    def table(self, name: str) -> Tab:
        schema = "s" if self.postgresql and self.chance(4) else None
        names = self.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
        columns = self.columns(names)
        comment = self.pick((None, "said")) if self.postgresql else None
        return replace(self.parts(Tab(name, schema, columns)), comment=comment)

    def columns(self, names: Sequence[str]) -> tuple[Col, ...]:
        """What is generated comes from a column before it."""
        found: list[Col] = []
        for name in names:
            found.append(self.column(name, found))
        return tuple(found)

    def column(self, name: str, others: Sequence[Col]) -> Col:
        kind = self.pick(self.kinds)
        comment = self.pick((None, None, "it's said")) if self.postgresql else None
        sources = [c.name for c in others if c.kind == "integer" and not c.special]
        if kind == "integer" and sources and self.chance(3):
            special = "computed" if self.postgresql else self.pick(("computed", "virtual"))
            return Col(name, kind, True, None, special, self.pick(sources), comment)
        if self.postgresql and kind in NUMBERED and self.chance(4):
            special = self.pick(("sequence", "identity", "always"))
            return Col(name, kind, special == "sequence", None, special, "", comment)
        defaults = defaults_of(kind)
        default = self.pick(range(len(defaults))) if defaults and self.chance(3) else None
        return Col(name, kind, not self.chance(3), default, "", "", comment)

    def parts(self, table: Tab) -> Tab:
        """All but foreign keys, which want the other tables."""
        comparable = [c.name for c in table.columns if KINDS[c.kind].comparable]
        stored = [c.name for c in table.columns if KINDS[c.kind].comparable and c.special != "virtual"]
        parts: list[Part] = []
        keyed = [name for name in stored if (table.column(name) or Col("", "")).special not in ("computed", "virtual")]
        if keyed and self.chance(2):
            columns = tuple(self.draw(st.lists(st.sampled_from(keyed), min_size=1, max_size=2, unique=True)))
            parts.append(Part("key", columns, self.pick((None, f"pk_{table.name}"))))
        for _ in range(self.draw(st.integers(0, 4))):
            sorts = ["check"] + ["unique", "index"] * bool(comparable) + ["exclude"] * bool(stored and self.postgresql)
            made = getattr(self, "_" + self.pick(sorts))(table, comparable)
            if made is not None:
                parts.append(made)
        return replace(table, parts=_distinct([*parts, *table.of("foreign")]))

    def _unique(self, table: Tab, names: Sequence[str]) -> Part:
        columns = tuple(self.draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)))
        options: dict[str, Any] = {}
        if self.postgresql and self.chance(3):
            options = self.pick(
                (
                    {"deferrable": True, "initially": "DEFERRED"},
                    {"postgresql_nulls_not_distinct": True},
                    {"deferrable": True},
                )
            )
        return Part("unique", columns, self._name(table, "x"), tuple(options.items()))

    def _check(self, table: Tab, _: Sequence[str]) -> Part | None:
        column = self.pick(table.columns)
        texts = _checks_of(column)
        texts = texts + LENGTHS if column.kind in ("short", "long", "text") else texts
        return Part("check", (column.name,), self._name(table, "ck"), (("text", self.pick(texts)),)) if texts else None

    def _exclude(self, table: Tab, names: Sequence[str]) -> Part | None:
        plain = [n for n in names if (table.column(n) or Col("", "")).kind in ("integer", "text", "date")]
        return Part("exclude", (self.pick(plain),), f"e_{table.name}") if plain else None

    def _index(self, table: Tab, names: Sequence[str]) -> Part:
        columns = tuple(self.draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)))
        first = table.column(columns[0])
        assert first is not None
        options: dict[str, Any] = {}
        if self.chance(3):
            options["unique"] = True
        family, kind = KINDS[first.kind].family, first.kind
        ways = ["desc"] + ["nulls"] * self.postgresql + ["sum"] * (family == "integer")
        ways += ["lower"] * (kind in ("short", "long", "text"))
        if self.chance(2):
            options["first"] = self.pick(ways)
        if self.chance(3):
            texts = ("{} IS NOT NULL", *(("{} > 0", "{} > 1 AND {} < 100") if family in ("integer", "decimal") else ()))
            options["where"] = self.pick(texts)
        if self.postgresql:
            options |= self._postgresql_index(table, columns, options, kind)
        return Part("index", columns, self._name(table, "x") or f"x_{table.name}_0", tuple(options.items()))

    def _postgresql_index(
        self, table: Tab, columns: tuple[str, ...], options: dict[str, Any], kind: str
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if options.get("unique") and self.chance(3):
            found["postgresql_nulls_not_distinct"] = True
        if len(columns) == 1 and not options.get("unique") and "first" not in options and self.chance(5):
            return {"postgresql_using": "hash"}
        if "first" not in options and kind in ("short", "long", "text") and self.chance(3):
            found["ops"] = "varchar_pattern_ops" if kind != "text" else "text_pattern_ops"
        if self.chance(4):
            found["postgresql_include"] = [self.pick([c.name for c in table.columns if c.special != "virtual"])]
        return found

    def _name(self, table: Tab, prefix: str) -> str | None:
        """One name for a constraint and an index now and then: what the wrong order would bring together."""
        return self.pick((None, f"{prefix}_{table.name}_0", f"{prefix}_{table.name}_1", f"{prefix}_0"))

    def whole(self, models: Models) -> Models:
        """With foreign keys, and names that the others leave free."""
        taken: set[str] = set()
        tables = []
        for table in models.tables:
            kept = [p for p in table.of("key", "unique", "check", "exclude", "index") if self._is_free(p, taken)]
            tables.append(replace(table, parts=tuple(kept)))
        models = replace(models, tables=tuple(tables))
        return replace(models, tables=tuple(self.keys(models, table) for table in models.tables))

    def _is_free(self, part: Part, taken: set[str]) -> bool:
        if part.name is None:
            return True
        free = part.name not in taken
        taken.add(part.name)
        return free

    def keys(self, models: Models, table: Tab) -> Tab:
        parts = list(table.parts)
        for _ in range(self.draw(st.integers(0, 2))):
            possible = list(_targets(models, table, self.dialect))
            if not possible:
                break
            columns, target = self.pick(possible)
            parts.append(
                Part("foreign", columns, self._key_name(table, len(parts)), tuple(self.rules().items()), target)
            )
        return replace(table, parts=_distinct(parts))

    def _key_name(self, table: Tab, number: int) -> str:
        """SQLAlchemy wants names for circles."""
        return f"fk_{table.name}_{number}"

    def rules(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.chance(3):
            found["ondelete"] = self.pick(("CASCADE", "SET NULL", "RESTRICT", "NO ACTION"))
        if self.chance(4):
            found["onupdate"] = self.pick(("CASCADE", "SET DEFAULT"))
        if self.chance(4):
            found |= self.pick(({"deferrable": True, "initially": "DEFERRED"}, {"deferrable": True}))
        if self.postgresql and self.chance(6):
            found["match"] = "FULL"
        return found

    # --- the other side

    def changed(self, models: Models) -> Models:
        tables = [self.changed_table(table) for table in models.tables if not self.chance(8)]
        there = {table.name for table in tables}
        tables += [self.table(name) for name in TABLES if name not in there and self.chance(4)]
        return self.rekeyed(
            models,
            Models(
                tuple(tables) or (self.table(TABLES[0]),),
                self.pick(VALUES) if self.chance(3) else models.mood,
                self.pick((1, 2)),
                self.positive() if self.chance(3) else models.positive,
            ),
        )

    def rekeyed(self, before: Models, after: Models) -> Models:
        """The foreign keys of before where they still fit, or others."""
        fresh = self.whole(after)
        tables = []
        for table in fresh.tables:
            old = before.table(table.name)
            fitting = {(columns, target) for columns, target in _targets(fresh, table, self.dialect)}
            kept = [p for p in (old.of("foreign") if old else ()) if (p.columns, p.target) in fitting]
            if kept and self.chance(2):
                table = replace(table, parts=_distinct([*(p for p in table.parts if p.sort != "foreign"), *kept]))
            tables.append(table)
        return replace(fresh, tables=tuple(tables))

    def changed_table(self, table: Tab) -> Tab:
        if self.chance(6):
            return replace(self.table(table.name), schema=table.schema)
        columns: list[Col] = []
        for column in table.columns:
            if self.chance(8):
                continue
            columns.append(self.changed_column(column, columns) if self.chance(3) else column)
        if self.chance(4) or not columns:
            free = [name for name in NAMES if name not in {c.name for c in columns}]
            if free:
                columns.insert(self.draw(st.integers(0, len(columns))), self.column(self.pick(free), []))
        columns = [
            c
            for c in columns
            if not c.source or any(o.name == c.source and o.kind == "integer" and not o.special for o in columns)
        ]
        columns = columns or [Col("a", "integer")]
        changed = replace(table, columns=tuple(columns))
        fitting = tuple(
            part for part in table.parts if part.sort != "foreign" and _fits(part, changed) and not self.chance(6)
        )
        if self.chance(2):
            return replace(changed, parts=fitting)
        fresh = self.parts(replace(changed, parts=())).parts
        has_key = any(part.sort == "key" for part in fitting)
        parts = [*fitting, *(part for part in fresh if not (part.sort == "key" and has_key))]
        comment = self.pick((None, "said", "else")) if self.postgresql else None
        return replace(changed, parts=_distinct(parts), comment=comment)

    def changed_column(self, column: Col, others: Sequence[Col]) -> Col:
        match self.pick(("nullable", "default", "kind", "comment", "whole")):
            case "nullable" if not column.special:
                return replace(column, nullable=not column.nullable)
            case "default" if not column.special and defaults_of(column.kind):
                number = len(defaults_of(column.kind))
                return replace(column, default=self.pick((None, *range(number))))
            case "kind" if not column.special:
                family = KINDS[column.kind].family
                near = [k for k in self.kinds if KINDS[k].family == family]
                return replace(column, kind=self.pick(near), default=None)
            case "comment" if self.postgresql:
                return replace(column, comment=self.pick((None, "else")))
            case _:
                return self.column(column.name, others)


def _checks_of(column: Col) -> tuple[str, ...]:
    """What rows may have to fulfil: those of a column that numbers itself have every number."""
    texts = CHECKS.get(KINDS[column.kind].family, ())
    return tuple(text for text in texts if text in ("{} >= 0", "{} < 100")) if column.special else texts


def _fits(part: Part, table: Tab) -> bool:
    """Whether the part says something of the changed columns that a database accepts."""
    columns = [table.column(name) for name in (*part.columns, *(part.get("postgresql_include") or ()))]
    if any(column is None for column in columns):
        return False
    first = columns[0]
    assert first is not None
    family, kind = KINDS[first.kind].family, first.kind
    if part.sort == "check":
        texts = _checks_of(first)
        return part.get("text") in (texts + LENGTHS if kind in ("short", "long", "text") else texts)
    if not all(column is not None and KINDS[column.kind].comparable for column in columns[: len(part.columns)]):
        return False
    if part.sort == "key":
        return not any(column is not None and column.special in ("computed", "virtual") for column in columns)
    if part.sort == "exclude":
        return kind in ("integer", "text", "date") and first.special != "virtual"
    where, way = part.get("where") or "", part.get("first")
    if "> " in where and family not in ("integer", "decimal"):
        return False
    if (way == "sum" and family != "integer") or (way == "lower" and kind not in ("short", "long", "text")):
        return False
    ops = part.get("ops")
    return ops is None or ops == (
        "text_pattern_ops" if kind == "text" else "varchar_pattern_ops" if kind in ("short", "long") else ""
    )


def _targets(models: Models, table: Tab, dialect: str) -> Iterator[tuple[tuple[str, ...], tuple[int, tuple[str, ...]]]]:
    """The foreign keys that the table may have: columns, and what they point to."""
    for other in models.tables:
        for key in other.of("key", "unique"):
            if key.get("deferrable"):
                continue  # PostgreSQL wants a key whose uniqueness is checked at once
            wanted = [_alike(other, name) for name in key.columns]
            if not all(wanted):
                continue
            own = [column.name for column in table.columns if not column.special]
            for chosen in itertools.permutations(own, len(key.columns)):
                if [_alike(table, name) for name in chosen] == wanted and (other is not table or chosen != key.columns):
                    yield chosen, (TABLES.index(other.name), key.columns)


def _alike(table: Tab, name: str) -> str:
    column = table.column(name)
    return KINDS[column.kind].alike if column is not None else ""


def _distinct(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Two that say the same, one of them without a name, are told apart by nobody."""
    seen: list[Part] = []
    for part in parts:
        same = [
            other for other in seen if other.sort == part.sort and replace(other, name=None) == replace(part, name=None)
        ]
        kin = [
            o
            for o in seen
            if o.sort == part.sort
            and o.columns == part.columns
            and part.sort in ("unique", "foreign", "key", "exclude")
        ]
        if not same and not kin and not (part.sort in ("key", "exclude") and any(o.sort == part.sort for o in seen)):
            seen.append(part)
    return tuple(seen)


@dataclass(frozen=True)
class Pair:
    before: Models
    after: Models
    renames: bool = False
    """Whether every question for a rename is answered with yes."""


@st.composite
def pairs(draw: st.DrawFn, dialect: str) -> Pair:
    told = _Draw(draw, dialect)
    before = told.models()
    after = told.changed(before)
    return Pair(before, after, told.chance(5)) if not told.chance(8) else Pair(after, before)
