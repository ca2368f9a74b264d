"""The dual run over the API: parity, comparisons, and nobody else's."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from analytics.drift import store
from analytics.drift.arithmetic.comparing import Difference, Kind, Place
from analytics.drift.arithmetic.verdicts import Finding, Verdict
from analytics.drift.capabilities import DECLARED
from analytics.drift.controls import Capability, FailureKind, LegacyAnswer, LegacyFailure
from analytics.drift.experiment import Comparison, Question, compare
from analytics.models import DriftComparison
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import Cast, cast
from tests.graphql.client import with_session

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime.now(UTC)  # noqa: TID251 - the API's window ends today
PARITY = """{ dualRun { parity(capability: CUMULATIVE_FLOW, window: {rolling: {count: 7, unit: DAY}}) {
    attempts conclusive parity lowerBound coverage legacyErrors worstStratum byVerdict { verdict count } } } }"""
PAGE = """query ($first: Int, $after: String, $verdict: Verdict) { dualRun {
    comparisons(first: $first, after: $after, verdict: $verdict, capability: CUMULATIVE_FLOW) {
      totalCount pageInfo { hasNextPage endCursor }
      edges { node {
        id capability verdict reason legacyAsOf ledgerPosition computationDrift freshnessDelta noise signature } } } } }"""
TOLD = """{ dualRun {
    signatures(capability: CUMULATIVE_FLOW, window: {rolling: {count: 7, unit: DAY}}) { name comparisons lastAt sentence }
    remarks(capability: CUMULATIVE_FLOW, window: {rolling: {count: 7, unit: DAY}}) } }"""


class Nobody:
    """An older side that is not there."""

    def answer(self, *, tenant_id: int, days: int, now: datetime) -> LegacyAnswer | LegacyFailure:
        """See Control."""
        return LegacyFailure(kind=FailureKind.UNREACHABLE, reason="Nobody answers.")


def kept(people: Cast, *findings: Finding) -> None:
    """Comparisons of Acme with these findings."""
    tenant = people.acme.tenant
    question = Question(
        tenant_id=tenant.id,
        slug=tenant.slug,
        zone=tenant.timezone,
        days=30,
        asked_at=NOW,
        stage="SHADOW",
        flag_version=1,
        stratum="days<=31",
    )
    flow = DECLARED[Capability.CUMULATIVE_FLOW]
    made: Comparison = compare(declaration=flow, control=Nobody(), question=question, chance=Random(1), now=NOW)
    assert made.finding.verdict is Verdict.LEGACY_ERROR
    with entered(tenant_id=tenant.id, role=DatabaseRole.WORKER):
        for finding in findings:
            store.keep(replace(made, finding=finding), now=NOW + timedelta(0))


MATCH = Finding(verdict=Verdict.MATCH, reason=None)
DIFFERENCE = Place().into("days").at("2026-03-01").into("todo").differs(Kind.VALUE, 3, 4)
DRIFT = Finding(verdict=Verdict.DRIFT, reason="days[2026-03-01].todo: ours is 3, theirs 4.", differences=[DIFFERENCE])
ERROR = Finding(verdict=Verdict.LEGACY_ERROR, reason="Nobody answers.")


def test_parity_and_comparisons_of_ones_own_tenant() -> None:
    """P62: Acme sees what it compared, page by page; Globex has nothing, and finds nothing by id."""
    people = cast()
    kept(people, MATCH, MATCH, MATCH, DRIFT, ERROR)
    alice, carol = with_session(people.alice.user), with_session(people.carol.user)
    found = alice.data(PARITY)["dualRun"]["parity"]
    assert (found["attempts"], found["conclusive"], found["parity"], found["coverage"]) == (5, 4, 0.75, 0.8)
    assert found["lowerBound"] == pytest.approx(0.2486, abs=1e-4)
    assert (found["worstStratum"], found["legacyErrors"]) == ("days<=31", 0.2)
    assert {each["verdict"]: each["count"] for each in found["byVerdict"] if each["count"]} == {
        "MATCH": 3,
        "DRIFT": 1,
        "LEGACY_ERROR": 1,
    }
    page = alice.data(PAGE, first=2)["dualRun"]["comparisons"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (5, True)
    error, drift = (edge["node"] for edge in page["edges"])
    assert (error["verdict"], error["reason"]) == ("LEGACY_ERROR", "Nobody answers.")
    assert drift["computationDrift"] == [{"path": "days[2026-03-01].todo", "kind": "VALUE", "ours": 3, "theirs": 4}]
    assert drift["signature"] == "CUMULATIVE_FLOW flow/1 days[].todo VALUE"
    rest = alice.data(PAGE, first=9, after=page["pageInfo"]["endCursor"])["dualRun"]["comparisons"]
    assert [edge["node"]["verdict"] for edge in rest["edges"]] == ["MATCH"] * 3
    only = alice.data(PAGE, first=9, verdict="DRIFT")["dualRun"]["comparisons"]
    assert [edge["node"]["id"] for edge in only["edges"]] == [drift["id"]]
    by_id = f'{{ node(id: "{drift["id"]}") {{ id ... on Comparison {{ verdict }} }} }}'
    assert alice.data(by_id)["node"] == {"id": drift["id"], "verdict": "DRIFT"}
    assert carol.error(by_id) == ("NOT_FOUND", "id: there is nothing with this id.")
    assert carol.data(PAGE, first=9)["dualRun"]["comparisons"]["totalCount"] == 0
    assert carol.data(PARITY)["dualRun"]["parity"]["parity"] is None


def test_causes_of_drift_have_a_sentence() -> None:
    """P62: for people, with the number of comparisons; Globex has none of Acme's."""
    people = cast()
    kept(people, MATCH, DRIFT, DRIFT, ERROR)
    found = with_session(people.alice.user).data(TOLD)["dualRun"]
    assert found["signatures"] == [
        {
            "name": "CUMULATIVE_FLOW flow/1 days[].todo VALUE",
            "comparisons": 2,
            "lastAt": found["signatures"][0]["lastAt"],
            "sentence": "The night of 2026-03-01 differs from the ledger: the older side has 1 todo too many;"
            " the ledger has no change in the day that ended with it.",
        }
    ]
    assert found["remarks"] == [
        "3 of 3 conclusive comparisons assume when the older side counted, which does not say so: they open no gate."
    ]
    assert with_session(people.carol.user).data(TOLD)["dualRun"] == {"signatures": [], "remarks": []}


