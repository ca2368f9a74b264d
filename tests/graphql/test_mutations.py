"""Every mutation, over HTTP: what it answers, what it records, and what it refuses without a trace."""

from typing import Any

import pytest

from tasks_app.http.node import encode_id
from tasks_app.models import Actor, Kind, Project, Role, Task, TaskLedger, TaskWords, WorkflowState
from tests.cast import Cast, cast, person, tasks
from tests.graphql.client import Asker, new_key, with_key, with_session

pytestmark = pytest.mark.django_db(transaction=True)

TASK = "task { key title state { slug } project { key } assignee { name } }"
STATES = "project { key name timezone states { slug name category position waiting needsValidation } }"
WORKFLOW = [
    {"name": "To do", "category": "TODO"},
    {"name": "In Progress", "category": "IN_PROGRESS", "waiting": True},
    {"name": "Done", "category": "DONE", "needsValidation": True},
]
PAST = "2026-01-05T10:00:00+01:00"


@pytest.fixture
def people(db: Any) -> Cast:
    """Everybody, and the tasks WEB-1 to WEB-3 of Acme."""
    everybody = cast()
    tasks(board=everybody.acme.board, count=3)
    return everybody


@pytest.fixture
def bob(people: Cast) -> Asker:
    return with_session(people.bob.user)


@pytest.fixture
def alice(people: Cast) -> Asker:
    return with_session(people.alice.user)


def facts(key: str) -> list[tuple[str, str]]:
    """The task's ledger rows in order of recording: kind and actor."""
    found = TaskLedger.objects.filter(task_id=Task.objects.get(key=key).id).order_by("seq")
    names = dict(Actor.objects.values_list("id", "name"))
    return [(Kind(fact.kind).name, names[fact.actor_id]) for fact in found]


def ledger_rows() -> int:
    return TaskLedger.objects.count()


def only_error(payload: Any) -> tuple[str, str, list[str]]:
    assert len(payload["errors"]) == 1, payload
    error = payload["errors"][0]
    return error["code"], error["message"], error["path"]


def test_create_project(bob: Asker) -> None:
    payload = bob.mutate("createProject", STATES, key="NEW", name="New board", states=WORKFLOW, clientMutationId="a")
    assert payload["errors"] == []
    assert payload["clientMutationId"] == "a"
    project = payload["project"]
    assert (project["key"], project["name"], project["timezone"]) == ("NEW", "New board", "UTC")
    assert [
        (s["slug"], s["category"], s["position"], s["waiting"], s["needsValidation"]) for s in project["states"]
    ] == [
        ("to-do", "TODO", 0, False, False),
        ("in-progress", "IN_PROGRESS", 1, True, False),
        ("done", "DONE", 2, False, True),
    ]


def test_a_project_takes_the_tenants_zone_or_its_own(people: Cast) -> None:
    carol = with_session(people.carol.user)
    here = carol.mutate("createProject", STATES, key="A", name="A", states=WORKFLOW)
    there = carol.mutate("createProject", STATES, key="B", name="B", states=WORKFLOW, timezone="Europe/Stockholm")
    assert here["project"]["timezone"] == "Asia/Kathmandu"
    assert there["project"]["timezone"] == "Europe/Stockholm"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"key": "WEB"}, ("BAD_USER_INPUT", "There is already a project 'WEB'.", ["input", "key"])),
        (
            {"timezone": "Mars/Olympus"},
            (
                "BAD_USER_INPUT",
                "There is no time zone 'Mars/Olympus'; use an IANA name such as Europe/Stockholm.",
                ["input", "timezone"],
            ),
        ),
        ({"states": []}, ("BAD_USER_INPUT", "A workflow has 1 to 200 states, not 0.", ["input", "states"])),
        (
            {"name": "n" * 201},
            ("BAD_USER_INPUT", "name: 201 characters are too many; 200 are kept.", ["input", "name"]),
        ),
    ],
)
def test_create_project_refuses(bob: Asker, change: dict[str, Any], expected: tuple[str, str, list[str]]) -> None:
    given = {"key": "NEW", "name": "New", "states": WORKFLOW, **change}
    payload = bob.mutate("createProject", STATES, **given)
    assert payload["project"] is None
    assert only_error(payload) == expected
    assert not Project.objects.filter(key="NEW").exists()


