"""What the worker does by itself, and that no answer waits for it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.apps import AppConfig
from django.apps.registry import Apps
from django.utils.module_loading import import_string
from django_q.models import Schedule

from analytics.engine.projects import project_facts
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.rollups.compact import compact
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.reading.results import FlowMode
from analytics.jobs import RUN_BY_THE_WORKER, due_runs
from analytics.jobs.due_runs import compact_all, retain_all
from analytics.jobs.schedule import DUE, keep_schedules
from analytics.pure.windows import Bucket, Unit, rolling
from config.database import locks, postmaster
from tasks_app.models import Task, TaskTail
from tasks_app.tenancy import entered
from tests.cast import Cast, tasks
from tests.facts_as_text import parse
from tests.flow.loading import seeded
from tests.processes import PATIENCE, wait_until
from tests.tasks_app.recording import clock, sql

PROJECT = Path(__file__).resolve().parents[2]
POISON = "ALTER TABLE task_item ADD CONSTRAINT poison CHECK (tenant_id <> {})"
OLD = """
project WEB since=2024-11-01
states Todo:todo Done:done
2024-11-10 09:15  -  WEB-1  created Todo
"""
LOG = "case_id,timestamp,state\n1,2025-01-01T09:00:00Z,Todo\n1,2025-01-02T09:00:00Z,Done\n"
# Gives out the runs that are due, as each of two workers does every half minute, and waits until a worker has done them.
WAIT = """
import json, time
from django_q.models import OrmQ, Task
from django_q.scheduler import scheduler
scheduler()
scheduler()
while Task.objects.count() < 8 or OrmQ.objects.exists():
    time.sleep(0.2)
print(json.dumps([[task.func, task.success, task.result] for task in Task.objects.order_by("func")]))
"""


SCHEDULES = ["compact", "compare", "compare_rest", "drop_counts", "forget", "legacy_midnight", "retain", "sweep"]


def names() -> list[str]:
    """Of the schedules that are there."""
    return sorted(Schedule.objects.values_list("name", flat=True))


@pytest.mark.django_db
def test_migrate_makes_the_schedules_once() -> None:
    """Names are not unique in that table, so nothing but us keeps them from being there twice."""
    assert names() == SCHEDULES
    keep_schedules(using="default")
    assert names() == SCHEDULES
    Schedule.objects.filter(name="retain").delete()
    Schedule.objects.filter(name="compact").update(minutes=5)
    keep_schedules(using="default")
    assert names() == SCHEDULES
    assert Schedule.objects.get(name="compact").minutes == 5


@pytest.mark.django_db
def test_a_database_without_the_table_is_left_alone() -> None:
    """As after `migrate` to an early migration."""
    keep_schedules(using="default", apps=Apps([AppConfig.create("analytics")]))
    assert names() == SCHEDULES


@pytest.mark.django_db
def test_the_job_goes_on_after_a_tenant_that_cannot_be_folded(people: Cast, caplog: pytest.LogCaptureFixture) -> None:
    """It folds the others and does not fail."""
    tasks(board=people.acme.board, count=1)
    tasks(board=people.globex.board, count=2)
    sql(POISON.format(people.acme.tenant.id))
    assert compact_all() == 2
    assert list(TaskTail.objects.values_list("tenant_id", flat=True)) == [people.acme.tenant.id]
    assert "transitions of tenant acme could not be folded." in caplog.text


@pytest.mark.django_db
def test_the_job_goes_on_after_a_tenant_whose_rollups_are_wrong(caplog: pytest.LogCaptureFixture) -> None:
    """It drops the others' rows and does not fail."""
    wrong, right = seeded(parse(OLD)), seeded(parse(OLD))
    compact_all()
    sql("UPDATE task_rollup SET facts = 9 WHERE tenant_id = %s", [wrong.tenant_id])
    fine = "SELECT tenant_id, count(*) FROM task_rollup WHERE grain < 4 GROUP BY tenant_id"
    ((_, rows), _) = sql(fine)
    assert retain_all() == rows > 0
    assert [tenant for tenant, _ in sql(fine)] == [wrong.tenant_id] != [right.tenant_id]
    assert "was dropped: task_rollup of " in caplog.text


