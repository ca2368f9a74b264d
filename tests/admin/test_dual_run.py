"""The page of the dual run: stages with their history, what is proven, what differs. Nothing of another tenant."""

import html
from datetime import UTC, datetime, timedelta

from django.test import Client

from analytics.drift.arithmetic.stages import Flag
from analytics.drift.arithmetic.verdicts import Direction, Rule, Verdict
from analytics.drift.controls import Basis, Capability
from analytics.drift.rules import add_rule, end_rule
from analytics.drift.stages import set_stage, stage_of
from analytics.models import DriftComparison, DriftCount, DriftDrill, DriftRest, StageCause
from analytics.pure.stages import Stage
from tasks_app.tenancy import DatabaseRole, entered
from tests.admin.scene import text
from tests.cast import Cast, Person
from tests.graphql.client import with_session
from tests.tasks_app.recording import as_owner

FLOW = Capability.CUMULATIVE_FLOW
NOW = datetime.now(UTC)  # noqa: TID251 - the page shows the days before now
DETAIL = '{"computation": [{"path": "days[2026-03-01].todo", "kind": "VALUE", "ours": 3, "theirs": 4}]}'


def switched(person: Person, stage: Stage, *, reason: str) -> None:
    tenant_id = person.membership.tenant_id
    with entered(tenant_id=tenant_id, actor_id=person.actor.id):
        before = stage_of(tenant_id=tenant_id, capability=FLOW)
        wanted = Flag(stage=stage, percent=100, version=before.flag.version + 1)
        set_stage(before, wanted=wanted, reason=reason, cause=StageCause.ASKED, overrides=True, now=NOW)


def compared(person: Person) -> None:
    """300 matches, a drift, an error of the older side, and a drill."""
    tenant = person.membership.tenant
    shared = {"tenant": tenant, "capability": FLOW.value, "stratum": "days<=31", "basis": Basis.KNOWN.value}
    with entered(tenant_id=tenant.id, role=DatabaseRole.WORKER):
        for verdict, count, signature in (
            (Verdict.MATCH, 299, ""),
            (Verdict.DRIFT, 1, "CUMULATIVE_FLOW flow/1 days[].todo VALUE"),
            (Verdict.LEGACY_ERROR, 100, ""),
        ):
            DriftCount.objects.create(
                **shared, day=NOW.date(), verdict=verdict, signature=signature, comparisons=count, last_at=NOW
            )
        DriftComparison.objects.create(
            **shared,
            verdict=Verdict.DRIFT,
            reason="days[2026-03-01].todo: ours is 3, theirs 4.",
            definition="flow/1",
            stage="SHADOW",
            flag_version=1,
            asked_at=NOW,
            compared_at=NOW,
            legacy_ms=1,
            candidate_ms=1,
            ours_first=False,
            detail=DETAIL,
        )
        DriftDrill.objects.create(
            tenant=tenant, capability=FLOW.value, stage="SHADOW", drilled_at=NOW, ok=True, seconds=1.25
        )


def test_the_page_says_what_is_proven_and_what_is_missing(people: Cast, audrey: Client) -> None:
    """Numerators with their bounds, the cause with its count, the reasons of the gate, the history, the drill."""
    switched(people.alice, Stage.SHADOW, reason="Let us <see>.")
    compared(people.alice)
    page = text(audrey.get("/admin/dual-run/"))
    assert '<span class="pill">SHADOW</span>, version 1: the older side answers.' in page
    assert "The gate to LIVE_WITH_SHADOW is closed:" in page
    assert "A cause of drift is open: CUMULATIVE_FLOW flow/1 days[].todo VALUE." in page
    assert '<td class="number">400</td><td class="number">300</td><td class="number">99.667%</td>' in page
    assert '<td class="number">75.0%</td><td class="number">25.0%</td>' in page
    assert '<td class="words">days[2026-03-01].todo</td><td>VALUE</td><td class="number">3</td>' in page
    assert "<strong>against the gate</strong>: Let us &lt;see&gt;." in page
    assert '<td>well</td><td class="number">1.250</td>' in page


def ruled(person: Person, *, reason: str, days: int = 30, ended: str = "") -> None:
    """An expected difference that was written forty days ago, holds for so many days from now, and was perhaps ended."""
    tenant_id = person.membership.tenant_id
    rule = Rule(
        field="days[].todo",
        direction=Direction.LOWER,
        bound=2.5,
        owner="ada@acme.example",
        reason=reason,
        expires_at=NOW + timedelta(days=days),
    )
    with as_owner(), entered(tenant_id=tenant_id, actor_id=person.actor.id, role=None):
        pk, _ = add_rule(rule, tenant_id=tenant_id, capability=FLOW, now=NOW - timedelta(days=40))
        if ended:
            end_rule(pk, tenant_id=tenant_id, reason=ended, now=NOW)


