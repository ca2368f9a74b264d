"""A month as it was reported against the same month today: half-open, by the local calendar, with the rows that explain it."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from analytics.drift import months
from analytics.drift.capabilities import DECLARED
from analytics.drift.controls import Capability
from analytics.drift.months import Month, Restatement
from analytics.drift.stored_day_checks import compare_rest
from analytics.legacy.midnight import count_midnights
from tasks_app.models import Actor, ActorKind, WorkflowState
from tasks_app.operations.tasks import create_task, discard_task, move_task
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import company
from tests.tasks_app.recording import clock, sql

pytestmark = pytest.mark.django_db
ZONE = "America/New_York"
MOMENT = timedelta(microseconds=1)
NOTHING = {"todo": 0, "in_progress": 0, "review": 0, "done": 0}


def local(month: int, day: int, hour: int = 0) -> datetime:
    """Of 2025, there."""
    return datetime(2025, month, day, hour, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


@dataclass(frozen=True)
class Board:
    """One tenant there."""

    tenant_id: int
    actor_id: int

    def create(self, at: datetime, *, state: str = "todo") -> str:
        """A new item; what happened then is said now."""
        with self._inside():
            made = create_task(
                tenant_id=self.tenant_id, project="WEB", title="An item", state=state, happened_at=at, now=clock()
            )
        return made.key

    def move(self, item: str, at: datetime, *, to: str) -> None:
        """See create."""
        with self._inside():
            move_task(tenant_id=self.tenant_id, task=item, to=to, actor_id=self.actor_id, happened_at=at, now=clock())

    def discard(self, item: str, at: datetime) -> None:
        """See create."""
        with self._inside():
            discard_task(tenant_id=self.tenant_id, task=item, actor_id=self.actor_id, happened_at=at, now=clock())

    def job(self, month: int, day: int) -> None:
        """The midnight job, and the comparison of what it stored."""
        count_midnights(now=local(month, day), tenant_id=self.tenant_id)
        compare_rest(now=local(month, day) + timedelta(hours=2), chance=Random(1))

    def published(self, now: datetime | None = None) -> list[Month]:
        """As of an hour later than the job of the first of September."""
        flow = DECLARED[Capability.CUMULATIVE_FLOW]
        with entered(tenant_id=self.tenant_id, role=DatabaseRole.WORKER, read_only=True):
            return months.published(
                tenant_id=self.tenant_id, zone=ZONE, declaration=flow, now=now or local(9, 1) + timedelta(hours=2)
            )

    def restated(self, month: Month) -> Restatement:
        """As of now."""
        with entered(tenant_id=self.tenant_id, role=DatabaseRole.WORKER, read_only=True):
            return months.restated(
                tenant_id=self.tenant_id,
                month=month,
                zone=ZONE,
                declaration=DECLARED[Capability.CUMULATIVE_FLOW],
                now=clock(),
            )

    def july(self) -> Restatement:
        """July, once August is over."""
        return self.restated(next(each for each in self.published() if each.first == date(2025, 7, 1)))

    def _inside(self) -> AbstractContextManager[None]:
        return entered(tenant_id=self.tenant_id, actor_id=self.actor_id)


@pytest.fixture
def board(db: None) -> Board:
    """No item, known since June."""
    made = company(slug="acme", timezone=ZONE)
    actor = Actor.objects.create(tenant=made.tenant, kind=ActorKind.JOB, name="the script")
    found = Board(made.tenant.id, actor.id)
    found.discard(found.create(local(6, 1)), local(6, 2))
    return found


def totals(found: Restatement) -> dict[str, tuple[int | None, int | None]]:
    """By name: then and now."""
    return {each.name: (each.then, each.today) for each in found.totals}


def stocks(found: Restatement) -> dict[str, tuple[int | None, int | None]]:
    """Those that changed."""
    return {each.name: (each.then, each.today) for each in found.stocks}


def reasons(found: Restatement) -> list[tuple[str, datetime, list[str]]]:
    """Item, instant, what it explains; the oldest first."""
    return [(row.key, row.happened_at, sorted(row.explains)) for row in reversed(found.rows)]


def test_a_month_in_which_nothing_was_told_later_is_what_it_was(board: Board) -> None:
    """By the local calendar, half-open: the first instant of July is in, that of August is not."""
    first, last = board.create(local(7, 1)), board.create(local(8, 1) - MOMENT)
    board.create(local(7, 1) - MOMENT)
    board.create(local(8, 1))
    board.move(first, local(7, 20), to="doing")
    board.move(first, local(7, 31, 23), to="done")
    board.move(last, local(8, 1), to="doing")
    board.job(8, 1)
    (month,) = board.published()
    assert (month.begin, month.end, month.day, month.until) == (local(7, 1), local(8, 1), date(2025, 8, 1), local(8, 1))
    assert (month.then, month.changes) == ({**NOTHING, "todo": 2, "done": 1}, {})
    found = board.restated(month)
    assert totals(found) == {
        "arrivals": (2, 2),
        "departures": (0, 0),
        "finish events": (1, 1),
        "cancelled": (0, 0),
    }
    assert (found.stocks, found.rows) == ([], [])


def test_late_facts_restate_the_month_and_are_named(board: Board) -> None:
    """P54: what is told in August of July; of August, and what changes nothing, explains nothing."""
    one, two, three = (board.create(local(7, day)) for day in (3, 4, 5))
    board.job(8, 1)
    board.move(one, local(7, 30), to="done")
    board.move(two, local(8, 1), to="done")
    board.move(three, local(7, 10), to="doing")
    board.move(three, local(7, 11), to="todo")
    late = board.create(local(7, 31, 23))
    found = board.july()
    assert found.month.changes == {"done": (0, 1)}
    assert stocks(found) == {"in done": (0, 1)}
    assert totals(found) == {
        "arrivals": (3, 4),
        "departures": (0, 0),
        "finish events": (0, 1),
        "cancelled": (0, 0),
    }
    assert reasons(found) == [
        (one, local(7, 30), ["finish events", "in done"]),
        (late, local(7, 31, 23), ["arrivals"]),
    ]


def test_a_reopened_item_is_another_stock_and_no_other_total(board: Board) -> None:
    """P21: it was finished in July, and that stays; that it was taken up again in July is told later."""
    item = board.create(local(7, 3))
    board.move(item, local(7, 4), to="done")
    board.job(8, 1)
    board.move(item, local(7, 20), to="doing")
    found = board.july()
    assert found.month.changes == {"done": (1, 0), "in_progress": (0, 1)}
    assert stocks(found) == {"in done": (1, 0), "in doing": (0, 1)}
    assert totals(found)["finish events"] == (1, 1)
    assert reasons(found) == [(item, local(7, 20), ["in doing", "in done"])]


def test_a_renamed_state_restates_nothing(board: Board) -> None:
    """A rename adds no transition, whenever it is."""
    board.move(board.create(local(7, 3)), local(7, 4), to="waiting")
    board.job(8, 1)
    WorkflowState.objects.filter(tenant_id=board.tenant_id, slug="waiting").update(name="Blocked")
    found = board.july()
    assert (found.month.then["in_progress"], found.month.changes, found.rows) == (1, {}, [])


def test_a_month_is_published_by_its_last_stored_day(board: Board) -> None:
    """P50: the job slept from the 30th on. What came after its last count was not known, and is no restatement."""
    one = board.create(local(7, 3))
    board.job(7, 29)
    board.job(7, 30)
    board.move(one, local(7, 30, 12), to="done")
    found = board.july()
    assert (found.month.day, found.month.until, found.month.changes) == (date(2025, 7, 30), local(7, 30), {})
    assert totals(found)["finish events"] == (0, 0)


def test_a_month_that_is_not_over_is_not_published(board: Board) -> None:
    """Not before the job has had its hour; without any stored day never."""
    board.job(7, 31)
    assert board.published(now=local(8, 1) + timedelta(minutes=59)) == []
    assert [each.first for each in board.published(now=local(8, 1, 1))] == [date(2025, 7, 1)]
    board.job(8, 1)
    board.job(8, 2)
    assert [each.first for each in board.published(now=local(8, 31))] == [date(2025, 7, 1)]
    assert [each.first for each in board.published()] == [date(2025, 8, 1), date(2025, 7, 1)]


def test_what_was_recorded_and_not_visible_yet_was_not_known(board: Board) -> None:
    """By its clock it would have been: its transaction was still open when the month was published."""
    item = board.create(local(7, 3))
    board.job(8, 1)
    board.move(item, local(7, 20), to="done")
    ((known_at, snapshot),) = sql("SELECT known_at, snapshot FROM legacy_daily_metric")
    values = {"xact": int(snapshot.split(":")[1]) + 1_000, "recorded_at": known_at - timedelta(seconds=1)}
    sql("SET LOCAL session_replication_role = replica")
    sql(
        "UPDATE task_ledger SET xact = %(xact)s, recorded_at = %(recorded_at)s WHERE happened_at = %(at)s",
        {**values, "at": local(7, 20)},
    )
    sql("SET LOCAL session_replication_role = origin")
    found = board.july()
    assert stocks(found) == {"in todo": (1, 0), "in done": (0, 1)}
    assert reasons(found) == [(item, local(7, 20), ["finish events", "in done", "in todo"])]
