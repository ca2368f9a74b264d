"""Restated months: a month as reported against the same month today, with the ledger's rows that make the difference.

A month is published by its last stored day: by the figures of that day, and by the month's totals as they were known then. Of
what came after nothing can have been in it. Every function is used inside `entered(...)` of the tenant, read-only.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from analytics.drift.capabilities import Declaration
from analytics.drift.stored_day_checks import MOST_ROWS, PUBLISHED, REACH
from analytics.engine.reading.compared_figures import Because, Number, Period
from analytics.engine.statements import fetched
from analytics.pure.cutoffs import Cutoff
from analytics.pure.zones import ONE_DAY, first_instant


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
    today = declaration.ours.as_of_cutoffs(tenant_id=tenant_id, zone=zone, cutoffs=cutoffs, now=now) if over else {}
    return [
        _month(first, over[first], zone=zone, today=today[first.isoformat()]) for first in sorted(over, reverse=True)
    ]


def restated(*, tenant_id: int, month: Month, zone: str, declaration: Declaration, now: datetime) -> Restatement:
    """The month's totals then and now, and the rows that were learned since and changed a figure or a total."""
    cutoff = Cutoff(happened_before=month.until, known_at=month.known_at, snapshot=month.snapshot)
    found = declaration.ours.restated(
        tenant_id=tenant_id,
        zone=zone,
        period=Period(begin=month.begin, end=month.end, cutoff=cutoff),
        stocks=bool(month.changes),
        now=now,
        most=MOST_ROWS,
    )
    return Restatement(month=month, totals=found.totals, stocks=found.stocks, rows=found.rows)


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
