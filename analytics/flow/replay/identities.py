"""Identities of flow: sizes that are counted in two ways, from the stays of items and from their coming and going."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from analytics.flow.figures.identities import Sizes, Weight
from analytics.flow.figures.meanings import Meaning
from analytics.flow.replay.churn import meant
from analytics.flow.replay.flow import after_facts

# A fact weighs the time from it to the end of its piece. Time on the board is added up by stays; then it is taken from
# the arrivals and leavings alone, and the two are compared item by item.
IDENTITIES = after_facts(
    "/* replay.identities */",
    """,
/* What each state was, from when to when. */
meaning AS MATERIALIZED (
    SELECT * FROM unnest(%(meant_states)s::int[], %(meant_categories)s::text[], %(meant_begins)s::timestamptz[],
                         %(meant_ends)s::timestamptz[]) AS m (state_id, category, begin_at, end_at)
),
/* Each fact as the board sees it; state 0 is off it. */
seen AS (
    SELECT task_id, seq, happened_at, CASE WHEN before_id = ANY (%(states)s::int[]) THEN before_id ELSE 0 END AS before_id,
           CASE WHEN state_id = ANY (%(states)s::int[]) THEN state_id ELSE 0 END AS state_id
      FROM fact
),
/* Each of them up to the item's next fact. */
stay AS MATERIALIZED (
    SELECT s.*, lead(happened_at) OVER history AS next_at, coalesce(lead(happened_at) OVER history, %(to)s) AS left_at
      FROM seen s WINDOW history AS (PARTITION BY task_id ORDER BY happened_at, seq)
),
/* Each item's time on the board, by its stays, and by its arrivals and leavings alone. */
life AS (
    SELECT sum(left_at - happened_at) FILTER (WHERE state_id <> 0) AS in_states,
           sum(CASE WHEN before_id <> 0 THEN happened_at - %(to)s END) FILTER (WHERE state_id = 0) AS until_left,
           sum(%(to)s - happened_at) FILTER (WHERE before_id = 0 AND state_id <> 0) AS since_come
      FROM stay GROUP BY task_id
)
SELECT 'at_start' AS what, 0 AS piece, 0 AS before_id, state_id, count(*)::numeric AS number
  FROM stay WHERE happened_at < %(from)s AND (next_at IS NULL OR next_at >= %(from)s) GROUP BY 4
 UNION ALL
SELECT 'at_end', 0, 0, state_id, count(*) FROM stay WHERE next_at IS NULL GROUP BY 4
 UNION ALL
SELECT 'weight', w.piece, w.before_id, w.state_id, sum(w.microseconds)
  FROM (SELECT width_bucket(happened_at, %(edges)s::timestamptz[]) AS piece, before_id, state_id,
               extract(epoch FROM (%(ends)s::timestamptz[])[width_bucket(happened_at, %(edges)s::timestamptz[])]
                       - happened_at) * 1000000 AS microseconds
          FROM stay WHERE happened_at >= %(from)s AND before_id <> state_id) w
 GROUP BY 2, 3, 4
 UNION ALL
SELECT 'in_progress', 0, 0, 0,
       coalesce(sum(extract(epoch FROM least(s.left_at, m.end_at, %(to)s) - greatest(s.happened_at, m.begin_at, %(from)s))
                    * 1000000), 0)
  FROM stay s
  JOIN meaning m ON m.state_id = s.state_id AND m.category = 'IN_PROGRESS'
                AND m.begin_at < s.left_at AND m.end_at > greatest(s.happened_at, %(from)s)
 WHERE s.left_at > %(from)s
 UNION ALL
SELECT 'lifetime', 0, 0, 0, coalesce(sum(extract(epoch FROM in_states) * 1000000), 0) FROM life
 UNION ALL
SELECT 'unlived', 0, 0, 0, coalesce(sum(abs(extract(epoch FROM coalesce(in_states, interval '0')
       - coalesce(since_come, interval '0') - coalesce(until_left, interval '0')) * 1000000)), 0) FROM life
""",
)


def identity_values(
    *, begin: datetime, end: datetime, edges: Sequence[datetime], states: Collection[int], meanings: Iterable[Meaning]
) -> dict[str, Any]:
    """The parameters of IDENTITIES: the window up to the instant to which time is counted, cut at the edges."""
    return {
        "from": begin,
        "to": end,
        "edges": list(edges),
        "ends": [min(max(edge, begin), end) for edge in edges[1:]],
        "states": sorted(states),
        **meant(meanings, groups={}),
    }


def sizes(rows: Iterable[tuple[Any, ...]]) -> Sizes:
    """What the rows of IDENTITIES say."""
    found = list(rows)
    alone = {what: int(number) for what, _, _, _, number in found}
    return Sizes(
        at_start={state: int(number) for what, _, _, state, number in found if what == "at_start"},
        at_end={state: int(number) for what, _, _, state, number in found if what == "at_end"},
        weights=[
            Weight(piece, before, after, int(number))
            for what, piece, before, after, number in found
            if what == "weight"
        ],
        in_progress=alone["in_progress"],
        lifetime=alone["lifetime"],
        unlived=alone["unlived"],
    )
