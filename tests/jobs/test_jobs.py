"""A job's life in its row: claimed once, fenced by its attempt, taken up when its worker is lost, parked when workers die."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.models import Task as Done

from analytics.jobs import dispatch as waiting
from analytics.jobs import pulse, rows, running
from analytics.jobs.rows import LEASE, MOST_LOSSES, Claim, Ending, Submission
from analytics.models import AnalyticsJob, JobState
from tasks_app.refusals import Refused
from tests.cast import Cast, Person, cast, tasks
from tests.processes import PATIENCE, wait_until
from tests.tasks_app.recording import sql
from tests.tasks_app.test_concurrent_changes import own_connection

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DOCUMENT = "{ analytics(window: {rolling: {count: 3, unit: DAY}}) { workInProgress } }"
ANSWER = Ending(state=JobState.SUCCEEDED, result='{"data":null}')


@pytest.fixture
def people() -> Cast:
    """Acme and Globex with a task each."""
    made = cast()
    tasks(board=made.acme.board, count=1)
    tasks(board=made.globex.board, count=1)
    return made


def submitted(person: Person, *, name: int = 0, now: datetime = NOW, document: str = DOCUMENT) -> int:
    """A job of that person's; another `name` is another job."""
    asked = Submission(
        tenant_id=person.membership.tenant_id,
        actor_id=person.actor.id,
        document=document,
        variables="{}",
        fingerprint=name.to_bytes(32),
        rights=bytes(32),
        estimated_cost=1,
        lasting=False,
    )
    return rows.submit(asked, now=now)[0].id


def claimed(people: Cast, job_id: int, *, now: datetime = NOW) -> Claim | None:
    """Acme's job, claimed."""
    return rows.claim(tenant_id=people.acme.tenant.id, job_id=job_id, now=now)


def state(job_id: int) -> str:
    """How far it is."""
    return AnalyticsJob.objects.get(id=job_id).state


def test_the_same_twice_is_one_job_while_it_is_active(people: Cast) -> None:
    first = submitted(people.alice)
    assert submitted(people.alice) == first
    held = claimed(people, first)
    assert submitted(people.alice) == first
    assert held
    rows.finish(held, ANSWER, now=NOW)
    assert submitted(people.alice, now=NOW + rows.FRESH_FOR / 2) == first
    assert submitted(people.alice, now=NOW + rows.FRESH_FOR) != first


def test_eight_who_submit_the_same_at_once_get_one_job(people: Cast) -> None:
    found: list[int] = []

    def submit() -> None:
        found.append(submitted(people.alice))
        connection.close()

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert (len(set(found)), AnalyticsJob.objects.count()) == (1, 1)


def test_a_job_is_claimed_once_and_again_when_its_lease_is_over(people: Cast) -> None:
    job_id = submitted(people.alice)
    first = claimed(people, job_id)
    assert first
    assert claimed(people, job_id, now=NOW + LEASE / 2) is None
    assert rows.beat(first, progress=0.5, now=NOW + LEASE / 2)
    assert claimed(people, job_id, now=NOW + LEASE) is None
    second = claimed(people, job_id, now=NOW + 2 * LEASE)
    assert second
    assert (first.attempt, second.attempt) == (1, 2)


def test_the_next_is_what_was_begun_and_then_what_has_waited_longest(people: Cast) -> None:
    """What is held, what is over and another tenant's are nobody's next."""
    acme, second = people.acme.tenant.id, timedelta(seconds=1)
    over, lost, old, young = (submitted(people.alice, name=name, now=NOW + name * second) for name in range(4))
    submitted(people.carol, name=4)
    done, dead = claimed(people, over), claimed(people, lost)
    assert done
    assert dead
    rows.finish(done, ANSWER, now=NOW)
    later = NOW + LEASE
    found = [rows.claim_next(tenant_id=acme, now=later) for _ in range(4)]
    assert [each and (each.id, each.attempt) for each in found] == [(lost, 2), (old, 1), (young, 1), None]
    assert not rows.finish(dead, ANSWER, now=later)


def test_who_was_thought_dead_writes_nothing(people: Cast) -> None:
    """The fencing token: beats, ends and givings back of the first claim find no row."""
    job_id = submitted(people.alice)
    first = claimed(people, job_id)
    second = claimed(people, job_id, now=NOW + LEASE)
    assert first
    assert second
    assert not rows.beat(first, progress=1, now=NOW)
    assert not rows.finish(first, Ending(state=JobState.FAILED), now=NOW)
    assert not rows.give_back(first)
    assert rows.finish(second, ANSWER, now=NOW + LEASE)
    assert not rows.finish(second, ANSWER, now=NOW + LEASE)
    assert state(job_id) == "SUCCEEDED"


