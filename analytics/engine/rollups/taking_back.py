"""Taking back what has no inverse: rows of least and greatest values are made again from the facts.

A fold says of which rows something was taken back, and leaves these alone. Here they are deleted, and counted again from
the histories of all items that have a folded fact in their buckets.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from analytics.engine.family import Family
from analytics.engine.rollups import histories
from analytics.engine.rollups.basis import Ground, calendar, relations
from analytics.pure.segments import Grain

# The keys of rows, as values of the table's own types.
TOUCHED = """
touched AS MATERIALIZED (
    SELECT {key} FROM json_populate_recordset(NULL::{rollup}, %(touched)s::json)
)
"""
FORGET = """/* rollups.forget_touched */
WITH {touched}
DELETE FROM {rollup} r USING touched t WHERE r.tenant_id = %(tenant)s AND {same}
"""
# From where to where a touched row's bucket reaches, or further: it may be cut by a change of definitions.
STRETCHES = """
stretch AS MATERIALIZED (
    SELECT DISTINCT t.bucket AS start_at, CASE t.grain {ends} END AS end_at{dimensions}
      FROM touched t JOIN calendar k ON k.project_id = t.project_id
)
"""
ENDS = {
    Grain.MINUTE: "t.bucket + interval '1 minute'",
    Grain.FIVE_MINUTES: "t.bucket + interval '5 minutes'",
    Grain.HOUR: "t.bucket + interval '1 hour'",
    Grain.DAY: "coalesce(k.days[width_bucket(t.bucket, k.days) + 1], 'infinity')",
    Grain.MONTH: "coalesce(k.months[width_bucket(t.bucket, k.months) + 1], 'infinity')",
}
# The whole histories, as they are folded, of the items that have a fact there.
HISTORY = """
SELECT d.item, d.seq, d.happened_at{reads}, true AS fresh
  FROM (SELECT DISTINCT f.item FROM stretch s
          JOIN ({details}) f ON f.tenant_id = %(tenant)s AND f.happened_at >= s.start_at AND f.happened_at < s.end_at{same}) i
  JOIN ({details}) d ON d.tenant_id = %(tenant)s AND d.item = i.item
"""
MADE_AGAIN = "(SELECT r.* FROM rollup_row r JOIN touched t ON {same}) again"
# A month has begun by then, whatever day of it was touched.
MONTH = timedelta(days=32)

# Without a folded fact of the same item nothing that is folded can be taken back.
REACHES_FOLDED = """/* rollups.reaches_folded */
SELECT EXISTS (
    SELECT FROM {tail} x
      JOIN {ledger} l ON l.tenant_id = %(tenant)s AND l.seq = x.seq
      JOIN ({details}) d ON d.tenant_id = %(tenant)s AND d.item = l.{item}
     WHERE x.tenant_id = %(tenant)s AND {only})
"""


def make_again(
    *,
    family: Family,
    found: Ground,
    values: Mapping[str, Any],
    span: tuple[datetime, datetime],
    kept_since: Mapping[Grain, datetime],
    touched: str,
) -> None:
    """The rows whose keys are in the JSON array `touched`, from all that is folded. They lie in `span`, or end there."""
    days, calendars = calendar(found.bases.values(), start=_before(span[0]), end=span[1])
    values = {**values, **relations(found), **calendars, "every_side": True, "touched": touched}
    keys = TOUCHED.format(key=", ".join(family.key), rollup=family.rollup)
    facts = histories.TWO_SIDES.format(history=_history(family))
    with connection.cursor() as cursor:
        cursor.execute(FORGET.format(touched=keys, rollup=family.rollup, same=_same_key(family)), values)
        cursor.execute(
            f"/* rollups.make_again */ WITH {days}, {keys}, {_stretches(family)},"
            f" {histories.contributions(family, facts=facts)}, {histories.rows(family, kept_since=kept_since)}"
            f" {histories.upsert(family, source=MADE_AGAIN.format(same=_same_key(family)))}",
            values,
        )


def reaches_folded(*, tenant_id: int, family: Family) -> bool:
    """Whether the tail has a fact of an item that has folded facts, so that some of what is folded may not count any more."""
    statement = REACHES_FOLDED.format(
        tail=family.tail, ledger=family.ledger, details=histories.details(family), item=family.item, only=family.only
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {"tenant": tenant_id})
        return bool(cursor.fetchall()[0][0])


def _same_key(family: Family) -> str:
    return " AND ".join(f"r.{name} = t.{name}" for name in family.key)


def _stretches(family: Family) -> str:
    ends = " ".join(f"WHEN {int(grain)} THEN {ENDS[grain]}" for grain in family.grains)
    return STRETCHES.format(ends=ends, dimensions="".join(f", t.{name}" for name in family.dimension_columns))


def _history(family: Family) -> str:
    same = "".join(f" AND f.{column} = s.{dimension}" for dimension, column in family.dimension_columns.items())
    reads = "".join(f", d.{column}" for column in family.reads)
    return HISTORY.format(reads=reads, details=histories.details(family), same=same)


def _before(start: datetime) -> datetime:
    return start - MONTH if start.year > 1 else start
