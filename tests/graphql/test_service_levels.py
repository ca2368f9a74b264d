"""Service levels as the API tells them, and as answers over HTTP are counted."""

from typing import Any

import pytest

from tasks_app.observing.counting import Counts
from tasks_app.observing.judging import Verdict
from tasks_app.observing.rows import write
from tests.cast import Cast, cast
from tests.graphql.client import new_key, with_key
from tests.graphql.in_process import ask
from tests.graphql.proofs import clock

pytestmark = pytest.mark.django_db(transaction=True)

LEVELS = (
    "{ operations { serviceLevels { name description objective withinSeconds windowDays good valid attained"
    " attainedSeconds burnRate budgetLeft } } }"
)


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


def levels(person: Any) -> dict[str, Any]:
    """By name."""
    return {each["name"]: each for each in ask(person, LEVELS)["operations"]["serviceLevels"]}


def test_before_anything_was_counted(people: Cast) -> None:
    found = levels(people.alice)
    assert list(found) == [
        "availability",
        "freshness",
        "latency_summary",
        "latency_synchronous",
        "latency_asynchronous",
    ]
    assert found["latency_summary"] == {
        "name": "latency_summary",
        "description": "Summaries that were answered in time, of those that were answered.",
        "objective": 0.95,
        "withinSeconds": 0.3,
        "windowDays": 30,
        "good": 0,
        "valid": 0,
        "attained": None,
        "attainedSeconds": None,
        "burnRate": None,
        "budgetLeft": None,
    }


def test_what_was_counted_is_the_tenants_own(people: Cast) -> None:
    """Another tenant's failures are nobody's business."""
    counts = Counts()
    for number in range(400):
        counts.add(tenant_id=people.acme.tenant.id, verdicts=[Verdict("availability", number > 0)], now=clock())
    counts.add(tenant_id=people.globex.tenant.id, verdicts=[Verdict("availability", False)], now=clock())
    write(counts)
    mine = levels(people.alice)["availability"]
    assert (mine["good"], mine["valid"], mine["attained"]) == (399, 400, 0.9975)
    assert (round(mine["burnRate"], 9), round(mine["budgetLeft"], 9)) == (0.5, 0.5)
    theirs = levels(people.carol)["availability"]
    assert (theirs["good"], theirs["valid"], theirs["attained"], theirs["burnRate"]) == (0, 1, 0.0, None)


def test_how_fast_it_was_is_told_beside_how_often_in_time(people: Cast) -> None:
    """95 % of the answers took up to 0.2 s, whatever the limit is."""
    counts = Counts()
    times = [0.01] * 90 + [0.15] * 5 + [2.5] * 5
    for seconds in times:
        verdict = Verdict("latency_synchronous", seconds <= 2, seconds)
        counts.add(tenant_id=people.acme.tenant.id, verdicts=[verdict], now=clock())
    write(counts)
    found = levels(people.alice)["latency_synchronous"]
    assert (found["attained"], found["attainedSeconds"]) == (0.95, 0.2)


def test_they_need_the_scope_of_analytics(people: Cast) -> None:
    asker = with_key(new_key(tenant_id=people.acme.tenant.id, scopes=["TASKS_READ"]))
    assert asker.error(LEVELS)[0] == "FORBIDDEN"
