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
from analytics.drift.arithmetic.stages import Flag, Side
from analytics.drift.controls import Basis, Capability, FailureKind, LegacyAnswer, LegacyFailure, registered
from analytics.drift.gate import decided
from analytics.drift.rollback import BACK, LEFT_AFTER, Drill, Served, drill, take_back_left
from analytics.drift.stages import Standing, changes, set_stage, stage_of
from analytics.models import DriftDrill, DriftDue, StageCause
from analytics.pure.canonical import digest
from analytics.pure.stages import Stage
from tasks_app.models import Tenant
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import Cast
from tests.tasks_app.recording import web_login

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
    registered()
    monkeypatch.setitem(rollback._olders, FLOW, OldSide())
    with web_login():
        yield


def switched(people: Cast, stage: Stage, *, tenant: Tenant | None = None) -> Standing:
    """Straight to a stage; Acme unless another tenant is named."""
    tenant_id = (tenant or people.acme.tenant).id
    with entered(tenant_id=tenant_id):
        before = stage_of(tenant_id=tenant_id, capability=FLOW)
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


def killed(people: Cast, *, before: Stage = Stage.RAMPDOWN, percent: int = 100) -> Standing:
    """The stage as a drill leaves it that is killed between its flip and its end."""
    with entered(tenant_id=people.acme.tenant.id, role=DatabaseRole.WORKER):
        at = stage_of(tenant_id=people.acme.tenant.id, capability=FLOW)
        wanted = Flag(stage=before, percent=percent, version=at.flag.version + 1)
        at = set_stage(at, wanted=wanted, reason="For a test.", cause=StageCause.ASKED, now=NOW)
        wanted = Flag(stage=BACK[before], percent=percent, version=at.flag.version + 1)
        return set_stage(at, wanted=wanted, reason=rollback.REASON, cause=StageCause.DRILL, now=NOW)


@pytest.mark.parametrize("stage", list(BACK))
def test_what_a_killed_drill_left_is_taken_back_by_the_worker(people: Cast, stage: Stage) -> None:
    """Not while it may still be under way; then once, the stage and its percentage, and it counts as a drill that failed."""
    acme = people.acme.tenant.id
    left = killed(people, before=stage, percent=40)
    assert take_back_left(now=NOW + timedelta(minutes=4, seconds=59)) == 0
    assert [take_back_left(now=NOW + LEFT_AFTER) for _ in range(2)] == [1, 0]
    assert standing_of(acme).flag == Flag(stage=stage, percent=40, version=left.flag.version + 1)
    with entered(tenant_id=acme, read_only=True):
        last = changes(tenant_id=acme)[0]
        assert (last.cause, last.reason) == (StageCause.DRILL, rollback.LEFT)
        kept = DriftDrill.objects.get()
        assert (kept.ok, kept.stage, json.loads(kept.detail)["problems"]) == (False, stage.value, [rollback.LEFT])


