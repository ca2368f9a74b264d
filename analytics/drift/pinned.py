"""Cut-offs of which more is known by now than was then: by the clock that recorded it, or by the snapshot that showed it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db import connection

from analytics.drift.controls import Cutoff

# Facts that one of the cut-offs lies across: they had happened before it and were recorded after it, or its snapshot does
# not show them. All arrays are in order, and what one snapshot shows the later ones show, too: so it is the cut-offs from
# `first` until `last`. A transaction that was at work in some snapshots is named with the number after the last of these.
LEARNED_LATER = """/* drift.learned_later */
SELECT first, max(last)
  FROM (SELECT width_bucket(l.happened_at, %(cuts)s::timestamptz[]) AS first,
               greatest(width_bucket(l.recorded_at - interval '1 microsecond', %(knowns)s::timestamptz[]),
                        width_bucket(l.xact, %(ends)s::bigint[]), busy.last) AS last
          FROM (SELECT happened_at, recorded_at, xact FROM task_ledger
                 WHERE tenant_id = (SELECT %(tenant)s::bigint) AND kind <= 5
                 UNION ALL
                SELECT happened_at, recorded_at, xact FROM definition_ledger WHERE tenant_id = %(tenant)s) l
          LEFT JOIN unnest(%(busy)s::bigint[], %(lasts)s::int[]) AS busy (xact, last) ON busy.xact = l.xact) across
 WHERE first < last GROUP BY first
"""
ANY_TIME: Final = datetime.max.replace(tzinfo=UTC)
# More of them mean that nobody's clock is to be trusted, and then every cut-off is counted from the ledger.
MOST_CHAINS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a txid_snapshot shows: transactions before `end` that were not `busy`."""

    end: int
    busy: frozenset[int]

    def is_shown_by(self, later: "Snapshot") -> bool:
        """Whether the later one shows all that this one does."""
        return self.end <= later.end and {each for each in later.busy if each < self.end} <= self.busy


def parsed(text: str) -> Snapshot:
    """A txid_snapshot from its text: xmin:xmax:xip,xip."""
    _, end, busy = text.split(":")
    return Snapshot(end=int(end), busy=frozenset(int(each) for each in busy.split(",") if each))


def known_otherwise(*, tenant_id: int, cutoffs: Mapping[str, Cutoff]) -> set[str]:
    """The keys of those cut-offs before which something had happened that could not be known then.

    One statement for all of them that were taken in order, as a job takes them. To be used inside `entered(...)`.
    """
    known: list[_Known] = [
        _Known(key=key, cutoff=each)
        for key, each in sorted(cutoffs.items(), key=lambda item: item[1].happened_before)
        if each.known_at is not None or each.snapshot is not None
    ]
    found, late = _chains(known), set[str]()
    for chain in found[MOST_CHAINS:]:
        late.update(each.key for each in chain)
    for chain in found[:MOST_CHAINS]:
        with connection.cursor() as cursor:
            cursor.execute(LEARNED_LATER, {"tenant": tenant_id, **_values(chain)})
            late.update(each.key for first, last in cursor.fetchall() for each in chain[first:last])
    return late


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A cut-off by its key."""

    key: str
    cutoff: Cutoff

    @property
    def at(self) -> datetime:
        return self.cutoff.known_at or ANY_TIME

    @property
    def snapshot(self) -> Snapshot | None:
        return None if self.cutoff.snapshot is None else parsed(self.cutoff.snapshot)

    def may_precede(self, other: "_Known") -> bool:
        """Whether all that was known of this one was known of the other."""
        ours, theirs = self.snapshot, other.snapshot
        if ours is None or theirs is None:
            return ours is theirs and self.at <= other.at
        return self.at <= other.at and ours.is_shown_by(theirs)


def _chains(known: Sequence[_Known]) -> list[list[_Known]]:
    """All of them, in the fewest lists that are easily found in which less is never known than before."""
    found: list[list[_Known]] = []
    for each in known:
        chain = next((chain for chain in found if chain[-1].may_precede(each)), None)
        if chain is None:
            found.append([each])
        else:
            chain.append(each)
    return found


def _values(chain: Sequence[_Known]) -> dict[str, Any]:
    shown = [each.snapshot for each in chain]
    last = {xact: place for place, each in enumerate(shown, start=1) if each for xact in each.busy}
    return {
        "cuts": [each.cutoff.happened_before for each in chain],
        "knowns": [each.at for each in chain],
        "ends": [each.end for each in shown if each],
        "busy": list(last),
        "lasts": list(last.values()),
    }
