"""The dual run over the API, asked by those who should not: three tenants, stolen ids, and input that makes no sense."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from analytics.drift.controls import Basis, Capability
from analytics.models import DriftComparison, DriftCount, DriftStage
from tasks_app.http.node import encode_id
from tasks_app.models import Scope, Tenant
from tests.cast import cast
from tests.graphql.client import Asker, new_key, with_key

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime.now(UTC)  # noqa: TID251 - the API's windows end today
NAMES = ("acme", "globex", "initech")
WINDOW = "{rolling: {count: 7, unit: DAY}}"
ALL = f"""query ($after: String) {{ dualRun {{
    stages {{ capability stage percent flagVersion changedBy {{ name }} reason }}
    gate(capability: CUMULATIVE_FLOW) {{ reasons inputsDigest }}
    parity(capability: CUMULATIVE_FLOW, window: {WINDOW}) {{ attempts worstStratum byVerdict {{ verdict count }} }}
    comparisons(first: 50, after: $after) {{ totalCount edges {{ cursor node {{
        id reason signature ledgerPosition computationDrift }} }} }} }} }}"""
SET = "stage { stage flagVersion reason changedBy { name } } gate { passes reasons }"


def secret_of(name: str) -> str:
    """Words that are one tenant's alone."""
    return f"words-of-{name}"


def compared(tenant: Tenant, *, count: int) -> int:
    """Comparisons with the tenant's words wherever there can be any; the id of one."""
    words = secret_of(tenant.slug)
    shared: dict[str, Any] = {
        "tenant": tenant,
        "capability": Capability.CUMULATIVE_FLOW.value,
        "stratum": words,
        "verdict": "DRIFT",
        "signature": words,
        "basis": Basis.KNOWN.value,
    }
    made = DriftComparison.objects.bulk_create(
        DriftComparison(
            **shared,
            reason=words,
            definition="flow/1",
            stage="SHADOW",
            flag_version=1,
            asked_at=NOW,
            compared_at=NOW,
            position=words,
            legacy_ms=1,
            candidate_ms=1,
            ours_first=False,
            detail=json.dumps({"computation": [{"path": words, "kind": "VALUE", "ours": 1, "theirs": 2}]}),
        )
        for _ in range(count)
    )
    DriftCount.objects.create(**shared, day=NOW.date(), comparisons=count, last_at=NOW)
    return int(made[0].id)


@pytest.fixture
def askers(db: Any) -> Mapping[str, Asker]:
    """Whoever may do everything in Acme, in Globex, in Initech. Each has another number of comparisons."""
    people = cast()
    initech = Tenant.objects.create(slug="initech", name="Initech", timezone="UTC")
    tenants = {"acme": people.acme.tenant, "globex": people.globex.tenant, "initech": initech}
    for count, tenant in enumerate(tenants.values(), start=2):
        compared(tenant, count=count)
    return {name: with_key(new_key(tenant_id=tenant.id)) for name, tenant in tenants.items()}


def set_stage(asker: Asker, stage: str = "SHADOW", **given: object) -> Any:
    asked = {"capability": "CUMULATIVE_FLOW", "stage": stage, "reason": "It is time.", **given}
    return asker.mutate("setStage", SET, **asked)


def foreign(name: str) -> list[str]:
    return [secret_of(other) for other in NAMES if other != name]


def assert_only(name: str, text: str) -> None:
    """The words of no other tenant, nor what it is called."""
    for word in (*foreign(name), *(other for other in NAMES if other != name)):
        assert word not in text, word


def test_each_sees_its_own_and_nobody_elses(askers: Mapping[str, Asker], caplog: pytest.LogCaptureFixture) -> None:
    """P62: each root field of the dual run, after each has switched with words of its own."""
    for name, asker in askers.items():
        assert set_stage(asker, reason=secret_of(name))["errors"] == []
    for count, (name, asker) in enumerate(askers.items(), start=2):
        caplog.clear()
        answer = asker.post(ALL)
        text = answer.content.decode()
        found = answer.json()["data"]["dualRun"]
        assert (found["comparisons"]["totalCount"], found["parity"]["attempts"]) == (count, count)
        assert found["stages"][0]["reason"] == secret_of(name)
        assert_only(name, text)
        assert_only(name, caplog.text)


def test_whoever_never_switched_is_one_of_the_tenants_own(askers: Mapping[str, Asker]) -> None:
    """An id that is the same for all would be a row of them all."""
    seen = {name: asker.data("{ dualRun { stages { changedBy { id } } } }") for name, asker in askers.items()}
    ids = {name: found["dualRun"]["stages"][0]["changedBy"]["id"] for name, found in seen.items()}
    assert len(set(ids.values())) == len(NAMES)


def test_what_was_stolen_opens_nothing(askers: Mapping[str, Asker], caplog: pytest.LogCaptureFixture) -> None:
    """P62: ids and cursors of others; an id that is another's reads as one that there is not."""
    globex = askers["globex"]
    pages = {name: asker.data(ALL)["dualRun"]["comparisons"] for name, asker in askers.items()}
    ids = [edge["node"]["id"] for edge in pages["acme"]["edges"]] + [encode_id(type_name="Comparison", pk=2**62)]
    caplog.clear()
    asked = "query ($id: ID!) { node(id: $id) { id ... on Comparison { reason } } }"
    assert {globex.error(asked, id=each) for each in ids} == {("NOT_FOUND", "id: there is nothing with this id.")}
    for name in ("acme", "initech"):
        for edge in pages[name]["edges"]:
            answer = globex.post(ALL, after=edge["cursor"])
            assert_only("globex", answer.content.decode())
    assert_only("globex", caplog.text)