def test_create_task_names_its_maker(bob: Asker, people: Cast) -> None:
    """P42: the ledger knows who, also over GraphQL."""
    assignee = encode_id(type_name="Actor", pk=people.alice.actor.id)
    payload = bob.mutate("createTask", TASK, project="WEB", title="Écrire ✍", state="doing", assignee=assignee)
    assert payload["errors"] == []
    assert payload["task"] == {
        "key": "WEB-4",
        "title": "Écrire ✍",
        "state": {"slug": "doing"},
        "project": {"key": "WEB"},
        "assignee": {"name": "Alice"},
    }
    assert ("CREATED", "Bob") in facts("WEB-4")


def test_a_task_of_the_past_begins_in_the_first_state(bob: Asker) -> None:
    payload = bob.mutate(
        "createTask", "task { key createdAt state { slug } }", project="WEB", title="x", happenedAt=PAST
    )
    assert payload["task"] == {"key": "WEB-4", "createdAt": "2026-01-05T09:00:00Z", "state": {"slug": "todo"}}


def test_move_task_now_and_in_the_past(bob: Asker) -> None:
    moved = bob.mutate("moveTask", TASK, task="WEB-1", to="doing")
    assert moved["task"]["state"] == {"slug": "doing"}
    assert facts("WEB-1")[-1] == ("MOVED", "Bob")
    early = bob.mutate("createTask", "task { key }", project="WEB", title="x", happenedAt=PAST)["task"]["key"]
    bob.mutate("moveTask", "task { key }", task=early, to="done")
    late = bob.mutate("moveTask", TASK, task=early, to="doing", happenedAt="2026-01-06T10:00:00Z")
    assert late["errors"] == []
    assert late["task"]["state"] == {"slug": "done"}
    assert [kind for kind, _ in facts(early)] == ["CREATED", "MOVED", "MOVED"]


def test_a_move_to_the_same_state_records_nothing(bob: Asker) -> None:
    before = ledger_rows()
    assert bob.mutate("moveTask", TASK, task="WEB-1", to="todo")["errors"] == []
    assert ledger_rows() == before


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"task": "WEB-99", "to": "doing"}, "NOT_FOUND", ["input", "task"]),
        ({"task": "WEB-1", "to": "nowhere"}, "NOT_FOUND", ["input", "to"]),
        (
            {"task": "WEB-1", "to": "doing", "happenedAt": "2150-01-01T00:00:00Z"},
            "BAD_USER_INPUT",
            ["input", "happenedAt"],
        ),
        ({"task": "WEB-1", "to": "doing", "happenedAt": PAST}, "BAD_USER_INPUT", ["input", "happenedAt"]),
        ({"task": "W" * 100_000, "to": "doing"}, "NOT_FOUND", ["input", "task"]),
    ],
)
def test_move_task_refuses(bob: Asker, given: dict[str, Any], code: str, path: list[str]) -> None:
    before = ledger_rows()
    payload = bob.mutate("moveTask", TASK, **given)
    assert payload["task"] is None
    assert (only_error(payload)[0], only_error(payload)[2]) == (code, path)
    assert ledger_rows() == before


def test_move_tasks_is_one_change(bob: Asker) -> None:
    """P43: all rows of one bulk move carry the correlation id that it answers."""
    payload = bob.mutate(
        "moveTasks", "tasks { key state { slug } } correlationId", tasks=["WEB-3", "WEB-1", "WEB-3"], to="done"
    )
    assert payload["errors"] == []
    assert [task["key"] for task in payload["tasks"]] == ["WEB-3", "WEB-1"]
    assert {task["state"]["slug"] for task in payload["tasks"]} == {"done"}
    moved = TaskLedger.objects.filter(kind=Kind.MOVED)
    assert {str(number) for number in moved.values_list("correlation", flat=True)} == {payload["correlationId"]}
    assert moved.count() == 2


def test_move_tasks_moves_all_or_none(bob: Asker) -> None:
    payload = bob.mutate("moveTasks", "tasks { key } correlationId", tasks=["WEB-1", "WEB-99"], to="done")
    assert (payload["tasks"], payload["correlationId"]) == ([], None)
    assert only_error(payload) == ("NOT_FOUND", "There is no task 'WEB-99'.", ["input", "tasks", "1"])
    assert not TaskLedger.objects.filter(kind=Kind.MOVED).exists()


def test_assign_and_unassign(bob: Asker, people: Cast) -> None:
    actor = encode_id(type_name="Actor", pk=people.bob.actor.id)
    assert bob.mutate("assignTask", TASK, task="WEB-1", assignee=actor)["task"]["assignee"] == {"name": "Bob"}
    assert bob.mutate("assignTask", TASK, task="WEB-1", assignee=None)["task"]["assignee"] is None
    assert [kind for kind, _ in facts("WEB-1")][-2:] == ["ASSIGNED", "ASSIGNED"]


