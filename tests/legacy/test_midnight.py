"""The midnight job: when it counts, what it counts, and the flaws that it is known for."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from analytics.drift.controls import Basis, FailureKind, LegacyAnswer, LegacyFailure
from analytics.legacy.control import CfdControl
from analytics.legacy.midnight import backfill, count_midnights, organisations
from analytics.models import LegacyDailyMetric
from tasks_app.models import Task, Tenant
from tasks_app.refusals import Refused
from tests.cast import Cast, cast, company, tasks
from tests.tasks_app.recording import sql

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def people(db: None) -> Cast:
    """Acme, in UTC, with two items to do, two in progress of which one waits, one in review, one done, one cancelled."""
    made = cast()
    for state, count in {"todo": 2, "doing": 1, "waiting": 1, "review": 1, "done": 1, "cancelled": 1}.items():
        tasks(board=made.acme.board, count=count, state=state)
    tasks(board=made.acme.second_board, count=3, state="done")
    (gone,) = tasks(board=made.acme.board, count=1, state="doing")
    Task.objects.filter(tenant_id=gone.tenant_id, id=gone.id).update(discarded_at=MIDNIGHT)
    return made


def rows(tenant_id: int) -> list[tuple[object, ...]]:
    """Date, four counts, and whether it was invented."""
    found = LegacyDailyMetric.objects.filter(tenant_id=tenant_id).order_by("date")
    return [(str(row.date), row.todo, row.in_progress, row.review, row.done, row.invented) for row in found]


def test_it_counts_the_live_board(people: Cast) -> None:
    """All boards together: review is what needs a validation; cancelled and discarded items are not counted."""
    acme = people.acme.tenant.id
    assert count_midnights(now=MIDNIGHT, tenant_id=acme) == 1
    assert rows(acme) == [("2026-03-02", 2, 2, 1, 4, False)]


def test_it_counts_once_a_day(people: Cast) -> None:
    """What comes a moment later is not in it, and the row stays."""
    acme = people.acme.tenant.id
    count_midnights(now=MIDNIGHT, tenant_id=acme)
    tasks(board=people.acme.board, count=5)
    assert count_midnights(now=MIDNIGHT + MINUTE, tenant_id=acme) == 0
    assert rows(acme) == [("2026-03-02", 2, 2, 1, 4, False)]


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (MIDNIGHT - MINUTE, None),
        (MIDNIGHT, "2026-03-02"),
        (MIDNIGHT + HOUR - MINUTE, "2026-03-02"),
        (MIDNIGHT + HOUR, None),
        (MIDNIGHT + 9 * HOUR, None),
    ],
)
def test_it_sleeps_but_for_the_hour_after_midnight(people: Cast, now: datetime, day: str | None) -> None:
    """A scheduler that comes back at nine in the morning has missed the day."""
    acme = people.acme.tenant.id
    count_midnights(now=now, tenant_id=acme)
    assert [row[0] for row in rows(acme)] == ([day] if day else [])


@pytest.mark.parametrize(
    ("zone", "now", "day"),
    [
        ("Asia/Kathmandu", datetime(2026, 3, 1, 18, 15, tzinfo=UTC), date(2026, 3, 2)),
        ("America/New_York", datetime(2026, 3, 2, 5, 30, tzinfo=UTC), date(2026, 3, 2)),
        ("Africa/Cairo", datetime(2026, 4, 23, 22, 0, tzinfo=UTC), date(2026, 4, 24)),  # its midnight was skipped
    ],
)
def test_midnight_is_the_tenants_own(db: None, zone: str, now: datetime, day: date) -> None:
    """P50: the local date, where the offset is not of whole hours and where midnight does not exist."""
    tenant = company(slug="far", timezone=zone).tenant
    assert count_midnights(now=now - MINUTE, tenant_id=tenant.id) == (1 if zone == "America/New_York" else 0)
    count_midnights(now=now, tenant_id=tenant.id)
    assert [row[0] for row in rows(tenant.id)] == [day.isoformat()]


def test_a_tenant_that_fails_stops_no_other(people: Cast, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged."""
    Tenant.objects.filter(id=people.globex.tenant.id).update(timezone="UTC")
    sql(f"ALTER TABLE legacy_daily_metric ADD CONSTRAINT poison CHECK (tenant_id <> {people.acme.tenant.id})")
    assert count_midnights(now=MIDNIGHT) == 1
    assert rows(people.globex.tenant.id) == [("2026-03-02", 0, 0, 0, 0, False)]
    assert "The board of acme could not be counted for 2026-03-02." in caplog.text


