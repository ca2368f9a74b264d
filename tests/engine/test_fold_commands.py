"""compact, rebuild and verify, run as a person runs them."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from analytics.engine.rollups.compact import NotFolded, compact, owners
from analytics.engine.rollups.rebuild import rebuild
from analytics.engine.rollups.verify import verify_rollups
from tasks_app.models import Task, TaskTail
from tasks_app.refusals import Refused
from tests.cast import Cast, tasks
from tests.flow.test_rollup_properties import everything
from tests.tasks_app.recording import clock, sql

CODES = ["task_rollup", "task_fact", "task_correction", "task_item", "LIVE_ROW", "BASELINE", "ORDER"]
# What no statement of the product could do: the triggers are off.
BEHIND_THE_TRIGGERS = "SET LOCAL session_replication_role = replica"
pytestmark = pytest.mark.django_db


def run(name: str, *arguments: str) -> dict[str, Any]:
    """What the command printed."""
    out = StringIO()
    call_command(name, *arguments, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def refusal(name: str, *arguments: str) -> str:
    """Why it exited with 1."""
    with pytest.raises(Refused) as caught:
        run(name, *arguments)
    return caught.value.message


def failures(*arguments: str) -> tuple[dict[str, int], str]:
    """What verify found wrong, by code, and what it said."""
    out = StringIO()
    with pytest.raises(Refused) as caught:
        call_command("verify", *arguments, stdout=out)
    answer = json.loads(out.getvalue())
    assert answer["ok"] is False
    return {each["code"]: each["failures"] for each in answer["checks"] if each["failures"]}, caught.value.message


def move(task: Task, people: Cast, *, to: str) -> None:
    """As SQL does it."""
    Task.objects.filter(tenant_id=task.tenant_id, id=task.id).update(state_id=people.acme.board.states[to].id)


def behind_the_triggers(statement: str, *values: Any) -> None:
    """Runs the statement with no trigger to record or refuse it."""
    with transaction.atomic():
        sql(BEHIND_THE_TRIGGERS)
        sql(statement, values)
        sql("SET LOCAL session_replication_role = origin")


def test_compact_folds_every_tail_and_again_nothing(people: Cast) -> None:
    """One tenant's first, then all others'."""
    tasks(board=people.acme.board, count=3)
    tasks(board=people.globex.board, count=2)
    assert run("compact", "--tenant", "acme")["facts"] == 3
    assert list(TaskTail.objects.values_list("tenant_id", flat=True)) == [people.globex.tenant.id] * 2
    answer = run("compact")
    assert (list(answer), answer["facts"]) == (["facts", "seconds"], 2)
    assert run("compact")["facts"] == 0


def test_rebuild_makes_the_rows_that_compact_made(people: Cast) -> None:
    """P53."""
    (task,) = tasks(board=people.acme.board, count=1)
    move(task, people, to="doing")
    run("compact")
    compacted = everything(people.acme.tenant.id)
    sql("UPDATE task_rollup SET facts = facts + 1")
    answer = run("rebuild", "--tenant", "acme", "--family", "transitions")
    assert (list(answer), answer["rebuilt"]) == (["rebuilt", "seconds"], 1)
    assert everything(people.acme.tenant.id) == compacted
    assert run("rebuild")["rebuilt"] == 2


def test_a_clock_that_was_read_before_the_last_fact(people: Cast) -> None:
    """P53: a rebuild or a verify that goes on after midnight meets facts of a day that its clock does not know."""
    tasks(board=people.acme.board, count=2)
    run("compact")
    (owner,) = owners(tenant_id=people.acme.tenant.id)
    compacted, long_ago = everything(owner.id), clock() - timedelta(days=40)
    assert [check.failures for check in verify_rollups(owner=owner, now=long_ago)] == [0, 0, 0, 0]
    rebuild(now=long_ago, tenant_id=owner.id)
    assert everything(owner.id) == compacted


@pytest.mark.parametrize("name", ["compact", "rebuild", "verify", "retain"])
def test_a_tenant_that_is_not_there(name: str) -> None:
    """One sentence."""
    assert refusal(name, "--tenant", "none") == "There is no tenant 'none'."


@pytest.mark.parametrize("name", ["compact", "rebuild", "verify", "retain"])
def test_a_family_that_is_not_there_and_those_that_are(name: str) -> None:
    """One sentence with the names to choose from."""
    assert refusal(name, "--family", "time") == "There is no family 'time'; the families are transitions."


def test_verify_finds_nothing_wrong_folded_or_not(people: Cast) -> None:
    """Assigned, discarded, restored and deleted tasks included; nothing folded is not wrong."""
    of_acme = tasks(board=people.acme.board, count=4)
    sql("UPDATE task SET assignee_id = %s WHERE id = %s", [people.bob.actor.id, of_acme[0].id])
    sql("UPDATE task SET discarded_at = now() WHERE id = ANY (%s)", [[of_acme[1].id, of_acme[2].id]])
    sql("UPDATE task SET discarded_at = NULL WHERE id = %s", [of_acme[2].id])
    sql("DELETE FROM task WHERE id = %s", [of_acme[3].id])
    fine = {"ok": True, "checks": [{"code": code, "failures": 0} for code in CODES]}
    assert run("verify") == fine
    run("compact")
    assert run("verify", "--tenant", "acme") == fine


def test_verify_counts_the_failures_of_all_tenants(people: Cast) -> None:
    """The first of them in a sentence."""
    tasks(board=people.acme.board, count=1)
    tasks(board=people.globex.board, count=1)
    run("compact")
    sql("UPDATE task_rollup SET facts = 7 WHERE grain = 4 AND facet = 0")
    found, said = failures()
    assert found == {"task_rollup": 2}
    assert said.startswith("task_rollup of acme, project_id ")
    assert said.endswith(": facts is (7) and must be (1).")
    assert failures("--tenant", "globex")[0] == {"task_rollup": 1}


def test_a_live_row_that_no_fact_explains(people: Cast) -> None:
    """P26: state, assignee, discard and a row that is gone."""
    stray, handed, gone, deleted, fine = tasks(board=people.acme.board, count=5)
    todo, doing = (people.acme.board.states[slug].id for slug in ("todo", "doing"))
    project = people.acme.board.project.id
    behind_the_triggers("UPDATE task SET state_id = %s WHERE id = %s", doing, stray.id)
    found, said = failures()
    assert found == {"LIVE_ROW": 1}
    assert said == (
        f"Task {stray.id} of acme is in state {doing} of project {project}, with actor 0,"
        f" and by its facts it must be in state {todo} of project {project}, with actor 0."
    )
    behind_the_triggers("UPDATE task SET assignee_id = %s WHERE id = %s", people.bob.actor.id, handed.id)
    assert failures()[0] == {"LIVE_ROW": 2}
    behind_the_triggers("UPDATE task SET discarded_at = now() WHERE id = %s", gone.id)
    assert failures()[0] == {"LIVE_ROW": 3}
    behind_the_triggers("DELETE FROM task WHERE id = %s", deleted.id)
    assert failures()[0] == {"LIVE_ROW": 4}
    assert Task.objects.filter(id=fine.id).exists()


def test_a_task_without_a_beginning(people: Cast) -> None:
    """A row that no fact made."""
    (task,) = tasks(board=people.acme.board, count=1)
    behind_the_triggers("DELETE FROM task_tail WHERE tenant_id = %s", task.tenant_id)
    behind_the_triggers("DELETE FROM task_ledger WHERE task_id = %s", task.id)
    assert failures() == ({"BASELINE": 1}, f"Task {task.id} of acme has no fact that says where it began.")


def test_a_fact_that_was_recorded_before_it_happened(people: Cast) -> None:
    """Both clocks are the database's, so this cannot be."""
    (task,) = tasks(board=people.acme.board, count=1)
    behind_the_triggers(
        "UPDATE task_ledger SET recorded_at = happened_at - interval '1 second' WHERE task_id = %s", task.id
    )
    found, said = failures()
    assert found == {"ORDER": 1}
    assert said.startswith("Fact ")
    assert " of acme was recorded at " in said


def test_a_tenant_that_cannot_be_folded_keeps_nobody_waiting(people: Cast, caplog: pytest.LogCaptureFixture) -> None:
    """Its facts stay in the tail; the others' are folded; the log and the refusal name it."""
    tasks(board=people.acme.board, count=1)
    tasks(board=people.globex.board, count=2)
    sql(f"ALTER TABLE task_item ADD CONSTRAINT poison CHECK (tenant_id <> {people.acme.tenant.id})")
    with pytest.raises(NotFolded) as caught:
        compact(now=clock(), most_facts=1)
    assert (caught.value.slugs, caught.value.facts) == (("acme",), 2)
    assert list(TaskTail.objects.values_list("tenant_id", flat=True)) == [people.acme.tenant.id]
    assert "transitions of tenant acme could not be folded." in caplog.text
    assert "poison" in caplog.text
    assert refusal("compact") == "Facts of acme could not be folded; the log says why, tenant by tenant."
    sql("ALTER TABLE task_item DROP CONSTRAINT poison")
    assert run("compact")["facts"] == 1
