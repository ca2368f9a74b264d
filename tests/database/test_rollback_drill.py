"""The drill of the way back, with endpoints that do as they should and endpoints that do not."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from analytics.drift import controls, due, rollback
from analytics.drift.controls import Basis, Capability, LegacyAnswer
from analytics.drift.gate import decided
from analytics.drift.rollback import Drill, Served, drill
from analytics.drift.stages import Standing, changes, set_stage, stage_of
from analytics.models import DriftDrill, DriftDue, StageCause
from analytics.pure.canonical import digest
from analytics.pure.drift.stages import Flag, Side, Stage
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import Cast
from tests.database.recording import web_login

FLOW = Capability.CUMULATIVE_FLOW
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
OLD = {"version": 1, "days": [{"date": "2026-03-10", "todo": 1}]}


class OldSide:
    """An older side that always says the same."""

    def answer(self, *, tenant_id: int, days: int, now: datetime) -> LegacyAnswer:
        """See Control."""
        return LegacyAnswer(body=OLD, status=200, as_of=now, basis=Basis.KNOWN)


def standing_of(tenant_id: int) -> Standing:
    with entered(tenant_id=tenant_id, read_only=True):
        return stage_of(tenant_id=tenant_id, capability=FLOW)


@dataclass
class Endpoint:
    """The older endpoint: it reads the stage with each request, unless it is told how to find it."""

    find: Callable[[int], Standing] = standing_of
    old: dict[str, Any] = field(default_factory=lambda: dict(OLD))

    def answer(self, *, tenant_id: int, days: int, now: datetime) -> Served:
        """See Front."""
        found = self.find(tenant_id)
        body = self.old if found.answered_by is Side.LEGACY else {"version": 1, "days": []}
        return Served(answered_by=found.answered_by, flag_version=found.flag.version, body=body)


@pytest.fixture(autouse=True)
def as_the_web(people: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An older side is there, and nobody is more than the web's login."""
    monkeypatch.setitem(controls._registered, FLOW, OldSide())
    with web_login():
        yield


def switched(people: Cast, stage: Stage) -> Standing:
    """Straight to a stage."""
    with entered(tenant_id=people.acme.tenant.id, actor_id=people.alice.actor.id):
        before = stage_of(tenant_id=people.acme.tenant.id, capability=FLOW)
        wanted = Flag(stage=stage, percent=100, version=before.flag.version + 1)
        return set_stage(before, wanted=wanted, reason="For a test.", cause=StageCause.ASKED, now=NOW)


def drilled(people: Cast, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Drill:
    monkeypatch.setitem(rollback._fronts, FLOW, endpoint)
    return drill(tenant_id=people.acme.tenant.id, capability=FLOW, now=NOW)


@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.LIVE_WITH_SHADOW, Stage.RAMPDOWN])
def test_a_drill_goes_back_and_restores(people: Cast, monkeypatch: pytest.MonkeyPatch, stage: Stage) -> None:
    """Every probe is the older answer under the new version; what was owed keeps its stage; the gate knows of the drill."""
    acme = people.acme.tenant.id
    before = switched(people, stage)
    with entered(tenant_id=acme):
        due.owe(tenant_id=acme, capability=FLOW, days=7, stage=stage, flag_version=1, asked_at=NOW)
    made = drilled(people, Endpoint(), monkeypatch)
    assert (made.ok, made.problems, made.probes, made.pinned) == (True, [], 4, 1)
    assert made.seconds < 60
    with entered(tenant_id=acme, read_only=True):
        after = stage_of(tenant_id=acme, capability=FLOW)
        assert (after.flag.stage, after.flag.version) == (stage, before.flag.version + 2)
        assert [each.cause for each in changes(tenant_id=acme)] == [
            StageCause.DRILL,
            StageCause.DRILL,
            StageCause.ASKED,
        ]
        assert len({each.cache_key for each in (before, made.flipped, after)}) == 3
        assert (DriftDue.objects.get().stage, DriftDue.objects.get().flag_version) == (stage.value, 1)
        kept = DriftDrill.objects.get()
        assert (kept.ok, kept.stage, kept.drilled_at) == (True, stage.value, NOW)
        reasons = decided(standing=after, zone="UTC", now=NOW).gate.reasons
        assert not any("drill" in reason for reason in reasons)


