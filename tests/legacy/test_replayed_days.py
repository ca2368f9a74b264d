"""Sixty days lived through the live tables, the midnight job beside them: what the dual run makes of each day."""

from collections import Counter
from datetime import date

import pytest

from analytics.models import LegacyDailyMetric
from tests.legacy.replay import Replay, replayed, verdicts, wrong_days

DAYS = 60
SLEEPING = (20, 21, 22, 40)


@pytest.fixture
def replay(db: None) -> Replay:
    """Four nights without a job."""
    return replayed(slug="replayed", days=DAYS, sleeping=SLEEPING, moves=3)


def test_each_counted_day_matches_and_no_other_does(replay: Replay) -> None:
    """P50: the job's rows are the script's counts; each is a match; what changed since is what the script changed."""
    stored = {row.date: row for row in LegacyDailyMetric.objects.filter(tenant_id=replay.tenant_id)}
    assert len(stored) == DAYS - len(SLEEPING)
    for number in range(1, DAYS + 1):
        if row := stored.get(replay.day(number)):
            counts = {"todo": row.todo, "in_progress": row.in_progress, "review": row.review, "done": row.done}
            assert counts == replay.counted(number, told=number), row.date
    comparison = replay.compared()
    assert wrong_days(replay, comparison) == []
    assert Counter(verdicts(comparison).values()) == {"MATCH": DAYS - 4, "LEGACY_ERROR": 4}
    assert comparison.basis.value == "KNOWN"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("Australia/Lord_Howe", date(2025, 3, 31)),
        ("America/Sao_Paulo", date(2017, 10, 9)),
        ("America/Sao_Paulo", date(2018, 2, 12)),
        ("America/Havana", date(2025, 10, 27)),
        ("America/St_Johns", date(2010, 11, 1)),
        ("Pacific/Apia", date(2011, 12, 24)),
        ("Asia/Kolkata", date(2024, 2, 24)),
    ],
)
def test_the_job_runs_at_every_zones_midnight(zone: str, first: date) -> None:
    """P50, P52: where the clock moves by half an hour, has no midnight or two of them, or leaves out a date."""
    replay = replayed(slug="far", days=12, sleeping=(3,), moves=2, zone=zone, first=first)
    comparison = replay.compared()
    assert wrong_days(replay, comparison) == []
    stored = LegacyDailyMetric.objects.filter(tenant_id=replay.tenant_id).count()
    assert Counter(verdicts(comparison).values()) == {"MATCH": stored, "LEGACY_ERROR": 1}
    assert stored == 11 - (zone == "Pacific/Apia")


def test_what_was_invented_is_drift(replay: Replay) -> None:
    """The backfill gives the nights that were slept through the board of the last day; days that were counted stay."""
    assert replay.invent() == len(SLEEPING)
    assert replay.invent() == 0
    comparison = replay.compared()
    assert wrong_days(replay, comparison, invented=replay.slept) == []
    assert {day for day, verdict in verdicts(comparison).items() if verdict == "DRIFT"} == {
        day.isoformat() for day in replay.slept
    }
