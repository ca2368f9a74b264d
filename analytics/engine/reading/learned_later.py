"""Rows learned after cut-offs: recorded later than these knew of, or in no snapshot of theirs, and yet of a time before them.

What was visible in a snapshot had been recorded by the instant that is kept with it, so where there are both, both hold.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analytics.engine.statements import fetched
from analytics.pure.cutoffs import Cutoff, PinnedCutoff, chain_columns, chains

# Cut-offs are told by their number in the order of time, and what was known at one was known at the later ones, too. So a
# row had happened from the cut-off `first` on, and had been learned from `known` on. A transaction that was at work in some
# snapshots is named with the number after the last of these.
PLACED = """width_bucket(l.happened_at, %(cuts)s::timestamptz[]) AS first,
               greatest(busy.last, width_bucket(l.recorded_at - interval '1 microsecond', %(knowns)s::timestamptz[]),
                        width_bucket(l.xact, %(ends)s::bigint[])) AS known"""
BUSY = "LEFT JOIN unnest(%(busy)s::bigint[], %(lasts)s::int[]) AS busy (xact, last) ON busy.xact = l.xact"


def of_cutoffs(statement: str) -> str:
    """The statement with its `{placed}` and `{busy}` spelled out: the columns `first` and `known` of a ledger that is read
    as `l`, and the join that they need. A row with `first` < `known` was learned later.
    """
    return statement.replace("{placed}", PLACED).replace("{busy}", BUSY)


def by_chain(
    statement: str, *, tenant_id: int, cutoffs: Mapping[str, Cutoff]
) -> Iterator[tuple[Sequence[PinnedCutoff], list[tuple[Any, ...]]]]:
    """The statement's rows for each chain of the pinned cut-offs, with the chain: cut-offs taken in order, as a job takes
    them, are one. To be used inside `entered(...)`.
    """
    for chain in chains(cutoffs):
        yield chain, fetched(statement, tenant=tenant_id, **chain_columns(chain))