def test_rename_keeps_the_words_out_of_the_ledger(bob: Asker) -> None:
    assert bob.mutate("renameTask", TASK, task="WEB-1", title="Better")["task"]["title"] == "Better"
    assert facts("WEB-1")[-1] == ("RENAMED", "Bob")
    assert "Better" in TaskWords.objects.values_list("words", flat=True)


@pytest.mark.parametrize("title", ["", "   ", "t" * 1001])
def test_rename_refuses_a_title_that_is_none(bob: Asker, title: str) -> None:
    payload = bob.mutate("renameTask", TASK, task="WEB-1", title=title)
    assert only_error(payload) == (
        "BAD_USER_INPUT",
        "A task needs a title of 1 to 1000 characters.",
        ["input", "title"],
    )


def test_transfer_keeps_the_key(bob: Asker) -> None:
    moved = bob.mutate("transferTask", TASK, task="WEB-1", project="OPS", state="doing")["task"]
    assert (moved["key"], moved["project"]["key"], moved["state"]["slug"]) == ("WEB-1", "OPS", "doing")
    again = bob.mutate("transferTask", TASK, task="WEB-1", project="OPS")
    assert only_error(again)[2] == ["input", "project"]


def test_discard_and_restore(bob: Asker) -> None:
    gone = bob.mutate("discardTask", "taskKey", task="WEB-1", reason="a duplicate")
    assert (gone["taskKey"], gone["errors"]) == ("WEB-1", [])
    refused = bob.mutate("moveTask", TASK, task="WEB-1", to="doing")
    assert only_error(refused)[1] == "The task WEB-1 is discarded: restore it first."
    assert bob.mutate("restoreTask", TASK, task="WEB-1")["task"]["state"] == {"slug": "todo"}
    assert [kind for kind, _ in facts("WEB-1")][-2:] == ["DISCARDED", "RESTORED"]
    assert only_error(bob.mutate("restoreTask", TASK, task="WEB-1"))[1] == "The task WEB-1 is on the board already."


def test_change_states_renames_adds_and_archives(bob: Asker) -> None:
    payload = bob.mutate(
        "changeStates",
        STATES,
        project="WEB",
        states=[
            {"slug": "todo", "name": "Backlog", "category": "TODO"},
            {"name": "Build", "category": "IN_PROGRESS"},
            {"slug": "done", "name": "Done", "category": "DONE"},
        ],
    )
    assert payload["errors"] == []
    assert [(s["slug"], s["name"]) for s in payload["project"]["states"]] == [
        ("todo", "Backlog"),
        ("build", "Build"),
        ("done", "Done"),
    ]


def test_change_states_keeps_a_state_that_holds_items(bob: Asker) -> None:
    payload = bob.mutate("changeStates", STATES, project="WEB", states=[{"name": "Only", "category": "TODO"}])
    assert payload["project"] is None
    assert only_error(payload)[1] == "The state 'todo' still holds items (3): move them before it is archived."
    assert not WorkflowState.objects.filter(name="Only").exists()


def test_validation_is_for_managers_and_above(people: Cast, bob: Asker) -> None:
    bob.mutate("moveTask", TASK, task="WEB-1", to="review")
    forbidden: tuple[str, str, list[str]] = (
        "FORBIDDEN",
        "Validating takes the role MANAGER, ADMIN or OWNER; a service key needs the scope ADMIN.",
        [],
    )
    assert only_error(bob.mutate("validateTask", TASK, task="WEB-1")) == forbidden
    manager = person(company=people.acme, name="Mona", role=Role.MANAGER)
    assert with_session(manager.user).mutate("validateTask", TASK, task="WEB-1", note="good")["errors"] == []
    assert facts("WEB-1")[-1] == ("VALIDATED", "Mona")


def test_validation_by_a_key_goes_by_its_owner_or_its_scope(people: Cast, alice: Asker) -> None:
    alice.mutate("moveTask", TASK, task="WEB-1", to="review")
    tenant_id = people.acme.tenant.id
    keys = {
        "a member's": new_key(tenant_id=tenant_id, owner=people.bob.user),
        "an owner's": new_key(tenant_id=tenant_id, owner=people.alice.user, scopes=["TASKS_WRITE", "TASKS_READ"]),
        "a service": new_key(tenant_id=tenant_id, scopes=["TASKS_WRITE", "TASKS_READ"]),
        "an admin service": new_key(tenant_id=tenant_id),
    }
    codes = {
        name: [error["code"] for error in with_key(key).mutate("validateTask", TASK, task="WEB-1")["errors"]]
        for name, key in keys.items()
    }
    assert codes == {"a member's": ["FORBIDDEN"], "an owner's": [], "a service": ["FORBIDDEN"], "an admin service": []}


