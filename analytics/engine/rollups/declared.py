"""Declarations against the database: whether a family's tables, columns, keys and statements are there and fit."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from django.db import DatabaseError, connection

from analytics.engine.family import Derived, Family
from tasks_app.refusals import Refused

# A name that is no table's has no row.
COLUMNS = """/* rollups.columns */
SELECT t.name, a.attname::text, a.atttypid::regtype::text
  FROM unnest(%(tables)s::text[]) AS t (name)
  JOIN pg_attribute a ON a.attrelid = to_regclass(t.name) AND a.attnum > 0 AND NOT a.attisdropped
"""
# The columns of each unique index that holds for all rows.
KEYS = """/* rollups.keys */
SELECT t.name, array_agg(a.attname::text)
  FROM unnest(%(tables)s::text[]) AS t (name)
  JOIN pg_index i ON i.indrelid = to_regclass(t.name) AND i.indisunique AND i.indpred IS NULL
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
 GROUP BY t.name, i.indexrelid
"""
TYPES = """/* rollups.types */
SELECT t.name, to_regtype(t.name)::text FROM unnest(%(types)s::text[]) AS t (name)
"""

Columns = Mapping[str, Mapping[str, str]]


def check_tables(family: Family) -> None:
    """Refused where a table, a column or a key that the declaration names is not there, or a column is of another type."""
    tables = _tables(family)
    found = _columns(list(tables))
    # Each is asked only where those before it had nothing to say.
    for sentence in chain(_missing(tables, found), _without_key(family), _of_other_types(family, found)):
        raise Refused(f"The family {family.name} cannot be folded: {sentence}")


def check_statement(family: Family, *, statement: str, values: Mapping[str, Any]) -> None:
    """Refused where the database does not understand the statement: it is planned, and not run."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {statement}", values)
    except DatabaseError as error:
        first = str(error).split("\n")[0]
        raise Refused(f"The family {family.name} cannot be folded: {first}.") from error


def _tables(family: Family) -> dict[str, Sequence[str]]:
    """By table: the columns that must be there."""
    project = [family.project] if family.project else []
    return {
        family.ledger: ["tenant_id", "seq", "happened_at", "recorded_at", family.item, *project, *family.reads],
        family.tail: ["tenant_id", "seq"],
        family.rollup: ["tenant_id", *family.key, *(measure.name for measure in family.measures)],
        **{derived.table: ["tenant_id", *derived.columns] for derived in family.derived},
    }


def _missing(tables: Mapping[str, Sequence[str]], found: Columns) -> Iterator[str]:
    for table, columns in tables.items():
        if table not in found:
            yield f"there is no table {table}."
            return
        for name in columns:
            if name not in found[table]:
                yield f"{table} has no column {name}."


def _without_key(family: Family) -> Iterator[str]:
    keys: list[tuple[str, Sequence[str]]] = [(family.rollup, family.key), *map(_key, family.derived)]
    with connection.cursor() as cursor:
        cursor.execute(KEYS, {"tables": [table for table, _ in keys]})
        found = {(table, frozenset(columns)) for table, columns in cursor.fetchall()}
    for table, key in keys:
        if (table, frozenset(("tenant_id", *key))) not in found:
            yield f"{table} has no unique index on tenant_id, {', '.join(key)}."


def _of_other_types(family: Family, found: Columns) -> Iterator[str]:
    wanted = [(family.ledger, family.item, family.item_type)]
    wanted += [(family.rollup, measure.name, measure.type) for measure in family.measures]
    with connection.cursor() as cursor:
        cursor.execute(TYPES, {"types": [name for *_, name in wanted]})
        types = dict(cursor.fetchall())
    for table, column, name in wanted:
        if found[table][column] != types[name]:
            yield f"{table}.{column} is {found[table][column]}, and it is declared as {name}."


def _key(derived: Derived) -> tuple[str, Sequence[str]]:
    return derived.table, derived.key


def _columns(tables: list[str]) -> Columns:
    found: dict[str, dict[str, str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS, {"tables": tables})
        for table, name, type_name in cursor.fetchall():
            found.setdefault(table, {})[name] = type_name
    return found