def test_a_key_with_another_tenants_name_switches_nothing(askers: Mapping[str, Asker]) -> None:
    """Not read, not switched; and one tenant's name for a mutation is not the other's."""
    thief = Asker(headers={**askers["globex"].headers, "X-Tenant": "acme"})
    refused = thief.post(ALL)
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    for name, asker in askers.items():
        made = set_stage(asker, reason=secret_of(name), clientMutationId="one")
        assert (made["errors"], made["stage"]["reason"]) == ([], secret_of(name))
    assert DriftStage.objects.filter(stage="SHADOW", version=1).count() == len(NAMES)


def test_who_may_read_may_not_switch(askers: Mapping[str, Asker]) -> None:
    """A key without ADMIN, and one without ANALYTICS_READ."""
    acme = Tenant.objects.get(slug="acme")
    reader = with_key(new_key(tenant_id=acme.id, scopes=[Scope.ANALYTICS_READ]))
    stranger = with_key(new_key(tenant_id=acme.id, scopes=[Scope.TASKS_READ]))
    mutation = (
        'mutation { setStage(input: {capability: CUMULATIVE_FLOW, stage: SHADOW, reason: "x"}) { errors { code } } }'
    )
    assert [each.error(mutation)[0] for each in (reader, stranger)] == ["FORBIDDEN", "FORBIDDEN"]
    assert stranger.error(ALL)[0] == "FORBIDDEN"
    assert not DriftStage.objects.exists()


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"reason": "a\x00b"}, "reason"),
        ({"reason": "\ud800"}, "reason"),
        ({"reason": "x" * 1_001}, "reason"),
        ({"reason": "\u200b \n"}, "reason"),
        ({"percent": -1}, "percent"),
        ({"percent": 2_000_000_000}, "percent"),
        ({"capability": "SAMPLES"}, "capability"),
        ({"clientMutationId": "x\x00"}, "clientMutationId"),
        ({"clientMutationId": "x" * 10_000}, "clientMutationId"),
    ],
)
def test_input_that_makes_no_sense_is_an_error_with_its_place(
    askers: Mapping[str, Asker], given: Mapping[str, object], path: str
) -> None:
    """As data or as a GraphQL error, never INTERNAL; nothing is switched."""
    asked = {"capability": "CUMULATIVE_FLOW", "stage": "SHADOW", "reason": "It is time.", **given}
    query = (
        "mutation ($input: SetStageInput!) { setStage(input: $input) { stage { stage } errors { code path message } } }"
    )
    answer = askers["acme"].answer(query, input=asked)
    if "errors" in answer:
        (error,) = answer["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT", error
    else:
        (error,) = answer["data"]["setStage"]["errors"]
        assert (error["code"], error["path"]) == ("BAD_USER_INPUT", ["input", path])
    assert not DriftStage.objects.exists()


@pytest.mark.parametrize(
    "field",
    [
        "comparisons(first: 501) { totalCount }",
        "comparisons(first: -1) { totalCount }",
        "comparisons { totalCount }",
        'comparisons(first: 1, after: "x") { totalCount }',
        'comparisons(first: 1, after: "' + "A" * 5_000 + '") { totalCount }',
        "comparisons(first: 1, capability: NOTHING) { totalCount }",
        'parity(capability: CUMULATIVE_FLOW, window: {from: "2026-03-02T00:00:00Z", to: "2026-03-01T00:00:00Z"}) { attempts }',
        'parity(capability: CUMULATIVE_FLOW, window: {from: "0001-01-01T00:00:00Z", to: "9999-12-31T00:00:00Z"}) { attempts }',
        "parity(capability: CUMULATIVE_FLOW, window: {rolling: {count: 0, unit: DAY}}) { attempts }",
        "parity(capability: CUMULATIVE_FLOW, window: {rolling: {count: 2000000000, unit: YEAR}}) { attempts }",
        "gate(capability: cumulative_flow) { passes }",
    ],
)
def test_questions_that_make_no_sense_are_refused(askers: Mapping[str, Asker], field: str) -> None:
    """With a sentence; none is INTERNAL."""
    answer = askers["acme"].answer(f"{{ dualRun {{ {field} }} }}")
    codes = {error["extensions"]["code"] for error in answer["errors"]}
    assert codes <= {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED", "LIMIT_EXCEEDED"}, answer
    assert_only("acme", json.dumps(answer))


def test_of_what_has_no_older_side_there_is_nothing(askers: Mapping[str, Asker]) -> None:
    """Capabilities that will join: asked for, they are empty and closed, and not an error."""
    for capability in ("BILLING", "SEVERITY_TREND", "COMPLIANCE_TREND", "SAMPLES"):
        found = askers["acme"].data(
            f"""{{ dualRun {{ gate(capability: {capability}) {{ passes reasons }}
            parity(capability: {capability}, window: {WINDOW}) {{ attempts parity }}
            comparisons(first: 5, capability: {capability}) {{ totalCount }} }} }}"""
        )["dualRun"]
        assert (found["gate"]["passes"], len(found["gate"]["reasons"])) == (False, 1)
        assert (found["parity"], found["comparisons"]) == ({"attempts": 0, "parity": None}, {"totalCount": 0})
