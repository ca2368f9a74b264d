"""The activity feed: an audit trail of readable sentences."""

from typing import Any

import pytest

from tasks_app.operations import tasks as operations
from tasks_app.operations.projects import StateSpec, change_states
from tasks_app.tenancy import entered
from tests.cast import Cast, cast
from tests.graphql.in_process import Refusal, ask
from tests.graphql.march import NOW, at, made


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


def test_the_feed_is_a_list_of_readable_sentences(people: Cast) -> None:
    """P43, P53: every change of a task, with old and new value."""
    tenant_id, actor_id = people.acme.tenant.id, people.alice.actor.id
    with entered(tenant_id=tenant_id, actor_id=actor_id):
        key = operations.create_task(tenant_id=tenant_id, project="WEB", title="One", now=NOW).key
        operations.rename_task(tenant_id=tenant_id, task=key, title="Two")
        operations.assign_task(
            tenant_id=tenant_id, task=key, assignee_id=people.bob.actor.id, actor_id=actor_id, now=NOW
        )
        operations.move_task(tenant_id=tenant_id, task=key, to="review", actor_id=actor_id, now=NOW)
        operations.validate_task(tenant_id=tenant_id, task=key, note="fine", actor_id=actor_id, now=NOW)
        operations.discard_task(tenant_id=tenant_id, task=key, actor_id=actor_id, now=NOW)
        operations.restore_task(tenant_id=tenant_id, task=key, actor_id=actor_id, now=NOW)
        operations.transfer_task(tenant_id=tenant_id, task=key, project="OPS", actor_id=actor_id, now=NOW)
    feed = ask(
        people.alice,
        "query ($key: String) { activity(first: 99, filter: {task: $key}) { totalCount edges { node { sentence } } } }",
        key=key,
    )
    assert [edge["node"]["sentence"] for edge in reversed(feed["activity"]["edges"])] == [
        f"Alice created {key} in To do",
        f"Alice renamed {key} from “One” to “Two”",
        f"Alice assigned {key} to Bob",
        f"Alice moved {key} from To do to Review",
        f"Alice validated {key} in Review",
        f"Alice discarded {key}, which was in Review",
        f"Alice restored {key} to Review",
        f"Alice transferred {key} from Review to To do in OPS",
    ]
    assert feed["activity"]["totalCount"] == 8


def test_definitions_are_in_the_feed(people: Cast) -> None:
    """P28: a rename is a ledgered definition, no transition."""
    tenant_id = people.acme.tenant.id
    names = {"todo": "To do", "doing": "Building", "waiting": "Waiting", "review": "Review", "done": "Done"}
    with entered(tenant_id=tenant_id, actor_id=people.alice.actor.id):
        change_states(
            tenant_id=tenant_id,
            project_key="WEB",
            states=[
                StateSpec(name=name, slug=slug, category=people.acme.board.states[slug].category, waiting=slug == "waiting",
                          needs_validation=slug == "review")
                for slug, name in names.items()
            ],
        )  # fmt: skip
    feed = ask(
        people.alice,
        "{ activity(first: 2, filter: {kinds: [DEFINED]}) { edges { node { sentence kind taskKey project { key } } } } }",
    )
    assert {edge["node"]["sentence"] for edge in feed["activity"]["edges"]} == {
        "Alice changed the state Building of WEB: name from “Doing” to “Building”",
        "Alice changed the state Cancelled of WEB: position from “5” to “4”, archived from “false” to “true”",
    }
    assert {edge["node"]["taskKey"] for edge in feed["activity"]["edges"]} == {None}


def test_filters_of_the_feed(people: Cast) -> None:
    key = made(people.alice, title="One", created=at(2), moves={at(3): "doing", at(4): "done"})
    made(people.bob, title="Two", created=at(5))
    query = """query ($filter: ActivityFilter) { activity(first: 99, filter: $filter) { edges { node {
        id kind taskKey actor { id name } correlationId } } } }"""

    def found(**conditions: object) -> list[dict[str, Any]]:
        return [edge["node"] for edge in ask(people.alice, query, filter=conditions)["activity"]["edges"]]

    assert len(found(task=key)) == 3
    assert {row["kind"] for row in found(kinds=["MOVED"])} == {"MOVED"}
    assert [row["kind"] for row in found(**{"from": at(3).isoformat(), "to": at(4).isoformat()})] == ["MOVED"]
    row = found(task=key)[0]
    assert {each["actor"]["name"] for each in found(actor=row["actor"]["id"])} == {"Alice"}
    assert row in found(correlationId=row["correlationId"])
    assert found(project="OPS", kinds=["MOVED"]) == []
    assert ask(people.alice, query, filter={"task": "WEB-999"}) == Refusal(
        "NOT_FOUND", "filter.task: there is no task 'WEB-999'."
    )
    assert ask(people.alice, query, filter={"correlationId": "x"}).code == "BAD_USER_INPUT"
    assert ask(people.alice, query, filter={"task": "\x00"}).code == "BAD_USER_INPUT"
    node = ask(people.alice, "query ($id: ID!) { node(id: $id) { id ... on Activity { kind } } }", id=row["id"])
    assert node == {"node": {"id": row["id"], "kind": row["kind"]}}
