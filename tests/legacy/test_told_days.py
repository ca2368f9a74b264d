"""Nights that the job slept, and that were made up later, told in sentences; each number is one of the script's books."""

import json
from datetime import date, timedelta
from random import Random

import pytest

from analytics.drift.controls import Capability
from analytics.drift.evidence import evidence
from analytics.drift.report_sentences import Told, told
from analytics.drift.stages import stage_of
from analytics.drift.stored_day_checks import compare_rest
from analytics.models import DriftComparison, LegacyDailyMetric
from tasks_app.tenancy import DatabaseRole, entered
from tests.legacy.replay import Replay, replayed

pytestmark = pytest.mark.django_db
DAYS = 30
SLEEPING = (19, 20, 21)
NIGHTS = (20, 21, 22)
KINDS = ("todo", "in_progress", "review", "done")


@pytest.fixture
def replay(db: None) -> Replay:
    """Three nights without a job, in a row."""
    return replayed(slug="told", days=DAYS, sleeping=SLEEPING, moves=4)


def compared(replay: Replay) -> None:
    compare_rest(now=replay.midnight(replay.days) + timedelta(hours=2), tenant_id=replay.tenant_id, chance=Random(1))


def sentences(replay: Replay) -> Told:
    with entered(tenant_id=replay.tenant_id, role=DatabaseRole.AUDITOR, read_only=True):
        return told(
            tenant_id=replay.tenant_id,
            zone=replay.zone,
            capability=Capability.CUMULATIVE_FLOW,
            first=replay.first,
            last=replay.day(replay.days),
        )


def changes(replay: Replay) -> int:
    """What the script did in the days that ended with the three nights."""
    begin, end = replay.midnight(min(NIGHTS) - 1), replay.midnight(max(NIGHTS))
    return sum(begin <= step.at < end for step in replay.steps)


def furthest(replay: Replay) -> str:
    """Of each kind, by how much the board of the last day is most wrong in one of the nights."""
    now = replay.counted(replay.days, told=replay.days)
    then = [replay.counted(number, told=number) for number in NIGHTS]
    gains = {kind: max((now[kind] - each[kind] for each in then), key=abs) for kind in KINDS}
    words = [
        f"{abs(gain)} {kind.replace('_', ' ')} too {'many' if gain > 0 else 'few'}"
        for kind, gain in gains.items()
        if gain
    ]
    return ", ".join(words)


def test_nights_that_were_slept_through_are_told(replay: Replay) -> None:
    """There is no drift, and the gap is no secret."""
    compared(replay)
    found = sentences(replay)
    assert found.causes == []
    assert found.remarks[0] == (
        f"3 nights from {replay.day(20)} to {replay.day(22)} were slept through: the older side has nothing for them;"
        f" the ledger has {changes(replay)} changes in the days that ended with them."
    )


def test_nights_that_were_made_up_are_told_with_what_is_wrong(replay: Replay) -> None:
    """From which board, by how much at most, and how much had happened meanwhile; that they were slept through stays."""
    compared(replay)
    assert replay.invent() == 3
    compared(replay)
    found = sentences(replay)
    said = [sentence for _, sentence in found.causes]
    days = [replay.day(number) for number in NIGHTS]
    assert sum(each.comparisons for each, _ in found.causes) == 3
    assert said == [
        f"3 nights from {days[0]} to {days[2]} were invented: each repeats the board of {replay.day(replay.days)}"
        f" (up to {furthest(replay)}); the ledger has {changes(replay)} changes in the days that ended with them."
    ]
    assert f"3 nights from {days[0]} to {days[2]} were slept through, and filled in later." in found.remarks
    with entered(tenant_id=replay.tenant_id, role=DatabaseRole.AUDITOR, read_only=True):
        standing = stage_of(tenant_id=replay.tenant_id, capability=Capability.CUMULATIVE_FLOW)
        handed = evidence(standing=standing, zone=replay.zone, now=replay.midnight(replay.days))
    assert [each["sentence"] for each in handed["causes"]] == said
    assert handed["remarks"] == list(found.remarks)


def test_an_older_side_that_does_not_say_so_is_found_out_by_its_numbers(replay: Replay) -> None:
    """The same board for three nights: rows that claim to have been counted at their midnights."""
    stale: date = replay.day(18)
    board = LegacyDailyMetric.objects.filter(tenant_id=replay.tenant_id, date=stale).values(*KINDS).get()
    with entered(tenant_id=replay.tenant_id, role=DatabaseRole.WORKER):
        for number in NIGHTS:
            row = LegacyDailyMetric.objects.get(tenant_id=replay.tenant_id, date=replay.day(23))
            LegacyDailyMetric.objects.create(
                tenant_id=replay.tenant_id,
                date=replay.day(number),
                counted_at=replay.midnight(number),
                known_at=row.known_at,
                **board,
            )
    compared(replay)
    details = [json.loads(each.detail) for each in DriftComparison.objects.filter(verdict="DRIFT")]
    assert details
    assert not any("invented" in each for each in details)
    said = [sentence for _, sentence in sentences(replay).causes]
    assert said
    assert all(f"the board of {stale}" in each for each in said), said


def test_late_facts_are_told_and_are_no_drift(replay: Replay) -> None:
    """The script tells some of a day's moves a day late: the nights between are counted again."""
    compared(replay)
    then = [replay.counted(number, told=number) for number in range(1, DAYS + 1) if number not in NIGHTS]
    today = [replay.counted(number, told=replay.days) for number in range(1, DAYS + 1) if number not in NIGHTS]
    late = sum(before != after for before, after in zip(then, today, strict=True))
    assert late > 1
    (sentence,) = [each for each in sentences(replay).remarks if "reported late" in each]
    assert sentence.startswith(f"{late} nights ")
