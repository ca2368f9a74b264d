"""Switches in the database: one statement a change, a ledger that nobody writes by hand, the gate, the way back."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from analytics.drift.arithmetic.stages import Side
from analytics.drift.arithmetic.verdicts import Verdict
from analytics.drift.controls import Basis, Capability
from analytics.drift.demotion import stale_all, step_back
from analytics.drift.evidence import evidence
from analytics.drift.gate import Decision, GateRefused, Wish, decided, kept, switch
from analytics.drift.stages import Standing, changes, current, stage_of, stale
from analytics.models import DriftComparison, DriftCount, DriftDrill, DriftGate, DriftStage, StageCause
from analytics.pure.canonical import digest
from analytics.pure.stages import Stage
from tasks_app.models import Actor
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import Cast
from tests.tasks_app.recording import refused, web_login

FLOW = Capability.CUMULATIVE_FLOW
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def as_the_web(people: Cast) -> Iterator[None]:
    """What a request may, and no more."""
    with web_login():
        yield


def looked_at(people: Cast, *, now: datetime = NOW) -> tuple[Standing, Decision]:
    standing = stage_of(tenant_id=people.acme.tenant.id, capability=FLOW)
    return standing, decided(standing=standing, zone="UTC", now=now)


def switched(
    people: Cast, stage: Stage, *, overrides: bool = False, reason: str = "It is time.", percent: int = 100
) -> Standing:
    """As Alice asks for it, in a request."""
    with entered(tenant_id=people.acme.tenant.id, actor_id=people.alice.actor.id):
        standing, decision = looked_at(people)
        wish = Wish(stage=stage, percent=percent, reason=reason, overrides=overrides)
        return switch(standing=standing, wish=wish, decision=decision, now=NOW)


def proven(people: Cast) -> None:
    """3,000 matches over ten days, and a drill, as the worker writes them."""
    with entered(tenant_id=people.acme.tenant.id, role=DatabaseRole.WORKER):
        DriftCount.objects.bulk_create(
            DriftCount(
                tenant=people.acme.tenant,
                capability=FLOW.value,
                day=(NOW - timedelta(days=number)).date(),
                stratum="days<=31",
                basis=Basis.KNOWN.value,
                verdict=Verdict.MATCH.value,
                comparisons=300,
                last_at=NOW,
            )
            for number in range(10)
        )
        DriftDrill.objects.create(
            tenant=people.acme.tenant, capability=FLOW.value, stage="SHADOW", drilled_at=NOW, ok=True, seconds=1.5
        )


def test_each_change_has_its_version_and_its_row(people: Cast) -> None:
    """Nobody switched: OFF, version 0. Then who, why, from where to where."""
    with entered(tenant_id=people.acme.tenant.id, read_only=True):
        assert stage_of(tenant_id=people.acme.tenant.id, capability=FLOW).flag.version == 0
        assert current(tenant_id=people.acme.tenant.id) == []
    assert switched(people, Stage.SHADOW).flag.version == 1
    assert switched(people, Stage.LIVE_WITH_SHADOW, overrides=True, reason="Trust me.").answered_by is Side.CANONICAL
    with entered(tenant_id=people.acme.tenant.id, role=DatabaseRole.AUDITOR, read_only=True):
        last, first = changes(tenant_id=people.acme.tenant.id)
        assert (first.before.stage, first.flag.stage, first.overridden) == (Stage.OFF, Stage.SHADOW, False)
        assert (last.before.stage, last.flag.stage, last.overridden) == (Stage.SHADOW, Stage.LIVE_WITH_SHADOW, True)
        assert (last.actor_id, last.reason, last.version) == (people.alice.actor.id, "Trust me.", 2)
        assert current(tenant_id=people.acme.tenant.id) == [last]
        assert stale(tenant_id=people.acme.tenant.id, now=NOW + timedelta(days=91)) == [last]
    with entered(tenant_id=people.globex.tenant.id, read_only=True):
        assert stage_of(tenant_id=people.globex.tenant.id, capability=FLOW).flag.version == 0
    assert [stale_all(now=NOW + timedelta(days=days)) for days in (90, 91)] == [0, 1]


def test_the_gate_is_asked_and_what_it_said_is_kept(people: Cast) -> None:
    """Refused without proof, with every reason; taken with it. The digest can be taken again of what was kept."""
    switched(people, Stage.SHADOW)
    with pytest.raises(GateRefused, match=r"LIVE_WITH_SHADOW is refused: .* not proven by 0 .* drill"):
        switched(people, Stage.LIVE_WITH_SHADOW)
    proven(people)
    assert switched(people, Stage.LIVE_WITH_SHADOW).flag.stage is Stage.LIVE_WITH_SHADOW
    with entered(tenant_id=people.acme.tenant.id, read_only=True):
        last, first = kept(tenant_id=people.acme.tenant.id, capability=FLOW)
        assert (first.stage, last.stage, last.next_stage, last.passes) == ("OFF", "SHADOW", "LIVE_WITH_SHADOW", True)
        assert (last.reasons, last.inputs_digest) == ([], digest(last.inputs))
        assert looked_at(people)[1].gate == looked_at(people)[1].gate


def test_steps_that_are_refused_change_nothing(people: Cast) -> None:
    """No reason, a stage left out, the same again, a capability without an older side."""
    for stage, reason, words in (
        (Stage.SHADOW, " ", "give one"),
        (Stage.SHADOW, "x" * 1_001, "at most 1,000"),
        (Stage.RAMPDOWN, "Quick.", "after OFF comes SHADOW"),
        (Stage.OFF, "Again.", "already"),
    ):
        with pytest.raises(Refused, match=words):
            switched(people, stage, reason=reason)
    with entered(tenant_id=people.acme.tenant.id):
        standing = stage_of(tenant_id=people.acme.tenant.id, capability=Capability.BILLING)
        decision = decided(standing=standing, zone="UTC", now=NOW)
        assert not decision.gate.passes
        with pytest.raises(Refused, match="no older answer"):
            switch(
                standing=standing, wish=Wish(stage=Stage.SHADOW, percent=100, reason="x"), decision=decision, now=NOW
            )
    with entered(tenant_id=people.acme.tenant.id, read_only=True):
        assert changes(tenant_id=people.acme.tenant.id) == []


def test_whoever_was_slower_changes_nothing(people: Cast) -> None:
    """Two read the same version; the second one is told."""
    with entered(tenant_id=people.acme.tenant.id, actor_id=people.alice.actor.id):
        standing, decision = looked_at(people)
        wish = Wish(stage=Stage.SHADOW, percent=100, reason="Mine.")
        switch(standing=standing, wish=wish, decision=decision, now=NOW)
        with pytest.raises(Refused, match="Somebody else"):
            switch(standing=standing, wish=wish, decision=decision, now=NOW)


def test_complete_is_one_way_and_keeps_its_evidence(people: Cast) -> None:
    """Even for raw SQL; the evidence has a digest that can be taken again."""
    for stage in (Stage.SHADOW, Stage.LIVE_WITH_SHADOW, Stage.RAMPDOWN, Stage.COMPLETE):
        standing = switched(people, stage, overrides=True)
    with pytest.raises(Refused, match="no way back"):
        switched(people, Stage.RAMPDOWN, overrides=True)
    with entered(tenant_id=people.acme.tenant.id, actor_id=people.alice.actor.id):
        refused("UPDATE drift_stage SET stage = 'OFF', version = version + 1", because="no way back")
        found = json.loads(DriftGate.objects.exclude(evidence="").get().evidence)
        again = evidence(standing=standing, zone="Europe/Stockholm", now=NOW)
    told = {name: value for name, value in found.items() if name != "digest"}
    assert found["digest"] == digest(told)
    assert [each["stage"] for each in found["changes"]] == ["SHADOW", "LIVE_WITH_SHADOW", "RAMPDOWN", "COMPLETE"]
    assert len(again["gates"]) == 4


def test_the_ledger_of_stages_cannot_be_forged(people: Cast) -> None:
    """No row by hand, none changed, none removed; a version neither repeated nor left out; no stage unheard of."""
    switched(people, Stage.SHADOW)
    with entered(tenant_id=people.acme.tenant.id, actor_id=people.alice.actor.id, role=DatabaseRole.WORKER):
        for statement, because in (
            ("UPDATE drift_stage SET version = version", "grows by one"),
            ("UPDATE drift_stage SET version = version + 2", "grows by one"),
            ("UPDATE drift_stage SET stage = 'ON', version = version + 1", "drift_stage_known"),
            ("UPDATE drift_stage SET percent = 101, version = version + 1", "drift_stage_percent"),
            ("DELETE FROM drift_stage", "permission denied"),
            ("UPDATE drift_stage_change SET reason = ''", "permission denied"),
            ("DELETE FROM drift_gate", "permission denied"),
            ("UPDATE drift_drill SET ok = true", "permission denied"),
        ):
            refused(statement, because=because)
        assert DriftStage.objects.get().version == 1


def wrong(people: Cast, *, version: int, at: datetime, count: int = 3) -> None:
    """Answers that differed, made under that version of the flag."""
    with entered(tenant_id=people.acme.tenant.id, role=DatabaseRole.WORKER):
        DriftComparison.objects.bulk_create(
            DriftComparison(
                tenant=people.acme.tenant,
                capability=FLOW.value,
                stratum="days<=31",
                verdict=Verdict.DRIFT.value,
                definition="flow/1",
                basis=Basis.KNOWN.value,
                stage="RAMPDOWN",
                flag_version=version,
                asked_at=at,
                compared_at=at,
                legacy_ms=1,
                candidate_ms=1,
                ours_first=False,
            )
            for _ in range(count)
        )


def test_a_breach_takes_one_tenant_one_stage_back(people: Cast) -> None:
    """Not twice for the same answers, and not again at once; the ledger names the job, and the gate stays closed."""
    acme = people.acme.tenant.id
    for stage in (Stage.SHADOW, Stage.LIVE_WITH_SHADOW, Stage.RAMPDOWN):
        switched(people, stage, overrides=True)
    assert step_back(acme, FLOW, NOW) is None
    wrong(people, version=3, at=NOW)
    taken = step_back(acme, FLOW, NOW)
    assert taken is not None
    assert (taken.flag.stage, taken.flag.version) == (Stage.LIVE_WITH_SHADOW, 4)
    assert step_back(acme, FLOW, NOW) is None
    later = NOW + timedelta(minutes=4)
    wrong(people, version=4, at=later)
    assert step_back(acme, FLOW, later) is None
    assert step_back(people.globex.tenant.id, FLOW, later) is None
    taken = step_back(acme, FLOW, NOW + timedelta(minutes=5))
    assert taken is not None
    assert (taken.flag.stage, taken.answered_by) == (Stage.SHADOW, Side.LEGACY)
    with entered(tenant_id=acme, read_only=True):
        last = changes(tenant_id=acme)[0]
        assert (last.cause, Actor.objects.get(id=last.actor_id).name) == (StageCause.BREACH, "dual run")
        assert last.reason == "3 of 3 answers compared within an hour differ, the latest within five minutes."
        assert "taken back for a breach" in " ".join(looked_at(people)[1].gate.reasons)
