"""Durations: time in states and journeys of finished items, as statements over a scope's facts."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from analytics.flow.figures.journeys import StateEntries
from analytics.flow.replay.flow import after_facts
from analytics.pure.zones import to_microseconds

# The number of a time's bin, as analytics.pure.histogram has it.
BIN = "CASE WHEN lasted > '0' THEN 1 + ceil(ln(extract(epoch FROM lasted)::float8 * 1000000) / %(bin_width)s)::int ELSE 0 END"
# The part of each visit from `clip` on. A visit is closed in the window that has the fact that ended it. Percentiles of very
# many are not read off a sorted list of them but counted in bins, which come in arrays.
STAYS = after_facts(
    "/* replay.stays */",
    f""",
/* The board's states, each with the number of its group. */
own AS (
    SELECT state_id, group_id FROM unnest(%(states)s::int[], %(groups)s::int[]) AS o (state_id, group_id)
),
/* Each visit to a state, and when and by a counted fact or not it ended. */
visit AS (
    SELECT state_id, happened_at AS entered_at, lead(happened_at) OVER history AS left_at,
           lead(counted) OVER history AS counted
      FROM fact WHERE state_id <> before_id
    WINDOW history AS (PARTITION BY task_id ORDER BY happened_at, seq)
),
/* Each visit that the window counts, and how long it lasted there. */
stay AS MATERIALIZED (
    SELECT o.group_id, v.left_at IS NOT NULL AS closed,
           coalesce(v.left_at, %(horizon)s::timestamptz) - greatest(v.entered_at, %(clip)s::timestamptz) AS lasted
      FROM visit v
      JOIN own o ON o.state_id = v.state_id
     WHERE CASE WHEN v.left_at IS NULL THEN %(stocks)s ELSE v.counted AND v.left_at >= %(from)s END
),
/* The groups with so many closed visits that they are not sorted. */
large AS MATERIALIZED (
    SELECT group_id FROM stay WHERE closed GROUP BY group_id HAVING count(*) > %(most_exact)s
),
/* Their visits by bin. */
binned AS (
    SELECT group_id, {BIN} AS bin, count(*) AS visits
      FROM stay WHERE closed AND group_id = ANY (ARRAY(SELECT group_id FROM large)) GROUP BY 1, 2
)
SELECT group_id, count(*) FILTER (WHERE closed), sum(lasted) FILTER (WHERE closed),
       percentile_disc(ARRAY[0.5, 0.85, 0.95]) WITHIN GROUP (ORDER BY lasted)
           FILTER (WHERE closed AND group_id <> ALL (ARRAY(SELECT group_id FROM large))),
       max(lasted) FILTER (WHERE closed), count(*) FILTER (WHERE NOT closed),
       sum(greatest(lasted, '0'::interval)) FILTER (WHERE NOT closed),
       (SELECT array_agg(b.bin ORDER BY b.bin) FROM binned b WHERE b.group_id = stay.group_id),
       (SELECT array_agg(b.visits ORDER BY b.bin) FROM binned b WHERE b.group_id = stay.group_id)
  FROM stay GROUP BY group_id
""",  # noqa: S608 - of the constant above
)

# The steps of the items that came into one of the `done` states from others within the window.
STEPS = """,
/* Each entry into a state, and when its item last came to be done. */
step AS (
    SELECT task_id, seq, happened_at, state_id, counted,
           max(CASE WHEN state_id = ANY (%(done)s::int[]) AND before_id <> ALL (%(done)s::int[]) THEN happened_at END)
               OVER (PARTITION BY task_id ORDER BY happened_at, seq
                     ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS finished_at
      FROM fact WHERE state_id <> before_id
)
"""
# In their order and in one piece, number by number: to read a hundred thousand rows takes longer than to find them. As four
# arrays 100,000 steps took three times as long, and five times as long to be read here.
PACKED = """
SELECT string_agg(int4send(task_id) || int4send(state_id) || timestamptz_send(happened_at) || boolsend(counted),
                  ''::bytea ORDER BY task_id, happened_at, seq)
  FROM step WHERE finished_at >= %(from)s
"""
JOURNEYS = after_facts("/* replay.journeys */", f"{STEPS}{PACKED}")
STEP = np.dtype([("task", ">i4"), ("state", ">i4"), ("at", ">i8"), ("counted", "?")])
# Instants are counted from the year 2000 there.
MILLENNIUM = to_microseconds(datetime(2000, 1, 1, tzinfo=UTC))


def unpacked(rows: Sequence[tuple[bytes | None]]) -> StateEntries:
    """What the one row of JOURNEYS says."""
    found = np.frombuffer(rows[0][0] or b"", dtype=STEP)
    at = found["at"].astype(np.int64) + MILLENNIUM
    return StateEntries(found["task"].astype(np.int64), found["state"].astype(np.int64), at, found["counted"])
