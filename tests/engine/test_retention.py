"""Old minutes and hours go; every answer stays what it was, and its receipt says where it was read."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command

from analytics.engine.projects import project_facts
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.retention import retain
from analytics.engine.rollups.compact import compact
from analytics.engine.rollups.rebuild import rebuild
from analytics.flow.reading import canonical
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.reading.results import FlowMode
from analytics.pure.windows import Bucket, Window, between
from tasks_app.refusals import Refused
from tasks_app.tenancy import entered
from tests.facts_as_text import parse
from tests.flow.loading import Loaded, seeded
from tests.flow.test_rollup_properties import everything, unsound
from tests.spec.postgres import fold_some
from tests.tasks_app.recording import sql

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
# 30 and 400 days before, at the start of a UTC day: what is kept is at least as long as was said.
MINUTE_SINCE, HOUR_SINCE = datetime(2026, 2, 18, tzinfo=UTC), datetime(2025, 2, 13, tzinfo=UTC)
ZONE = "Europe/Stockholm"
# The last two facts happened in time that is dropped, and were recorded after it was.
TABLE = """
project WEB zone=Europe/Stockholm since=2024-11-01
states Todo:todo Doing:in_progress Done:done
2024-11-10 09:15  -                 WEB-1  created Todo
2024-11-10 10:20  -                 WEB-1  moved Doing
2024-11-12 09:00  -                 WEB-2  created Todo
2025-06-01 12:34  -                 WEB-1  moved Done
2026-01-15 08:00  -                 WEB-2  moved Doing
2026-03-15 08:30  -                 WEB-2  moved Done
2026-03-18 08:30  -                 WEB-3  created Todo
2024-11-10 11:45  2026-03-19 10:00  WEB-1  moved Todo
2026-01-15 09:10  2026-03-19 10:00  WEB-2  moved Todo
"""
FOLDED_FIRST = 7
MINUTE, HOUR, DAY = 1, 3, 4
OLD_ROWS = """/* tests.old_rows */
SELECT grain, count(*) FILTER (WHERE bucket < %s), count(*) FILTER (WHERE bucket < %s), count(*)
  FROM task_rollup WHERE tenant_id = %s GROUP BY grain
"""
SINCE = "/* tests.since */ SELECT grain, since FROM kept_since WHERE tenant_id = %s ORDER BY grain"


def window(first: str, end: str, *, zone: str = ZONE, bucket: Bucket = Bucket.DAY) -> Window:
    """From one local midnight to another."""
    start, stop = (datetime.combine(date.fromisoformat(day), time(), ZoneInfo(zone)) for day in (first, end))
    return between(start=start, end=stop, zone=zone, bucket=bucket, now=NOW)


def asked(told: Loaded, asked_window: Window, *, read_from: ReadFrom = ReadFrom.MERGED) -> FlowReading:
    """The project's reading, to be asked inside the tenant."""
    return FlowReading(
        question=FlowQuestion(tenant_id=told.tenant_id, window=asked_window, now=NOW),
        boards=project_facts(tenant_id=told.tenant_id, key="WEB"),
        read_from=read_from,
    )


def figures(reading: FlowReading) -> Mapping[str, Any]:
    """All of them."""
    flows = {mode.value: canonical.cumulative_flow(reading.cumulative_flow(mode=mode)) for mode in FlowMode}
    return {
        **flows,
        "throughput": canonical.throughput(reading.throughput()),
        "workInProgress": reading.work_in_progress(),
        "transitions": canonical.transitions(reading.transitions()),
    }


def told_and_receipt(told: Loaded, asked_window: Window) -> tuple[ReadFrom, str | None, int]:
    """Where the answer was read, why not from rollups, and how many ledger rows; its figures are the ledger's."""
    with entered(tenant_id=told.tenant_id, read_only=True):
        reading = asked(told, asked_window)
        assert figures(reading) == figures(asked(told, asked_window, read_from=ReadFrom.RAW))
        return reading.read_from, reading.fallback, reading.raw_rows


def rows_by_grain(told: Loaded) -> dict[int, tuple[int, int, int]]:
    """How many rows older than the limit of minutes, than that of hours, and at all."""
    found = sql(OLD_ROWS, [MINUTE_SINCE, HOUR_SINCE, told.tenant_id])
    return {grain: (before_minutes, before_hours, rows) for grain, before_minutes, before_hours, rows in found}


@pytest.fixture
def told() -> Loaded:
    """The table's first facts folded, minutes and hours dropped, the late facts in the tail."""
    loaded = seeded(parse(TABLE))
    fold_some(tenant_id=loaded.tenant_id, facts=FOLDED_FIRST)
    retained = retain(now=NOW, tenant_id=loaded.tenant_id)
    assert retained.refused == ()
    assert retained.rows > 0
    return loaded


def test_old_minutes_and_hours_go_and_days_stay() -> None:
    """Exactly those that begin before the limits."""
    loaded = seeded(parse(TABLE))
    fold_some(tenant_id=loaded.tenant_id, facts=FOLDED_FIRST)
    before = rows_by_grain(loaded)
    assert before[MINUTE][0] > 0
    assert before[HOUR][1] > 0
    retained = retain(now=NOW, tenant_id=loaded.tenant_id)
    after = rows_by_grain(loaded)
    assert retained.rows == before[MINUTE][0] + before[HOUR][1]
    assert (after[MINUTE][0], after[MINUTE][2]) == (0, before[MINUTE][2] - before[MINUTE][0])
    assert (after[HOUR][1], after[HOUR][2]) == (0, before[HOUR][2] - before[HOUR][1])
    assert after[DAY] == before[DAY]
    assert sql(SINCE, [loaded.tenant_id]) == [(MINUTE, MINUTE_SINCE), (HOUR, HOUR_SINCE)]


