"""Views, functions, triggers, policies and extensions out of PostgreSQL's catalogs: one query a kind that is wanted."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass

from asyncmig.dialects.postgresql_normal import unwrapped
from asyncmig.dialects.postgresql_queries import NOT_OF_EXTENSIONS
from asyncmig.dialects.reading import Rows, Scope
from asyncmig.schema.model import Extension, Function, Policy, Ref, Schema, Trigger, View

__all__ = ["FUNCTION", "SHAPE", "function_definition", "read_objects", "trigger_parts", "view_definition"]

# The columns of a relation with their types, as far as CREATE OR REPLACE VIEW wants them unchanged.
SHAPE = """ARRAY(
  SELECT quote_ident(a.attname) || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod) || coalesce((
    SELECT ' COLLATE ' || quote_ident(co.collname) FROM pg_catalog.pg_collation AS co
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE co.oid = a.attcollation AND a.attcollation <> t.typcollation), '')
  FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)"""

FUNCTION = "pg_catalog.pg_get_function_arguments(p.oid), pg_catalog.pg_get_functiondef(p.oid)"

_VIEWS = f"""
SELECT c.relnamespace, c.relname::text, c.relkind::text, pg_catalog.pg_get_viewdef(c.oid), c.reloptions::text[], {SHAPE},
  ARRAY(SELECT pg_catalog.pg_get_indexdef(i.indexrelid, 0, true) FROM pg_catalog.pg_index AS i WHERE i.indrelid = c.oid
    ORDER BY i.indexrelid)
  || (SELECT format('COMMENT ON %s %s IS %L', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END,
      c.oid::regclass, d.description) FROM pg_catalog.pg_description AS d
    WHERE d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid = 0)
FROM pg_catalog.pg_class AS c
WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' AND c.relnamespace = ANY ({{namespaces}})
  AND {NOT_OF_EXTENSIONS.format(catalog="pg_class", oid="c.oid")}
ORDER BY c.oid
"""

# Deptype 'i': the functions that a range type brings along.
_FUNCTIONS = f"""
SELECT p.pronamespace, p.proname::text, {FUNCTION}
FROM pg_catalog.pg_proc AS p
WHERE p.prokind = 'f' AND p.pronamespace = ANY ({{namespaces}})
  AND {NOT_OF_EXTENSIONS.format(catalog="pg_proc", oid="p.oid").replace("= 'e'", "IN ('e', 'i')")}
ORDER BY p.oid
"""

# Partitions are left alone, and so are the triggers that their parents give them.
_TRIGGERS = f"""
SELECT c.relnamespace, c.relname::text, t.tgname::text, pg_catalog.pg_get_triggerdef(t.oid, true)
FROM pg_catalog.pg_trigger AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal AND NOT c.relispartition AND c.relnamespace = ANY ({{namespaces}})
  AND {NOT_OF_EXTENSIONS.format(catalog="pg_trigger", oid="t.oid")}
  AND {NOT_OF_EXTENSIONS.format(catalog="pg_class", oid="c.oid")}
ORDER BY t.oid
"""

# Tables without a policy too: row level security may be enabled or forced there.
_POLICIES = f"""
SELECT c.relnamespace, c.relname::text, c.relrowsecurity, c.relforcerowsecurity, p.polname::text, p.polcmd::text, p.polpermissive,
  ARRAY(SELECT CASE r.oid WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(r.oid)::text END
    FROM unnest(p.polroles) AS r (oid)),
  pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)
FROM pg_catalog.pg_class AS c
LEFT JOIN pg_catalog.pg_policy AS p ON p.polrelid = c.oid
WHERE c.relkind IN ('r', 'p') AND (c.relrowsecurity OR c.relforcerowsecurity OR p.oid IS NOT NULL) AND c.relnamespace = ANY ({{namespaces}})
  AND {NOT_OF_EXTENSIONS.format(catalog="pg_class", oid="c.oid")}
