"""The second door takes what can be a fact of one's own tasks, and nothing else."""

import pytest

from tasks_app.models import Task
from tests.cast import Cast
from tests.tasks_app.recording import asking, facts_since, mark, refused, sql

REPORT = """
INSERT INTO reported_event (tenant_id, source_id, task_id, project_id, to_id, actor_id, kind, happened_at, identity)
SELECT tenant_id, %(actor)s, id, project_id, %(to)s, %(actor)s, %(kind)s, %(happened_at)s::timestamptz,
       gen_random_uuid()
  FROM task
"""
SENSELESS: dict[str, dict[str, object]] = {
    "no kind": {"kind": 0},
    "a rename, whose words a report does not have": {"kind": 8},
    "a definition": {"kind": 9},
    "an unknown kind": {"kind": 10},
    "a negative kind": {"kind": -1},
    "a discard into a state": {"kind": 4},
    "a move to nowhere": {"to": 0},
    "the year 16": {"happened_at": "0016-03-01 12:00Z"},
    "before any time": {"happened_at": "-infinity"},
}


@pytest.mark.parametrize("case", SENSELESS)
def test_a_senseless_report_is_refused(board_with_a_task: Cast, case: str) -> None:
    """The second door takes what can be a fact of a task; the rest changes nothing."""
    people, before = board_with_a_task, mark()
    doing = people.acme.board.states["doing"].id
    values = {"actor": people.bob.actor.id, "to": doing, "kind": 2, "happened_at": "2026-01-01Z", **SENSELESS[case]}
    with asking(people.acme, people.bob):
        refused(REPORT, values, because="violates check constraint")
    assert facts_since(before) == []


@pytest.mark.parametrize("instant", ["infinity", "2999-01-01Z"])
def test_a_report_of_the_future_is_refused(board_with_a_task: Cast, instant: str) -> None:
    """What is recorded has happened."""
    people = board_with_a_task
    values = {
        "actor": people.bob.actor.id,
        "to": people.acme.board.states["doing"].id,
        "kind": 2,
        "happened_at": instant,
    }
    with asking(people.acme, people.bob):
        refused(REPORT, values, because="An event cannot have happened in the future")


def test_a_report_of_another_tenants_task_is_refused(board_with_a_task: Cast) -> None:
    """Under one's own tenant's id the other's task does not exist; under the other's id the policy refuses."""
    people = board_with_a_task
    (theirs,) = Task.objects.filter(tenant_id=people.globex.tenant.id)
    state, bob = people.acme.board.states["doing"].id, people.bob.actor.id
    insert = (
        "INSERT INTO reported_event"
        " (tenant_id, source_id, task_id, project_id, to_id, actor_id, kind, happened_at, identity)"
        " VALUES (%s, %s, %s, %s, %s, %s, 2, '2026-01-01Z', gen_random_uuid()); SET CONSTRAINTS ALL IMMEDIATE"
    )
    with asking(people.acme, people.bob):
        refused(
            insert,
            [people.acme.tenant.id, bob, theirs.id, people.acme.board.project.id, state, bob],
            because="An event names a task that is not there",
        )
        refused(
            insert,
            [people.globex.tenant.id, bob, theirs.id, people.globex.board.project.id, state, bob],
            because="violates row-level security policy",
        )


def test_a_task_with_reports_can_be_deleted_by_sql(board_with_a_task: Cast) -> None:
    """P46: an imported task, too. Its reports stay and the delete is one more fact."""
    people, before = board_with_a_task, mark()
    doing = people.acme.board.states["doing"].id
    with asking(people.acme, people.bob):
        sql(REPORT, {"actor": people.bob.actor.id, "to": doing, "kind": 2, "happened_at": "2026-01-01Z"})
    sql("DELETE FROM task WHERE tenant_id = %s", [people.acme.tenant.id])
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    assert [(fact.kind, fact.to_id) for fact in facts_since(before)] == [(2, doing), (4, 0)]


def test_a_report_does_not_choose_its_place(board_with_a_task: Cast) -> None:
    """seq is the order of recording: a report cannot claim to have been there first, nor take a place of the future."""
    people = board_with_a_task
    values = {
        "actor": people.bob.actor.id,
        "to": people.acme.board.states["doing"].id,
        "kind": 2,
        "happened_at": "2026-01-01Z",
    }
    statement = REPORT.replace("identity)", "identity, seq)").replace("gen_random_uuid()", "gen_random_uuid(), 1")
    with asking(people.acme, people.bob):
        refused(statement, values, because="permission denied for table reported_event")