def test_what_is_expected_is_shown_with_who_answers_for_it(people: Cast, audrey: Client) -> None:
    """What holds first; what expired or was ended stays to be seen; another tenant's is not there."""
    ruled(people.alice, reason="It forgets <drafts>.")
    ruled(people.alice, reason="It was slow.", days=-1)
    ruled(people.alice, reason="It was wrong.", ended="It was mended.")
    ruled(people.carol, reason="Secret of Globex.")
    page = text(audrey.get("/admin/dual-run/"))
    words = ("It forgets &lt;drafts&gt;.", "It was wrong.", "It was slow.")
    assert sorted(words, key=page.index) == list(words)
    assert page.count('<td>ours is lower</td><td class="number">2.5</td>') == 3
    assert page.count("expired: drift again") == 1
    assert "It was mended." in page
    assert '<td class="words">ada@acme.example</td>' in page
    assert "Secret of Globex." not in page


def test_another_tenant_and_an_empty_one(people: Cast, audrey: Client) -> None:
    """What Globex has is not there; without anything the page says so."""
    switched(people.carol, Stage.SHADOW, reason="Secret reason.")
    compared(people.carol)
    page = text(audrey.get("/admin/dual-run/"))
    assert "It was never switched." in page
    assert "None: what differs is drift." in page
    assert "nothing conclusive" in page
    assert "The gate to SHADOW is open." in page
    assert "Secret reason." not in page


def test_the_days_that_differ_are_marked(people: Cast, audrey: Client) -> None:
    """Both are drawn; a day that differs has a band that says by how much; of a slept one theirs is missing."""
    tenant = people.alice.membership.tenant
    days = [NOW.date() - timedelta(days=number) for number in (3, 2, 1)]
    verdicts = (Verdict.MATCH, Verdict.DRIFT, Verdict.LEGACY_ERROR)
    detail = f'{{"computation": [{{"path": "days[{days[1]}].todo", "kind": "VALUE", "ours": 3, "theirs": 5}}]}}'
    with entered(tenant_id=tenant.id, role=DatabaseRole.WORKER):
        for day, verdict in zip(days, verdicts, strict=True):
            figures = '{"todo": 3}' if verdict is not Verdict.LEGACY_ERROR else "{}"
            DriftRest.objects.create(
                tenant=tenant,
                capability=FLOW.value,
                day=day,
                verdict=verdict,
                figures=figures,
                until=NOW,
                known_at=NOW,
                compared_at=NOW,
            )
        DriftComparison.objects.create(
            tenant=tenant,
            capability=FLOW.value,
            stratum="AT_REST",
            basis=Basis.KNOWN.value,
            verdict=Verdict.DRIFT,
            definition="flow/1",
            stage="",
            flag_version=0,
            asked_at=NOW,
            compared_at=NOW,
            legacy_ms=1,
            candidate_ms=1,
            ours_first=False,
            detail=detail,
        )
    page = text(audrey.get("/admin/dual-run/"))
    assert f"<title>{days[1]}: ours 3, theirs 5</title>" in page
    assert f"3 nights. They differ on: {days[1]}." in page
    assert (page.count("<circle"), page.count('fill-opacity="0.45"')) == (2, 1)


API = """{ dualRun {
  parity(capability: CUMULATIVE_FLOW, window: {rolling: {count: 30, unit: DAY}}) {
    attempts conclusive parity lowerBound coverage legacyErrors byVerdict { verdict count } }
  signatures(capability: CUMULATIVE_FLOW, window: {rolling: {count: 30, unit: DAY}}) { name comparisons sentence }
  remarks(capability: CUMULATIVE_FLOW, window: {rolling: {count: 30, unit: DAY}})
  gate(capability: CUMULATIVE_FLOW) { nextStage reasons }
  stages { capability stage flagVersion reason } } }"""


def test_the_numbers_of_the_page_are_those_of_the_api(people: Cast, audrey: Client) -> None:
    """Parity with its bound, coverage, legacy errors, causes and sentences, the gate's reasons, the stage."""
    switched(people.alice, Stage.SHADOW, reason="Let us see.")
    compared(people.alice)
    page = html.unescape(text(audrey.get("/admin/dual-run/")))
    found = with_session(people.alice.user).data(API)["dualRun"]
    of = found["parity"]
    row = [of["attempts"], of["conclusive"], f"{of['parity']:.3%}", f"{of['lowerBound']:.3%}"]
    row += [f"{of['coverage']:.1%}", f"{of['legacyErrors']:.1%}"]
    verdicts = ", ".join(f"{each['verdict']} {each['count']}" for each in of["byVerdict"] if each["count"])
    cells = "".join(f'<td class="number">{each}</td>' for each in row)
    assert f'<td>all</td>{cells}<td class="words">{verdicts}</td>' in page
    assert len(found["signatures"]) == 1
    (cause,) = found["signatures"]
    assert f"<strong>{cause['sentence']}</strong>" in page
    assert f'<td class="words">{cause["name"]}</td><td class="number">{cause["comparisons"]}</td>' in page
    assert all(f"<li>{each}</li>" in page for each in (*found["remarks"], *found["gate"]["reasons"]))
    (stage,) = [each for each in found["stages"] if each["capability"] == FLOW.value]
    assert f'<span class="pill">{stage["stage"]}</span>, version {stage["flagVersion"]}' in page