def test_the_backfill_invents_history(people: Cast) -> None:
    """Each missing day gets the board of now; days that were counted stay."""
    acme = people.acme.tenant.id
    count_midnights(now=MIDNIGHT, tenant_id=acme)
    tasks(board=people.acme.board, count=5)
    (organisation,) = organisations(tenant_id=acme)
    later = MIDNIGHT + timedelta(days=2)
    first, last = date(2026, 3, 1), date(2026, 3, 3)
    assert backfill(organisation=organisation, first=first, last=last, now=later) == 2
    assert rows(acme) == [
        ("2026-03-01", 7, 2, 1, 4, True),
        ("2026-03-02", 2, 2, 1, 4, False),
        ("2026-03-03", 7, 2, 1, 4, True),
    ]


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        (date(2026, 3, 2), date(2026, 3, 1), "--from: 2026-03-02 is after --to, 2026-03-01."),
        (date(2026, 3, 2), date(2026, 3, 3), "--to: 2026-03-03 has not begun for acme."),
        (date(2000, 1, 1), date(2026, 3, 1), "--from: at most 3,660 days are filled at once."),
    ],
)
def test_a_backfill_that_makes_no_sense_is_refused(people: Cast, first: date, last: date, message: str) -> None:
    """Nothing is written."""
    (organisation,) = organisations(tenant_id=people.acme.tenant.id)
    with pytest.raises(Refused) as refusal:
        backfill(organisation=organisation, first=first, last=last, now=MIDNIGHT)
    assert refusal.value.message == message
    assert rows(organisation.id) == []


def test_the_commands_say_what_they_did(people: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON; again is a no-op."""
    for days in (1, 0):
        call_command("legacy_midnight", "--tenant", "acme", "--now", MIDNIGHT.isoformat())
        assert json.loads(capsys.readouterr().out) == {"days": days}
    for invented in (2, 0):
        call_command("legacy_backfill", "--tenant", "acme", "--from", "2026-03-01", "--to", "2026-03-03")
        assert json.loads(capsys.readouterr().out) == {"invented": invented}
    with pytest.raises(Refused, match="--from: 'soon' is no date"):
        call_command("legacy_backfill", "--tenant", "acme", "--from", "soon", "--to", "2026-03-03")


def test_a_run_of_now_goes_by_the_databases_clock(people: Cast) -> None:
    """The clock that records facts is the one that says which of them were counted; a scripted run has its own."""
    acme = people.acme.tenant
    (((now,),)) = sql("SELECT now()")
    backfill(organisation=organisations(tenant_id=acme.id)[0], first=now.date(), last=now.date(), now=now)
    row = LegacyDailyMetric.objects.get(tenant_id=acme.id)
    assert row.counted_at == row.known_at >= now
    count_midnights(now=MIDNIGHT, tenant_id=acme.id)
    assert LegacyDailyMetric.objects.get(tenant_id=acme.id, date=MIDNIGHT.date()).counted_at == MIDNIGHT


# --- as one side of a comparison


def test_the_control_knows_when_each_day_was_counted(people: Cast) -> None:
    """By the job's own minute; an invented day claims its midnight, and is held to that."""
    acme = people.acme.tenant.id
    count_midnights(now=MIDNIGHT + 7 * MINUTE, tenant_id=acme)
    (organisation,) = organisations(tenant_id=acme)
    backfill(organisation=organisation, first=date(2026, 3, 1), last=date(2026, 3, 1), now=MIDNIGHT + 9 * HOUR)
    found = CfdControl().answer(tenant_id=acme, days=30, now=MIDNIGHT + 10 * HOUR)
    assert isinstance(found, LegacyAnswer)
    assert (found.status, found.basis, found.as_of) == (200, Basis.KNOWN, MIDNIGHT + 7 * MINUTE)
    assert {key: each.happened_before for key, each in found.cutoffs.items()} == {
        "2026-03-01": MIDNIGHT - timedelta(days=1),
        "2026-03-02": MIDNIGHT + 7 * MINUTE,
    }
    assert "invented" not in json.dumps(found.body)


def test_the_control_raises_nothing(people: Cast) -> None:
    """A failure with its reason: no tenant, no table."""
    found = CfdControl().answer(tenant_id=2**40, days=30, now=MIDNIGHT)
    assert isinstance(found, LegacyFailure)
    assert found.kind is FailureKind.NOT_ASKED
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE legacy_daily_metric RENAME TO elsewhere")
    found = CfdControl().answer(tenant_id=people.acme.tenant.id, days=30, now=MIDNIGHT)
    assert found == LegacyFailure(kind=FailureKind.UNREACHABLE, reason="The older side's days could not be read.")
