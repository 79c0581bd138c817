"""The catalog queries of a reading: one a kind of object, whatever the number of objects.

Addresses travel as oids; the rows of a table are put together in postgresql_reading.py.
"""

from __future__ import annotations

__all__ = ["COLUMNS", "NAMESPACES", "NOT_OF_EXTENSIONS", "SEQUENCES", "TABLES", "TYPES", "constraints", "indexes"]

NOT_OF_EXTENSIONS = """NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend AS e
  WHERE e.classid = 'pg_catalog.{catalog}'::regclass AND e.objid = {oid} AND e.deptype = 'e')"""

NAMESPACES = """
SELECT n.oid, n.nspname::text, n.nspname = current_schema()
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""

# Partitions are left alone: they belong to whoever manages the parent's data.
TABLES = f"""
SELECT c.oid, c.relnamespace, c.relname::text, c.relkind::text, c.relpersistence::text,
  pg_catalog.obj_description(c.oid, 'pg_class'), c.reloptions::text[],
  CASE c.relkind WHEN 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END,
  CASE WHEN c.relhassubclass OR c.relkind = 'r' THEN ARRAY(
    SELECT i.inhparent::regclass::text FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = c.oid ORDER BY i.inhseqno) END,
  CASE am.amname WHEN 'heap' THEN NULL ELSE am.amname::text END, ts.spcname::text
FROM pg_catalog.pg_class AS c
LEFT JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
LEFT JOIN pg_catalog.pg_tablespace AS ts ON ts.oid = c.reltablespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND c.relnamespace = ANY ({{namespaces}}) AND {NOT_OF_EXTENSIONS.format(catalog="pg_class", oid="c.oid")}
"""

COLUMNS = """
SELECT a.attrelid, a.attnum, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
  pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text, co.collname::text,
  pg_catalog.col_description(a.attrelid, a.attnum), a.attislocal
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = a.attcollation AND a.attcollation <> t.typcollation
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = ANY ({namespaces}) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

_CONSTRAINTS = """
SELECT k.conrelid, k.conname::text, k.contype::text, k.conkey::int2[],
  k.condeferrable, k.condeferred, k.convalidated, pg_catalog.obj_description(k.oid, 'pg_constraint'),
  f.relnamespace, f.relname::text,
  CASE k.contype WHEN 'f' THEN ARRAY(
    SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u (num, place)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY u.place) END,
  k.confupdtype::text, k.confdeltype::text, k.confmatchtype::text, {delete_columns},
  CASE k.contype WHEN 'c' THEN pg_catalog.pg_get_expr(k.conbin, k.conrelid) END, k.connoinherit,
  i.indkey::int2[], {nulls_not_distinct},
  CASE k.contype WHEN 'x' THEN ARRAY(
    SELECT pg_catalog.pg_get_indexdef(k.conindid, n, false) FROM generate_series(1, i.indnkeyatts) AS n) END,
  CASE k.contype WHEN 'x' THEN ARRAY(
    SELECT o.oprname::text FROM unnest(k.conexclop) WITH ORDINALITY AS u (oid, place)
    JOIN pg_catalog.pg_operator AS o ON o.oid = u.oid ORDER BY u.place) END,
  CASE k.contype WHEN 'x' THEN pg_catalog.pg_get_expr(i.indpred, i.indrelid) END,
  CASE k.contype WHEN 'x' THEN (
    SELECT am.amname::text FROM pg_catalog.pg_class AS ci JOIN pg_catalog.pg_am AS am ON am.oid = ci.relam
    WHERE ci.oid = k.conindid) END,
  CASE k.contype WHEN 'x' THEN ARRAY(
    SELECT CASE WHEN oc.opcdefault THEN NULL ELSE oc.opcname::text END
    FROM unnest(i.indclass::oid[]) WITH ORDINALITY AS u (oid, place)
    JOIN pg_catalog.pg_opclass AS oc ON oc.oid = u.oid ORDER BY u.place) END
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
LEFT JOIN pg_catalog.pg_class AS f ON f.oid = k.confrelid
LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = k.conindid AND k.contype IN ('p', 'u', 'x')
WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND c.relnamespace = ANY ({namespaces})
  AND k.conislocal AND k.conparentid = 0
ORDER BY k.conrelid, k.oid
"""

