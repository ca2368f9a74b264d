"""Stages over the API: what the gate says, what is refused, who may switch, and what receipts say of it."""

from typing import Any

import pytest

from analytics.models import DriftGate, DriftStageChange
from tasks_app.models import Actor
from tests.cast import Cast, cast
from tests.graphql.client import Asker, new_key, with_key, with_session

pytestmark = pytest.mark.django_db(transaction=True)

STAGE = "stage { capability stage percent flagVersion changedAt changedBy { name } reason stale }"
GATE = "gate { capability nextStage passes reasons evaluatedAt inputsDigest }"
READ = f"{{ dualRun {{ {STAGE.replace('stage {', 'stages {', 1)} gate(capability: CUMULATIVE_FLOW) {GATE[5:]} }} }}"
RECEIPT = """{ analytics(window: {rolling: {count: 3, unit: DAY}}) { receipt { answeredBy stage flagVersion }
    cumulativeFlow { series { counts } } } }"""


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


@pytest.fixture
def alice(people: Cast) -> Asker:
    """Acme's owner, signed in."""
    return with_session(people.alice.user)


def set_stage(asker: Asker, stage: str, **given: object) -> Any:
    asked = {"capability": "CUMULATIVE_FLOW", "stage": stage, "reason": "It is time.", **given}
    return asker.mutate("setStage", f"{STAGE} {GATE}", **asked)


def test_a_switch_from_off_to_live(alice: Asker, people: Cast) -> None:
    """OFF at first; SHADOW without proof; further only with an override, which the ledger keeps with its reason."""
    before = alice.data(READ)["dualRun"]
    (off,) = before["stages"]
    assert (off["capability"], off["stage"], off["flagVersion"]) == ("CUMULATIVE_FLOW", "OFF", 0)
    first = Actor.objects.filter(tenant=people.acme.tenant).earliest("id")
    assert off["changedBy"] == {"name": first.name}
    assert (before["gate"]["nextStage"], before["gate"]["passes"], before["gate"]["reasons"]) == ("SHADOW", True, [])
    shadow = set_stage(alice, "SHADOW", reason="Let us see.")
    assert (shadow["errors"], shadow["stage"]["flagVersion"], shadow["stage"]["reason"]) == ([], 1, "Let us see.")
    assert (shadow["stage"]["changedBy"]["name"], shadow["gate"]["passes"]) == ("Alice", True)
    refused = set_stage(alice, "LIVE_WITH_SHADOW")
    (error,) = refused["errors"]
    assert (refused["stage"], error["code"], error["path"]) == (None, "BAD_USER_INPUT", ["input", "stage"])
    assert (refused["gate"]["passes"], len(refused["gate"]["reasons"])) == (False, 3)
    assert all(reason in error["message"] for reason in refused["gate"]["reasons"])
    now = alice.data(READ)["dualRun"]
    assert (now["stages"][0]["stage"], now["gate"]["reasons"]) == ("SHADOW", refused["gate"]["reasons"])
    assert now["gate"]["inputsDigest"] == refused["gate"]["inputsDigest"]
    live = set_stage(alice, "LIVE_WITH_SHADOW", override=True, reason="Trust me.", percent=25)
    assert (live["errors"], live["stage"]["stage"], live["stage"]["percent"]) == ([], "LIVE_WITH_SHADOW", 25)
    assert list(DriftStageChange.objects.order_by("seq").values_list("overridden", flat=True)) == [False, True]
    assert list(DriftGate.objects.order_by("id").values_list("passes", flat=True)) == [True, False, False]
    receipt = alice.data(RECEIPT)["analytics"]["receipt"]
    assert receipt == {"answeredBy": "CANONICAL", "stage": "LIVE_WITH_SHADOW", "flagVersion": 2}


def test_what_is_refused_changes_nothing(alice: Asker) -> None:
    """Expected failures are data, with the place that they are about."""
    for stage, given, path in (
        ("OFF", {}, ["input", "stage"]),
        ("RAMPDOWN", {}, ["input", "stage"]),
        ("SHADOW", {"reason": " "}, ["input", "reason"]),
        ("SHADOW", {"percent": 101}, ["input", "percent"]),
        ("SHADOW", {"capability": "BILLING"}, ["input", "capability"]),
    ):
        found = set_stage(alice, stage, **given)
        assert (found["stage"], [each["path"] for each in found["errors"]]) == (None, [path]), stage
    assert DriftStageChange.objects.count() == 0


def test_the_same_mutation_again_answers_the_same(alice: Asker) -> None:
    """Under the client's name for it, within 24 hours."""
    first, again = (set_stage(alice, "SHADOW", clientMutationId="one") for _ in range(2))
    assert first == again
    assert DriftStageChange.objects.count() == 1


def test_stages_are_one_tenants_and_its_administrators(people: Cast, alice: Asker) -> None:
    """P62: Globex sees nothing of Acme's switch; a member may look and not switch; so may a key without ADMIN."""
    set_stage(alice, "SHADOW")
    carol, bob = with_session(people.carol.user), with_session(people.bob.user)
    assert carol.data(READ)["dualRun"]["stages"][0]["stage"] == "OFF"
    assert bob.data(READ)["dualRun"]["stages"][0]["stage"] == "SHADOW"
    query = 'mutation { setStage(input: {capability: CUMULATIVE_FLOW, stage: OFF, reason: "x"}) { errors { code } } }'
    reader = with_key(new_key(tenant_id=people.acme.tenant.id, scopes=["ANALYTICS_READ"]))
    assert {bob.error(query)[0], reader.error(query)[0]} == {"FORBIDDEN"}