def test_an_endpoint_that_remembers_the_stage_is_found_out(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stale cache goes on answering by the new path. The drill is kept as one that failed, and proves nothing."""
    before = switched(people, Stage.RAMPDOWN)
    made = drilled(people, Endpoint(find=lambda _: before), monkeypatch)
    assert made.problems[0] == "After the flip CANONICAL answered for 1 days under version 1."
    assert (made.ok, len(made.problems)) == (False, 4)
    after = standing_of(people.acme.tenant.id)
    assert after.flag.stage is Stage.RAMPDOWN
    with entered(tenant_id=people.acme.tenant.id, read_only=True):
        assert not DriftDrill.objects.get().ok
        assert any("there was none yet" in each for each in decided(standing=after, zone="UTC", now=NOW).gate.reasons)


def test_an_answer_that_is_not_the_older_sides_is_found_out(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that it is, and is not."""
    switched(people, Stage.LIVE_WITH_SHADOW)
    made = drilled(people, Endpoint(old={**OLD, "days": []}), monkeypatch)
    assert made.problems[0] == "For 1 days the answer is not that of the older side."


def test_what_was_changed_during_a_drill_stays(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever switches meanwhile counts for more than the drill."""
    switched(people, Stage.RAMPDOWN)
    taken: list[Standing] = []

    def meanwhile(tenant_id: int) -> Standing:
        found = standing_of(tenant_id)
        if not taken:
            taken.append(switched(people, Stage.OFF))
        return found

    made = drilled(people, Endpoint(find=meanwhile), monkeypatch)
    assert "The stage was changed during the drill, and stays as it is now." in made.problems
    assert standing_of(people.acme.tenant.id).flag == taken[0].flag


def test_a_late_answer_of_the_old_version_is_measured(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that some process gave under the old version after the flip counts, whoever gave it."""
    acme = people.acme.tenant.id
    before = switched(people, Stage.LIVE_WITH_SHADOW)

    def late(tenant_id: int) -> Standing:
        found = standing_of(tenant_id)
        with entered(tenant_id=acme):
            due.owe(
                tenant_id=acme,
                capability=FLOW,
                days=7,
                stage=before.flag.stage,
                flag_version=before.flag.version,
                asked_at=datetime.now(UTC) + timedelta(seconds=20),  # noqa: TID251 - the drill goes by the server's clock
            )
        return found

    assert 19 < drilled(people, Endpoint(find=late), monkeypatch).seconds < 60


def test_where_there_is_nothing_to_drill(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """OFF, COMPLETE, and a capability without an endpoint."""
    with pytest.raises(Refused, match="In OFF there is nothing"):
        drilled(people, Endpoint(), monkeypatch)
    switched(people, Stage.COMPLETE)
    with pytest.raises(Refused, match="In COMPLETE there is nothing"):
        drilled(people, Endpoint(), monkeypatch)
    with pytest.raises(Refused, match="no older endpoint"):
        drill(tenant_id=people.acme.tenant.id, capability=Capability.BILLING, now=NOW)


def test_the_commands(people: Cast, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The drill prints how long and whether; the evidence has a digest, and overwrites nothing."""
    monkeypatch.setitem(rollback._fronts, FLOW, Endpoint())
    switched(people, Stage.SHADOW)
    asked = ("--tenant", "acme", "--capability", "CUMULATIVE_FLOW")
    out = StringIO()
    call_command("drill_rollback", *asked, stdout=out)
    printed = json.loads(out.getvalue())
    assert (list(printed), printed["ok"]) == (["seconds", "ok"], True)
    file = tmp_path / "evidence.json"
    call_command("export_evidence", *asked, "--to", str(file))
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found.pop("digest") == digest(found)
    assert [each["cause"] for each in found["changes"]] == ["ASKED", "DRILL", "DRILL"]
    assert [each["ok"] for each in found["drills"]] == [True]
    with pytest.raises(Refused, match="cannot be written"):
        call_command("export_evidence", *asked, "--to", str(file))
    with pytest.raises(Refused, match="there is no 'X'"):
        call_command("drill_rollback", "--tenant", "acme", "--capability", "X")
    with entered(tenant_id=people.acme.tenant.id, role=DatabaseRole.AUDITOR, read_only=True):
        assert DriftDrill.objects.count() == 1