_INDEXES = """
SELECT i.indrelid, ci.relname::text, i.indisunique, i.indkey::int2[], i.indnkeyatts::int, am.amname::text,
  i.indoption::int2[],
  CASE WHEN i.indexprs IS NOT NULL THEN ARRAY(
    SELECT pg_catalog.pg_get_indexdef(i.indexrelid, n, false) FROM generate_series(1, i.indnkeyatts) AS n) END,
  CASE WHEN EXISTS (
    SELECT FROM unnest(i.indclass::oid[]) AS u (oid) JOIN pg_catalog.pg_opclass AS oc ON oc.oid = u.oid
    WHERE NOT oc.opcdefault) THEN ARRAY(
    SELECT CASE WHEN oc.opcdefault THEN NULL ELSE oc.opcname::text END
    FROM unnest(i.indclass::oid[]) WITH ORDINALITY AS u (oid, place)
    JOIN pg_catalog.pg_opclass AS oc ON oc.oid = u.oid ORDER BY u.place) END,
  -- a COLLATE of its own: another one than the column's, or than the expression's type has
  CASE WHEN i.indcollation::oid[] && (SELECT array_agg(oid) FROM pg_catalog.pg_collation WHERE collname <> 'default')
    THEN ARRAY(
    SELECT CASE WHEN co.oid = coalesce(a.attcollation, 100) THEN NULL ELSE co.collname::text END
    FROM unnest(i.indcollation::oid[], i.indkey::int2[]) WITH ORDINALITY AS u (oid, num, place)
    LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = u.oid
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = u.num AND u.num > 0
    WHERE u.place <= i.indnkeyatts ORDER BY u.place) END,
  ci.reloptions::text[], pg_catalog.pg_get_expr(i.indpred, i.indrelid), ts.spcname::text, {nulls_not_distinct}
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS ci ON ci.oid = i.indexrelid
JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
JOIN pg_catalog.pg_am AS am ON am.oid = ci.relam
LEFT JOIN pg_catalog.pg_tablespace AS ts ON ts.oid = ci.reltablespace
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = ANY ({namespaces}) AND NOT i.indisprimary AND NOT i.indisexclusion
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY i.indrelid, ci.relname
"""

# Types of every schema: a column may have one of a schema that is not read. The last column: the tables that have it.
TYPES = f"""
SELECT t.oid, t.typnamespace, t.typname::text, t.typtype::text, pg_catalog.format_type(t.oid, NULL),
  CASE t.typtype WHEN 'e' THEN ARRAY(
    SELECT e.enumlabel::text FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) END,
  pg_catalog.format_type(nullif(t.typbasetype, 0), t.typtypmod), t.typnotnull, t.typdefault, co.collname::text,
  k.names, k.texts,
  CASE t.typtype WHEN 'e' THEN ARRAY(
    SELECT c.oid FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_class AS c ON c.oid = d.objid
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_type'::regclass
      AND d.refobjid IN (t.oid, t.typarray) AND c.relkind IN ('r', 'p') AND NOT c.relispartition) END
FROM pg_catalog.pg_type AS t
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_type AS b ON b.oid = t.typbasetype
LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = t.typcollation AND t.typcollation <> b.typcollation
LEFT JOIN LATERAL (
  SELECT array_agg(c.conname::text ORDER BY c.oid) AS names,
    array_agg(pg_catalog.pg_get_expr(c.conbin, 0) ORDER BY c.oid) AS texts
  FROM pg_catalog.pg_constraint AS c WHERE c.contypid = t.oid AND c.contype = 'c') AS k ON true
WHERE t.typtype IN ('e', 'd') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND {NOT_OF_EXTENSIONS.format(catalog="pg_type", oid="t.oid")}
ORDER BY t.typtype DESC, t.oid
"""

SEQUENCES = f"""
SELECT c.relnamespace, c.relname::text, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle,
  pg_catalog.format_type(s.seqtypid, NULL), d.refobjid, d.refobjsubid, d.deptype::text
FROM pg_catalog.pg_sequence AS s
JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid
LEFT JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
  AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
WHERE c.relpersistence <> 't' AND c.relnamespace = ANY ({{namespaces}})
  AND {NOT_OF_EXTENSIONS.format(catalog="pg_class", oid="c.oid")}
"""


def constraints(version: int) -> str:
    """NULLS NOT DISTINCT and ON DELETE SET NULL (columns) came with PostgreSQL 15."""
    deleted = """CASE WHEN k.confdelsetcols IS NOT NULL THEN ARRAY(
    SELECT a.attname::text FROM unnest(k.confdelsetcols) WITH ORDINALITY AS u (num, place)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.place) END"""
    new = version >= 15
    return _CONSTRAINTS.replace("{delete_columns}", deleted if new else "NULL::text[]").replace(
        "{nulls_not_distinct}", "i.indnullsnotdistinct" if new else "false"
    )


def indexes(version: int) -> str:
    return _INDEXES.replace("{nulls_not_distinct}", "i.indnullsnotdistinct" if version >= 15 else "false")
