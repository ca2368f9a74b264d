"""Histories of items with and without the new facts, and what differs: the SQL of every fold, rebuild and live read.

A fact's contribution depends on the facts before it. So the facts of every touched item are read as two histories: with the
new facts (side 1) and without them (side -1). The contributions of the one less those of the other are what the new facts
change, those of their successors included.
"""

from collections.abc import Mapping
from datetime import datetime

from analytics.engine.family import Derived, Family, Merge
from analytics.engine.statements import as_recorded
from analytics.pure.segments import CALENDARS, Grain

# The facts of some items that are folded or being folded. (SELECT ...) hides the tenant's number from the planner: of a
# tenant that is not in the statistics yet it expects one row, and would read all of it for each item.
OF_ITEMS = """
    SELECT l.{item} AS item, l.seq, l.happened_at{reads}, l.seq = ANY (%(taken)s::bigint[]) AS fresh
      FROM unnest(%(items)s::{item_type}[]) AS i (id)
      JOIN {ledger} l ON l.tenant_id = (SELECT %(tenant)s::bigint) AND l.{item} = i.id
     WHERE {only} AND NOT EXISTS (SELECT FROM {tail} x WHERE x.tenant_id = %(tenant)s AND x.seq = l.seq)
"""

# New facts alone: enough where no contribution depends on another fact.
OF_THEMSELVES = """
    SELECT l.{item} AS item, l.seq, l.happened_at{reads}, true AS fresh
      FROM {ledger} l WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.seq = ANY (%(taken)s::bigint[]) AND {only}
"""

# All that is folded, from nothing.
ALL_FOLDED = """
    SELECT l.{item} AS item, l.seq, l.happened_at{reads}, true AS fresh
      FROM {ledger} l
     WHERE l.tenant_id = %(tenant)s AND {only}
       AND NOT EXISTS (SELECT FROM {tail} x WHERE x.tenant_id = %(tenant)s AND x.seq = l.seq)
"""

# All that is recorded, folded or not, up to an instant, as it was known.
ALL_RECORDED = as_recorded("""
    SELECT l.{item} AS item, l.seq, l.happened_at{reads}, true AS fresh
      FROM {ledger} l WHERE l.tenant_id = %(tenant)s AND {only} AND l.happened_at < %(until)s AND {visible}
""")

# All that is folded of the items that were ever in one project.
FOLDED_OF_PROJECT = """
    SELECT l.{item} AS item, l.seq, l.happened_at{reads}, true AS fresh
      FROM (SELECT DISTINCT p.{item} AS id FROM {ledger} p
             WHERE p.tenant_id = %(tenant)s AND p.{project} = ANY (%(projects)s::int[])) i
      JOIN {ledger} l ON l.tenant_id = (SELECT %(tenant)s::bigint) AND l.{item} = i.id
     WHERE {only} AND NOT EXISTS (SELECT FROM {tail} x WHERE x.tenant_id = %(tenant)s AND x.seq = l.seq)
"""

# What a reader adds to the rollups: the facts that are still in the tail, up to an instant. Nothing that happens later
# changes what came before.
TAIL_FACTS = """
    SELECT l.{item} AS item, l.seq, l.happened_at{reads}, true AS fresh
      FROM {tail} x JOIN {ledger} l ON l.tenant_id = %(tenant)s AND l.seq = x.seq
     WHERE x.tenant_id = %(tenant)s AND {only} AND l.happened_at < %(until)s
"""

# Their whole histories, with what is folded of them.
WITH_ALL_BEFORE = """
tail_fact AS MATERIALIZED ({tail_facts}),
tail_history AS MATERIALIZED (
    SELECT f.* FROM tail_fact f
     UNION ALL
    SELECT d.item, d.seq, d.happened_at{reads}, false
      FROM (SELECT DISTINCT item FROM tail_fact) t
      JOIN ({details}) d ON d.tenant_id = (SELECT %(tenant)s::bigint) AND d.item = t.item AND d.happened_at < %(until)s
)
"""

# Most facts come after all that is folded of their items. Then a few facts before all time stand for an item's past: they
# leave it where it was, and nothing is to be taken back. Only the other items' histories are read.
WITH_PAST = """
tail_fact AS MATERIALIZED ({tail_facts}),
touched AS MATERIALIZED (
    SELECT t.item, coalesce(i.last_at < t.first_at, true) AS in_order, i.*
      FROM (SELECT item, min(happened_at) AS first_at FROM tail_fact GROUP BY item) t
      LEFT JOIN {past_table} i ON i.tenant_id = (SELECT %(tenant)s::bigint) AND i.{item} = t.item
),
tail_history AS MATERIALIZED (
    SELECT f.* FROM tail_fact f
     UNION ALL
    SELECT p.item, p.seq, '-infinity'{past_reads}, false
      FROM touched t CROSS JOIN LATERAL ({past}) p WHERE t.in_order
     UNION ALL
    SELECT d.item, d.seq, d.happened_at{reads}, false
      FROM touched t
      JOIN ({details}) d ON d.tenant_id = (SELECT %(tenant)s::bigint) AND d.item = t.item AND d.happened_at < %(until)s
     WHERE NOT t.in_order
)
"""
# What is folded, where a family keeps no facts beside its ledger.
FOLDED_FACTS = """
SELECT l.tenant_id, l.{item} AS item, l.seq, l.happened_at{reads} FROM {ledger} l
 WHERE {only} AND NOT EXISTS (SELECT FROM {tail} x WHERE x.tenant_id = l.tenant_id AND x.seq = l.seq)
"""

