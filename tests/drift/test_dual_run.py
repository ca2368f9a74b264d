"""The dual run: scripted days, an older system that counts at midnight and sometimes sleeps, and what comparing them says."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django_q.models import Schedule

from analytics.drift import controls, due, store
from analytics.drift.arithmetic.comparing import Place
from analytics.drift.arithmetic.verdicts import Direction, Rule, Verdict, judged
from analytics.drift.capabilities import declaration_of
from analytics.drift.controls import Basis, Capability, Control, FailureKind, LegacyAnswer, LegacyFailure, register
from analytics.drift.experiment import Comparison, Question, compare
from analytics.drift.rules import add_rule
from analytics.engine.rollups.compact import compact, owners
from analytics.jobs import due_runs
from analytics.jobs.clock import read_clock
from analytics.models import DriftComparison, DriftCount, DriftDue
from tasks_app.models import Tenant
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import company
from tests.drift.old_counts import FIRST, ZONE, OldSystem, counted, days_from, midnight, scripted
from tests.flow.loading import Loaded, seeded

pytestmark = pytest.mark.django_db
FLOW = declaration_of(Capability.CUMULATIVE_FLOW)
assert FLOW is not None
DAYS = 30
NOW = midnight(FIRST + timedelta(days=DAYS)) + timedelta(hours=9)


class Always(Random):
    """Chance that always says yes: ours first, theirs asked twice."""

    def random(self) -> float:
        """The least."""
        return 0.0


@dataclass
class Scene:
    """A tenant with a scripted history, and the older system beside it."""

    loaded: Loaded
    old: OldSystem

    def question(self, *, days: int = DAYS, at: datetime = NOW) -> Question:
        """As if it had been asked at that instant."""
        return Question(
            tenant_id=self.loaded.tenant_id,
            slug=self.old.slug,
            zone=ZONE,
            days=days,
            asked_at=at,
            stage="SHADOW",
            flag_version=1,
            stratum="days<=31",
        )

    def compared(self, control: Control | None = None, *, chance: Random | None = None, **asked: Any) -> Comparison:
        """One comparison, with the older system unless told otherwise."""
        assert FLOW is not None
        return compare(
            declaration=FLOW,
            control=control or self.old,
            question=self.question(**asked),
            chance=chance or Random(1),
            now=NOW,
        )


@pytest.fixture
def scene(db: Any) -> Scene:
    """30 days, the change of clocks among them."""
    history = scripted(days=DAYS)
    loaded = seeded(history)
    return Scene(loaded=loaded, old=OldSystem(history=history, slug=Tenant.objects.get(id=loaded.tenant_id).slug))


def by_verdict(comparison: Comparison) -> dict[Verdict, int]:
    found = [each.verdict for each in comparison.findings.values()]
    return {verdict: found.count(verdict) for verdict in dict.fromkeys(found)}


@pytest.mark.parametrize("folded", [False, True])
def test_each_day_on_which_the_job_ran_is_a_match(scene: Scene, folded: bool) -> None:
    """P50: no drift on any day, the change of clocks included; what changed since the cut-off is what the script changed."""
    if folded:
        compact(now=NOW, tenant_id=scene.loaded.tenant_id)
    found = scene.compared()
    assert found.finding.verdict is Verdict.MATCH, found.finding.reason
    assert by_verdict(found) == {Verdict.MATCH: DAYS}
    assert (found.basis, found.signature) == (Basis.KNOWN, "")
    for day in days_from(FIRST + timedelta(days=1), DAYS - 1):
        begin, end = midnight(day), midnight(day + timedelta(days=1))
        then = counted(scene.old.history, cut=begin, known=begin)
        today = counted(scene.old.history, cut=end, known=NOW + timedelta(days=9))
        gained = {kind: today[kind] - then[kind] for kind in then if today[kind] != then[kind]}
        assert dict(found.freshness.get(day.isoformat(), {})) == gained, day


def test_a_day_that_the_job_slept_through_is_never_a_match(scene: Scene) -> None:
    """Three nights without a job: three errors of the older side, and the other days match all the same."""
    scene.old.slept = days_from(FIRST + timedelta(days=10), 3)
    found = scene.compared()
    assert by_verdict(found) == {Verdict.MATCH: DAYS - 3, Verdict.LEGACY_ERROR: 3}
    assert found.finding.verdict is Verdict.LEGACY_ERROR
    assert found.finding.reason == "The older side has nothing for 2025-03-27. So it is for 3 of 30 elements."


def test_history_that_was_invented_is_drift_on_the_days_that_were_invented(scene: Scene) -> None:
    """The backfill counts the board as it is, and writes that under the days that were slept through."""
    nights = days_from(FIRST + timedelta(days=10), 3)
    scene.old.invented = dict.fromkeys(nights, midnight(FIRST + timedelta(days=28)))
    found = scene.compared()
    assert {key for key, each in found.findings.items() if each.verdict is Verdict.DRIFT} == {
        night.isoformat() for night in nights
    }
    assert by_verdict(found) == {Verdict.MATCH: DAYS - 3, Verdict.DRIFT: 3}
    assert found.signature.startswith("CUMULATIVE_FLOW flow/1 days[].")


def test_asked_just_before_and_just_after_midnight(scene: Scene) -> None:
    """P51: before the job had its hour the new day is owed by nobody, and what was asked before midnight stays so."""
    newest = FIRST + timedelta(days=20)
    for moment in (timedelta(microseconds=-1), timedelta(0), timedelta(minutes=5)):
        assert scene.compared(at=midnight(newest) + moment, days=7).finding.verdict is Verdict.MATCH
    scene.old.slept = [newest]
    assert scene.compared(at=midnight(newest) + timedelta(minutes=5), days=7).finding.verdict is Verdict.MATCH
    assert scene.compared(at=midnight(newest) + timedelta(hours=2), days=7).finding.verdict is Verdict.LEGACY_ERROR


def test_a_cut_off_that_is_known_only_roughly(scene: Scene) -> None:
    """The job ran some minutes late, and says that it may have."""
    day = FIRST + timedelta(days=20)
    late = midnight(day) + timedelta(hours=15)
    assert counted(scene.old.history, cut=late, known=late) != counted(
        scene.old.history, cut=midnight(day), known=midnight(day)
    )
    scene.old.said[day.isoformat()] = counted(scene.old.history, cut=late, known=late)

    class Rough(OldSystem):
        def answer(self, **asked: Any) -> LegacyAnswer | LegacyFailure:
            found = super().answer(**asked)
            assert isinstance(found, LegacyAnswer)
            return replace(found, uncertain_by=timedelta(hours=16))

    assert scene.compared().finding.verdict is Verdict.DRIFT
    found = scene.compared(Rough(**vars(scene.old)))
    assert found.findings[day.isoformat()].verdict is Verdict.WITHIN_TOLERANCE
    assert found.finding.verdict is Verdict.WITHIN_TOLERANCE


@dataclass
class Says:
    """An older side that says the same whatever it is asked, or raises it."""

    said: LegacyAnswer | LegacyFailure | Exception

    def answer(self, *, tenant_id: int, days: int, now: datetime) -> LegacyAnswer | LegacyFailure:
        """See Control."""
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


def body(change: Callable[[dict[str, Any]], object]) -> Callable[[LegacyAnswer], LegacyAnswer]:
    """The answer with its body changed."""

    def changed(answer: LegacyAnswer) -> LegacyAnswer:
        copy = json.loads(json.dumps(answer.body))
        change(copy)
        return replace(answer, body=copy)

    return changed


SPOILED: Mapping[str, Callable[[LegacyAnswer], Any]] = {
    "500": lambda answer: replace(answer, status=500),
    "another tenant's": body(lambda found: found.update(organisation="globex")),
    "no days": body(lambda found: found.pop("days")),
    "an empty list": body(lambda found: found.update(days=[])),
    "NaN": body(lambda found: found["days"][3].update(todo=float("nan"))),
    "null": body(lambda found: found["days"][3].update(todo=None)),
    "true": body(lambda found: found["days"][3].update(todo=True)),
    "a negative count": body(lambda found: found["days"][3].update(todo=-1)),
    "another order": body(lambda found: found["days"].reverse()),
    "a day twice": body(lambda found: found["days"].insert(1, found["days"][0])),
    "no dates": body(lambda found: found["days"][2].update(date="yesterday")),
    "raises": lambda answer: RuntimeError("boom"),
    "unreachable": lambda answer: LegacyFailure(kind=FailureKind.UNREACHABLE, reason="Nobody answers."),
}


@pytest.mark.parametrize("how", SPOILED)
def test_bad_input_is_a_verdict_with_its_reason(scene: Scene, how: str) -> None:
    """Never an exception, never a match, and nobody's numbers but the tenant's are compared."""
    good = scene.old.answer(tenant_id=0, days=DAYS, now=NOW)
    assert isinstance(good, LegacyAnswer)
    found = scene.compared(Says(SPOILED[how](good)))
    assert found.finding.verdict is Verdict.LEGACY_ERROR
    assert found.finding.reason


def test_what_nobody_found_out_is_inconclusive(scene: Scene) -> None:
    """A time-out, no older side at all, a cut-off that nobody knows, an older side that contradicts itself."""
    slow = LegacyFailure(kind=FailureKind.TIMEOUT, reason="The older side took longer than 10 s.")
    assert scene.compared(Says(slow)).finding.verdict is Verdict.INCONCLUSIVE
    good = scene.old.answer(tenant_id=0, days=DAYS, now=NOW)
    assert isinstance(good, LegacyAnswer)
    assert scene.compared(Says(replace(good, as_of=None, cutoffs={}))).finding.verdict is Verdict.INCONCLUSIVE

    class Noisy(OldSystem):
        def row(self, day: date) -> dict[str, Any]:
            found = super().row(day)
            return {**found, "todo": found["todo"] + self.answers} if day == FIRST + timedelta(days=5) else found

    found = scene.compared(Noisy(**vars(scene.old)), chance=Always())
    assert found.findings["2025-03-22"].verdict is Verdict.INCONCLUSIVE
    assert by_verdict(found) == {Verdict.MATCH: DAYS - 1, Verdict.INCONCLUSIVE: 1}
    assert (found.noise, found.ours_first) == (["2025-03-22"], True)


def test_our_own_failure_counts_against_us(scene: Scene) -> None:
    """And where the older side failed, too, it is both of us."""
    assert FLOW is not None

    def broken(**_: Any) -> Any:
        raise ZeroDivisionError

    declaration = replace(FLOW, ours=replace(FLOW.ours, as_of_cutoffs=broken))
    asked: dict[str, Any] = {"declaration": declaration, "question": scene.question(), "now": NOW}
    assert compare(control=scene.old, chance=Random(1), **asked).finding.verdict is Verdict.CANDIDATE_ERROR
    failing = Says(LegacyFailure(kind=FailureKind.STATUS, reason="The older side answered status 500."))
    assert compare(control=failing, chance=Always(), **asked).finding.verdict is Verdict.BOTH_ERROR


@pytest.fixture
def owed(scene: Scene) -> Iterator[Scene]:
    """Three answers are to be compared."""
    before = dict(controls.registered())
    register(capability=Capability.CUMULATIVE_FLOW, control=scene.old)
    with entered(tenant_id=scene.loaded.tenant_id, role=DatabaseRole.TENANT):
        for _ in range(3):
            due.owe(
                tenant_id=scene.loaded.tenant_id,
                capability=Capability.CUMULATIVE_FLOW,
                days=14,
                stage="SHADOW",
                flag_version=7,
                asked_at=NOW,
            )
    yield scene
    controls._registered.update(before)


def test_what_is_owed_is_compared_once(owed: Scene) -> None:
    """A row each, a comparison each; again there is nothing to do."""
    assert due.run_owed(now=NOW) == 3
    assert due.run_owed(now=NOW) == 0
    assert [(each.verdict, each.flag_version, each.stratum) for each in DriftComparison.objects.all()] == [
        ("MATCH", 7, "days<=31")
    ] * 3
    assert [(each.day, each.verdict, each.comparisons) for each in DriftCount.objects.all()] == [
        (date(2025, 4, 16), "MATCH", 3)
    ]
    assert DriftDue.objects.count() == 0


def test_a_row_whose_worker_died_is_compared_by_the_next(owed: Scene) -> None:
    """While it is held it is nobody else's; whoever comes too late with a comparison keeps none."""
    owner = next(each for each in owners() if each.id == owed.loaded.tenant_id)
    held = due._taken(owner, now=NOW)
    assert held is not None
    assert due.run_owed(now=NOW) == 2
    assert due.run_owed(now=NOW + due.LEASE) == 1
    due._compared(owner, held, now=NOW, chance=Random(1))
    assert DriftComparison.objects.count() == 3


