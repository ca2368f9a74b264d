"""The whole way of a switch, by evidence alone: from OFF to COMPLETE over the API, and no way back from there."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import call_command

from analytics.drift import store
from analytics.drift.arithmetic.verdicts import Verdict
from analytics.drift.capabilities import DECLARED
from analytics.drift.controls import Basis, control_of
from analytics.drift.demotion import step_back
from analytics.drift.experiment import Question, compare
from analytics.drift.rollback import drill
from analytics.models import DriftDue, DriftGate, DriftStageChange
from analytics.pure.canonical import digest
from analytics.switching import FLOW
from tasks_app.models import Tenant
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, entered
from tests.graphql.client import Asker, new_key, with_key
from tests.legacy.replay import ZONE, Replay, replayed
from tests.legacy.test_contract import CFD, body, get
from tests.legacy.test_switching import today
from tests.tasks_app.recording import web_login

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = 9  # any nine days have a Saturday with its Sunday among them
A_DAY = 334
STAGES = ("OFF", "SHADOW", "LIVE_WITH_SHADOW", "RAMPDOWN", "COMPLETE")
READ = (
    "{ dualRun { stages { stage flagVersion stale } gate(capability: CUMULATIVE_FLOW) { nextStage passes reasons } } }"
)


@pytest.fixture
def lived() -> Replay:
    """Two days with a board that moves, and their midnights."""
    return replayed(slug="lived", days=2, moves=4, first=today() - timedelta(days=2))


def asker(lived: Replay) -> Asker:
    """Whoever may switch."""
    return with_key(new_key(tenant_id=lived.tenant_id))


def set_stage(asker: Asker, stage: str, **given: object) -> Any:
    asked = {"capability": "CUMULATIVE_FLOW", "stage": stage, "reason": "It is proven.", **given}
    return asker.mutate("setStage", "stage { stage flagVersion } gate { passes reasons }", **asked)


def who_answers(lived: Replay) -> list[str]:
    """Of the older endpoint, over HTTP."""
    response = get(f"{CFD}?days=3", Tenant.objects.get(pk=lived.tenant_id))
    body(response, shape="cfd.v1")
    return [response[name] for name in ("X-Answered-By", "X-Stage", "X-Flag-Version")]


def proven(lived: Replay) -> None:
    """3,006 comparisons over nine days with a weekend, none of which differs, as the worker keeps them; and a drill."""
    now = datetime.now(UTC)  # noqa: TID251 - the gate looks at the days before now
    question = Question(
        tenant_id=lived.tenant_id,
        slug=lived.slug,
        zone=ZONE,
        days=3,
        asked_at=now,
        stage="SHADOW",
        flag_version=1,
        stratum="days<=7",
    )
    one = compare(declaration=DECLARED[FLOW], control=control_of(FLOW), question=question, chance=Random(1), now=now)
    assert (one.finding.verdict, one.basis) == (Verdict.MATCH, Basis.KNOWN)
    with entered(tenant_id=lived.tenant_id, role=DatabaseRole.WORKER):
        for number in range(DAYS * A_DAY):
            at = now - timedelta(days=number % DAYS)
            store.keep(replace(one, question=replace(question, asked_at=at)), now=at)
    with web_login():
        assert drill(tenant_id=lived.tenant_id, capability=FLOW, now=now).ok


def evidence(lived: Replay, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command prints."""
    call_command("export_evidence", "--tenant", lived.slug, "--capability", FLOW.value, *arguments)
    return capsys.readouterr().out


def test_by_evidence_alone_and_one_way(lived: Replay, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Each step is refused until it is proven and taken without an override then; after the last one nothing moves."""
    alice = asker(lived)
    assert who_answers(lived) == ["LEGACY", "OFF", "0"]
    assert set_stage(alice, "SHADOW")["errors"] == []
    refused = set_stage(alice, "LIVE_WITH_SHADOW")
    assert (refused["stage"], len(refused["gate"]["reasons"])) == (None, 3)
    proven(lived)
    for stage in STAGES[2:]:
        gate = alice.data(READ)["dualRun"]["gate"]
        assert gate == {"nextStage": stage, "passes": True, "reasons": []}
        taken = set_stage(alice, stage)
        assert (taken["errors"], taken["stage"]["stage"]) == ([], stage)
        assert who_answers(lived)[:2] == ["CANONICAL", stage]
    changes = DriftStageChange.objects.filter(tenant_id=lived.tenant_id)
    assert not changes.filter(overridden=True).exists()
    settled, version = changes.count(), who_answers(lived)[2]
    for stage in STAGES:
        for given in ({}, {"override": True}, {"percent": 50, "override": True}):
            after = set_stage(alice, stage, **given)
            assert after["stage"] is None
            assert [(each["message"], each["path"]) for each in after["errors"]] == [
                ("The switch is complete, and there is no way back from there.", ["input", "stage"])
            ]
    assert (changes.count(), who_answers(lived)) == (settled, ["CANONICAL", "COMPLETE", version])
    _takes_no_other_way_back(lived)
    _keeps_its_evidence(lived, evidence(lived, capsys))
    file = tmp_path / "evidence.json"
    assert evidence(lived, capsys, "--to", str(file)) == ""
    _keeps_its_evidence(lived, file.read_text(encoding="utf-8"))


def _takes_no_other_way_back(lived: Replay) -> None:
    """Neither a drill nor a breach; and nothing is owed any more."""
    now = datetime.now(UTC)  # noqa: TID251
    with pytest.raises(Refused):
        drill(tenant_id=lived.tenant_id, capability=FLOW, now=now)
    assert step_back(lived.tenant_id, FLOW, now) is None
    before = DriftDue.objects.count()
    who_answers(lived)
    assert DriftDue.objects.count() == before


def _keeps_its_evidence(lived: Replay, text: str) -> None:
    """What the command hands over, and what was kept with the last decision, are proof of their own digest."""
    for told in (text, DriftGate.objects.filter(tenant_id=lived.tenant_id).exclude(evidence="").get().evidence):
        found = json.loads(told)
        assert found["stage"] == "COMPLETE"
        assert found["digest"] == digest({name: value for name, value in found.items() if name != "digest"})
        asked = [each["stage"] for each in found["changes"] if each["cause"] == "ASKED"]
        assert asked == list(STAGES[1:])
        assert sum(each["comparisons"] for each in found["counts"]) == DAYS * A_DAY
        assert [each["ok"] for each in found["drills"]] == [True]
