"""Our side counts what the midnight job could see, whoever was still writing as it ran; and an answer stays as it was."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from analytics.drift.arithmetic.stages import Flag
from analytics.drift.capabilities import DECLARED
from analytics.drift.controls import Basis, Capability, Control, LegacyAnswer
from analytics.drift.due import run_owed
from analytics.drift.experiment import Comparison, Question, compare
from analytics.drift.stages import set_stage, stage_of
from analytics.drift.stored_day_checks import compare_rest, explained, restatements
from analytics.engine.rollups.compact import compact, owners
from analytics.legacy.control import CfdControl
from analytics.legacy.midnight import backfill, count_midnights, organisations
from analytics.models import DriftComparison, LegacyDailyMetric, StageCause
from analytics.pure.cutoffs import Cutoff
from analytics.pure.stages import Stage
from tasks_app.models import Actor, ActorKind, Task, TaskLedger
from tasks_app.operations.tasks import move_task
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import Company, company, tasks
from tests.legacy.test_contract import CFD, get
from tests.tasks_app.recording import clock, sql
from tests.tasks_app.test_concurrent_changes import own_connection

pytestmark = pytest.mark.django_db(transaction=True)
MOVE = "/* tests.move */ UPDATE task SET state_id = %s WHERE tenant_id = %s AND id = ANY (%s)"
SOON = timedelta(minutes=5)


@pytest.fixture
def here() -> Company:
    """A company somewhere where a day has just begun, so that the job of now counts for it."""
    return company(slug="acme", timezone=zone_of_midnight(clock()))


def zone_of_midnight(now: datetime) -> str:
    """A zone in which it is between midnight and one o'clock."""
    zones = (f"Etc/GMT{number:+d}" if number else "Etc/GMT" for number in range(-14, 13))
    return next(name for name in zones if now.astimezone(ZoneInfo(name)).hour == 0)


@contextmanager
def moving(made: Company, ids: Sequence[int], *, to: str) -> Iterator[None]:
    """Another session has moved these tasks, and commits at the end."""
    with own_connection() as other:
        other.execute(MOVE, [made.board.states[to].id, made.tenant.id, list(ids)])
        yield


def compared(made: Company, *, at: datetime, position: str = "", control: Control | None = None) -> Comparison:
    """All stored days against ours, as asked at that instant."""
    flow = DECLARED[Capability.CUMULATIVE_FLOW]
    question = Question(
        tenant_id=made.tenant.id,
        slug=made.tenant.slug,
        zone=made.tenant.timezone,
        days=30,
        asked_at=at,
        stage="SHADOW",
        flag_version=1,
        stratum="all",
        position=position,
    )
    return compare(declaration=flow, control=control or CfdControl(), question=question, chance=Random(1), now=at)


@pytest.mark.parametrize("folded", [False, True])
def test_what_was_recorded_before_the_job_and_committed_after_it_is_no_drift(here: Company, folded: bool) -> None:
    """P54: in the ledger such a fact looks as if it had been known by then, and the job could not see it."""
    made = tasks(board=here.board, count=3)
    with moving(here, [made[0].id], to="doing"):
        assert count_midnights(now=clock(), tenant_id=here.tenant.id) == 1
    if folded:
        compact(now=clock(), tenant_id=here.tenant.id)
    found = compared(here, at=clock() + SOON)
    (day,) = found.findings
    assert (found.findings[day].verdict, found.figures[day]) == (
        "MATCH",
        {"todo": 3, "in_progress": 0, "review": 0, "done": 0},
    )
    assert found.freshness == {day: {"todo": -1, "in_progress": 1}}


def test_what_was_committed_before_the_job_is_counted_and_no_later_one(here: Company) -> None:
    """The same fact on the other side of the job, beside a stranger's transaction that stays open."""
    made = tasks(board=here.board, count=3)
    with moving(here, [made[1].id], to="done"):
        with moving(here, [made[0].id], to="doing"):
            pass
        count_midnights(now=clock(), tenant_id=here.tenant.id)
    found = compared(here, at=clock() + SOON)
    (figures,) = found.figures.values()
    assert (found.finding.verdict, figures) == ("MATCH", {"todo": 2, "in_progress": 1, "review": 0, "done": 0})


def test_what_the_job_did_not_see_is_what_explains_a_restated_day(here: Company) -> None:
    """The clock alone would say that nothing was learned since."""
    made = tasks(board=here.board, count=2)
    with moving(here, [made[0].id], to="done"):
        count_midnights(now=clock(), tenant_id=here.tenant.id)
    later = clock() + SOON
    compare_rest(now=later, chance=Random(1))
    owner = next(each for each in owners() if each.id == here.tenant.id)
    (restated,) = restatements(owner=owner, declaration=DECLARED[Capability.CUMULATIVE_FLOW], now=later)
    assert restated.changes == {"todo": (2, 1), "done": (0, 1)}
    with entered(tenant_id=here.tenant.id, role=DatabaseRole.WORKER, read_only=True):
        (row,) = explained(
            tenant_id=here.tenant.id, declaration=DECLARED[Capability.CUMULATIVE_FLOW], restated=restated
        )
    assert (row.item_id, row.recorded_at < restated.known_at) == (made[0].id, True)


