"""analytics(filter:): the figures of some items, over the API."""

from typing import Any

import pytest

from tasks_app.http.node import encode_id
from tasks_app.models import Membership, Role
from tasks_app.operations import tasks as operations
from tasks_app.tenancy import entered
from tests.cast import Cast, cast
from tests.graphql.in_process import Refusal, ask
from tests.graphql.march import NOW, at, made
from tests.graphql.proofs import actor_id, digest_of, folded, replayed
from tests.tasks_app.recording import sql

QUERY = """query ($filter: TaskFilter, $asOf: FilterAsOf! = THEN, $project: String = "WEB", $window: WindowInput!) {
    analytics(project: $project, window: $window, bucket: DAY, filter: $filter, filterAsOf: $asOf) {
      workInProgress throughput { finished } cumulativeFlow(mode: OCCUPANCY) { arrivals departures discarded }
      receipt { digest token readFrom note cached } } }"""
MARCH = {"between": {"from": "2026-03-02T00:00:00Z", "to": "2026-03-06T00:00:00Z"}}
NOTE = "Rollups have no single items to filter, so the ledger was read."


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


def three_tasks(people: Cast) -> list[str]:
    """One is finished, one is in progress, one waits and was in review before."""
    return [
        made(people.alice, title="Boiler", created=at(2), moves={at(3): "doing", at(5): "done"}),
        made(people.alice, title="Bolts", created=at(2), moves={at(4): "doing"}),
        made(people.alice, title="Tiles", created=at(2), moves={at(3): "review", at(4): "todo"}),
    ]


def figures(people: Cast, given: dict[str, Any] | None, **asked: Any) -> Any:
    """The figures, or the refusal."""
    answer = ask(asked.pop("person", people.alice), QUERY, now=NOW, filter=given, **{"window": MARCH, **asked})
    return answer if isinstance(answer, Refusal) else answer["analytics"]


@pytest.mark.parametrize(
    ("given", "in_progress"),
    [
        (None, [0, 2, 2, 1]),
        ({}, [0, 2, 2, 1]),
        ({"states": ["done"]}, [0, 1, 1, 0]),
        ({"categories": ["IN_PROGRESS"]}, [0, 0, 1, 1]),
        ({"categories": ["IN_PROGRESS"], "states": ["done"]}, [0, 0, 0, 0]),
        ({"search": "BO"}, [0, 1, 2, 1]),
        ({"wasEver": {"state": "review"}}, [0, 1, 0, 0]),
        (
            {
                "wasEver": {
                    "state": "doing",
                    "between": {"from": "2026-03-02T00:00:00Z", "to": "2026-03-04T00:00:00Z"},
                }
            },
            [0, 1, 1, 0],
        ),
        ({"heldFor": {"state": "doing", "atLeastSeconds": 86400}}, [0, 0, 1, 1]),
        ({"heldFor": {"state": "doing", "atLeastSeconds": 2 * 86400}}, [0, 0, 0, 0]),
        ({"project": "WEB"}, [0, 2, 2, 1]),
    ],
)
def test_the_items_for_which_it_holds_at_the_end(people: Cast, given: Any, in_progress: list[int]) -> None:
    """P14: each with its whole past, in whatever state it was then."""
    three_tasks(people)
    assert figures(people, given)["workInProgress"] == in_progress
    assert figures(people, given, project=None)["workInProgress"] == in_progress


def test_whose_hands_and_whose_changes(people: Cast) -> None:
    keys = three_tasks(people)
    tenant_id, alice = people.acme.tenant.id, people.alice.actor.id
    with entered(tenant_id=tenant_id, actor_id=alice):
        operations.assign_task(
            tenant_id=tenant_id,
            task=keys[1],
            assignee_id=people.bob.actor.id,
            actor_id=alice,
            happened_at=at(5),
            now=NOW,
        )
    bob = actor_id(people.bob)
    assert figures(people, {"assignee": bob})["workInProgress"] == [0, 0, 1, 1]
    assert figures(people, {"changedBy": bob})["workInProgress"] == [0, 0, 0, 0]
    assert figures(people, {"changedBy": actor_id(people.alice)})["workInProgress"] == [0, 2, 2, 1]


def test_an_item_that_changed_hands_is_chosen_as_it_was_or_as_it_is(people: Cast) -> None:
    """P8: with its whole past either way, never only from the hand-over on; what came after the window is of now alone."""
    keys = three_tasks(people)
    tenant_id, alice, now = people.acme.tenant.id, people.alice.actor.id, {"now": NOW}
    with entered(tenant_id=tenant_id, actor_id=alice):
        told = {"tenant_id": tenant_id, "task": keys[1], "actor_id": alice, **now}
        operations.assign_task(assignee_id=alice, happened_at=at(5), **told)  # type: ignore[arg-type]
        operations.assign_task(assignee_id=people.bob.actor.id, happened_at=at(7), **told)  # type: ignore[arg-type]
        operations.move_task(to="review", happened_at=at(8), **told)  # type: ignore[arg-type]
    whole_past, nothing = [0, 0, 1, 1], [0, 0, 0, 0]
    for given, then, as_now in (
        ({"assignee": actor_id(people.alice)}, whole_past, nothing),
        ({"assignee": actor_id(people.bob)}, nothing, whole_past),
        ({"states": ["doing"]}, whole_past, nothing),
        ({"states": ["review"]}, nothing, whole_past),
        ({"wasEver": {"state": "review"}}, [0, 1, 0, 0], [0, 1, 1, 1]),
        ({"heldFor": {"state": "review", "atLeastSeconds": 86400}}, nothing, whole_past),
    ):
        assert figures(people, given)["workInProgress"] == then
        assert figures(people, given, asOf="NOW")["workInProgress"] == as_now