# With the new facts and without them.
TWO_SIDES = """
history AS MATERIALIZED ({history}),
fact AS (
    SELECT 1 AS side, h.* FROM history h
     UNION ALL
    SELECT -1, h.* FROM history h WHERE NOT h.fresh
)
"""

# A row's bucket begins with its minute, hour, day or month, or later in it, with the last change of its project's
# definitions: no row mixes facts that were made under different ones.
BEGINS = "greatest({bucket}, k.breaks[width_bucket(c.happened_at, k.breaks)])"
BUCKETS = {
    Grain.MINUTE: "date_bin('1 minute', c.happened_at, 'epoch')",
    Grain.FIVE_MINUTES: "date_bin('5 minutes', c.happened_at, 'epoch')",
    Grain.HOUR: "date_bin('1 hour', c.happened_at, 'epoch')",
    Grain.DAY: "k.days[width_bucket(c.happened_at, k.days)]",
    Grain.MONTH: "k.months[width_bucket(c.happened_at, k.months)]",
}
# Some contributions are kept from days up only.
STORED_FROM_DAYS_UP = "NOT ({coarse})"
# Rows that begin earlier were dropped, and late facts make none.
NOT_DROPPED = "{begins} >= %({limit})s::timestamptz"
# The contributions that the new facts add (side above 0) or take back (below 0); what both histories have is neither.
CHANGED = """
changed AS MATERIALIZED (
    SELECT {columns}, sum(c.side) AS side FROM contribution c GROUP BY {columns} HAVING sum(c.side) <> 0
)
"""
ROWS = """
rollup_row AS MATERIALIZED (
    SELECT * FROM ({grains}) summed WHERE {wanted}
)
"""
# A branch for each grain: one that made all its rows of each contribution at a time took twice as long.
OF_GRAIN = """
SELECT c.project_id, {grain}::smallint AS grain, {begins} AS bucket{dimensions}, {sums}
  FROM {source} c JOIN calendar k ON k.project_id = c.project_id
 WHERE {kept} AND (%(every_side)s OR {by_order}) GROUP BY 1, 2, 3{dimensions}
"""

# What is taken back (side below 0) of measures that are no sums is not known here: those rows are made again.
AGGREGATES = {
    Merge.ADD: "sum(c.side * c.{name}) AS {name}",
    Merge.LEAST: "min(c.{name}) FILTER (WHERE c.side > 0) AS {name}",
    Merge.GREATEST: "max(c.{name}) FILTER (WHERE c.side > 0) AS {name}",
}
MERGES = {
    Merge.ADD: "{name} = r.{name} + excluded.{name}",
    Merge.LEAST: "{name} = LEAST(r.{name}, excluded.{name})",
    Merge.GREATEST: "{name} = GREATEST(r.{name}, excluded.{name})",
}


def two_sides(family: Family, *, history: str) -> str:
    """The common table expressions `history` and `fact`; `history` is one of the texts above."""
    return TWO_SIDES.format(history=named(history, family=family))


def contributions(family: Family, *, facts: str, kept: bool = True) -> str:
    """The common table expressions up to `contribution`, from those that make `fact`.

    `kept` for who reads the contributions more than once; else what is not asked for is not even made.
    """
    materialized = "MATERIALIZED" if kept else "NOT MATERIALIZED"
    return f"{resolved(family, facts=facts)}, contribution AS {materialized} ({family.contributions})"


def resolved(family: Family, *, facts: str) -> str:
    """The common table expressions up to `resolved`, from those that make `fact`."""
    relations = f"{family.definitions.relations}, " if family.definitions else ""
    return f"{relations}{facts}, resolved AS MATERIALIZED ({family.resolve})"


def live(family: Family, *, whole: bool = False) -> str:
    """The common table expressions up to `tail_history`: what the tail's facts are to be judged by.

    With `whole` that is all of their items' histories, else what is enough to tell what they contribute.
    """
    tail_facts = named(TAIL_FACTS, family=family)
    if family.independent:
        return f"tail_history AS MATERIALIZED ({tail_facts})"
    past = family.past
    return (WITH_ALL_BEFORE if whole or past is None else WITH_PAST).format(
        tail_facts=tail_facts,
        item=family.item,
        details=details(family),
        reads="".join(f", d.{column}" for column in family.reads),
        past_reads="".join(f", p.{column}" for column in family.reads),
        past_table=past.table if past else "",
        past=past.facts if past else "",
    )


