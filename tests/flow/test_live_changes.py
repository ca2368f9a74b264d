"""What is done now, by operations and by SQL: at the very instants of the changes, charts show what the rows show."""

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from tasks_app.models import Task, TaskLedger
from tasks_app.tenancy import DatabaseRole, entered
from tests.flow.loading import Loaded, clock, reported
from tests.flow.test_replay_properties import PLACES, check_last_point, undone, unlike
from tests.oracle.facts import Fact, History, Kind
from tests.oracle.questions import Question
from tests.properties import EXAMPLES, some
from tests.spec.postgres import PostgresEngine
from tests.spec.random_histories import DAWN, as_history, told
from tests.tasks_app.recording import sql, strays

pytestmark = pytest.mark.django_db
MOMENT = timedelta(microseconds=1)
PLACE = "/* test.place */ UPDATE task SET project_id = %s, state_id = %s WHERE tenant_id = %s AND key = %s"
DISCARD = "/* test.discard */ UPDATE task SET discarded_at = clock_timestamp() WHERE tenant_id = %s AND key = %s"
RESTORE = "/* test.restore */ UPDATE task SET discarded_at = NULL WHERE tenant_id = %s AND key = %s"
DELETE = "/* test.delete */ DELETE FROM task WHERE tenant_id = %s AND key = %s"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One change of an item: what is done to it, and for a move where it goes."""

    item: str
    kind: Kind
    place: tuple[str, str]


steps = st.builds(
    Step,
    item=st.sampled_from(["WEB-1", "OPS-1"]),
    kind=st.sampled_from([Kind.MOVED, Kind.MOVED, Kind.MOVED, Kind.DISCARDED, Kind.RESTORED]),
    place=st.sampled_from(PLACES),
)
CREATED = [
    Fact(seq=0, happened_at=DAWN, recorded_at=DAWN, item=item, project=project, kind=Kind.CREATED, state="todo")
    for item, project in (("WEB-1", "WEB"), ("OPS-1", "OPS"))
]


@settings(some, max_examples=max(EXAMPLES // 2, 5))
@given(planned=st.lists(steps, min_size=1, max_size=10), deleted=st.booleans())
def test_windows_may_end_where_something_happened(planned: list[Step], deleted: bool) -> None:
    """P13, P41: moves, transfers, discards, restores and deletions by SQL, asked at the microsecond of each."""
    with undone():
        loaded, history = reported(as_history(CREATED, []))
        with entered(tenant_id=loaded.tenant_id, actor_id=loaded.actor_id, role=DatabaseRole.TENANT):
            for step in planned:
                history = done(step, history, loaded)
        if deleted:
            history = gone("WEB-1", history, loaded)
        note(told(history))
        now = clock() + MOMENT
        edges = sorted({DAWN, now, *(fact.happened_at for fact in history.facts)})
        engine = PostgresEngine(loaded)
        for project in ("WEB", "OPS", None):
            question = Question(buckets=tuple(pairwise(edges)), now=now, project=project)
            assert unlike(engine, history, question) == []
        assert strays() == []
        check_last_point(engine, now=now)


def done(step: Step, history: History, loaded: Loaded) -> History:
    """The history after the step; one that cannot be done, or changes nothing, adds nothing."""
    task = Task.objects.get(tenant_id=loaded.tenant_id, key=step.item)
    is_there = task.discarded_at is None
    of_item, last = [loaded.tenant_id, step.item], TaskLedger.objects.latest("seq").seq
    if step.kind is Kind.MOVED and is_there:
        sql(PLACE, [loaded.projects[step.place[0]], loaded.states[step.place], *of_item])
    elif step.kind is Kind.DISCARDED and is_there:
        sql(DISCARD, of_item)
    elif step.kind is Kind.RESTORED and not is_there:
        sql(RESTORE, of_item)
    return as_told(step, task, history, loaded, after=last)


def gone(item: str, history: History, loaded: Loaded) -> History:
    """The history after the item's row was deleted by the owner: a discard, for one that was there."""
    task = Task.objects.get(tenant_id=loaded.tenant_id, key=item)
    last = TaskLedger.objects.latest("seq").seq
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("SET LOCAL app.tenant_id = %s", [str(loaded.tenant_id)])
    sql(DELETE, [loaded.tenant_id, item])
    return as_told(Step(item=item, kind=Kind.DISCARDED, place=("WEB", "todo")), task, history, loaded, after=last)


def as_told(step: Step, before: Task, history: History, loaded: Loaded, *, after: int) -> History:
    """The history with the one fact that the ledger has since, if any: what the step says, when the ledger says."""
    recorded = TaskLedger.objects.filter(tenant_id=loaded.tenant_id, seq__gt=after).first()
    if recorded is None:
        return history
    names = {state_id: place for place, state_id in loaded.states.items()}
    project, state = step.place if step.kind is Kind.MOVED else names[before.state_id]
    fact = Fact(
        seq=len(history.facts) + 1,
        happened_at=recorded.happened_at,
        recorded_at=recorded.recorded_at,
        item=step.item,
        project=project,
        kind=step.kind,
        state="" if step.kind is Kind.DISCARDED else state,
    )
    return replace(history, facts=(*history.facts, fact))
