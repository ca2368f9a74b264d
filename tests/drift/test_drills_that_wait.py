"""For whom a drill of the way back waits, and that it restores whatever happens: with transactions that are really open."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from analytics.drift import rollback
from analytics.drift.arithmetic.stages import Flag
from analytics.drift.controls import registered
from analytics.drift.rollback import Drill, drill
from analytics.drift.stages import answering, changes, stage_of, stage_to_answer
from analytics.pure.stages import Stage
from tasks_app.refusals import Refused
from tasks_app.tenancy import entered
from tests.cast import Cast
from tests.drift.test_rollback_drill import FLOW, Endpoint, OldSide, standing_of, switched
from tests.processes import PATIENCE
from tests.tasks_app.recording import sql

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def older_side(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there, and Acme is answered by us."""
    registered()
    monkeypatch.setitem(rollback._olders, FLOW, OldSide())
    monkeypatch.setitem(rollback._fronts, FLOW, Endpoint())
    for company in (people.acme, people.globex):
        switched(people, Stage.RAMPDOWN, tenant=company.tenant)


@contextmanager
def somebody(*, tenant_id: int, does: Callable[[], Any]) -> Iterator[Callable[[], None]]:
    """Another connection, in a read-only transaction of the tenant, which did this and stays open until it is told to end."""
    begun, told = Event(), Event()

    def stand() -> None:
        try:
            with entered(tenant_id=tenant_id, read_only=True):
                does()
                begun.set()
                told.wait(PATIENCE)
        finally:
            connection.close()

    thread = Thread(target=stand)
    thread.start()

    def leave() -> None:
        told.set()
        thread.join()

    try:
        assert begun.wait(PATIENCE)
        yield leave
    finally:
        leave()


def drilled(people: Cast, **options: Any) -> Drill:
    return drill(tenant_id=people.acme.tenant.id, capability=FLOW, now=datetime.now(UTC), **options)  # noqa: TID251


def test_whoever_has_read_the_stage_is_waited_for(people: Cast) -> None:
    """The request that began before the flip ends while the drill looks on; then it goes on."""
    acme = people.acme.tenant.id
    waits: list[float] = []
    with somebody(tenant_id=acme, does=lambda: stage_to_answer(tenant_id=acme, capability=FLOW)) as leave:

        def wait(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 2:
                leave()

        made = drilled(people, wait=wait)
    assert (made.ok, len(waits)) == (True, 2)
    assert made.seconds > 0


def test_a_request_that_never_ends_fails_the_drill(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stage is restored all the same."""
    monkeypatch.setattr(rollback, "LONGEST", 0.4)
    acme = people.acme.tenant.id
    with somebody(tenant_id=acme, does=lambda: stage_to_answer(tenant_id=acme, capability=FLOW)):
        made = drilled(people)
    assert made.problems == ["What had begun before the flip had not ended after 0 s."]
    assert standing_of(acme).flag.stage is Stage.RAMPDOWN


def test_nobody_else_is_waited_for(people: Cast) -> None:
    """A job that has read the stage for its receipts, a fold, a session left open, and a request of another tenant."""
    acme, globex = people.acme.tenant.id, people.globex.tenant.id
    waits: list[float] = []
    with ExitStack() as stack:
        for tenant_id, does in (
            (acme, lambda: stage_of(tenant_id=acme, capability=FLOW)),
            (acme, lambda: sql("SELECT 1")),
            (globex, lambda: stage_to_answer(tenant_id=globex, capability=FLOW)),
        ):
            stack.enter_context(somebody(tenant_id=tenant_id, does=does))
        made = drilled(people, wait=waits.append)
    assert (made.ok, waits) == (True, [])


def test_whoever_begins_after_the_flip_is_not_waited_for(people: Cast) -> None:
    """They see the flip, so what they say is the older side's."""
    acme = people.acme.tenant.id
    before = sql("SELECT clock_timestamp()")[0][0]
    with somebody(tenant_id=acme, does=lambda: stage_to_answer(tenant_id=acme, capability=FLOW)):
        now = sql("SELECT clock_timestamp()")[0][0]
        assert [answering(tenant_id=acme, capability=FLOW, since=at) for at in (before, now)] == [0, 1]


def test_a_drill_that_loses_its_connection_restores_on_another(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the server is restarted. What it had found out is kept."""

    def cut(tenant_id: int) -> Any:
        sql("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setitem(rollback._fronts, FLOW, Endpoint(find=cut))
    assert drilled(people).problems[-1] == rollback.BROKE_OFF
    assert standing_of(people.acme.tenant.id).flag == Flag(stage=Stage.RAMPDOWN, percent=100, version=3)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C interrupts: a shell that starts the suite in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_command_that_is_told_to_end_restores_first(
    people: Cast, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """One sentence, and the ledger has both changes."""

    def interrupted(tenant_id: int) -> Any:
        os.kill(os.getpid(), number)

    monkeypatch.setitem(rollback._fronts, FLOW, Endpoint(find=interrupted))
    with pytest.raises(Refused, match="The drill was stopped; the stage is what it was"):
        call_command("drill_rollback", "--tenant", "acme", "--capability", "CUMULATIVE_FLOW")
    with entered(tenant_id=people.acme.tenant.id, read_only=True):
        stages = [each.flag.stage for each in changes(tenant_id=people.acme.tenant.id)]
    assert stages == [Stage.RAMPDOWN, Stage.SHADOW, Stage.RAMPDOWN]
