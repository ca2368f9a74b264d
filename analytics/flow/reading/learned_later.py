"""Items learned later: how many more or fewer stood in each state by what was known at a cut-off than by what is known now."""

from collections.abc import Mapping
from itertools import accumulate

from analytics.engine.reading.learned_later import by_chain, of_cutoffs
from analytics.flow.replay.kinds import with_kinds
from analytics.pure.cutoffs import Cutoff

# What the first snapshot shows all of them show: the ledger is read from there on, which is the end of the table.
REDEFINED = of_cutoffs("""/* flow.redefined */
SELECT DISTINCT first, known
  FROM (SELECT {placed}
          FROM definition_ledger l {busy}
         WHERE l.tenant_id = %(tenant)s AND l.xact >= %(since)s) placed
 WHERE first < known
""")
# Of the items with such facts: from which cut-off until which a state was theirs by what was known then, and by what is known
# now. A fact counts until the first of those that follow it in the order counts. Where both agree they cancel out.
LEARNED_LATER = with_kinds(
    of_cutoffs("""/* flow.learned_later */
WITH
/* The items with a fact that was learned later than some cut-off after it. */
late AS MATERIALIZED (
    SELECT DISTINCT task_id
      FROM (SELECT l.task_id, {placed}
              FROM task_ledger l {busy}
             WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.kind <= {LAST_STATE_KIND} AND l.xact >= %(since)s) placed
     WHERE first < known
),
/* Every fact of these items that sets a state, with the first cut-off after it and the first that knew of it. */
placed AS (
        SELECT l.task_id, l.seq, l.happened_at, CASE WHEN l.kind = {DISCARDED} THEN 0 ELSE l.to_id END AS state_id, {placed}
          FROM task_ledger l {busy}
         WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.kind <= {LAST_STATE_KIND}
           AND l.task_id IN (SELECT task_id FROM late)
),
/* Each of them as the stay that it begins: by what is known now from `first` up to `first_end`, by what was known then from
   `shown` up to `shown_end`. */
stood AS (
    SELECT state_id, first, greatest(first, known) AS shown, coalesce(min(first) OVER later, %(count)s) AS first_end,
           coalesce(min(greatest(first, known)) OVER later, %(count)s) AS shown_end
      FROM placed
    WINDOW later AS (PARTITION BY task_id ORDER BY happened_at, seq ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
)
SELECT state_id, begin, until, sum(items)::bigint
  FROM (SELECT state_id, shown AS begin, shown_end AS until, 1 AS items FROM stood WHERE shown < shown_end
         UNION ALL
        SELECT state_id, first, first_end, -1 FROM stood WHERE first < first_end) counted
 WHERE state_id <> 0 GROUP BY 1, 2, 3 HAVING sum(items) <> 0
""")
)
# By key of a cut-off and by state.
Differences = Mapping[str, Mapping[int, int]]


def redefined(*, tenant_id: int, cutoffs: Mapping[str, Cutoff]) -> set[str]:
    """The keys of those cut-offs of which the states are known otherwise by now. To be used inside `entered(...)`."""
    return {
        each.key
        for chain, rows in by_chain(REDEFINED, tenant_id=tenant_id, cutoffs=cutoffs)
        for first, known in rows
        for each in chain[first:known]
    }


def learned_later(*, tenant_id: int, cutoffs: Mapping[str, Cutoff]) -> Differences:
    """By key and state: how many more items stood in it by what was known at the cut-off than by what is known now.

    Keys and states without a difference may be left out. To be used inside `entered(...)`.
    """
    found: dict[str, dict[int, int]] = {}
    for chain, rows in by_chain(LEARNED_LATER, tenant_id=tenant_id, cutoffs=cutoffs):
        changes: dict[int, list[int]] = {}
        for state, begin, until, items in rows:
            of_state = changes.setdefault(state, [0] * (len(chain) + 1))
            of_state[begin] += items
            of_state[until] -= items
        sums = {state: list(accumulate(each)) for state, each in changes.items()}
        found |= {each.key: {state: of[place] for state, of in sums.items()} for place, each in enumerate(chain)}
    return found