def test_progress_goes_forward_alone(people: Cast) -> None:
    held = claimed(people, submitted(people.alice))
    assert held
    for share in (0.5, 0.25):
        rows.beat(held, progress=share, now=NOW)
    assert AnalyticsJob.objects.get().progress == 0.5


def test_a_job_of_which_workers_die_is_parked(people: Cast) -> None:
    """After three lost workers it is nobody's any more; the sweep says so, once."""
    job_id, now = submitted(people.alice), NOW
    for _ in range(MOST_LOSSES):
        assert claimed(people, job_id, now=now)
        now += LEASE
    assert claimed(people, job_id, now=now) is None
    assert waiting.sweep(now=now).parked == 1
    assert waiting.sweep(now=now).parked == 0
    made = AnalyticsJob.objects.get()
    assert (made.state, made.error_code, made.retryable) == ("FAILED", "WORKER_LOST", False)


def test_what_has_expired_is_cleared_away(people: Cast) -> None:
    """Answers after a day, rows after a week more, and jobs that nobody ran; again is a no-op."""
    done, never = submitted(people.alice), submitted(people.alice, name=1)
    held = claimed(people, done)
    assert held
    rows.finish(held, ANSWER, now=NOW)
    day = NOW + rows.KEPT_FOR
    assert waiting.sweep(now=day - timedelta(seconds=1)) == rows.Swept(parked=0, expired=0, dropped=0)
    assert waiting.sweep(now=day) == rows.Swept(parked=0, expired=2, dropped=0)
    assert [(each.state, each.result) for each in AnalyticsJob.objects.all()] == [("EXPIRED", None)] * 2
    assert claimed(people, never, now=day) is None
    assert waiting.sweep(now=day + rows.ROW_KEPT_FOR).dropped == 2
    assert waiting.sweep(now=day + rows.ROW_KEPT_FOR) == rows.Swept(parked=0, expired=0, dropped=0)


