"""A report names a state of its project and actors of its tenant: set-based checks, or the ledger holds another's ids."""

import pytest

from tests.cast import Cast
from tests.tasks_app.recording import asking, facts_since, mark, refused, sql

REPORT = """
INSERT INTO reported_event (tenant_id, source_id, task_id, project_id, to_id, actor_id, kind, happened_at, identity)
SELECT tenant_id, %(source)s, id, %(project)s, %(to)s, %(actor)s, %(kind)s, created_at - interval '1 day', gen_random_uuid()
  FROM task
"""
CASES = [
    "foreign_place",
    "foreign_state",
    "state_of_another_board",
    "foreign_actor",
    "no_actor",
    "foreign_source",
    "validated_foreign_state",
    "discard_from_foreign_project",
    "assigned_to_foreign_then_overtaken",
]


@pytest.mark.parametrize("case", CASES)
def test_a_report_that_names_what_is_not_the_tenants_is_refused(board_with_a_task: Cast, case: str) -> None:
    """Though a later fact decides the live row, so that no foreign key looks at it."""
    people, before = board_with_a_task, mark()
    mine, theirs, bob, carol = people.acme, people.globex, people.bob.actor.id, people.carol.actor.id
    base = {
        "source": bob,
        "project": mine.board.project.id,
        "to": mine.board.states["doing"].id,
        "actor": bob,
        "kind": 2,
    }
    other: dict[str, dict[str, object]] = {
        "foreign_place": {"project": theirs.board.project.id, "to": theirs.board.states["doing"].id},
        "foreign_state": {"to": theirs.board.states["doing"].id},
        "state_of_another_board": {"to": mine.second_board.states["doing"].id},
        "foreign_actor": {"actor": carol},
        "no_actor": {"actor": 0},
        "foreign_source": {"source": carol},
        "validated_foreign_state": {"kind": 6, "to": theirs.board.states["doing"].id},
        "discard_from_foreign_project": {"kind": 4, "to": 0, "project": theirs.board.project.id},
        "assigned_to_foreign_then_overtaken": {"kind": 7, "to": carol},
    }
    with asking(mine, people.bob):
        if case == "assigned_to_foreign_then_overtaken":
            sql("UPDATE task SET assignee_id = %s", [bob])
            before = mark_in_tenant()
        refused(REPORT, {**base, **other[case]}, because="names")
    assert facts_since(before) == []


def mark_in_tenant() -> int:
    """The last position of the tenant that the transaction is in."""
    return int(sql("SELECT coalesce(max(seq), 0) FROM task_ledger")[0][0])
