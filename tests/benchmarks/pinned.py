"""pinned_days: our side of the older counts as of each day's own snapshot, and the diagram of many days."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from analytics.flow.reading.learned_later import learned_later
from analytics.flow.reading.old_daily_counts import counts_at
from analytics.legacy.midnight import organisations
from analytics.pure.cutoffs import Cutoff
from analytics.switching import counted_flow
from tasks_app.tenancy import DatabaseRole, entered
from tests.benchmarks.folding import fold_all
from tests.benchmarks.history import END, companies_with_history
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.scratch import owner_cursor, vacuum
from tests.benchmarks.stopwatch import timed

DAYS, GOAL = 400, 1_000.0
BUSY = 3
# Each row is a transaction of its own, as live changes write them; they have numbers that are long past.
NUMBER = """/* benchmarks.number_transactions */
SET session_replication_role = replica;
UPDATE task_ledger l SET xact = n.number + 10
  FROM (SELECT seq, row_number() OVER (ORDER BY recorded_at, seq) AS number FROM task_ledger) n WHERE n.seq = l.seq;
UPDATE definition_ledger SET xact = 1;
SET session_replication_role = origin
"""
ENDS = """/* benchmarks.snapshot_ends */
SELECT m.at, (SELECT coalesce(max(xact), 9) + 1 FROM task_ledger WHERE recorded_at <= m.at)
  FROM unnest(%s::timestamptz[]) AS m (at)
"""


def pinned_days(request: Request) -> Iterator[Outcome]:
    """400 days, each with a snapshot in which others were at work, of a tenant of which one fact in fifty was told later.

    `rows` are transitions. What counts is taking back what was learned later; the rest is told.
    """
    company = companies_with_history(companies=1, transitions=request.size(100_000))[0]
    with owner_cursor() as cursor:
        cursor.execute(NUMBER)
    vacuum("task_ledger")
    fold_all()
    (organisation,) = organisations(tenant_id=company.tenant.id)
    year, month = _cutoffs(DAYS), _cutoffs(30)

    def read(count: Callable[[], object]) -> float:
        with entered(tenant_id=organisation.id, role=DatabaseRole.WORKER, read_only=True, timeout_seconds=600):
            return 1000 * min(timed(count) for _ in range(5))

    def counted(cutoffs: Mapping[str, Cutoff]) -> float:
        return read(lambda: counts_at(tenant_id=organisation.id, zone="UTC", cutoffs=cutoffs, now=END))

    shown = {
        f"counted_flow of {days} days": read(lambda: counted_flow(tenant=organisation, days=days, now=END))  # noqa: B023
        for days in (30, 365, 3_660)
    }
    yield Outcome(
        name="pinned_days",
        ratio=read(lambda: learned_later(tenant_id=organisation.id, cutoffs=year)),
        goal=GOAL,
        detail={
            "unit": "ms",
            "days": DAYS,
            "also": {
                name: round(each)
                for name, each in {
                    f"counts_at of {DAYS} days": counted(year),
                    "counts_at of 30 days": counted(month),
                    **shown,
                }.items()
            },
        },
    )


def _cutoffs(days: int) -> dict[str, Cutoff]:
    """The midnights before the end of the history."""
    midnights = [END - timedelta(days=number) for number in reversed(range(days))]
    with owner_cursor() as cursor:
        cursor.execute(ENDS, [midnights])
        return {at.date().isoformat(): _cutoff(at, end) for at, end in cursor.fetchall()}


def _cutoff(at: datetime, end: int) -> Cutoff:
    """Of the last transactions a few were still at work."""
    busy = [str(end - back) for back in range(BUSY * 10, 0, -10) if end - back > 0]
    return Cutoff(happened_before=at, known_at=at, snapshot=f"{busy[0] if busy else end}:{end}:{','.join(busy)}")