def test_the_jobs_own_transaction_is_in_its_count(here: Company) -> None:
    """Whoever writes and counts in one transaction has counted what was written."""
    with transaction.atomic():
        tasks(board=here.board, count=2, state="review")
        count_midnights(now=clock(), tenant_id=here.tenant.id)
    tasks(board=here.board, count=1)
    found = compared(here, at=clock() + SOON)
    (figures,) = found.figures.values()
    assert (found.finding.verdict, figures["review"], figures["todo"]) == ("MATCH", 2, 0)


def test_invented_days_do_not_stand_in_the_way_of_counted_ones(here: Company) -> None:
    """They were known later than the days after them; those are compared as they were all the same."""
    made = tasks(board=here.board, count=2)
    with moving(here, [made[0].id], to="doing"):
        count_midnights(now=clock(), tenant_id=here.tenant.id)
    today = LegacyDailyMetric.objects.get().date
    (organisation,) = organisations(tenant_id=here.tenant.id)
    first = today - timedelta(days=2)
    assert backfill(organisation=organisation, first=first, last=today, now=clock()) == 2
    found = compared(here, at=clock() + SOON)
    assert found.findings[today.isoformat()].verdict == "MATCH"
    assert {day: each.verdict.value for day, each in found.findings.items() if day != today.isoformat()} == {
        (today - timedelta(days=number)).isoformat(): "DRIFT" for number in (1, 2)
    }


def test_an_answer_is_compared_as_it_was_whenever_the_worker_comes(here: Company) -> None:
    """P54: what is told between the answer and the comparison, of the time before both, changes nothing of what is kept."""
    made = tasks(board=here.board, count=3)
    count_midnights(now=clock(), tenant_id=here.tenant.id)
    in_shadow(here)
    for _ in range(2):
        get(f"{CFD}?days=3", here.tenant)
    now = clock()
    assert run_owed(now=now, chance=Random(1), most=1) == 1
    told_late(here, made[0], to="done")
    assert run_owed(now=now, chance=Random(1)) == 1
    first, second = (
        (each.verdict, each.reason, each.basis, each.legacy_as_of, each.detail)
        for each in DriftComparison.objects.order_by("id")
    )
    assert first == second
    assert json.loads(first[-1])["freshness"] == {}


def test_a_cut_off_without_a_clock_is_counted_as_of_the_answer(here: Company) -> None:
    """Another system's figure, whose hour is known and nothing else: the verdict stays, too."""
    made = tasks(board=here.board, count=3)
    with entered(tenant_id=here.tenant.id, read_only=True):
        ((position,),) = sql("SELECT txid_current_snapshot()::text")
    at = clock()
    control = SaysWhatWas(day=at.astimezone(ZoneInfo(here.tenant.timezone)).date().isoformat(), at=at, todo=3)
    told_late(here, made[0], to="done")
    found = compared(here, at=at, position=position, control=control)
    assert (found.finding.verdict, found.freshness) == ("MATCH", {})
    assert compared(here, at=at, control=control).finding.verdict == "DRIFT"


@dataclass(frozen=True)
class SaysWhatWas:
    """An older side with one day, counted at an instant; nobody knows what it knew."""

    day: str
    at: datetime
    todo: int

    def answer(self, *, tenant_id: int, days: int, now: datetime) -> LegacyAnswer:
        """See Control."""
        counts = {"todo": self.todo, "in_progress": 0, "review": 0, "done": 0}
        return LegacyAnswer(
            body={"organisation": "acme", "days": [{"date": self.day, **counts}]},
            status=200,
            as_of=self.at,
            basis=Basis.KNOWN,
            cutoffs={self.day: Cutoff(happened_before=self.at)},
        )


def in_shadow(made: Company) -> None:
    """From now on."""
    with entered(tenant_id=made.tenant.id, role=DatabaseRole.WORKER):
        standing = stage_of(tenant_id=made.tenant.id, capability=Capability.CUMULATIVE_FLOW)
        wanted = Flag(stage=Stage.SHADOW, percent=100, version=1)
        set_stage(standing, wanted=wanted, reason="For a test.", cause=StageCause.ASKED, now=clock())


def told_late(made: Company, task: Task, *, to: str) -> None:
    """A move that happened right after the task was made, and is told now."""
    actor = Actor.objects.create(tenant=made.tenant, kind=ActorKind.JOB, name="late")
    happened_at = TaskLedger.objects.get(task_id=task.id).happened_at + timedelta(microseconds=1)
    with entered(tenant_id=made.tenant.id, actor_id=actor.id):
        move_task(
            tenant_id=made.tenant.id, task=task.key, to=to, actor_id=actor.id, happened_at=happened_at, now=clock()
        )