def test_nothing_is_taken_back_that_somebody_asked_for(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither after a drill that ended, nor where the stage was changed by hand after one that did not."""
    switched(people, Stage.SHADOW)
    drilled(people, Endpoint(), monkeypatch)
    killed(people)
    switched(people, Stage.SHADOW)
    assert take_back_left(now=NOW + timedelta(days=1)) == 0
    assert standing_of(people.acme.tenant.id).flag.stage is Stage.SHADOW


def test_the_next_drill_takes_back_what_the_last_one_left(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """It drills the stage that was, not the one that was left."""
    killed(people)
    monkeypatch.setitem(rollback._fronts, FLOW, Endpoint())
    made = drill(tenant_id=people.acme.tenant.id, capability=FLOW, now=NOW + LEFT_AFTER)
    assert (made.ok, made.before.flag.stage) == (True, Stage.RAMPDOWN)
    assert standing_of(people.acme.tenant.id).flag == Flag(stage=Stage.RAMPDOWN, percent=100, version=5)
    with entered(tenant_id=people.acme.tenant.id, read_only=True):
        assert [each.ok for each in DriftDrill.objects.order_by("id")] == [False, True]


def test_of_two_drills_at_once_the_second_is_refused(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would find the flipped stage, and restore that one. The first goes on as if nothing were."""
    switched(people, Stage.RAMPDOWN)
    refusals: list[str] = []

    def meanwhile(tenant_id: int) -> Standing:
        with pytest.raises(Refused) as refused:
            drill(tenant_id=tenant_id, capability=FLOW, now=NOW + timedelta(seconds=1))
        refusals.append(refused.value.message)
        return standing_of(tenant_id)

    made = drilled(people, Endpoint(find=meanwhile), monkeypatch)
    assert made.ok
    assert set(refusals) == {
        "A drill is under way since 12:00:00 UTC: wait for its end."
        " If it was killed, the stage is restored after 5 minutes."
    }
    assert standing_of(people.acme.tenant.id).flag == Flag(stage=Stage.RAMPDOWN, percent=100, version=3)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_a_drill_that_is_stopped_restores(
    people: Cast, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """Wherever it is: in the middle of a wait or of a probe. It is kept as one that failed."""

    def stop(_: int) -> Standing:
        raise error

    switched(people, Stage.RAMPDOWN)
    with pytest.raises(error):
        drilled(people, Endpoint(find=stop), monkeypatch)
    assert standing_of(people.acme.tenant.id).flag == Flag(stage=Stage.RAMPDOWN, percent=100, version=3)
    with entered(tenant_id=people.acme.tenant.id, read_only=True):
        assert json.loads(DriftDrill.objects.get().detail)["problems"] == [rollback.STOPPED]


def test_an_endpoint_or_an_older_side_that_does_not_answer_is_found_out(
    people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in a sentence of its own."""

    class Silent:
        def answer(self, *, tenant_id: int, days: int, now: datetime) -> LegacyFailure:
            return LegacyFailure(kind=FailureKind.TIMEOUT, reason="It is late.")

    def refuse(_: int) -> Standing:
        raise Refused("There is no such organisation.")

    switched(people, Stage.RAMPDOWN)
    assert drilled(people, Endpoint(find=refuse), monkeypatch).problems[0] == (
        "After the flip there was no answer for 1 days."
    )
    monkeypatch.setitem(rollback._olders, FLOW, Silent())
    made = drilled(people, Endpoint(), monkeypatch)
    assert made.problems[0] == "For 1 days there is nothing to compare with: It is late."


def test_a_midnight_between_two_looks_is_no_problem(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The older side gained a day after it had answered: the next answer has it."""
    switched(people, Stage.RAMPDOWN)
    bodies = iter([{**OLD, "days": []}])

    class Late:
        def answer(self, *, tenant_id: int, days: int, now: datetime) -> Served:
            found, body = standing_of(tenant_id), next(bodies, OLD)
            return Served(answered_by=found.answered_by, flag_version=found.flag.version, body=body)

    monkeypatch.setitem(rollback._fronts, FLOW, Late())
    made = drill(tenant_id=people.acme.tenant.id, capability=FLOW, now=NOW)
    assert (made.ok, made.probes) == (True, 4)


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

    assert drilled(people, Endpoint(find=late), monkeypatch).seconds > 19


def test_what_is_registered_before_the_first_use_holds(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The product's own endpoint is registered at the first use, and is not the last one then."""
    own, other = Endpoint(), Endpoint()
    monkeypatch.setattr(
        controls, "_to_register", [lambda: rollback.register_front(capability=FLOW, front=own, older=OldSide())]
    )
    monkeypatch.setitem(rollback._fronts, FLOW, own)
    rollback.register_front(capability=FLOW, front=other, older=OldSide())
    registered()
    assert rollback._fronts[FLOW] is other


def test_where_there_is_nothing_to_drill(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """OFF, COMPLETE, and a capability without an endpoint."""
    with pytest.raises(Refused, match="In OFF there is nothing"):
        drilled(people, Endpoint(), monkeypatch)
    switched(people, Stage.COMPLETE)
    with pytest.raises(Refused, match="In COMPLETE there is nothing"):
        drilled(people, Endpoint(), monkeypatch)
    with pytest.raises(Refused, match="no older endpoint"):
        drill(tenant_id=people.acme.tenant.id, capability=Capability.BILLING, now=NOW)


@pytest.mark.parametrize(
    ("stage", "tenant", "capability", "message"),
    [
        (
            Stage.OFF,
            "acme",
            "CUMULATIVE_FLOW",
            "In OFF there is nothing to go back from, and so nothing to drill: switch it",
        ),
        (
            Stage.COMPLETE,
            "acme",
            "CUMULATIVE_FLOW",
            "In COMPLETE there is nothing to drill: from there no way leads back.",
        ),
        (Stage.SHADOW, "acme", "BILLING", "BILLING has no older endpoint that could be drilled."),
        (Stage.SHADOW, "acme", "FLOW", "--capability: there is no 'FLOW'; there are CUMULATIVE_FLOW, BILLING"),
        (Stage.SHADOW, "nobody", "CUMULATIVE_FLOW", "There is no tenant 'nobody'."),
    ],
)
def test_the_command_says_what_cannot_be_drilled(
    people: Cast,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stage: Stage,
    tenant: str,
    capability: str,
    message: str,
) -> None:
    """In one sentence; nothing is printed and nothing changed."""
    monkeypatch.setitem(rollback._fronts, FLOW, Endpoint())
    if stage is not Stage.OFF:
        switched(people, stage)
    before = standing_of(people.acme.tenant.id)
    with pytest.raises(Refused) as refused:
        call_command("drill_rollback", "--tenant", tenant, "--capability", capability)
    assert refused.value.message.startswith(message)
    assert capsys.readouterr().out == ""
    assert standing_of(people.acme.tenant.id).flag == before.flag
    with entered(tenant_id=people.acme.tenant.id, read_only=True):
        assert not DriftDrill.objects.exists()


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
