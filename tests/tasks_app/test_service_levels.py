"""Counts of answers in the database: written once, read by their tenant, dropped when old."""

import multiprocessing
import os
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from tasks_app.models import ServiceDay, ServiceMinute, ServiceTotal
from tasks_app.observing import flushing
from tasks_app.observing.counting import Count, Counts
from tasks_app.observing.flushing import Flusher
from tasks_app.observing.judging import Verdict
from tasks_app.observing.levels import levels, overall
from tasks_app.observing.objectives import DEFAULTS
from tasks_app.observing.rows import drop_old, write
from tasks_app.tenancy import entered
from tests.cast import Cast, cast
from tests.tasks_app.recording import sql, web_login

NOW = datetime(2026, 11, 21, 23, 59, 30, tzinfo=UTC)
TODAY, TOMORROW = date(2026, 11, 21), date(2026, 11, 22)


def counts(*answers: tuple[int | None, bool], now: datetime = NOW) -> Counts:
    """What a process has counted of availability: whose answer, and whether it was good."""
    made = Counts()
    for tenant_id, good in answers:
        made.add(tenant_id=tenant_id, verdicts=[Verdict("availability", good)], now=now)
    return made


def stored(model: Any, place: str) -> list[tuple[Any, ...]]:
    """Everything in a table, as the owner sees it."""
    owners = ("tenant_id",) if model is not ServiceTotal else ()
    return sorted(model.objects.values_list(*owners, "objective", place, "good", "valid"))


def test_counts_are_written_by_minute_day_and_in_total(people: Cast) -> None:
    """A second write adds; a minute belongs to its UTC day; nobody's answers are in the total alone."""
    acme, globex = people.acme.tenant.id, people.globex.tenant.id
    made = counts((acme, True), (acme, False), (globex, True), (None, False))
    with web_login():
        assert write(made) == 4
        assert write(made) == 0
        assert write(counts((acme, True))) == 1
        assert write(counts((acme, True), now=NOW + timedelta(minutes=1))) == 1
    minute = NOW.replace(second=0)
    assert stored(ServiceMinute, "minute") == [
        (acme, "availability", minute, 2, 3),
        (acme, "availability", minute + timedelta(minutes=1), 1, 1),
        (globex, "availability", minute, 1, 1),
    ]
    assert stored(ServiceDay, "day") == [
        (acme, "availability", TODAY, 2, 3),
        (acme, "availability", TOMORROW, 1, 1),
        (globex, "availability", TODAY, 1, 1),
    ]
    assert stored(ServiceTotal, "day") == [("availability", TODAY, 3, 5), ("availability", TOMORROW, 1, 1)]


@pytest.mark.django_db
def test_the_minutes_are_unlogged_and_the_days_are_not() -> None:
    """What is promised over 30 days must survive a crash of the server."""
    persistence = dict(sql("SELECT relname, relpersistence::text FROM pg_class WHERE relname LIKE 'service\\_%%'"))
    tables = ("service_minute", "service_day", "service_total")
    assert [persistence[table] for table in tables] == ["u", "p", "p"]


def test_times_are_added_up_step_by_step(people: Cast) -> None:
    """Rows that know more steps and rows that know fewer, in the process and in the database."""
    acme = people.acme.tenant.id
    for times in ([0.01, 0.4], [0.01], [500.0, 0.4]):
        made = Counts()
        for seconds in times:
            made.add(tenant_id=acme, verdicts=[Verdict("latency_synchronous", True, seconds)], now=NOW)
        made.add(tenant_id=acme, verdicts=[Verdict("availability", True)], now=NOW)
        write(made)
    steps = [2, 0, 0, 0, 0, 2, *[0] * 8, 1]
    for model in (ServiceMinute, ServiceDay, ServiceTotal):
        found = dict(model.objects.values_list("objective", "spread"))
        assert found == {"availability": [], "latency_synchronous": steps}


def test_a_tenants_levels_are_its_own(people: Cast) -> None:
    acme, globex = people.acme.tenant.id, people.globex.tenant.id
    made = counts(*[(acme, number > 0) for number in range(200)], (globex, False))
    made.add(tenant_id=acme, verdicts=[Verdict("freshness", True)], now=NOW - timedelta(days=29))
    made.add(tenant_id=acme, verdicts=[Verdict("freshness", False)], now=NOW - timedelta(days=30))
    write(made)
    with web_login(), entered(tenant_id=acme, read_only=True):
        found = {each.objective.name: each for each in read(acme)}
    available = found["availability"]
    assert (available.count, available.attained) == (Count(199, 200), 0.995)
    assert (available.burn_rate, available.budget_left) == (pytest.approx(1), pytest.approx(0))
    assert len(available.by_day) == 30
    assert available.by_day[-1] == (TODAY, Count(199, 200))
    assert found["freshness"].count == Count(1, 1)
    assert found["freshness"].burn_rate is None
    with web_login():
        whole = {each.objective.name: each.count for each in overall(objectives=DEFAULTS.objectives, now=NOW)}
    assert (whole["availability"], whole["freshness"]) == (Count(199, 201), Count(1, 1))