ORDER BY p.oid
"""

_EXTENSIONS = """
SELECT CASE WHEN n.nspname = current_schema() THEN NULL ELSE n.nspname::text END, e.extname::text, e.extversion
FROM pg_catalog.pg_extension AS e
JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname <> 'plpgsql'
ORDER BY e.oid
"""

_NAME = r'(?:"(?:[^"]|"")+"|[^\s".]+)'
_TRIGGER = re.compile(
    rf"CREATE (?P<constraint>CONSTRAINT )?TRIGGER {_NAME} (?P<event>.+?) ON {_NAME}(?:\.{_NAME})? (?P<action>.*)",
    re.DOTALL,
)
_COMMANDS = {"*": "ALL", "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}

Names = Mapping[int, str | None]


def read_objects(scope: Scope, names: Names, namespaces: str) -> Generator[str, Rows, Schema]:
    """The kinds that `scope` wants; `names` are the schemas by oid, `namespaces` the array of those that are read."""
    found = _Found(scope, names)

    def rows(kind: str, query: str) -> Generator[str, Rows, Rows]:
        if kind not in scope.objects:
            return ()
        answer = yield query.replace("{namespaces}", namespaces)
        return answer

    views = found.views((yield from rows("view", _VIEWS)))
    functions = found.functions((yield from rows("function", _FUNCTIONS)))
    triggers = found.triggers((yield from rows("trigger", _TRIGGERS)))
    policies, secured, forced = found.policies((yield from rows("policy", _POLICIES)))
    extensions = found.extensions((yield from rows("extension", _EXTENSIONS)))
    return Schema(
        views={one.ref: one for one in views},
        functions={one.ref: one for one in functions},
        triggers={one.ref: one for one in triggers},
        policies={one.ref: one for one in policies},
        extensions={one.ref: one for one in extensions},
        secured=secured,
        forced=forced,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    scope: Scope
    names: Names

    def views(self, rows: Rows) -> list[View]:
        return [
            View(
                name,
                view_definition(definition),
                self.names[space],
                materialized=kind == "m",
                options=tuple(sorted((o.partition("=")[0], o.partition("=")[2]) for o in options or ())),
                shape=tuple(shape),
                attached=tuple(text for text in attached if text is not None),
            )
            for space, name, kind, definition, options, shape, attached in rows
            if self.scope.has_object(name, "view", self.names[space])
        ]

    def functions(self, rows: Rows) -> list[Function]:
        return [
            Function(name, arguments, function_definition(arguments, text), self.names[space])
            for space, name, arguments, text in rows
            if self.scope.has_object(name, "function", self.names[space])
        ]

    def triggers(self, rows: Rows) -> list[Trigger]:
        return [
            Trigger(name, Ref(table, self.names[space]), *trigger_parts(text))
            for space, table, name, text in rows
            if self.scope.has_object(name, "trigger", self.names[space], table)
        ]

    def policies(self, rows: Rows) -> tuple[list[Policy], frozenset[Ref], frozenset[Ref]]:
        """The policies, and the tables whose row level security is enabled, and forced on the owner."""
        policies = [
            Policy(
                name,
                Ref(table, self.names[space]),
                _COMMANDS[command],
                tuple(roles),
                None if using is None else unwrapped(using),
                None if check is None else unwrapped(check),
                permissive,
            )
            for space, table, _, _, name, command, permissive, roles, using, check in rows
            if name is not None and self.scope.has_object(name, "policy", self.names[space], table)
        ]
        secured, forced = (frozenset(Ref(row[1], self.names[row[0]]) for row in rows if row[place]) for place in (2, 3))
        return policies, secured, forced

    def extensions(self, rows: Rows) -> list[Extension]:
        return [
            Extension(name, schema, version)
            for schema, name, version in rows
            if self.scope.has_object(name, "extension", schema)
        ]


def view_definition(text: str) -> str:
    """What pg_get_viewdef gives, without the semicolon."""
    return text.strip().rstrip(";").rstrip()


def function_definition(arguments: str, text: str) -> str:
    """What follows the arguments in the text that pg_get_functiondef gives."""
    _, _, rest = text.partition(f"({arguments})\n")
    return rest.strip()


def trigger_parts(text: str) -> tuple[str, str, bool]:
    """Event, action, and whether it is a constraint trigger, out of what pg_get_triggerdef gives."""
    match = _TRIGGER.fullmatch(text)
    if match is None:
        raise ValueError(f"No CREATE TRIGGER of PostgreSQL's: {text}")
    return match["event"], match["action"], match["constraint"] is not None
