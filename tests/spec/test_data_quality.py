"""Each check of data quality finds exactly what was planted, and no more."""

import pytest
from django.db import connection, transaction

from tests.facts_as_text import parse
from tests.oracle.quality import Quality
from tests.spec.postgres import PostgresEngine
from tests.spec.runner import FullEngine, days, loaded
from tests.tasks_app.recording import sql

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress  Done:done  Cancelled:cancelled
project OPS
states  Todo:todo  Doing:in_progress  Done:done
facts
2026-03-01 09:00  -                 WEB-1  created Todo         # nothing is odd about it
2026-03-02 09:00  -                 WEB-1  moved Doing
2026-03-03 09:00  -                 WEB-1  moved Review
2026-03-04 09:00  -                 WEB-1  moved Done
2026-03-01 09:00  -                 WEB-2  created Todo
2026-03-02 09:00  -                 WEB-2  moved Done           # skipped, and never in progress
2026-03-03 09:00  -                 WEB-2  moved Doing          # back, and after it was done
2026-03-03 09:00  -                 WEB-3  created Review       # beyond the first
2026-03-03 09:00  -                 WEB-3  moved Done           # at the same instant
2026-03-01 09:00  -                 WEB-4  created Todo
2026-03-02 09:00  -                 WEB-4  discarded
2026-03-03 09:00  2026-03-05 09:00  WEB-4  moved Doing          # while it was discarded
2026-03-04 09:00  -                 WEB-4  restored Doing       # though it was there
2026-03-01 09:00  -                 WEB-5  created Todo
2026-03-03 09:00  2026-03-02 09:00  WEB-5  moved Doing          # recorded a day before it happened
2026-03-04 09:00  -                 WEB-5  moved Cancelled
2026-03-01 09:00  -                 OPS-1  created Todo
2026-03-02 09:00  -                 OPS-1  transferred WEB:Review    # another board's place is no higher
"""
PLANTED: dict[str, tuple[str, ...]] = {
    "FINISH_WITHOUT_START": ("WEB-2",),
    "CHANGE_AFTER_DONE": ("WEB-2",),
    "BACKWARD_MOVE": ("WEB-2",),
    "SKIPPED_STATE": ("WEB-2",),
    "CREATED_BEYOND_FIRST": ("WEB-3",),
    "IMPOSSIBLE_ORDER": ("WEB-4",),
    "EQUAL_TIMESTAMPS": ("WEB-3",),
    "FUTURE_TIMESTAMP": ("WEB-5",),
}


@pytest.mark.parametrize(("project", "looked_at"), [("WEB", 6), (None, 6)])
def test_what_was_planted_is_found(full_engine: FullEngine, project: str | None, looked_at: int) -> None:
    """Two of the six items have nothing odd."""
    found = loaded(full_engine, TABLE).quality(question=days("2026-03-01", 5, project=project))
    failures = {**dict.fromkeys(PLANTED, 1), "IMPOSSIBLE_ORDER": 2}
    assert found == Quality(failures=failures, items=PLANTED, failing=4, looked_at=looked_at)


def test_only_facts_of_the_window_are_looked_at(full_engine: FullEngine) -> None:
    """What came before it decides, and is not told."""
    found = loaded(full_engine, TABLE).quality(question=days("2026-03-03", 1, project="WEB"))
    assert found.failures == {
        "CHANGE_AFTER_DONE": 1,
        "BACKWARD_MOVE": 1,
        "CREATED_BEYOND_FIRST": 1,
        "IMPOSSIBLE_ORDER": 1,
        "EQUAL_TIMESTAMPS": 1,
        "FUTURE_TIMESTAMP": 1,
    }
    nothing = loaded(full_engine, TABLE).quality(question=days("2026-02-20", 3, project="WEB"))
    assert nothing == Quality(failures={}, items={}, failing=0, looked_at=0)


SOUND = """
project WEB
states  Todo:todo  Doing:in_progress  Done:done
facts
2026-03-01 09:00  -                 WEB-1  created Todo
2026-03-02 09:00  2026-03-05 09:00  WEB-1  moved Doing          # late: the next one did not know of it
2026-03-04 09:00  -                 WEB-1  moved Done
2026-03-01 09:00  -                 WEB-2  created Todo
2026-03-02 09:00  -                 WEB-2  discarded
2026-03-01 09:00  -                 WEB-3  created Todo
"""
CHAIN = "UPDATE task_ledger SET from_id = %(state)s WHERE tenant_id = %(tenant)s AND task_id = %(task)s AND kind = 4"
ROW = "UPDATE task SET state_id = %(state)s WHERE tenant_id = %(tenant)s AND id = %(task)s"
GONE = "DELETE FROM task_ledger WHERE tenant_id = %(tenant)s AND task_id = %(task)s"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "task", "code"),
    [(CHAIN, "WEB-2", "CHAIN_BREAK"), (ROW, "WEB-3", "REPLAY_DIFFERS"), (GONE, "WEB-3", "MISSING_BASELINE")],
)
def test_what_was_changed_past_the_triggers_is_found(statement: str, task: str, code: str) -> None:
    """P26: a sound record has no failure, late facts included; then one row is changed by hand."""
    engine = PostgresEngine()
    engine.load(history=parse(SOUND))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        sql("UPDATE task SET created_at = '2026-03-01 09:00+00' WHERE tenant_id = %s", [engine.told.tenant_id])
        cursor.execute("SET LOCAL session_replication_role = origin")
    question = days("2026-03-01", 5, project="WEB")
    assert engine.quality(question=question).failures == {}
    values = {
        "tenant": engine.told.tenant_id,
        "task": engine.told.tasks[task],
        "state": engine.told.states["WEB", "doing"],
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("SET LOCAL session_replication_role = origin")
    found = engine.quality(question=question)
    assert (found.failures, found.items) == ({code: 1}, {code: (task,)})
    assert (found.failing, found.looked_at) == (1, 3)