def details(family: Family) -> str:
    """The family's folded facts."""
    return family.details or named(FOLDED_FACTS, family=family)


def named(history: str, *, family: Family) -> str:
    """A history's text with the family's names."""
    return history.format(
        item=family.item,
        item_type=family.item_type,
        ledger=family.ledger,
        tail=family.tail,
        only=family.only,
        project=family.project,
        reads="".join(f", l.{column}" for column in family.reads),
    )


def limits(kept_since: Mapping[Grain, datetime]) -> dict[str, datetime]:
    """The parameters of `rows`: since when rows of each grain are kept."""
    return {_limit(grain): since for grain, since in kept_since.items()}


def rows(family: Family, *, kept_since: Mapping[Grain, datetime]) -> str:
    """The common table expression `rollup_row`: the contributions, summed up by bucket; none of a bucket that was dropped."""
    grains = [_of_grain(family, grain, is_limited=grain in kept_since) for grain in family.grains]
    return ROWS.format(grains=" UNION ALL ".join(grains), wanted=f"NOT ({family.is_empty})")


def changed_rows(family: Family, *, kept_since: Mapping[Grain, datetime]) -> str:
    """As `rows`, of the contributions that differ by the new facts; where `taken` something was taken back of the row."""
    columns = ("project_id", "happened_at", *family.dimensions, *(measure.name for measure in family.measures))
    changed = CHANGED.format(columns=", ".join(f"c.{name}" for name in columns))
    grains = [_of_grain(family, grain, is_limited=grain in kept_since, changed=True) for grain in family.grains]
    return f"{changed}, {ROWS.format(grains=' UNION ALL '.join(grains), wanted=f'taken OR NOT ({family.is_empty})')}"


def _of_grain(family: Family, grain: Grain, *, is_limited: bool, changed: bool = False) -> str:
    begins = BEGINS.format(bucket=BUCKETS[grain])
    conditions = [
        *([] if grain in CALENDARS else [STORED_FROM_DAYS_UP.format(coarse=family.coarse)]),
        *([NOT_DROPPED.format(begins=begins, limit=_limit(grain))] if is_limited else []),
    ]
    sums = [AGGREGATES[measure.merge].format(name=measure.name) for measure in family.measures]
    return OF_GRAIN.format(
        grain=int(grain),
        begins=begins,
        kept=" AND ".join(conditions) or "TRUE",
        by_order=family.by_order,
        dimensions="".join(f", c.{name}" for name in family.dimensions),
        sums=", ".join([*sums, "bool_or(c.side < 0) AS taken"] if changed else sums),
        source="changed" if changed else "contribution",
    )


def _limit(grain: Grain) -> str:
    return f"{grain.name.lower()}_since"


UPSERT = """
INSERT INTO {rollup} AS r (tenant_id, {columns}) SELECT %(tenant)s, {columns} FROM {source} ORDER BY {order}
    ON CONFLICT (tenant_id, {order}) DO UPDATE SET {merges}
"""


def upsert(family: Family, *, source: str = "rollup_row") -> str:
    """Adds `rollup_row`, or other such rows, to the rollups."""
    return UPSERT.format(
        rollup=family.rollup,
        source=source,
        columns=", ".join((*family.key, *(measure.name for measure in family.measures))),
        order=", ".join(family.key),
        merges=", ".join(MERGES[measure.merge].format(name=measure.name) for measure in family.measures),
    )


ALL_ROWS = "SELECT {columns} FROM ({select}) d"
# What the new facts changed, and no more: an old fact mostly stays as it is.
CHANGED_ROWS = """
SELECT {columns} FROM ({select}) d WHERE side = 1 EXCEPT ALL SELECT {columns} FROM ({select}) d WHERE side = -1
"""
WRITE_DERIVED = """
INSERT INTO {table} (tenant_id, {columns}) SELECT %(tenant)s, w.* FROM ({rows}) w
    ON CONFLICT (tenant_id, {key}) DO UPDATE SET {changes}
"""


def written(derived: Derived) -> str:
    """Writes a derived table's rows of the touched items: those that changed, or all of them."""
    columns = ", ".join(derived.columns)
    rows = CHANGED_ROWS if derived.of_facts else ALL_ROWS
    return WRITE_DERIVED.format(
        table=derived.table,
        columns=columns,
        rows=rows.format(columns=columns, select=derived.select),
        key=", ".join(derived.key),
        changes=", ".join(f"{name} = excluded.{name}" for name in derived.columns if name not in derived.key),
    )
