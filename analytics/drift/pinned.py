"""What was not known at a cut-off and is known by now: facts that were recorded later, or that its snapshot does not show.

What was visible in a snapshot had been recorded by the instant that is kept with it, so where there are both, both hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, Final

from analytics.drift.controls import Cutoff
from analytics.engine.statements import fetched

# Cut-offs are told by their number in the order of time, and what was known at one was known at the later ones, too. So a
# row had happened from the cut-off `first` on, and had been learned from `known` on. A transaction that was at work in some
# snapshots is named with the number after the last of these.
PLACED = """width_bucket(l.happened_at, %(cuts)s::timestamptz[]) AS first,
               greatest(busy.last, width_bucket(l.recorded_at - interval '1 microsecond', %(knowns)s::timestamptz[]),
                        width_bucket(l.xact, %(ends)s::bigint[])) AS known"""
BUSY = "LEFT JOIN unnest(%(busy)s::bigint[], %(lasts)s::int[]) AS busy (xact, last) ON busy.xact = l.xact"
# What the first snapshot shows all of them show: the ledger is read from there on, which is the end of the table.
REDEFINED = """/* drift.redefined */
SELECT DISTINCT first, known
  FROM (SELECT {placed}
          FROM definition_ledger l {busy}
         WHERE l.tenant_id = %(tenant)s AND l.xact >= %(since)s) placed
 WHERE first < known
"""
# Of the items with such facts: from which cut-off until which a state was theirs by what was known then, and by what is known
# now. A fact counts until the first of those that follow it in the order counts. Where both agree they cancel out.
LEARNED_LATER = """/* drift.learned_later */
WITH late AS MATERIALIZED (
    SELECT DISTINCT task_id
      FROM (SELECT l.task_id, {placed}
              FROM task_ledger l {busy}
             WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.kind <= 5 AND l.xact >= %(since)s) placed
     WHERE first < known
),
placed AS (
        SELECT l.task_id, l.seq, l.happened_at, CASE WHEN l.kind = 4 THEN 0 ELSE l.to_id END AS state_id, {placed}
          FROM task_ledger l {busy}
         WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.kind <= 5 AND l.task_id IN (SELECT task_id FROM late)
),
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
"""
ANY_TIME: Final = datetime.max.replace(tzinfo=UTC)
Corrections = Mapping[str, Mapping[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a txid_snapshot shows: transactions before `end` that were not `busy`; those before `begin` had all ended."""

    begin: int
    end: int
    busy: frozenset[int]

    def is_shown_by(self, later: "Snapshot") -> bool:
        """Whether the later one shows all that this one does."""
        return self.end <= later.end and {each for each in later.busy if each < self.end} <= self.busy


def parsed(text: str) -> Snapshot:
    """A txid_snapshot from its text: xmin:xmax:xip,xip."""
    begin, end, busy = text.split(":")
    return Snapshot(begin=int(begin), end=int(end), busy=frozenset(int(each) for each in busy.split(",") if each))


def redefined(*, tenant_id: int, cutoffs: Mapping[str, Cutoff]) -> set[str]:
    """The keys of those cut-offs of which the states are known otherwise by now. To be used inside `entered(...)`."""
    return {
        each.key
        for chain in _chains(cutoffs)
        for first, known in _rows(REDEFINED, tenant_id, chain)
        for each in chain[first:known]
    }


def corrections(*, tenant_id: int, cutoffs: Mapping[str, Cutoff]) -> Corrections:
    """By key and state: how many more items stood in it by what was known at the cut-off than by what is known now.

    Keys and states without a difference may be left out. One statement for all cut-offs that were taken in order, as a job
    takes them. To be used inside `entered(...)`.
    """
    found: dict[str, dict[int, int]] = {}
    for chain in _chains(cutoffs):
        steps: dict[int, list[int]] = {}
        for state, begin, until, items in _rows(LEARNED_LATER, tenant_id, chain):
            of_state = steps.setdefault(state, [0] * (len(chain) + 1))
            of_state[begin] += items
            of_state[until] -= items
        sums = {state: list(accumulate(each)) for state, each in steps.items()}
        found |= {each.key: {state: of[place] for state, of in sums.items()} for place, each in enumerate(chain)}
    return found


def _rows(statement: str, tenant_id: int, chain: Sequence["_Known"]) -> list[tuple[Any, ...]]:
    text = statement.replace("{placed}", PLACED).replace("{busy}", BUSY)
    return fetched(text, tenant=tenant_id, **_values(chain))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A cut-off by its key."""

    key: str
    happened_before: datetime
    known_at: datetime
    snapshot: Snapshot | None

    def may_precede(self, other: "_Known") -> bool:
        """Whether all that was known of this one was known of the other."""
        if self.snapshot is None or other.snapshot is None:
            return self.snapshot is other.snapshot and self.known_at <= other.known_at
        return self.known_at <= other.known_at and self.snapshot.is_shown_by(other.snapshot)


def _chains(cutoffs: Mapping[str, Cutoff]) -> list[list[_Known]]:
    """Those that are pinned, in a few lists in which the time goes on and less is never known than before."""
    found: list[list[_Known]] = []
    for each in sorted(_pinned(cutoffs), key=lambda known: known.happened_before):
        chain = next((chain for chain in found if chain[-1].may_precede(each)), None)
        if chain is None:
            found.append([each])
        else:
            chain.append(each)
    return found


def _pinned(cutoffs: Mapping[str, Cutoff]) -> list[_Known]:
    return [
        _Known(
            key=key,
            happened_before=each.happened_before,
            known_at=each.known_at or ANY_TIME,
            snapshot=parsed(each.snapshot) if each.snapshot else None,
        )
        for key, each in cutoffs.items()
        if each.known_at is not None or each.snapshot is not None
    ]


def _values(chain: Sequence[_Known]) -> dict[str, Any]:
    shown = [each.snapshot for each in chain if each.snapshot]
    last = {xact: place for place, each in enumerate(shown, start=1) for xact in each.busy}
    return {
        "cuts": [each.happened_before for each in chain],
        "knowns": [each.known_at for each in chain],
        "ends": [each.end for each in shown],
        "busy": list(last),
        "lasts": list(last.values()),
        "since": shown[0].begin if shown else 0,
        "count": len(chain),
    }
