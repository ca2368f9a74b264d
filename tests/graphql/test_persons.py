"""Throughput, the state graph and the figures of one person; who may ask for these."""

from typing import Any

import pytest

from tasks_app.http.node import encode_id
from tasks_app.models import Actor, Membership, Role, Scope
from tasks_app.operations import tasks as operations
from tasks_app.tenancy import entered
from tests.cast import Cast, Person, cast
from tests.graphql.client import new_key, with_key
from tests.graphql.in_process import Refusal, ask
from tests.graphql.march import NOW, at, made

FIGURES = """query ($assignee: ID, $actor: ID) {
    analytics(project: "WEB", window: {between: {from: "2026-03-02T00:00:00Z", to: "2026-03-06T00:00:00Z"}}, bucket: DAY,
              assignee: $assignee, actor: $actor) {
      workInProgress cumulativeFlow { arrivals departures }
      throughput { finished finishEvents cancelled } transitions { from { slug } to { slug } count medianSeconds }
      receipt { digest rawRows } } }"""
WIP = """query ($assignee: ID, $actor: ID) {
    analytics(window: {rolling: {count: 1, unit: DAY}}, bucket: DAY, assignee: $assignee, actor: $actor) { workInProgress } }"""
DAY = 86400.0


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


def id_of(person: Person) -> str:
    """The person's id as the API has it."""
    return encode_id(type_name="Actor", pk=person.actor.id)


def of(argument: str, actor_id: str | None) -> dict[str, Any]:
    """The variables of a question about somebody."""
    return {argument: actor_id}


def forbidden(argument: str) -> Refusal:
    """What those hear who may not ask for one person."""
    sentence = f"{argument}: one person's figures are for that person, managers, admins and owners; leave it out."
    return Refusal("FORBIDDEN", sentence)


def edges(answer: Any) -> list[tuple[str | None, str | None, int, float | None]]:
    """The state graph by slugs."""
    return [
        (edge["from"] and edge["from"]["slug"], edge["to"] and edge["to"]["slug"], edge["count"], edge["medianSeconds"])
        for edge in answer["transitions"]
    ]


def test_throughput_and_the_state_graph(people: Cast) -> None:
    """P24, P33: by the instants of the facts; edges in the order of the workflow, arrivals first."""
    made(people.alice, title="One", created=at(2), moves={at(3): "doing", at(4): "done", at(5): "doing"})
    made(people.alice, title="Two", created=at(2), moves={at(4): "done"})
    made(people.alice, title="Three", created=at(2), moves={at(5): "cancelled"})
    answer = ask(people.alice, FIGURES, now=NOW)["analytics"]
    assert answer["throughput"] == {
        "finished": [0, 0, 1, 0],
        "finishEvents": [0, 0, 2, 0],
        "cancelled": [0, 0, 0, 1],
    }
    assert edges(answer) == [
        (None, "todo", 3, None),
        ("todo", "doing", 1, DAY),
        ("todo", "done", 1, 2 * DAY),
        ("todo", "cancelled", 1, 3 * DAY),
        ("doing", "done", 1, DAY),
        ("done", "doing", 1, DAY),
    ]


def test_the_state_graph_alone_has_its_rows_and_a_digest(people: Cast) -> None:
    """P4: a median of a fraction of a second has a canonical form, too."""
    made(people.alice, title="One", created=at(2), moves={at(3).replace(microsecond=7): "doing"})
    query = """{ analytics(window: {between: {from: "2026-03-02T00:00:00Z", to: "2026-03-06T00:00:00Z"}}) {
        transitions { medianSeconds } receipt { rawRows digest } } }"""
    answer = ask(people.alice, query, now=NOW)["analytics"]
    assert answer["transitions"] == [{"medianSeconds": None}, {"medianSeconds": DAY + 0.000007}]
    assert answer["receipt"]["rawRows"] == 2
    assert ask(people.alice, query, now=NOW)["analytics"]["receipt"]["digest"] == answer["receipt"]["digest"]


