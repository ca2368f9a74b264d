"""Real event logs, imported and asked for over the schema, against answers that others computed.

The logs are not part of the project: they lie in ../shared/data, and without them these tests have nothing to read.
"""

import csv
import gzip
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from tasks_app.imports.transitions import ImportOrder, import_transitions
from tasks_app.imports.workflow import read_workflow
from tasks_app.models import Role
from tasks_app.operations.tenants import facts_of
from tests.cast import Person, company, person
from tests.graphql.in_process import ask

LOGS = Path(settings.BASE_DIR).parent / "shared" / "data"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
VOLVO = "Queued:todo,Accepted:in_progress,Unmatched:in_progress,Completed:done"

FLOW = """query ($project: String!, $window: WindowInput!, $zone: String!, $mode: FlowMode!) {
    analytics(project: $project, window: $window, bucket: DAY, timezone: $zone) {
      cumulativeFlow(mode: $mode) { series { state { name } counts } } receipt { digest } } }"""

needs_logs = pytest.mark.skipif(not LOGS.exists(), reason="../shared/data is not there: the logs may not be copied")


@pytest.fixture
def auditor(db: Any) -> Person:
    """Somebody who may ask; company with the zone of the log's makers."""
    return person(company=company(slug="volvo", timezone="Europe/Stockholm"), name="Audrey", role=Role.AUDITOR)


def imported(who: Person, *, path: Path, project: str, workflow: str | None, source: str = "csv") -> dict[str, int]:
    """The file, imported; its counts."""
    order = ImportOrder(
        path=path, project_key=project, source=source, workflow=read_workflow(workflow) if workflow else None
    )
    result = import_transitions(tenant=facts_of(who.membership.tenant), order=order, now=NOW)
    return {
        "rows": result.rows,
        "tasks": result.tasks,
        "transitions": result.transitions,
        "unchanged": result.unchanged,
    }


def flow(who: Person, *, project: str, days: list[date], zone: str, mode: str = "OCCUPANCY") -> Any:
    """The diagram of those local days."""
    place = ZoneInfo(zone)
    begin = datetime(days[0].year, days[0].month, days[0].day, tzinfo=place)
    after = days[-1] + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=place)
    window = {"between": {"from": begin.isoformat(), "to": end.isoformat()}}
    return ask(who, FLOW, now=NOW, project=project, window=window, zone=zone, mode=mode)["analytics"]


def differences(who: Person, *, log: str, project: str, zone: str, reference: str) -> list[Any]:
    """Every cell in which the diagram is not the reference."""
    with (LOGS / log / reference).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    days = [date.fromisoformat(row["date"]) for row in rows]
    assert days == [days[0] + timedelta(days=number) for number in range(len(days))]
    answer = flow(who, project=project, days=days, zone=zone)
    bands = {each["state"]["name"]: each["counts"] for each in answer["cumulativeFlow"]["series"]}
    states = [column for column in rows[0] if column not in ("date", "started_cum", "first_done_cum")]
    assert set(states) == set(bands)
    return [
        (row["date"], state, bands[state][number], row[state])
        for number, row in enumerate(rows)
        for state in states
        if bands[state][number] != int(row[state])
    ]


@needs_logs
@pytest.mark.parametrize(
    ("log", "project", "workflow", "counts"),
    [
        ("bpic2013_incidents", "INC", VOLVO, (65533, 7554)),
        ("bpic2013_closed_problems", "PRB", VOLVO, (6660, 1487)),
        ("helpdesk", "HD", None, (21348, 4580)),
    ],
)
def test_occupancy_equals_the_reference(
    auditor: Person, log: str, project: str, workflow: str | None, counts: tuple[int, int]
) -> None:
    """P15: charts go by happened-at, to the last cell of the last day, in UTC and in the zone of the log's makers."""
    found = imported(auditor, path=LOGS / log / "transitions.csv.gz", project=project, workflow=workflow)
    assert (found["rows"], found["tasks"]) == counts
    assert found["rows"] == found["tasks"] + found["transitions"] + found["unchanged"]
    utc = {"log": log, "project": project, "zone": "UTC", "reference": "reference_cfd_daily_utc.csv"}
    assert differences(auditor, **utc) == []
    if (LOGS / log / "reference_cfd_daily_Europe_Stockholm.csv").exists():
        local = {**utc, "zone": "Europe/Stockholm", "reference": "reference_cfd_daily_Europe_Stockholm.csv"}
        assert differences(auditor, **local) == []


def rewritten(rows: list[list[str]], path: Path) -> Path:
    """Those rows as a file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def orders(*, path: Path, scratch: Path) -> Iterator[tuple[str, list[Path]]]:
    """The same rows in other orders: three shuffles, and two halves to be imported under one source."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    yield "AS", [path]
    for seed in range(3):
        shuffled = rows[:]
        random.Random(seed).shuffle(shuffled)
        yield f"SHUFFLED{seed}", [rewritten([header, *shuffled], scratch / f"{seed}.csv")]
    random.Random(9).shuffle(rows)
    half = len(rows) // 2
    pieces = (rows[:half], rows[half:])
    yield "HALVES", [rewritten([header, *piece], scratch / f"half{n}.csv") for n, piece in enumerate(pieces)]


@needs_logs
def test_any_order_of_the_rows_gives_the_same_answers(auditor: Person, tmp_path: Path) -> None:
    """P15: digest by digest, in both modes, shuffled and in two halves under one source."""
    path = LOGS / "bpic2013_closed_problems" / "transitions.csv.gz"
    days = [date(2011, 1, 1) + timedelta(days=number) for number in range(500)]
    digests: dict[str, set[str]] = {"OCCUPANCY": set(), "CUMULATIVE": set()}
    for project, paths in orders(path=path, scratch=tmp_path):
        for piece in paths:
            imported(auditor, path=piece, project=project, workflow=VOLVO)
        for mode, found in digests.items():
            answer = flow(auditor, project=project, days=days, zone="Europe/Stockholm", mode=mode)
            found.add(answer["receipt"]["digest"])
    assert [len(found) for found in digests.values()] == [1, 1]
