"""Restated months of the flow figures: totals and stocks as known at a cut-off and now, and the rows in between."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from analytics.engine.projects import project_facts
from analytics.engine.reading.compared_figures import Because, Number, Period, Restated
from analytics.engine.statements import fetched
from analytics.flow.drills import FlowMetric
from analytics.flow.reading.drill_result import DrillError, DrillQuestion
from analytics.flow.reading.explaining import ChangedNumber
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.replay.kinds import with_kinds
from analytics.pure.windows import Bucket, Window

# What is added up over a month, by its name here.
TOTALS: Final[Mapping[str, FlowMetric]] = {
    "arrivals": FlowMetric.ARRIVALS,
    "departures": FlowMetric.DEPARTURES,
    "finish events": FlowMetric.FINISH_EVENTS,
    "cancelled": FlowMetric.CANCELLED,
}
# What explains a number, less what had been known: the clock alone may take a row for known that was not visible yet.
EXPLAIN = with_kinds("""/* flow.explain_month */
SELECT l.seq, t.key, l.kind, l.happened_at, l.recorded_at, l.task_id
  FROM task_ledger l JOIN task t ON t.tenant_id = %(tenant)s AND t.id = l.task_id
 WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.kind <= {LAST_STATE_KIND} AND l.task_id = ANY (%(tasks)s::int[])
   AND l.happened_at < %(until)s
   AND (l.recorded_at > %(known_at)s OR NOT txid_visible_in_snapshot(l.xact, %(snapshot)s::txid_snapshot))
 ORDER BY l.seq DESC LIMIT %(most)s
""")
# A definition names no item.
DEFINED = with_kinds("""/* flow.explain_month_definitions */
SELECT d.seq, d.slug, {DEFINED}, d.happened_at, d.recorded_at, 0
  FROM definition_ledger d
 WHERE d.tenant_id = %(tenant)s AND d.seq = ANY (%(seqs)s::bigint[]) ORDER BY d.seq DESC LIMIT %(most)s
""")


def restated(*, tenant_id: int, zone: str, period: Period, stocks: bool, now: datetime, most: int) -> Restated:
    """See analytics.engine.reading.compared_figures.RestatedPeriod. The totals go as far as the cut-off can have seen."""
    end = min(period.cutoff.happened_before, period.end)
    totals = {
        name: _number(tenant_id, period, zone, DrillQuestion(metric=each), end=end, now=now)
        for name, each in TOTALS.items()
    }
    found = _stocks(tenant_id, period, zone, now=now) if stocks else {}
    changed = {name: each for name, each in {**found, **totals}.items() if each.before != each.after}
    return Restated(
        totals=[Number(name=name, then=each.before, today=each.after) for name, each in totals.items()],
        stocks=[
            Number(name=name, then=each.before, today=each.after) for name, each in found.items() if name in changed
        ],
        rows=_because(tenant_id, period, changed, most=most),
    )


def _number(
    tenant_id: int, period: Period, zone: str, asked: DrillQuestion, *, end: datetime, now: datetime
) -> ChangedNumber:
    known_from = _known_from(period, now=now)
    return ChangedNumber(
        tenant_id=tenant_id,
        board=None,
        window=_window(period, zone, end),
        asked=asked,
        known_from=known_from,
        known_to=max(now, known_from),
        now=now,
        snapshot=period.cutoff.snapshot,
    )


def _known_from(period: Period, *, now: datetime) -> datetime:
    return now if period.cutoff.known_at is None else period.cutoff.known_at


def _stocks(tenant_id: int, period: Period, zone: str, *, now: datetime) -> dict[str, ChangedNumber]:
    """Of each state that the board has: the items in it at the cut-off."""
    until = period.cutoff.happened_before
    reading = FlowReading(
        question=FlowQuestion(tenant_id=tenant_id, window=_window(period, zone, until), now=now, whole_tenant=True),
        boards=project_facts(tenant_id=tenant_id, key=None),
    )
    found = {}
    for state in reading.states():
        asked = DrillQuestion(metric=FlowMetric.OCCUPANCY, state=state.slug)
        number = _number(tenant_id, period, zone, asked, end=until, now=now)
        try:
            _ = number.after
        except DrillError:  # a cancelled state has no band
            continue
        found[f"in {state.slug}"] = number
    return found


def _window(period: Period, zone: str, end: datetime) -> Window:
    begin = min(period.begin, end - timedelta(microseconds=1))
    return Window(begin, end, zone, Bucket.MONTH, (begin,), (end,), (True,))


def _because(tenant_id: int, period: Period, changed: Mapping[str, ChangedNumber], *, most: int) -> list[Because]:
    of_task: dict[int, list[str]] = {}
    of_definition: dict[int, list[str]] = {}
    for name, number in changed.items():
        filters = number.filters()
        for task in filters["explaining"]:
            of_task.setdefault(task, []).append(name)
        for seq in filters["definitions"]:
            of_definition.setdefault(seq, []).append(name)
    cutoff = period.cutoff
    known = {"until": cutoff.happened_before, "known_at": cutoff.known_at, "snapshot": cutoff.snapshot}
    rows = fetched(EXPLAIN, tenant=tenant_id, tasks=list(of_task), **known, most=most)
    rows += fetched(DEFINED, tenant=tenant_id, seqs=list(of_definition), most=most)
    found = [
        Because(
            seq=seq,
            key=key,
            kind=kind,
            happened_at=happened_at,
            recorded_at=recorded_at,
            explains=of_task[task] if task else of_definition[seq],
        )
        for seq, key, kind, happened_at, recorded_at, task in rows
    ]
    return sorted(found, key=lambda each: each.seq, reverse=True)[:most]