def test_the_figures_of_one_person(people: Cast) -> None:
    """What Bob held since the third, and what Alice changed."""
    key = made(people.alice, title="One", created=at(2), moves={at(4): "doing"})
    tenant_id, actor_id = people.acme.tenant.id, people.alice.actor.id
    with entered(tenant_id=tenant_id, actor_id=actor_id):
        operations.assign_task(
            tenant_id=tenant_id,
            task=key,
            assignee_id=people.bob.actor.id,
            actor_id=actor_id,
            happened_at=at(3),
            now=NOW,
        )
    held = ask(people.alice, FIGURES, now=NOW, assignee=id_of(people.bob))["analytics"]
    assert held["workInProgress"] == [0, 0, 1, 1]
    assert held["cumulativeFlow"]["arrivals"] == [0, 1, 0, 0]
    assert edges(held) == [(None, "todo", 1, None), ("todo", "doing", 1, DAY)]
    changed = ask(people.alice, FIGURES, now=NOW, actor=id_of(people.alice))["analytics"]
    assert changed["workInProgress"] == [None, None, None, None]
    assert changed["cumulativeFlow"]["arrivals"] == [1, 0, 0, 0]
    assert edges(changed) == [(None, "todo", 1, None), ("todo", "doing", 1, 2 * DAY)]
    nothing = ask(people.alice, FIGURES, now=NOW, actor=id_of(people.bob))["analytics"]
    assert (nothing["cumulativeFlow"]["arrivals"], nothing["transitions"]) == ([0, 0, 0, 0], [])


@pytest.mark.parametrize("argument", ["assignee", "actor"])
def test_who_is_not_there_is_not_found(people: Cast, argument: str) -> None:
    """P72: another tenant's actor is as good as none, and so is an id of something else."""
    for stranger in (id_of(people.carol), encode_id(type_name="Task", pk=1), "", "x"):
        refusal = ask(people.alice, WIP, **of(argument, stranger))
        assert refusal == Refusal("NOT_FOUND", f"{argument}: there is no such actor.")
    assert ask(people.alice, WIP, **of(argument, None))["analytics"] == {"workInProgress": [0]}


def test_one_of_the_two_at_a_time(people: Cast) -> None:
    both = ask(people.alice, WIP, assignee=id_of(people.bob), actor=id_of(people.bob))
    sentence = "actor: give assignee, for the items held, or actor, for the changes made, not both."
    assert both == Refusal("BAD_USER_INPUT", sentence)


@pytest.mark.parametrize("argument", ["assignee", "actor"])
@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.OWNER, True), (Role.ADMIN, True), (Role.MANAGER, True), (Role.MEMBER, False), (Role.AUDITOR, False)],
)
def test_who_may_ask_for_somebody_else(people: Cast, argument: str, role: Role, may: bool) -> None:
    """P77: managers and above; everybody for themselves."""
    membership = Membership.objects.get(tenant_id=people.acme.tenant.id, user=people.bob.user)
    membership.role = role
    membership.save()
    bob = Person(user=people.bob.user, membership=membership, actor=people.bob.actor)
    of_alice = ask(bob, WIP, **of(argument, id_of(people.alice)))
    assert (of_alice != forbidden(argument)) is may
    assert not isinstance(ask(bob, WIP, **of(argument, id_of(bob))), Refusal)


@pytest.mark.django_db(transaction=True)
def test_an_owned_key_asks_as_its_owner(people: Cast, as_web_login: None) -> None:
    """P77: a member's key for the member and for itself, an owner's for anybody."""
    tenant_id = people.acme.tenant.id
    mine = with_key(new_key(tenant_id=tenant_id, owner=people.bob.user))
    with entered(tenant_id=tenant_id):
        key_actor = Actor.objects.get(tenant_id=tenant_id, api_key__isnull=False)
    assert mine.error(WIP, actor=id_of(people.alice))[0] == "FORBIDDEN"
    assert "errors" not in mine.answer(WIP, actor=id_of(people.bob))
    assert "errors" not in mine.answer(WIP, actor=encode_id(type_name="Actor", pk=key_actor.id))
    owners = with_key(new_key(tenant_id=tenant_id, owner=people.alice.user, scopes=["ANALYTICS_READ"]))
    assert "errors" not in owners.answer(WIP, actor=id_of(people.bob))


@pytest.mark.django_db(transaction=True)
def test_a_service_key_needs_the_scope_admin(people: Cast, as_web_login: None) -> None:
    """P77: it is nobody, and so not that person either."""
    tenant_id = people.acme.tenant.id
    reader = with_key(new_key(tenant_id=tenant_id, scopes=["ANALYTICS_READ"]))
    code, message = reader.error(WIP, assignee=id_of(people.bob))
    assert Refusal(code, message) == forbidden("assignee")
    admin = with_key(new_key(tenant_id=tenant_id, scopes=[Scope.ANALYTICS_READ, Scope.ADMIN]))
    assert "errors" not in admin.answer(WIP, assignee=id_of(people.bob))