@pytest.mark.django_db
def test_with_all_workers_stopped_a_move_is_in_the_next_answer(people: Cast) -> None:
    """P3, P5: rollups and the tail are one answer."""
    (task,) = tasks(board=people.acme.board, count=1)
    compact(now=clock())
    assert occupancy(people) == ({"todo": 1, "doing": 0}, [0], ReadFrom.MERGED, 0)
    move = people.acme.board.states["doing"].id
    Task.objects.filter(tenant_id=task.tenant_id, id=task.id).update(state_id=move)
    assert occupancy(people) == ({"todo": 0, "doing": 1}, [1], ReadFrom.MERGED, 1)


def occupancy(people: Cast) -> tuple[Mapping[str, int | None], list[int | None], ReadFrom, int]:
    """Today's bands of two states, work in progress, and what the receipt tells of them."""
    now, tenant_id = clock(), people.acme.tenant.id
    with entered(tenant_id=tenant_id, read_only=True):
        reading = FlowReading(
            question=FlowQuestion(
                tenant_id=tenant_id,
                window=rolling(count=1, unit=Unit.DAY, zone="UTC", bucket=Bucket.DAY, now=now),
                now=now,
            ),
            boards=project_facts(tenant_id=tenant_id, key="WEB"),
        )
        series = reading.cumulative_flow(mode=FlowMode.OCCUPANCY).series
        counts = {each.state.slug: each.counts[0] for each in series if each.state.slug in ("todo", "doing")}
        assert reading.fallback is None
        return counts, reading.work_in_progress(), reading.read_from, reading.tail_rows


@pytest.mark.own_server
def test_a_worker_folds_and_drops_what_is_due() -> None:
    """P3: the demo is folded as it is made; what comes after, a worker folds. Two workers' schedulers give a run out once."""
    with home() as directory:
        run(directory, "demo", "--no-serve")
        assert run(directory, "compact")["facts"] == 0
        (directory.parent / "log.csv").write_text(LOG)
        run(directory, "import_transitions", str(directory.parent / "log.csv"), "--tenant", "acme", "--project", "LOG")
        with started(directory, "qcluster") as worker:
            done = run(directory, "shell", "--no-imports", "-c", WAIT)
            assert worker.poll() is None
        (*folded, facts), compared, rested, midnights, counts, (*forgot, _), (*dropped, rows), (*swept, ran) = done
        assert (folded, facts) == (["analytics.jobs.compact_all", True], 2)
        assert forgot == ["analytics.jobs.forget_all", True]
        assert (dropped, rows > 0) == (["analytics.jobs.retain_all", True], True)
        assert (compared, rested) == (
            ["analytics.jobs.compare_all", True, 0],
            ["analytics.jobs.compare_rest_all", True, 0],
        )
        assert midnights[:2] == ["analytics.jobs.count_legacy_midnights", True]
        assert counts == ["analytics.jobs.drop_counts", True, 0]
        assert (swept, ran) == (["analytics.jobs.sweep_all", True], 0)
        assert run(directory, "verify")["ok"] is True


@contextmanager
def home() -> Iterator[Path]:
    """A home of the processes' own, whose server lives from the first of them to the end, and has ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="fl-worker-", dir="/tmp", ignore_cleanup_errors=True) as parent:
        Path(parent).chmod(0o755)
        directory = Path(parent) / "home"
        directory.mkdir()
        # Else the server would stop after each of the processes, and start again for the next one.
        user = locks.shared(path=directory / "users.lock")
        try:
            yield directory
        finally:
            os.close(user)
            if pid := postmaster.running(data=directory / "postgres"):
                os.kill(pid, signal.SIGQUIT)
                wait_until(lambda: postmaster.running(data=directory / "postgres") is None)


@contextmanager
def started(directory: Path, *arguments: str, out: int = subprocess.DEVNULL) -> Iterator["subprocess.Popen[str]"]:
    """manage.py as a process, which is told to stop in the end."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "DJANGO_"))}
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env={**environment, "FLOWLEDGER_HOME": str(directory)},
        stdout=out,
        stderr=subprocess.PIPE if out == subprocess.PIPE else subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def run(directory: Path, *arguments: str) -> Any:
    """What the command printed; it must succeed."""
    with started(directory, *arguments, out=subprocess.PIPE) as process:
        output, complaint = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, complaint
    return json.loads(output.splitlines()[-1])


def test_every_function_of_a_schedule_is_there() -> None:
    """A schedule names its function by text, and `run` its own: both must be found, or the worker fails at night."""
    assert {due.func.removeprefix("analytics.jobs.") for due in DUE} == RUN_BY_THE_WORKER
    assert all(callable(import_string(due.func)) and callable(getattr(due_runs, due.run)) for due in DUE)