def test_a_state_that_needs_no_validation_takes_none(alice: Asker) -> None:
    payload = alice.mutate("validateTask", TASK, task="WEB-1")
    assert only_error(payload) == (
        "BAD_USER_INPUT",
        "The state 'todo' of WEB-1 asks for no validation.",
        ["input", "task"],
    )


def event(number: int, **change: object) -> dict[str, object]:
    plain = {
        "externalId": f"e{number}",
        "project": "WEB",
        "task": "case-7",
        "state": "doing",
        "happenedAt": f"2026-01-0{number}T00:00:00Z",
    }
    return {**plain, **change}


COUNTS = "recorded unchanged duplicates"


def counts(payload: Any) -> tuple[int, int, int]:
    assert payload["errors"] == [], payload
    return payload["recorded"], payload["unchanged"], payload["duplicates"]


def test_record_events_counts_what_became_of_them(people: Cast) -> None:
    robot = with_key(new_key(tenant_id=people.acme.tenant.id, scopes=["TASKS_WRITE"]))
    events = [event(1, state="To do"), event(2, actor="Zoë"), event(3), event(4, state="done")]
    assert counts(robot.mutate("recordEvents", COUNTS, source="jira", events=events)) == (3, 1, 0)
    assert counts(robot.mutate("recordEvents", COUNTS, source="jira", events=events)) == (0, 0, 4)


def test_record_events_takes_all_or_nothing(people: Cast) -> None:
    robot = with_key(new_key(tenant_id=people.acme.tenant.id, scopes=["TASKS_WRITE"]))
    before = ledger_rows()
    events = [event(1), event(2, project="NOPE")]
    payload = robot.mutate("recordEvents", COUNTS, source="jira", events=events)
    assert (payload["recorded"], payload["unchanged"], payload["duplicates"]) == (0, 0, 0)
    assert only_error(payload) == ("NOT_FOUND", "There is no project 'NOPE'.", ["input", "events", "1", "project"])
    assert ledger_rows() == before


def test_an_error_in_an_answer_takes_the_change_back(bob: Asker) -> None:
    """What cannot be answered was not done: a GraphQL error rolls the operation back."""
    before = ledger_rows()
    answer = bob.answer(
        'mutation { a: moveTask(input: {task: "WEB-1", to: "doing"})'
        " { task { activity { totalCount } } errors { code } } }"
    )
    assert answer["errors"][0]["message"].startswith("first, last: one of them is required")
    assert ledger_rows() == before


def test_one_refused_mutation_leaves_its_neighbours(bob: Asker) -> None:
    data = bob.data(
        'mutation { a: moveTask(input: {task: "WEB-1", to: "nowhere"}) { errors { code } }'
        ' b: moveTask(input: {task: "WEB-2", to: "doing"}) { errors { code } } }'
    )
    assert data == {"a": {"errors": [{"code": "NOT_FOUND"}]}, "b": {"errors": []}}
    assert Task.objects.get(key="WEB-2").state.slug == "doing"


def test_mutations_work_with_the_rights_of_the_web_login(people: Cast, as_web_login: None) -> None:
    """The login of the web has no more grants than this takes."""
    alice = with_session(people.alice.user)
    assert alice.mutate("createProject", STATES, key="NEW", name="New", states=WORKFLOW)["errors"] == []
    assert alice.mutate("createTask", TASK, project="NEW", title="x", clientMutationId="1")["errors"] == []
    assert alice.mutate("moveTasks", "correlationId", tasks=["NEW-1"], to="done")["errors"] == []
    assert alice.mutate("renameTask", TASK, task="NEW-1", title="y")["errors"] == []
    assert alice.mutate("validateTask", TASK, task="NEW-1", note="n")["errors"] == []
    assert alice.mutate("discardTask", "taskKey", task="NEW-1", reason="r")["errors"] == []
    assert alice.mutate("restoreTask", TASK, task="NEW-1", happenedAt=None)["errors"] == []
    assert alice.mutate("transferTask", TASK, task="NEW-1", project="WEB")["errors"] == []
    assert alice.mutate("assignTask", TASK, task="NEW-1")["errors"] == []
    assert counts(alice.mutate("recordEvents", COUNTS, source="jira", events=[event(1)])) == (1, 0, 0)
