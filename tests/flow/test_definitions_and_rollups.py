"""Definitions change while rollups are there: what that costs, and that no answer is ever wrong."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from analytics.engine.projects import project_facts
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.rollups.compact import compact
from analytics.engine.rollups.rebuild import rebuild
from analytics.flow.reading import canonical
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.reading.results import FlowMode
from analytics.pure import windows
from analytics.pure.canonical import digest
from analytics.pure.windows import Bucket
from tasks_app.operations.projects import StateSpec, change_states
from tasks_app.operations.tasks import move_tasks
from tasks_app.tenancy import entered
from tests.cast import Cast, cast, tasks
from tests.flow.test_rollup_properties import everything, unsound
from tests.tasks_app.recording import sql

pytestmark = pytest.mark.django_db(transaction=True)

WORKFLOW = [
    StateSpec(name="To do", category="TODO", slug="todo"),
    StateSpec(name="Doing", category="IN_PROGRESS", slug="doing"),
    StateSpec(name="Waiting", category="IN_PROGRESS", slug="waiting", waiting=True),
    StateSpec(name="Review", category="IN_PROGRESS", slug="review", needs_validation=True),
    StateSpec(name="Done", category="DONE", slug="done"),
    StateSpec(name="Cancelled", category="CANCELLED", slug="cancelled"),
]


def renamed() -> list[StateSpec]:
    """The first state under another name."""
    return [StateSpec(name="Backlog", category="TODO", slug="todo"), *WORKFLOW[1:]]


def reordered() -> list[StateSpec]:
    """Review before waiting, and a new state."""
    todo, doing, waiting, review, done, cancelled = WORKFLOW
    return [todo, doing, review, waiting, StateSpec(name="Shipping", category="IN_PROGRESS"), done, cancelled]


CHANGES: list[Callable[[], Sequence[StateSpec]]] = [renamed, reordered]


def clock() -> datetime:
    """Now."""
    return datetime.now(UTC)  # noqa: TID251 - the test is the edge


def answered(people: Cast, read_from: ReadFrom, *, as_defined_now: bool = False) -> tuple[str, ReadFrom]:
    """The digest of both diagrams over the last two hours, and where they were read from."""
    tenant, now = people.acme.tenant, clock()
    with entered(tenant_id=tenant.id, read_only=True):
        reading = FlowReading(
            question=FlowQuestion(
                tenant_id=tenant.id,
                window=windows.between(
                    start=HOUR - timedelta(hours=1),
                    end=HOUR + timedelta(hours=2),
                    zone="UTC",
                    bucket=Bucket.MINUTE,
                    now=now,
                ),
                now=HOUR + timedelta(hours=3),
                as_defined_now=as_defined_now,
            ),
            boards=project_facts(tenant_id=tenant.id, key="WEB"),
            read_from=read_from,
        )
        figures = [canonical.cumulative_flow(reading.cumulative_flow(mode=mode)) for mode in FlowMode]
        return digest(figures), reading.read_from


HOUR = clock().replace(minute=0, second=0, microsecond=0)


def moved(people: Cast, keys: Sequence[str], *, to: str) -> None:
    """The tasks, moved by Alice."""
    tenant = people.acme.tenant
    with entered(tenant_id=tenant.id, actor_id=people.alice.actor.id):
        move_tasks(
            tenant_id=tenant.id, tasks=keys, to=to, happened_at=None, now=clock(), actor_id=people.alice.actor.id
        )


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_after_the_last_fold_rewrites_no_row_and_is_right_before_and_after_the_next(
    change: Callable[[], Sequence[StateSpec]],
) -> None:
    """P28, P53: a rename is answered by rollups at once, a new order after the next fold; until then by the ledger."""
    people = cast()
    tenant = people.acme.tenant
    keys = [task.key for task in tasks(board=people.acme.board, count=6)]
    moved(people, keys[:4], to="review")
    moved(people, keys[:1], to="waiting")
    compact(now=clock())
    before = sql(
        "SELECT ctid::text, t::text FROM task_rollup t WHERE tenant_id = %s AND facet <> 3 ORDER BY 1", [tenant.id]
    )
    with entered(tenant_id=tenant.id, actor_id=people.alice.actor.id):
        change_states(tenant_id=tenant.id, project_key="WEB", states=change())
    raw, _ = answered(people, ReadFrom.RAW)
    merged, read_from = answered(people, ReadFrom.MERGED)
    assert merged == raw
    assert read_from is (ReadFrom.MERGED if change is renamed else ReadFrom.RAW)

    moved(people, keys[1:3], to="waiting")
    assert answered(people, ReadFrom.MERGED)[0] == answered(people, ReadFrom.RAW)[0]
    compact(now=clock())
    after = sql(
        "SELECT ctid::text, t::text FROM task_rollup t WHERE tenant_id = %s AND facet <> 3 ORDER BY 1", [tenant.id]
    )
    assert set(before) <= set(after), "a row was written again"
    raw, _ = answered(people, ReadFrom.RAW)
    assert answered(people, ReadFrom.MERGED) == (raw, ReadFrom.MERGED)
    assert answered(people, ReadFrom.ROLLUP) == (raw, ReadFrom.ROLLUP)
    now_raw, _ = answered(people, ReadFrom.RAW, as_defined_now=True)
    now_merged, now_from = answered(people, ReadFrom.MERGED, as_defined_now=True)
    assert now_merged == now_raw
    assert now_from is (ReadFrom.MERGED if change is renamed else ReadFrom.RAW), "NOW, where the order changed"
    assert unsound(tenant.id) == []
    compacted = everything(tenant.id)
    rebuild(now=clock(), tenant_id=tenant.id)
    assert everything(tenant.id) == compacted