@pytest.mark.django_db(transaction=True)
def test_what_was_chosen_as_of_now_is_replayed_as_of_then(people: Cast) -> None:
    """P8: a receipt's now is that of the answer, whatever became of the items since."""
    keys = three_tasks(people)
    given = {"states": ["doing"]}
    receipt = figures(people, given, asOf="NOW")["receipt"]
    with entered(tenant_id=people.acme.tenant.id, actor_id=people.alice.actor.id):
        operations.move_task(
            tenant_id=people.acme.tenant.id,
            task=keys[1],
            to="done",
            actor_id=people.alice.actor.id,
            happened_at=at(9),
            now=NOW,
        )
    assert figures(people, given, asOf="NOW")["receipt"]["digest"] != receipt["digest"]
    assert figures(people, given)["receipt"]["digest"] == receipt["digest"]
    assert digest_of(replayed(people.alice, receipt["token"])) == receipt["digest"]


def test_a_discarded_item_stays_in_its_past(people: Cast) -> None:
    """Of a filter that asks for no state; one that does leaves it out."""
    keys = three_tasks(people)
    tenant_id, alice = people.acme.tenant.id, people.alice.actor.id
    with entered(tenant_id=tenant_id, actor_id=alice):
        operations.discard_task(tenant_id=tenant_id, task=keys[1], actor_id=alice, happened_at=at(5), now=NOW)
    found = figures(people, {"search": "bolts"})
    assert (found["workInProgress"], found["cumulativeFlow"]["discarded"]) == ([0, 0, 1, 0], [0, 0, 0, 1])
    assert figures(people, {"states": ["doing"]})["workInProgress"] == [0, 0, 0, 0]


def test_a_running_window_is_filtered_as_of_now(people: Cast) -> None:
    """Held until now, not until the end of the day."""
    three_tasks(people)
    today = {"rolling": {"count": 1, "unit": "DAY"}}
    for seconds, count in ((8 * 86400 + 3 * 3600, 1), (8 * 86400 + 3 * 3600 + 1, 0)):
        given = {"heldFor": {"state": "doing", "atLeastSeconds": seconds}}
        assert figures(people, given, window=today)["workInProgress"] == [count]


@pytest.mark.django_db(transaction=True)
def test_the_receipt_says_that_the_ledger_was_read(people: Cast) -> None:
    """A filter looks at every item; what it answers is replayed to the same bytes, and not kept for others."""
    three_tasks(people)
    folded(people)
    given = {
        "wasEver": {"state": "doing", "between": {"from": "2026-03-02T00:00:00Z", "to": "2026-03-05T00:00:00Z"}},
        "heldFor": {"state": "doing", "atLeastSeconds": 60},
    }
    for _ in range(2):
        receipt = figures(people, given)["receipt"]
        assert (receipt["readFrom"], receipt["note"], receipt["cached"]) == ("RAW", NOTE, False)
    assert receipt["digest"] != figures(people, None)["receipt"]["digest"]
    made(people.alice, title="Late", created=at(2), moves={at(3): "doing"})
    assert figures(people, given)["receipt"]["digest"] != receipt["digest"]
    assert digest_of(replayed(people.alice, receipt["token"])) == receipt["digest"]
    assert sql("SELECT count(*) FROM task_tail")[0][0] > 0


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"states": ["nowhere"]}, Refusal("NOT_FOUND", "filter.states: there is no state 'nowhere'.")),
        ({"project": "NONE"}, Refusal("NOT_FOUND", "filter.project: there is no project 'NONE'.")),
        (
            {"heldFor": {"state": "doing", "atLeastSeconds": -1}},
            Refusal("BAD_USER_INPUT", "filter.heldFor.atLeastSeconds: a time cannot be negative."),
        ),
        (
            {"assignee": encode_id(type_name="Actor", pk=2**31 - 1)},
            Refusal("NOT_FOUND", "filter.assignee: there is no such actor."),
        ),
    ],
)
def test_what_is_not_there_is_refused(people: Cast, given: dict, refusal: Refusal) -> None:
    assert figures(people, given) == refusal


@pytest.mark.parametrize("field", ["assignee", "changedBy"])
def test_figures_of_a_filtered_person_are_that_persons(people: Cast, field: str) -> None:
    """P77: a filter is no way around who may ask for one person's figures; nor is a token."""
    three_tasks(people)
    refused = f"filter.{field}: one person's figures are for that person, managers, admins and owners; leave it out."
    of_alice = {field: actor_id(people.alice)}
    assert figures(people, of_alice, person=people.bob) == Refusal("FORBIDDEN", refused)
    assert not isinstance(figures(people, {field: actor_id(people.bob)}, person=people.bob), Refusal)
    token = figures(people, of_alice)["receipt"]["token"]
    assert replayed(people.bob, token) == Refusal("FORBIDDEN", refused)
    Membership.objects.filter(user=people.bob.user).update(role=Role.MANAGER)
    people.bob.membership.refresh_from_db()
    assert not isinstance(figures(people, of_alice, person=people.bob), Refusal)