def test_a_slow_older_side_keeps_what_it_is_asked_for(owed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of three answers takes six minutes: none is taken up by another worker before its five minutes are over."""
    passed, seen = [0.0], list[timedelta]()
    monkeypatch.setattr("analytics.drift.due.time.monotonic", lambda: passed[0])

    class Slow:
        def answer(self, **asked: Any) -> LegacyAnswer | LegacyFailure:
            held = DriftDue.objects.exclude(lease_until=None).get()
            assert held.lease_until is not None
            seen.append(held.lease_until - NOW - timedelta(seconds=passed[0]))
            passed[0] += 360
            return owed.old.answer(**asked)

    register(capability=Capability.CUMULATIVE_FLOW, control=Slow())
    assert due.run_owed(now=NOW, chance=Random(1)) == 3
    assert seen == [due.LEASE] * 3


def answered_again(scene: Scene, times: int) -> Callable[[float], None]:
    """In place of a pause: somebody is answered meanwhile, so often."""
    left = [times]

    def pause(_: float) -> None:
        if left[0]:
            left[0] -= 1
            with entered(tenant_id=scene.loaded.tenant_id, role=DatabaseRole.TENANT):
                due.owe(
                    tenant_id=scene.loaded.tenant_id,
                    capability=Capability.CUMULATIVE_FLOW,
                    days=7,
                    stage="SHADOW",
                    flag_version=7,
                    asked_at=NOW,
                )

    return pause


def test_the_worker_stays_while_answers_come(owed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a breach under load does not wait for the next run. It ends when nothing is new, or when that run is due."""
    Schedule.objects.filter(name="compare").update(next_run=read_clock() + timedelta(seconds=30))
    monkeypatch.setattr("analytics.jobs.due_runs.sleep", answered_again(owed, 2))
    assert due_runs.compare_all() == 5
    assert due_runs.compare_all() == 0


def test_the_worker_ends_when_its_next_run_is_due(owed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much comes: two runs at a time would leave no worker for anything else. What is left is the next one's."""
    begun, passed, answer = read_clock(), [0], answered_again(owed, 9)

    def pause(seconds: float) -> None:
        passed[0] += 20
        answer(seconds)

    Schedule.objects.filter(name="compare").update(next_run=begun + timedelta(seconds=30))
    monkeypatch.setattr("analytics.jobs.due_runs.read_clock", lambda: begun + timedelta(seconds=passed[0]))
    monkeypatch.setattr("analytics.jobs.due_runs.sleep", pause)
    assert due_runs.compare_all() == 4
    assert DriftDue.objects.count() == 1


def test_tenants_take_turns(owed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows of one, then one of another: the other waits for a turn, not for all of them."""
    other = company(slug="other").tenant.id
    with entered(tenant_id=other, role=DatabaseRole.TENANT):
        due.owe(
            tenant_id=other,
            capability=Capability.CUMULATIVE_FLOW,
            days=7,
            stage="SHADOW",
            flag_version=1,
            asked_at=NOW,
        )
    monkeypatch.setattr("analytics.jobs.due_runs.sleep", lambda _: None)
    monkeypatch.setattr(due_runs, "TURN", 2)
    assert due_runs.compare_all() == 4
    order = [each.tenant_id == other for each in DriftComparison.objects.order_by("id")]
    assert order in ([False, False, True, False], [True, False, False, False])


def test_a_row_that_kills_its_workers_is_our_error(owed: Scene) -> None:
    """It is not taken up for ever."""
    DriftDue.objects.update(attempts=due.MOST_ATTEMPTS)
    assert due.run_owed(now=NOW) == 3
    assert {each.verdict for each in DriftComparison.objects.all()} == {"CANDIDATE_ERROR"}


def test_a_rule_that_expired_alarms_again(owed: Scene) -> None:
    """Through the worker: expected while it holds, drift from the instant on at which it ends."""
    tenant_id = owed.loaded.tenant_id
    owed.old.said["2025-04-06"] = {"todo": 1_000}
    rule = Rule(
        field="days[].todo",
        direction=Direction.LOWER,
        bound=1_000,
        owner="ada@acme.example",
        reason="A test row.",
        expires_at=NOW + timedelta(days=1),
    )
    with entered(tenant_id=tenant_id, role=None):
        add_rule(rule, tenant_id=tenant_id, capability=Capability.CUMULATIVE_FLOW, now=NOW)
    found = []
    for at in (NOW, rule.expires_at - timedelta(hours=1), rule.expires_at):
        assert due.run_owed(now=at, most=1) == 1
        found.append(DriftComparison.objects.latest("id").verdict)
    assert found == ["EXPECTED_DIFFERENCE", "EXPECTED_DIFFERENCE", "DRIFT"]


def kept_of(scene: Scene, comparison: Comparison, *, at: datetime = NOW) -> store.Kept:
    with entered(tenant_id=scene.loaded.tenant_id, role=DatabaseRole.WORKER):
        pk = store.keep(comparison, now=at)
        found = store.find(tenant_id=scene.loaded.tenant_id, comparison_id=pk)
    assert found is not None
    return found


def test_a_comparison_is_kept_without_words_and_within_64_kilobytes(scene: Scene) -> None:
    """P62: texts of the older side are told by their type, keys that are no dates by a digest; the rest is counted."""
    drifting = scene.compared()
    place = drifting.declaration.each.differences({"date": "x"}, {"date": "Alice Secret", "Alice": "Secret"}, Place())
    worded = replace(
        drifting, finding=judged(list(place) * 20_000, rules=[], at=NOW), freshness={"Alice": {"todo": 1.0}}
    )
    kept = kept_of(scene, worded)
    text = json.dumps(kept.detail)
    assert "Secret" not in text
    assert "Secret" not in kept.reason
    assert len(text) < 70_000
    assert kept.detail["leftOut"] > 0


def test_drift_is_grouped_by_its_cause(scene: Scene) -> None:
    """Many comparisons, one signature; a rule that somebody answers for closes it, until it expires."""
    day = FIRST + timedelta(days=20)
    scene.old.said[day.isoformat()] = {"todo": 1_000}
    for _ in range(3):
        kept = kept_of(scene, scene.compared())
    assert kept.detail["computation"][0]["path"] == "days[2025-04-06].todo"
    tenant_id = scene.loaded.tenant_id
    window = {"first": date(2025, 4, 1), "last": date(2025, 4, 30)}
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER):
        (cause,) = store.signatures(tenant_id=tenant_id, capability=Capability.CUMULATIVE_FLOW, **window)
        assert (cause.name, cause.comparisons) == ("CUMULATIVE_FLOW flow/1 days[].todo VALUE", 3)
        found, _ = store.parity(tenant_id=tenant_id, capability=Capability.CUMULATIVE_FLOW, **window)
        assert (found.attempts, found.conclusive, found.parity) == (3, 3, 0.0)
    rule = Rule(
        field="days[].todo",
        direction=Direction.LOWER,
        bound=1_000,
        owner="ada@acme.example",
        reason="A test row.",
        expires_at=NOW + timedelta(days=1),
    )
    with entered(tenant_id=tenant_id, role=None):
        add_rule(rule, tenant_id=tenant_id, capability=Capability.CUMULATIVE_FLOW, now=NOW)
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER):
        (expected,) = store.rules(tenant_id=tenant_id, capability=Capability.CUMULATIVE_FLOW, now=NOW)
        assert (
            store.rules(tenant_id=tenant_id, capability=Capability.CUMULATIVE_FLOW, now=NOW + timedelta(days=1)) == []
        )
    assert FLOW is not None
    asked: dict[str, Any] = {"declaration": FLOW, "control": scene.old, "question": scene.question(), "now": NOW}
    found_now = compare(rules=[expected], chance=Random(1), **asked)
    assert found_now.finding.verdict is Verdict.EXPECTED_DIFFERENCE


def test_comparisons_go_after_30_days_and_their_counts_after_400(scene: Scene) -> None:
    """What is proven stays proven without its details."""
    kept_of(scene, scene.compared())
    tenant_id = scene.loaded.tenant_id
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER):
        assert store.drop_old(tenant_id=tenant_id, now=NOW + timedelta(days=30)) == 0
        assert store.drop_old(tenant_id=tenant_id, now=NOW + timedelta(days=31)) == 1
        assert store.drop_old(tenant_id=tenant_id, now=NOW + timedelta(days=399)) == 0
        assert store.drop_old(tenant_id=tenant_id, now=NOW + timedelta(days=402)) == 1
