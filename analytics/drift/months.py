"""A month as it was reported against the same month today, with the ledger's rows that make the difference.

A month is published by its last stored day: by the figures of that day, and by the month's totals as they were known then. Of
what came after nothing can have been in it. Every function is used inside `entered(...)` of the tenant, read-only.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from analytics.drift.capabilities import Declaration
from analytics.drift.controls import Cutoff
from analytics.drift.stored_day_checks import MOST_ROWS, PUBLISHED, REACH
from analytics.engine.projects import project_facts
from analytics.engine.statements import fetched
from analytics.flow.drills import FlowMetric
from analytics.flow.reading.drill_result import DrillError, DrillQuestion
from analytics.flow.reading.explaining import ChangedNumber
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.pure.windows import Bucket, Window
from analytics.pure.zones import ONE_DAY, first_instant

# What is added up over a month, by its name here.
TOTALS: Final[Mapping[str, FlowMetric]] = {
    "arrivals": FlowMetric.ARRIVALS,
    "departures": FlowMetric.DEPARTURES,
    "finish events": FlowMetric.FINISH_EVENTS,
    "cancelled": FlowMetric.CANCELLED,
}
# What explains a number, less what had been known: the clock alone may take a row for known that was not visible yet.
EXPLAIN = """/* drift.explain_month */
SELECT l.seq, t.key, l.kind, l.happened_at, l.recorded_at, l.task_id
  FROM task_ledger l JOIN task t ON t.tenant_id = %(tenant)s AND t.id = l.task_id
 WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.kind <= 5 AND l.task_id = ANY (%(tasks)s::int[])
   AND l.happened_at < %(until)s
   AND (l.recorded_at > %(known_at)s OR NOT txid_visible_in_snapshot(l.xact, %(snapshot)s::txid_snapshot))
 ORDER BY l.seq DESC LIMIT %(most)s
"""
# A definition names no item.
DEFINED = """/* drift.explain_month_definitions */
SELECT d.seq, d.slug, 9, d.happened_at, d.recorded_at, 0
  FROM definition_ledger d
 WHERE d.tenant_id = %(tenant)s AND d.seq = ANY (%(seqs)s::bigint[]) ORDER BY d.seq DESC LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One month: from its `begin` to its `end`, half-open. `day` published it, which was counted at `until`.

    `then` are the figures of that day as they were published, `today` the same figures as they are known now.
    """

    first: date
    begin: datetime
    end: datetime
    day: date
    until: datetime
    known_at: datetime
    snapshot: str | None
    then: Mapping[str, int | None]
    today: Mapping[str, int | None]

    @property
    def changes(self) -> dict[str, tuple[int | None, int | None]]:
        """By field: what was published and what it is, where they differ."""
        return {name: (was, self.today.get(name)) for name, was in self.then.items() if was != self.today.get(name)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number of a month: as it was known when the month was published, and as it is known now. None: it is not known."""

    name: str
    then: int | None
    today: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """A ledger row that was learned since: of an item by its `key`, or of a definition by its slug (kind 9).

    `explains` are the names of the numbers that it makes others.
    """

    seq: int
    key: str
    kind: int
    happened_at: datetime
    recorded_at: datetime
    explains: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restatement:
    """A month's totals, and its figures and totals that changed with what explains them, at most a hundred rows."""

    month: Month
    totals: Sequence[Number]
    stocks: Sequence[Number]
    rows: Sequence[Because]


def published(*, tenant_id: int, zone: str, declaration: Declaration, now: datetime) -> list[Month]:
    """The months that are over and of which a day is stored, the newest first."""
    since = (now - timedelta(days=REACH)).date()
    rows = fetched(PUBLISHED, tenant=tenant_id, capability=declaration.capability.value, since=since)
    last = {_month_of(row[0]): row for row in rows}
    over = {
        first: row
        for first, row in last.items()
        if first_instant(day=_after(first), zone_name=zone) + declaration.grace <= now
    }
    cutoffs = {first.isoformat(): Cutoff(happened_before=row[2]) for first, row in over.items()}
    today = declaration.counted(tenant_id=tenant_id, zone=zone, cutoffs=cutoffs, now=now) if over else {}
    return [
        _month(first, over[first], zone=zone, today=today[first.isoformat()]) for first in sorted(over, reverse=True)
    ]