def test_days_of_the_projects_zone_read_rollups_however_old(told: Loaded) -> None:
    """P50: no ledger row is read once all is folded."""
    compact(now=NOW, tenant_id=told.tenant_id)
    assert told_and_receipt(told, window("2024-11-01", "2026-03-21")) == (ReadFrom.MERGED, None, 0)


def test_hours_that_are_kept_read_rollups(told: Loaded) -> None:
    """Hours within 400 days, on the hour."""
    compact(now=NOW, tenant_id=told.tenant_id)
    hours = window("2026-01-14", "2026-01-17", bucket=Bucket.HOUR)
    assert told_and_receipt(told, hours) == (ReadFrom.MERGED, None, 0)


@pytest.mark.parametrize(
    "old",
    [
        window("2024-11-09", "2024-11-14", bucket=Bucket.HOUR),
        window("2026-01-14", "2026-01-17", zone="Asia/Kathmandu", bucket=Bucket.HOUR),
        window("2026-01-14", "2026-01-17", zone="Asia/Kathmandu"),
        window("2026-01-15", "2026-01-16", bucket=Bucket.MINUTE),
    ],
    ids=["hours", "hours at :45", "days at :45", "minutes"],
)
def test_an_older_fine_window_is_answered_by_the_ledger_which_the_receipt_says(told: Loaded, old: Window) -> None:
    """P50, P54: with late facts in the tail, and folded."""
    sentence = "Finer rollups are kept since 2026-02-18 only, so the ledger was read."
    read_from, why, rows = told_and_receipt(told, old)
    assert (read_from, why) == (ReadFrom.RAW, sentence)
    assert rows > 0
    compact(now=NOW, tenant_id=told.tenant_id)
    assert told_and_receipt(told, old)[:2] == (ReadFrom.RAW, sentence)


def test_late_facts_of_dropped_time_enter_days_alone(told: Loaded) -> None:
    """P50, P53: and a rebuild makes the same rows, which verify finds right."""
    compact(now=NOW, tenant_id=told.tenant_id)
    found = rows_by_grain(told)
    assert (found[MINUTE][0], found[HOUR][1]) == (0, 0)
    compacted = everything(told.tenant_id)
    assert unsound(told.tenant_id) == []
    rebuild(now=NOW, tenant_id=told.tenant_id)
    assert everything(told.tenant_id) == compacted
    assert unsound(told.tenant_id) == []


def test_again_drops_nothing_and_a_longer_time_brings_nothing_back(told: Loaded, settings: Any) -> None:
    """A limit never goes back: the rows before it are gone."""
    assert retain(now=NOW, tenant_id=told.tenant_id).rows == 0
    settings.FLOWLEDGER_MINUTE_DAYS, settings.FLOWLEDGER_HOUR_DAYS = 60, 800
    assert retain(now=NOW, tenant_id=told.tenant_id).rows == 0
    assert sql(SINCE, [told.tenant_id]) == [(MINUTE, MINUTE_SINCE), (HOUR, HOUR_SINCE)]


def test_nothing_is_dropped_of_a_tenant_whose_rollups_are_wrong() -> None:
    """The sentence says where; another tenant's go all the same."""
    wrong, right = seeded(parse(TABLE)), seeded(parse(TABLE))
    compact(now=NOW)
    sql("UPDATE task_rollup SET facts = 5 WHERE tenant_id = %s AND grain = 5 AND facet = 0", [wrong.tenant_id])
    before = everything(wrong.tenant_id)
    retained = retain(now=NOW)
    (slug,) = sql("SELECT slug FROM tenant WHERE id = %s", [wrong.tenant_id])[0]
    (sentence,) = retained.refused
    assert sentence.startswith(f"Nothing of transitions of {slug} was dropped: task_rollup of {slug}, project_id ")
    assert sentence.endswith(": facts is (5) and must be (2).")
    assert everything(wrong.tenant_id) == before
    assert sql(SINCE, [wrong.tenant_id]) == []
    assert retained.rows > 0
    assert sql(SINCE, [right.tenant_id]) == [(MINUTE, MINUTE_SINCE), (HOUR, HOUR_SINCE)]


def test_the_command(settings: Any) -> None:
    """By the days of the settings; exit 1 with the sentence when a tenant's rows had to stay."""
    settings.FLOWLEDGER_MINUTE_DAYS, settings.FLOWLEDGER_HOUR_DAYS = 2, 2
    loaded = seeded(parse(TABLE))
    compact(now=NOW)
    out = StringIO()
    call_command("retain", stdout=out)
    answer = json.loads(out.getvalue())
    assert (list(answer), answer["refused"]) == (["rows", "seconds", "refused"], [])
    assert answer["rows"] > 0
    assert {grain for grain, *_ in sql(OLD_ROWS, [NOW, NOW, loaded.tenant_id])} == {DAY, 5}
    settings.FLOWLEDGER_MINUTE_DAYS -= 1
    sql("UPDATE task_rollup SET facts = 5")
    with pytest.raises(Refused, match=r"^Nothing of transitions of .* was dropped: task_rollup of "):
        call_command("retain", stdout=StringIO())