LIST = Place().into("days")


@pytest.mark.parametrize(
    ("difference", "sentence"),
    [
        (
            LIST.at("2026-03-01").differs(Kind.MISSING, None, None),
            "The night of 2026-03-01 differs from the ledger: the older side has something that ours lacks;"
            " the ledger has no change in the day that ended with it.",
        ),
        (
            LIST.differs(Kind.ORDER, None, None),
            "The answers differ as a whole: the older side has another order.",
        ),
    ],
    ids=["a night as a whole", "no single night"],
)
def test_a_cause_that_is_in_no_number_has_a_sentence(difference: Difference, sentence: str) -> None:
    people = cast()
    kept(people, Finding(verdict=Verdict.DRIFT, reason="It differs.", differences=[difference]))
    (found,) = with_session(people.alice.user).data(TOLD)["dualRun"]["signatures"]
    assert found["sentence"] == sentence


def test_a_cause_outlives_its_comparisons() -> None:
    """Counts are kept for longer than what they count."""
    people = cast()
    kept(people, DRIFT)
    with entered(tenant_id=people.acme.tenant.id, role=DatabaseRole.WORKER):
        DriftComparison.objects.all().delete()
    (found,) = with_session(people.alice.user).data(TOLD)["dualRun"]["signatures"]
    assert found["comparisons"] == 1
    assert found["sentence"].startswith("Its comparisons are not kept any more; the last was of 20")