def restated(*, tenant_id: int, month: Month, zone: str, now: datetime) -> Restatement:
    """The month's totals then and now, and the rows that were learned since and changed a figure or a total."""
    totals = {
        name: _number(tenant_id, month, zone, DrillQuestion(metric=each), now=now) for name, each in TOTALS.items()
    }
    stocks = _stocks(tenant_id, month, zone, now=now) if month.changes else {}
    changed = {name: each for name, each in {**stocks, **totals}.items() if each.before != each.after}
    return Restatement(
        month=month,
        totals=[Number(name=name, then=each.before, today=each.after) for name, each in totals.items()],
        stocks=[
            Number(name=name, then=each.before, today=each.after) for name, each in stocks.items() if name in changed
        ],
        rows=_because(tenant_id, month, changed),
    )


def _month_of(day: date) -> date:
    """A count for a day shows the end of the day before, so the last one of July is that for the first of August."""
    return (day - ONE_DAY).replace(day=1)


def _after(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _month(first: date, row: tuple[Any, ...], *, zone: str, today: Mapping[str, int | None]) -> Month:
    day, figures, until, known_at, snapshot, _ = row
    return Month(
        first=first,
        begin=first_instant(day=first, zone_name=zone),
        end=first_instant(day=_after(first), zone_name=zone),
        day=day,
        until=until.astimezone(UTC),
        known_at=known_at.astimezone(UTC),
        snapshot=snapshot or None,
        then=json.loads(figures),
        today=today,
    )


def _number(
    tenant_id: int, month: Month, zone: str, asked: DrillQuestion, *, until: datetime | None = None, now: datetime
) -> ChangedNumber:
    """Over the month, as far as its last stored day can have seen it."""
    end = until or min(month.until, month.end)
    return ChangedNumber(
        tenant_id=tenant_id,
        board=None,
        window=_window(month, zone, end),
        asked=asked,
        known_from=month.known_at,
        known_to=max(now, month.known_at),
        now=now,
        snapshot=month.snapshot,
    )


def _stocks(tenant_id: int, month: Month, zone: str, *, now: datetime) -> dict[str, ChangedNumber]:
    """Of each state that the board has: the items in it when the last day was counted."""
    reading = FlowReading(
        question=FlowQuestion(
            tenant_id=tenant_id, window=_window(month, zone, month.until), now=now, whole_tenant=True
        ),
        boards=project_facts(tenant_id=tenant_id, key=None),
    )
    found = {}
    for state in reading.states():
        asked = DrillQuestion(metric=FlowMetric.OCCUPANCY, state=state.slug)
        number = _number(tenant_id, month, zone, asked, until=month.until, now=now)
        try:
            _ = number.after
        except DrillError:  # a cancelled state has no band
            continue
        found[f"in {state.slug}"] = number
    return found


def _window(month: Month, zone: str, end: datetime) -> Window:
    begin = min(month.begin, end - timedelta(microseconds=1))
    return Window(begin, end, zone, Bucket.MONTH, (begin,), (end,), (True,))


def _because(tenant_id: int, month: Month, changed: Mapping[str, ChangedNumber]) -> list[Because]:
    of_task: dict[int, list[str]] = {}
    of_definition: dict[int, list[str]] = {}
    for name, number in changed.items():
        filters = number.filters()
        for task in filters["explaining"]:
            of_task.setdefault(task, []).append(name)
        for seq in filters["definitions"]:
            of_definition.setdefault(seq, []).append(name)
    known = {"until": month.until, "known_at": month.known_at, "snapshot": month.snapshot, "most": MOST_ROWS}
    rows = fetched(EXPLAIN, tenant=tenant_id, tasks=list(of_task), **known)
    rows += fetched(DEFINED, tenant=tenant_id, seqs=list(of_definition), most=MOST_ROWS)
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
    return sorted(found, key=lambda each: each.seq, reverse=True)[:MOST_ROWS]
