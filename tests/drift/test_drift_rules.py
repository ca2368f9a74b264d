"""Expected differences: who answers for what, for how long, and that nothing beyond it is hidden."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command

from analytics.drift import store
from analytics.drift.arithmetic.comparing import Kind, Place
from analytics.drift.arithmetic.verdicts import Direction, Rule, Verdict, judged
from analytics.drift.controls import Capability
from analytics.drift.evidence import evidence
from analytics.drift.rules import MOST_STANDING, add_rule, end_rule, written
from analytics.drift.stages import stage_of
from analytics.models import DriftRule, DriftRuleEnd
from tasks_app.models import Actor, ActorKind
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import Cast
from tests.tasks_app.recording import refused

FLOW = Capability.CUMULATIVE_FLOW
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = datetime.now(UTC).date()  # noqa: TID251 - a command's rule ends some days from now
ADD: Mapping[str, str] = {
    "--capability": "CUMULATIVE_FLOW",
    "--field": "days[].todo",
    "--direction": "LOWER",
    "--bound": "3",
    "--owner": "ada@acme.example",
    "--reason": "The older board forgets drafts.",
    "--until": str(TODAY + timedelta(days=30)),
}


def ran(capsys: pytest.CaptureFixture[str], action: str, options: Mapping[str, str], *, tenant: str = "acme") -> Any:
    """What the command prints."""
    words = [word for pair in options.items() for word in pair]
    call_command("drift_rule", action, "--tenant", tenant, *words)
    return json.loads(capsys.readouterr().out)


def rule(**changed: Any) -> Rule:
    given: dict[str, Any] = {
        "field": "days[].todo",
        "direction": Direction.LOWER,
        "bound": 3.0,
        "owner": "ada@acme.example",
        "reason": "The older board forgets drafts.",
        "expires_at": NOW + timedelta(days=30),
    }
    return Rule(**{**given, **changed})


def test_a_rule_is_added_listed_and_ended(people: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    """The same again is the same rule; ended again it is ended. It holds until the local day begins."""
    people.acme.tenant.timezone = "Europe/Stockholm"
    people.acme.tenant.save()
    added = ran(capsys, "add", ADD)
    assert added["added"]
    assert ran(capsys, "add", ADD) == {"rule": added["rule"], "added": False}
    (listed,) = ran(capsys, "list", {})["rules"]
    assert (listed["rule"], listed["standing"], listed["owner"]) == (added["rule"], "HOLDS", "ada@acme.example")
    assert listed["expiresAt"].startswith(str(TODAY + timedelta(days=29)))
    end = {"--rule": str(added["rule"]), "--reason": "The older board was mended."}
    assert ran(capsys, "end", end) == {"rule": added["rule"], "ended": True}
    assert ran(capsys, "end", end) == {"rule": added["rule"], "ended": False}
    (listed,) = ran(capsys, "list", {"--capability": "CUMULATIVE_FLOW"})["rules"]
    assert (listed["standing"], listed["endedBecause"]) == ("ENDED", "The older board was mended.")
    again = ran(capsys, "add", ADD)
    assert (again["added"], again["rule"] > added["rule"]) == (True, True)


def test_a_rule_is_its_tenants_alone(people: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    """P62: neither shown nor ended elsewhere, and a stolen number reads as one that there is not."""
    added = ran(capsys, "add", ADD)
    assert ran(capsys, "list", {}, tenant="globex") == {"rules": []}
    end = {"--rule": str(added["rule"]), "--reason": "Mine."}
    with pytest.raises(Refused) as stolen:
        ran(capsys, "end", end, tenant="globex")
    with pytest.raises(Refused) as invented:
        ran(capsys, "end", {**end, "--rule": "999999"}, tenant="globex")
    assert str(stolen.value).replace(str(added["rule"]), "N") == str(invented.value).replace("999999", "N")
    for tenant, count in ((people.acme.tenant, 1), (people.globex.tenant, 0)):
        with entered(tenant_id=tenant.id, role=DatabaseRole.WORKER, read_only=True):
            found = store.rules(tenant_id=tenant.id, capability=FLOW, now=datetime.now(UTC))  # noqa: TID251
            assert len(found) == count


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"--capability": "NOTHING"}, "--capability: there is no 'NOTHING'; there are CUMULATIVE_FLOW"),
        ({"--capability": "BILLING"}, "--capability: BILLING has no older answer"),
        ({"--field": "todo"}, r"--field: there is no 'todo'; there are days\[\].todo, days\[\].in_progress"),
        ({"--field": "days[].date"}, r"--field: there is no 'days\[\].date'"),
        ({"--direction": "lower"}, "--direction: there is no 'lower'; there are HIGHER, LOWER, EITHER"),
        *(({"--bound": bound}, "--bound: give the largest") for bound in ("nan", "inf", "0", "-1", "1e400", "1000001")),
        ({"--bound": "three"}, "--bound: 'three' is no number"),
        ({"--owner": " "}, "--owner: give 1 to 200 characters"),
        ({"--owner": "x" * 201}, "--owner: give 1 to 200 characters"),
        ({"--reason": "a\x00b"}, "--reason: give 1 to 500 characters in one line"),
        ({"--reason": "a\nb"}, "--reason: give 1 to 500 characters in one line"),
        ({"--until": "tomorrow"}, "--until: 'tomorrow' is no day; write it as 2026-01-31"),
        ({"--until": "9999-12-31"}, "--until: "),
        ({"--until": str(TODAY)}, "--until: give a day after today, at most 90 days"),
        ({"--until": str(TODAY + timedelta(days=91))}, "--until: give a day after today, at most 90 days"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(
    people: Cast, capsys: pytest.CaptureFixture[str], changed: Mapping[str, str], message: str
) -> None:
    """One sentence that names the option, and nothing is kept."""
    with pytest.raises(Refused, match=message):
        ran(capsys, "add", {**ADD, **changed})
    assert DriftRule.objects.count() == 0


@pytest.mark.parametrize("missing", ADD)
def test_every_option_is_needed(people: Cast, capsys: pytest.CaptureFixture[str], missing: str) -> None:
    with pytest.raises(Refused, match=f"{missing}: this is needed to add a rule"):
        ran(capsys, "add", {name: value for name, value in ADD.items() if name != missing})


@pytest.mark.parametrize("number", ["", "x", "-1", "٣", "9" * 30, "1.5"])
def test_a_number_that_is_no_rules(people: Cast, capsys: pytest.CaptureFixture[str], number: str) -> None:
    with pytest.raises(Refused, match="--rule: "):
        ran(capsys, "end", {"--rule": number, "--reason": "x"})


def kept(people: Cast, given: Rule, *, at: datetime = NOW) -> int:
    tenant_id = people.acme.tenant.id
    with entered(tenant_id=tenant_id, role=None, actor_id=people.alice.actor.id):
        return add_rule(given, tenant_id=tenant_id, capability=FLOW, now=at)[0]


def test_a_rule_holds_for_a_while_and_hides_nothing_before_or_after(people: Cast) -> None:
    """Half-open; ended, it is drift again at once."""
    pk, tenant_id = kept(people, rule()), people.acme.tenant.id
    moment = timedelta(microseconds=1)
    instants = (NOW - moment, NOW, NOW + timedelta(days=30) - moment, NOW + timedelta(days=30))
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER, read_only=True):
        held = [len(store.rules(tenant_id=tenant_id, capability=FLOW, now=at)) for at in instants]
    assert held == [0, 1, 1, 0]
    with entered(tenant_id=tenant_id, role=None):
        assert end_rule(pk, tenant_id=tenant_id, reason="Mended.", now=NOW)
        assert store.rules(tenant_id=tenant_id, capability=FLOW, now=NOW) == []
        assert not end_rule(pk, tenant_id=tenant_id, reason="Mended.", now=NOW)


@pytest.mark.parametrize(
    ("name", "ours", "theirs", "at", "verdict"),
    [
        ("todo", 4, 7, NOW, Verdict.EXPECTED_DIFFERENCE),
        ("todo", 3, 7, NOW, Verdict.DRIFT),
        ("todo", 7, 4, NOW, Verdict.DRIFT),
        ("done", 4, 7, NOW, Verdict.DRIFT),
        ("todo", None, 7, NOW, Verdict.DRIFT),
        ("todo", 4, 7, NOW + timedelta(days=30), Verdict.DRIFT),
    ],
)
def test_only_what_the_rule_says_is_expected(
    name: str, ours: int | None, theirs: int, at: datetime, verdict: Verdict
) -> None:
    """Larger, the other way, another field, no number, too late: drift. And one difference more is drift of both."""
    place = Place().into("days").at("2026-03-01")
    kind = Kind.VALUE if ours is not None else Kind.NULL
    difference = place.into(name).differs(kind, ours, theirs)
    assert judged([difference], rules=[rule()], at=at).verdict is verdict
    other = place.into("review").differs(Kind.VALUE, 1, 2)
    assert judged([difference, other], rules=[rule()], at=at).verdict is Verdict.DRIFT


def test_each_rule_says_who_wrote_it_and_never_changes(people: Cast) -> None:
    """Whatever the writer says; the owner of the tables changes nothing either, and the worker writes none."""
    pk, tenant_id = kept(people, rule()), people.acme.tenant.id
    with entered(tenant_id=tenant_id, role=None, actor_id=people.bob.actor.id):
        end_rule(pk, tenant_id=tenant_id, reason="Mended.", now=NOW)
        for table in ("drift_rule", "drift_rule_end"):
            refused(f"UPDATE {table} SET reason = ''", because="never change")
            refused(f"DELETE FROM {table}", because="never change")
    assert (DriftRule.objects.get().actor_id, DriftRuleEnd.objects.get().actor_id) == (
        people.alice.actor.id,
        people.bob.actor.id,
    )
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER):
        for statement in ("INSERT INTO drift_rule SELECT * FROM drift_rule", "DELETE FROM drift_rule_end"):
            refused(statement, because="permission denied")
    with entered(tenant_id=tenant_id, role=None):
        kept_by_nobody = add_rule(rule(bound=2.0), tenant_id=tenant_id, capability=FLOW, now=NOW)[0]
    row = DriftRule.objects.get(id=kept_by_nobody)
    assert Actor.objects.get(id=row.actor_id).kind == ActorKind.SQL


def test_the_evidence_has_each_rule_with_its_end(people: Cast) -> None:
    """Who judges a switch sees what was kept from being drift, by whom, until when."""
    pk, tenant_id = kept(people, rule()), people.acme.tenant.id
    with entered(tenant_id=tenant_id, role=None):
        end_rule(pk, tenant_id=tenant_id, reason="Mended.", now=NOW)
        standing = stage_of(tenant_id=tenant_id, capability=FLOW)
        (found,) = evidence(standing=standing, zone="Europe/Stockholm", now=NOW)["expectedDifferences"]
    told = {name: found[name] for name in ("rule", "owner", "bound", "actorId", "endedBecause")}
    assert told == {
        "rule": pk,
        "owner": "ada@acme.example",
        "bound": "3",
        "actorId": people.alice.actor.id,
        "endedBecause": "Mended.",
    }


def test_there_are_only_so_many(people: Cast) -> None:
    """A hundred exceptions are no exceptions."""
    for number in range(MOST_STANDING):
        kept(people, rule(bound=float(number + 1)))
    with pytest.raises(Refused, match="There are 100 expected differences already"):
        kept(people, rule(bound=200.0))
    later = NOW + timedelta(days=31)
    assert kept(people, rule(bound=200.0, expires_at=later + timedelta(days=1)), at=later)
    with entered(tenant_id=people.acme.tenant.id, role=None):
        assert len(written(tenant_id=people.acme.tenant.id)) == MOST_STANDING + 1
