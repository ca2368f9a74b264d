"""What PostgreSQL's catalogue says of our tables, for the tests that hold for every table there will ever be."""

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
