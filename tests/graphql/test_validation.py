"""Waits for a validation over the API, and who may see whose."""

from collections.abc import Sequence
from typing import Any

import pytest

from tasks_app.operations import tasks as operations
from tasks_app.operations.projects import StateSpec, create_project
from tests.cast import Cast, Person, cast
from tests.graphql.march import NOW, at
from tests.graphql.proofs import asked, digest_of, replayed, working

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = 3600.0
SPECS = [
    StateSpec(name="Doing", category="IN_PROGRESS"),
    StateSpec(name="Review", category="IN_PROGRESS", needs_validation=True),
    StateSpec(name="Done", category="DONE"),
]
WAITS = (
    "validation { state { slug } validator { name } validated unapproved waiting p50Seconds p85Seconds meanSeconds }"
)


def reviewed(person: Person, *, created: int, validators: Sequence[tuple[Person, int]]) -> None:
    """A task that waits in Review from nine o'clock of a day of March, and is validated at an hour of that day."""
    with working(person) as (tenant_id, _):
        task = operations.create_task(
            tenant_id=tenant_id, project="REV", title="One", state="review", happened_at=at(created), now=NOW
        )
    for validator, hour in validators:
        with working(validator) as (tenant_id, me):
            operations.validate_task(
                tenant_id=tenant_id, task=task.key, actor_id=me, happened_at=at(created, hour), now=NOW
            )


@pytest.fixture
def people(db: Any) -> Cast:
    """Alice validated after two hours and after four, Bob after one; one task waits."""
    people = cast()
    with working(people.alice) as (tenant_id, _):
        create_project(tenant_id=tenant_id, key="REV", name="Reviews", timezone="UTC", states=SPECS)
    reviewed(people.alice, created=2, validators=[(people.alice, 11)])
    reviewed(people.alice, created=3, validators=[(people.alice, 13), (people.bob, 14)])
    reviewed(people.alice, created=4, validators=[(people.bob, 10)])
    reviewed(people.alice, created=5, validators=[])
    return people


def row(validator: str | None, *, validated: int, waiting: int, hours: tuple[float, float, float]) -> dict[str, Any]:
    """One row of the answer."""
    p50, p85, mean = (number * HOUR for number in hours)
    return {
        "state": {"slug": "review"},
        "validator": validator and {"name": validator},
        "validated": validated,
        "unapproved": 0,
        "waiting": waiting,
        "p50Seconds": p50,
        "p85Seconds": p85,
        "meanSeconds": pytest.approx(mean),
    }


ALL = row(None, validated=3, waiting=1, hours=(2, 4, 7 / 3))
OF_ALICE = row("Alice", validated=2, waiting=0, hours=(2, 4, 3))
OF_BOB = row("Bob", validated=1, waiting=0, hours=(1, 1, 1))


def test_by_validator_for_those_who_may_know(people: Cast) -> None:
    """P33: nearest rank. A member sees the row of all and their own."""
    of_owner = asked(people.alice, project="REV", selection=WAITS)["validation"]
    of_member = asked(people.bob, project="REV", selection=WAITS)["validation"]
    assert of_owner == [ALL, OF_ALICE, OF_BOB]
    assert of_member == [ALL, OF_BOB]


@pytest.mark.parametrize("source", ["RAW", "MERGED"])
def test_the_receipt_is_the_same_for_both(people: Cast, source: str) -> None:
    """P4: one figure, whoever looks; replayed, it has the same digest, and the ledger rows that were read are counted."""
    arguments: dict[str, Any] = {
        "project": "REV",
        "from": source,
        "selection": f"{WAITS} receipt {{ digest token rawRows }}",
    }
    one, other = asked(people.alice, **arguments)["receipt"], asked(people.bob, **arguments)["receipt"]
    assert one["digest"] == other["digest"] == digest_of(replayed(people.alice, one["token"]))
    assert one["rawRows"] == 4 + 4  # four tasks were created, and four times validated
