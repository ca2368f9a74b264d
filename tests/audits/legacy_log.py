"""A real log lived day by day through the live tables, with the midnight job running, and sleeping in some nights."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from analytics.drift.arithmetic.parity import parity_of
from analytics.drift.capabilities import declaration_of
from analytics.drift.controls import Capability
from analytics.drift.experiment import Comparison, Question, compare
from analytics.legacy.control import CfdControl
from analytics.legacy.midnight import count_midnights
from tasks_app.imports.event_list import MOST_EVENTS, EventIn, record_events
from tasks_app.models import StateCategory, Tenant
from tasks_app.operations.projects import StateSpec, create_project
from tasks_app.tenancy import entered
from tests.audits.findings import Finding, Request
from tests.audits.scene import clock, say
from tests.flow.reference_logs import DATA, WORKFLOWS, events_of

LOG = "bpic2013_incidents"
KEY = "LOG"
ZONE = "Europe/Stockholm"
SLEPT_SHARE = 0.05
ONE_DAY = timedelta(days=1)


def legacy_log(request: Request) -> Finding:
    """No day on which the job ran drifts, no other one matches. `--count` is how many days; by default all of the log."""
    if not DATA.is_dir():
        return Finding(name="legacy_log", ok=False, figures={"reason": "The real logs are not on this machine."})
    begun, by_day = time.monotonic(), _events_by_day()
    first = min(by_day)
    days = [first + ONE_DAY * number for number in range(request.times((max(by_day) - first).days + 1))]
    tenant = _board()
    chance = Random(6)
    slept = {day + ONE_DAY for day in days[1:-1] if chance.random() < SLEPT_SHARE}
    say(f"legacy_log: {len(days)} days of {LOG}, {len(slept)} nights without a job")
    for day in days:
        _tell(tenant.id, by_day.get(day, []))
        if day + ONE_DAY not in slept:
            count_midnights(now=_midnight(day + ONE_DAY), tenant_id=tenant.id)
    found = _compared(tenant, days=len(days), now=_midnight(days[-1] + ONE_DAY) + timedelta(minutes=5))
    return _finding(found, slept, seconds=time.monotonic() - begun)


def _events_by_day() -> dict[date, list[EventIn]]:
    """The log's rows by local date, each day's in order."""
    rows: list[dict[str, Any]] = [row for case in events_of(LOG).values() for row in case]
    rows.sort(key=lambda row: (datetime.fromisoformat(row["timestamp"]), int(row["source_row"])))
    found: dict[date, list[EventIn]] = defaultdict(list)
    for number, row in zip(count(), rows, strict=False):
        at = datetime.fromisoformat(row["timestamp"])
        event = EventIn(external_id=str(number), project=KEY, task=row["case_id"], state=row["state"], happened_at=at)
        found[at.astimezone(ZoneInfo(ZONE)).date()].append(event)
    return found


def _board() -> Tenant:
    tenant = Tenant.objects.create(slug="legacy-log", name=LOG, timezone=ZONE)
    pairs = (text.partition(":") for text in WORKFLOWS[LOG].split(","))
    states = [StateSpec(name=name, category=StateCategory[category.upper()]) for name, _, category in pairs]
    with entered(tenant_id=tenant.id):
        create_project(tenant_id=tenant.id, key=KEY, name=LOG, timezone=ZONE, states=states)
    return tenant


def _tell(tenant_id: int, events: Sequence[EventIn]) -> None:
    for piece in _pieces(events):
        with entered(tenant_id=tenant_id):
            record_events(tenant_id=tenant_id, source=LOG, events=piece, now=clock())


def _pieces(events: Sequence[EventIn]) -> Iterator[Sequence[EventIn]]:
    for place in range(0, len(events), MOST_EVENTS):
        yield events[place : place + MOST_EVENTS]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def _compared(tenant: Tenant, *, days: int, now: datetime) -> Comparison:
    flow = declaration_of(Capability.CUMULATIVE_FLOW)
    assert flow is not None
    question = Question(
        tenant_id=tenant.id,
        slug=tenant.slug,
        zone=ZONE,
        days=days,
        asked_at=now,
        stage="SHADOW",
        flag_version=1,
        stratum="all",
    )
    return compare(declaration=flow, control=CfdControl(), question=question, chance=Random(1), now=now)


def _finding(found: Comparison, slept: set[date], *, seconds: float) -> Finding:
    verdicts = Counter(each.verdict for each in found.findings.values())
    wrong = [
        f"{day} is {each.verdict.value}: {each.reason}"
        for day, each in found.findings.items()
        if (each.verdict.value == "LEGACY_ERROR") != (date.fromisoformat(day) in slept)
        or each.verdict.value not in ("MATCH", "LEGACY_ERROR")
    ]
    parity = parity_of(verdicts)
    return Finding(
        name="legacy_log",
        ok=not wrong and bool(verdicts),
        figures={
            "verdict": found.finding.verdict.value,
            "verdicts": {verdict.value: number for verdict, number in verdicts.items()},
            "parity": parity.parity,
            "lowerBound": parity.lower_bound,
            "coverage": parity.coverage,
            "legacyErrors": parity.legacy_errors,
            "reason": found.finding.reason,
            "daysThatChangedSince": len(found.freshness),
            "wrong": wrong[:10],
            "seconds": round(seconds, 1),
        },
    )
