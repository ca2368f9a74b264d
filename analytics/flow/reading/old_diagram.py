"""Old diagram of daily counts, as the dual run compares it with ours: the counts, and the facts that explain a difference."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from analytics.engine.reading.compared_figures import ComparedFigures, LearnedRow
from analytics.engine.statements import fetched
from analytics.flow.reading.old_daily_counts import COUNTED, counts_at, counts_within
from analytics.flow.reading.restated_months import restated
from analytics.flow.replay.kinds import with_kinds
from analytics.pure.cutoffs import Cutoff

# What was learned of a time after its figure had been counted. Without a snapshot the second condition is not known.
LEARNED_SINCE = with_kinds("""/* flow.learned_since */
SELECT l.seq, l.task_id, l.kind, l.happened_at, l.recorded_at FROM task_ledger l
 WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.kind <= {LAST_STATE_KIND}
   AND l.happened_at < %(until)s
   AND (l.recorded_at > %(known_at)s OR NOT txid_visible_in_snapshot(l.xact, %(snapshot)s::txid_snapshot))
 ORDER BY l.seq LIMIT %(most)s
""")
CHANGES_WITHIN = with_kinds("""/* flow.changes_within */
SELECT s.number, (SELECT count(*) FROM task_ledger l
                   WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.kind <= {LAST_STATE_KIND}
                     AND l.happened_at >= s.begins AND l.happened_at < s.ends)
  FROM unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[]) WITH ORDINALITY AS s (begins, ends, number)
""")


def learned_since(*, tenant_id: int, cutoff: Cutoff, most: int) -> Sequence[LearnedRow]:
    """See analytics.engine.reading.compared_figures.LearnedSince."""
    known = {"until": cutoff.happened_before, "known_at": cutoff.known_at, "snapshot": cutoff.snapshot}
    rows = fetched(LEARNED_SINCE, tenant=tenant_id, **known, most=most)
    return [
        LearnedRow(seq=seq, item_id=task, kind=kind, happened_at=happened_at, recorded_at=recorded_at)
        for seq, task, kind, happened_at, recorded_at in rows
    ]


def changes_within(*, tenant_id: int, stretches: Mapping[Any, tuple[datetime, datetime]]) -> Mapping[Any, int]:
    """See analytics.engine.reading.compared_figures.ChangesWithin."""
    begins, ends = [begin for begin, _ in stretches.values()], [end for _, end in stretches.values()]
    counts: dict[int, int] = dict(fetched(CHANGES_WITHIN, tenant=tenant_id, begins=begins, ends=ends))
    return {key: counts[number] for number, key in enumerate(stretches, start=1)}


OLD_DIAGRAM: Final = ComparedFigures(
    names=COUNTED,
    as_of_cutoffs=counts_at,
    around_cutoff=counts_within,
    learned_since=learned_since,
    changes_within=changes_within,
    restated=restated,
)
