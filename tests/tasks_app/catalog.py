"""What PostgreSQL's catalogue says of our tables, for the tests that hold for every table there will ever be."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.tasks_app.recording import sql

READ_TENANT_TABLES = """/* tests.read_tenant_tables */
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
"""
READ_INDEXES = """/* tests.read_indexes */
SELECT i.indexrelid::regclass::text, a.attname, m.amname, i.indisunique, i.indisprimary
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
  LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
 WHERE i.indrelid = to_regclass(%s)
"""
READ_REFERENCES = """/* tests.read_references */
SELECT k.conname, k.confrelid::regclass::text,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY n (num, place)
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.num ORDER BY n.place),
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY n (num, place)
               JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = n.num ORDER BY n.place),
       k.convalidated
  FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = to_regclass(%s)
"""

# Which tenants a login may enter is read before a tenant is known; it holds two ids and nobody's words.
BEFORE_A_TENANT_IS_KNOWN = frozenset({"account_tenant"})


@dataclass(frozen=True)
class Index:
    name: str
    first_column: str | None
    method: str
    unique: bool
    primary: bool


@dataclass(frozen=True)
class ForeignKey:
    name: str
    target: str
    columns: tuple[str, ...]
    target_columns: tuple[str, ...]
    validated: bool


def tenant_tables() -> list[str]:
    """Every table with a tenant_id, but those that are read before a tenant is known."""
    return [name for (name,) in sql(READ_TENANT_TABLES) if name not in BEFORE_A_TENANT_IS_KNOWN]


def indexes(table: str) -> list[Index]:
    return [Index(*row) for row in sql(READ_INDEXES, [table])]


def foreign_keys(table: str) -> list[ForeignKey]:
    return [
        ForeignKey(name, target, tuple(columns), tuple(target_columns), validated)
        for name, target, columns, target_columns, validated in sql(READ_REFERENCES, [table])
    ]


# Each reads one aspect of a table, as text without the schema, so that tables of two schemas can be compared.
ASPECTS: Mapping[str, str] = {
    "columns": """
        SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
               || CASE a.attidentity WHEN '' THEN '' ELSE ' IDENTITY' END
               || coalesce(' ' || pg_get_expr(d.adbin, d.adrelid), '')
          FROM pg_attribute a LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
         WHERE a.attrelid = %(table)s::regclass AND a.attnum > 0 AND NOT a.attisdropped""",
    "order of columns": """
        SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute
         WHERE attrelid = %(table)s::regclass AND attnum > 0 AND NOT attisdropped""",
    "constraints": """
        SELECT conname || ' ' || pg_get_constraintdef(oid) || CASE WHEN convalidated THEN '' ELSE ' NOT VALID' END
          FROM pg_constraint WHERE conrelid = %(table)s::regclass AND contype <> 'n'""",
    "indexes": "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %(table)s::regclass",
    "security": """
        SELECT concat_ws(' ', relrowsecurity, relforcerowsecurity, relowner::regrole, relpersistence) FROM pg_class
         WHERE oid = %(table)s::regclass""",
    "policies": """
        SELECT concat_ws(' ', polname, polcmd, polpermissive, polroles, pg_get_expr(polqual, polrelid),
                         pg_get_expr(polwithcheck, polrelid)) FROM pg_policy WHERE polrelid = %(table)s::regclass""",
    "grants": """
        SELECT concat_ws(' ', grantee, privilege_type, is_grantable) FROM information_schema.role_table_grants
         WHERE (table_schema || '.' || table_name)::regclass = %(table)s::regclass""",
    "grants of columns": """
        SELECT concat_ws(' ', grantee, privilege_type, column_name) FROM information_schema.column_privileges c
         WHERE (table_schema || '.' || table_name)::regclass = %(table)s::regclass AND NOT EXISTS (
               SELECT FROM information_schema.role_table_grants t
                WHERE (t.table_schema, t.table_name, t.grantee, t.privilege_type)
                    = (c.table_schema, c.table_name, c.grantee, c.privilege_type))""",
    "triggers": """
        SELECT pg_get_triggerdef(oid) || ' ' || tgenabled::text FROM pg_trigger
         WHERE tgrelid = %(table)s::regclass AND NOT tgisinternal""",
    "settings": "SELECT unnest(reloptions) FROM pg_class WHERE oid = %(table)s::regclass",
}


def portrait(table: str, *, schema: str = "public") -> dict[str, set[str]]:
    """All that the catalogue says of a table, by aspect; the schema is left out of it."""
    values = {"table": f"{schema}.{table}"}
    return {
        aspect: {str(text).replace(f"{schema}.", "") for (text,) in sql(statement, values)}
        for aspect, statement in ASPECTS.items()
    }