def test_tenants_take_turns(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five jobs of Acme's do not keep Globex's two waiting; and who has none running comes before who has one."""
    order: list[int] = []

    def run(*, tenant_id: int) -> bool:
        order.append(tenant_id)
        held = rows.claim_next(tenant_id=tenant_id, now=datetime.now(UTC))  # noqa: TID251
        assert held
        return rows.finish(held, ANSWER, now=datetime.now(UTC))  # noqa: TID251

    now = datetime.now(UTC)  # noqa: TID251
    for name in range(5):
        submitted(people.alice, name=name, now=now)
    busy = rows.claim(tenant_id=people.acme.tenant.id, job_id=submitted(people.alice, name=9, now=now), now=now)
    for name in range(2):
        submitted(people.carol, name=name, now=now + timedelta(milliseconds=1))
    monkeypatch.setattr(waiting, "run_next", run)
    assert waiting.run_waiting() == 7
    acme, globex = people.acme.tenant.id, people.globex.tenant.id
    assert busy
    assert order == [globex, acme, globex, acme, acme, acme, acme]


def test_two_workers_run_each_job_once(people: Cast) -> None:
    for name in range(10):
        submitted(people.alice, name=name, now=datetime.now(UTC))  # noqa: TID251
        submitted(people.carol, name=name, now=datetime.now(UTC))  # noqa: TID251
    ran: list[int] = []

    def work() -> None:
        ran.append(waiting.run_waiting())
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(ran) == 20
    assert set(AnalyticsJob.objects.values_list("state", "attempt")) == {("SUCCEEDED", 1)}


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Inside, whoever reads the table waits."""
    with own_connection() as own:
        own.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        own.rollback()


def test_a_running_job_that_is_cancelled_stops_at_once(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its statement is cancelled within a beat, and what it would have answered is nowhere."""
    monkeypatch.setattr(pulse, "EVERY_SECONDS", 0.05)
    job_id, tenant_id = submitted(people.alice, now=datetime.now(UTC)), people.acme.tenant.id  # noqa: TID251
    with locked("definition_ledger"):
        thread = threading.Thread(target=_run_apart, args=[tenant_id, job_id])
        thread.start()
        wait_until(lambda: state(job_id) == "RUNNING")
        assert rows.cancel(tenant_id=tenant_id, job_id=job_id, now=datetime.now(UTC))  # noqa: TID251
        thread.join(PATIENCE)
        assert not thread.is_alive()
    made = AnalyticsJob.objects.get()
    assert (made.state, made.result, made.error_code) == ("CANCELLED", None, "")


def _run_apart(tenant_id: int, job_id: int) -> None:
    running.run_job(tenant_id=tenant_id, job_id=job_id)
    connection.close()


def test_a_long_job_keeps_its_lease(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease is made longer while one statement runs: nobody else takes the job."""
    monkeypatch.setattr(pulse, "EVERY_SECONDS", 0.05)
    job_id = submitted(people.alice, now=datetime.now(UTC))  # noqa: TID251
    with locked("definition_ledger"):
        thread = threading.Thread(target=_run_apart, args=[people.acme.tenant.id, job_id])
        thread.start()
        wait_until(lambda: state(job_id) == "RUNNING")
        first = AnalyticsJob.objects.get().lease_until
        assert first
        wait_until(lambda: AnalyticsJob.objects.filter(lease_until__gt=first).exists())
    thread.join(PATIENCE)
    assert state(job_id) == "SUCCEEDED"


def test_a_job_whose_server_went_away_is_somebody_elses(people: Cast) -> None:
    """It is no failure of the job's: the next attempt answers it."""
    job_id = submitted(people.alice, now=datetime.now(UTC))  # noqa: TID251
    with locked("definition_ledger"):
        thread = threading.Thread(target=_run_apart, args=[people.acme.tenant.id, job_id])
        thread.start()
        wait_until(lambda: sql(WAITING_FOR_A_LOCK) != [])
        ((backend,),) = sql(WAITING_FOR_A_LOCK)
        sql("SELECT pg_terminate_backend(%s)", [backend])
        thread.join(PATIENCE)
    assert (state(job_id), AnalyticsJob.objects.get().attempt) == ("PENDING", 1)
    assert waiting.run_waiting() == 1
    assert (state(job_id), AnalyticsJob.objects.get().attempt) == ("SUCCEEDED", 2)


WAITING_FOR_A_LOCK = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def test_a_statement_that_takes_too_long_ends_the_job(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "TIMEOUT_SECONDS", 1)
    job_id = submitted(people.alice, now=datetime.now(UTC))  # noqa: TID251
    with locked("definition_ledger"):
        _run_apart(people.acme.tenant.id, job_id)
    made = AnalyticsJob.objects.get()
    assert (made.state, made.error_code, made.retryable) == ("FAILED", "COST_EXCEEDED", False)


def test_an_actor_who_cannot_ask_has_no_answer(people: Cast) -> None:
    """A login that was switched off since."""
    submitted(people.alice, now=datetime.now(UTC))  # noqa: TID251
    people.alice.user.is_active = False
    people.alice.user.save()
    assert waiting.run_waiting() == 1
    made = AnalyticsJob.objects.get()
    assert (made.state, made.error_code) == ("FAILED", "UNAUTHENTICATED")


def test_a_request_writes_no_answers(people: Cast) -> None:
    """Its role submits and cancels; it can neither answer a job nor give it a lease."""
    job_id = submitted(people.alice)
    with connection.cursor() as cursor:
        cursor.execute("BEGIN; SET LOCAL ROLE fl_tenant")
        cursor.execute(f"SET LOCAL app.tenant_id = '{people.acme.tenant.id}'")
        for change in ("result = '{}'", "attempt = 9", "lease_until = now()", "actor_id = 1", "document = ''"):
            cursor.execute("SAVEPOINT before")
            with pytest.raises(Exception, match="permission denied for table analytics_job"):
                cursor.execute(f"UPDATE analytics_job SET {change} WHERE id = {job_id}")
            cursor.execute("ROLLBACK TO before")
        cursor.execute("ROLLBACK")


# --- what django-q does and does not: reference numbers are its known traps


def test_trap_2_a_task_is_not_handed_out_again_while_it_may_run() -> None:
    """`retry` counts from the handing out, so all that may wait before a task is in it."""
    queued = (Conf.QUEUE_LIMIT + Conf.BULK) / Conf.WORKERS
    assert Conf.TIMEOUT * (1 + queued) < Conf.RETRY


def test_trap_3_a_wake_up_that_fails_is_not_run_for_ever(people: Cast) -> None:
    """What web processes enqueue carries it: the worker's own setting would come too late."""
    assert (Conf.ACK_FAILURES, Conf.MAX_ATTEMPTS) == (True, 1)
    waiting.ring(tenant_id=people.acme.tenant.id, job_id=1)
    (bell,) = OrmQ.objects.all()
    assert bell.task["ack_failure"] is True


def test_trap_4_wake_ups_leave_no_results(people: Cast) -> None:
    """Results of wake-ups are not saved; a job that fails is no failure of its wake-up's, so those do not pile up either."""
    waiting.ring(tenant_id=people.acme.tenant.id, job_id=1)
    assert OrmQ.objects.get().task["save"] is False
    job_id = submitted(people.alice, now=datetime.now(UTC), document="{ nope }")  # noqa: TID251
    assert waiting.wake(f"{people.acme.tenant.id}-{job_id}") == 1
    assert AnalyticsJob.objects.get().error_code == "BAD_USER_INPUT"
    assert Done.objects.count() == 0


def test_trap_5_wake_ups_in_any_order_doubled_and_lost(people: Cast) -> None:
    """Forty jobs, some bells rung twice, most of them never, in random order: each job runs once, the oldest first."""
    tenant_id = people.acme.tenant.id
    begun = datetime.now(UTC)  # noqa: TID251
    made = [submitted(people.alice, name=n, now=begun + timedelta(microseconds=n)) for n in range(40)]
    bells = Random(1).choices(made, k=12)
    assert [waiting.wake(f"{tenant_id}-{job_id}") for job_id in bells] == [40, *[0] * 11]
    started = AnalyticsJob.objects.order_by("started_at").values_list("id", "attempt")
    assert list(started) == [(job_id, 1) for job_id in made]


def test_trap_6_a_wake_up_carries_one_id_and_no_pickled_objects(people: Cast) -> None:
    waiting.ring(tenant_id=7, job_id=42)
    task = OrmQ.objects.get().task
    assert (task["func"], task["args"], task["kwargs"]) == ("analytics.jobs.dispatch.wake", ("7-42",), {})


def test_trap_7_what_fails_on_schedule_fails_alone(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep that fails for one tenant goes on with the next; nothing is made up for that was missed."""
    assert Conf.CATCH_UP is False
    submitted(people.carol, now=NOW)
    sql(
        f"ALTER TABLE analytics_job ADD CONSTRAINT poison CHECK (tenant_id <> {people.acme.tenant.id} OR state = 'PENDING')"
    )
    try:
        submitted(people.alice, now=NOW)
        assert waiting.sweep(now=NOW + rows.KEPT_FOR).expired == 1
    finally:
        sql("ALTER TABLE analytics_job DROP CONSTRAINT poison")


def test_trap_8_a_worker_that_is_stopped_by_its_alarm_leaves_a_job_that_can_be_taken_up(
    people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alarm is no Exception. Statements have a shorter time than the alarm, so it comes for a worker that hangs."""
    assert running.TIMEOUT_SECONDS < Conf.TIMEOUT

    class Alarm(SystemExit):
        pass

    def stopped(*_: object, **__: object) -> None:
        raise Alarm

    job_id = submitted(people.alice, now=datetime.now(UTC))  # noqa: TID251
    with monkeypatch.context() as patch:
        patch.setattr(running, "_executed", stopped)
        with pytest.raises(Alarm):
            running.run_job(tenant_id=people.acme.tenant.id, job_id=job_id)
    assert state(job_id) == "RUNNING"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pulse")]
    AnalyticsJob.objects.update(lease_until=datetime.now(UTC))  # noqa: TID251
    assert waiting.run_waiting() == 1
    assert state(job_id) == "SUCCEEDED"


# --- manage.py run_due


def due(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """What the command prints."""
    call_command("run_due", *arguments)
    return json.loads(capsys.readouterr().out)


def test_run_due_does_everything_and_again_nothing(people: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    submitted(people.alice, now=datetime.now(UTC))  # noqa: TID251
    first = due(capsys)
    assert first.pop("seconds") >= 0
    assert first.pop("legacy_midnight")["days"] <= 2  # whose day has just begun
    assert first == {
        "compact": {"facts": 2},
        "retain": {"rows": 0},
        "drop_counts": {"rows": 0},
        "forget": {"rows": 0},
        "sweep": {"parked": 0, "expired": 0, "dropped": 0, "ran": 1},
        "compare": {"comparisons": 0, "taken_back": 0, "drills_taken_back": 0},
        "compare_rest": {"compared": 0, "restated": 0, "dropped": 0, "stale_stages": 0},
    }
    assert {name: {*each.values()} for name, each in due(capsys).items() if name != "seconds"} == {
        "compact": {0},
        "retain": {0},
        "drop_counts": {0},
        "forget": {0},
        "sweep": {0},
        "legacy_midnight": {0},
        "compare": {0},
        "compare_rest": {0},
    }
    later = datetime.now(UTC) + 2 * rows.KEPT_FOR  # noqa: TID251
    assert due(capsys, "--now", later.isoformat())["sweep"]["expired"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("soon", "--now: 'soon' is no instant; write it as 2026-01-31T12:00:00Z."),
        ("2026-01-31", "--now: '2026-01-31' has no offset; end it with Z or an offset such as +01:00."),
    ],
)
def test_run_due_refuses_what_is_no_instant(text: str, message: str) -> None:
    with pytest.raises(Refused) as refusal:
        call_command("run_due", "--now", text)
    assert refusal.value.message == message