def read(tenant_id: int) -> Any:
    return levels(tenant_id=tenant_id, objectives=DEFAULTS.objectives, now=NOW)


def test_the_rate_is_of_the_last_hour(people: Cast) -> None:
    acme = people.acme.tenant.id
    write(counts(*[(acme, False)] * 150, now=NOW - timedelta(minutes=61)))
    with entered(tenant_id=acme, read_only=True):
        assert read(acme)[0].burn_rate is None
    write(counts(*[(acme, False)] * 150, now=NOW - timedelta(minutes=59)))
    with entered(tenant_id=acme, read_only=True):
        assert read(acme)[0].burn_rate == pytest.approx(200)


def test_old_counts_are_dropped_once(people: Cast) -> None:
    acme = people.acme.tenant.id
    for ago in (timedelta(days=401), timedelta(days=399), timedelta(hours=49), timedelta(hours=47)):
        write(counts((acme, True), now=NOW - ago))
    with web_login():
        assert drop_old(now=NOW) == 5
        assert drop_old(now=NOW) == 0
    assert [row[3:] for row in stored(ServiceMinute, "minute")] == [(1, 1)]
    assert [row[2] for row in stored(ServiceDay, "day")] == [
        (NOW - ago).date() for ago in (timedelta(days=399), timedelta(hours=49), timedelta(hours=47))
    ]


def test_what_fails_is_counted_again_and_nothing_twice(people: Cast) -> None:
    """Tenants are written one by one: those before the failure stay written, the others wait for the next write."""
    acme, globex = people.acme.tenant.id, people.globex.tenant.id
    sql(f"ALTER TABLE service_day ADD CONSTRAINT poison CHECK (tenant_id <> {globex})")
    made = counts((acme, True), (globex, True))
    with pytest.raises(Exception, match="poison"):
        write(made)
    sql("ALTER TABLE service_day DROP CONSTRAINT poison")
    made.add(tenant_id=globex, verdicts=[Verdict("availability", False)], now=NOW)
    assert write(made) == 2
    assert [row[-2:] for row in stored(ServiceDay, "day")] == [(1, 1), (1, 2)]
    assert [row[-2:] for row in stored(ServiceTotal, "day")] == [(2, 3)]


@pytest.mark.django_db(transaction=True)
def test_processes_that_write_the_same_rows_lose_nothing() -> None:
    """In whatever order they counted: neither a deadlock nor an update that is lost."""
    people = cast()
    tenants = [people.acme.tenant.id, people.globex.tenant.id]
    threads = [threading.Thread(target=_count_and_write, args=(tenants, number)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(row[-2:] for row in stored(ServiceDay, "day")) == [(40, 80)] * 4
    assert sorted(row[-2:] for row in stored(ServiceTotal, "day")) == [(80, 160)] * 2


def _count_and_write(tenants: list[int], number: int) -> None:
    try:
        for turn in range(20):
            made = Counts()
            for tenant_id in tenants if number % 2 else reversed(tenants):
                names = ["availability", "freshness"][:: 1 if turn % 2 else -1]
                made.add(tenant_id=tenant_id, verdicts=[Verdict(name, turn % 2 == 0) for name in names], now=NOW)
            write(made)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_counts_are_written_in_the_background(caplog: pytest.LogCaptureFixture) -> None:
    """Also after a database that was away: what could not be written is kept, and the log has a line without values."""
    acme = cast().acme.tenant.id
    made = counts((acme, True))
    sql("ALTER TABLE service_day RENAME TO elsewhere")
    flusher = Flusher(made, interval=0.01)
    flusher._attempt()
    assert (flusher.failures, stored(ServiceTotal, "day")) == (1, [])
    assert "Counts of answers could not be written yet: ProgrammingError" in caplog.text
    sql("ALTER TABLE elsewhere RENAME TO service_day")
    flusher._attempt()
    assert stored(ServiceDay, "day") == [(acme, "availability", TODAY, 1, 1)]


def test_no_thread_until_it_is_switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that counts nothing in the background has no second connection."""
    started: list[str] = []
    monkeypatch.setattr(threading.Thread, "start", lambda self: started.append(self.name))
    flusher = Flusher(Counts(), interval=1)
    flusher.nudge()
    assert started == []
    flusher.switch_on()
    flusher.nudge()
    flusher.nudge()
    assert started == ["flowledger-counts"]


def test_a_forked_child_does_not_write_its_parents_counts() -> None:
    flushing.COUNTS.take()
    flushing.count(tenant_id=1, verdicts=[Verdict("availability", True)], now=NOW)
    there = multiprocessing.get_context("fork").SimpleQueue()
    child = os.fork()
    if child == 0:
        there.put(len(flushing.COUNTS.take()))
        os._exit(0)
    os.waitpid(child, 0)
    assert (there.get(), len(flushing.COUNTS.take())) == (0, 1)


def test_to_count_asks_no_database(people: Cast, django_assert_num_queries: Any) -> None:
    flushing.COUNTS.take()
    with django_assert_num_queries(0):
        flushing.count(tenant_id=people.acme.tenant.id, verdicts=[Verdict("availability", True)], now=NOW)
    assert len(flushing.COUNTS.take()) == 1
