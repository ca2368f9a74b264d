"""Which families there are: those of the product's wings, and those of the wings that a setting names."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from analytics.engine.families import families, family_named
from analytics.engine.rollups.compact import owners
from analytics.engine.rollups.ledger_checks import verify_ledger
from analytics.engine.rollups.verify import Check
from analytics.flow.family import TRANSITIONS
from tasks_app.refusals import Refused
from tests.cast import Cast
from tests.engine.families.family import FAMILIES
from tests.engine.families.findings import FINDINGS, FIRST_ID, FindingFact, Kind
from tests.engine.families.findings import SHAPE as OF_FINDINGS
from tests.engine.families.random_facts import DAWN, SHAPES
from tests.engine.families.tables import created, recorded
from tests.engine.test_fold_commands import run

OURS = ["analytics.flow", "tests.engine.families"]


def test_the_products_own() -> None:
    """By name, and all of them."""
    assert families() == (TRANSITIONS,)
    assert family_named("transitions") is TRANSITIONS


def test_a_wing_that_the_setting_names(settings: Any) -> None:
    """One line registers it; without the line it is gone."""
    settings.FLOWLEDGER_WINGS = OURS
    assert families() == (TRANSITIONS, *FAMILIES)
    assert family_named("tests.findings") is FINDINGS
    settings.FLOWLEDGER_WINGS = ["analytics.flow"]
    with pytest.raises(Refused, match=r"^There is no family 'tests\.findings'; the families are transitions\.$"):
        family_named("tests.findings")


def test_two_families_of_one_name(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their positions and rollups would be taken for each other's."""
    again = SimpleNamespace(FAMILIES=(TRANSITIONS,))
    monkeypatch.setitem(sys.modules, "again.family", again)
    settings.FLOWLEDGER_WINGS = ["analytics.flow", "again"]
    with pytest.raises(
        ValueError, match=r"^Two families are named transitions, the second in again: give it another name\.$"
    ):
        families()


@pytest.mark.django_db
def test_a_familys_ledger_is_asked_what_it_declares(people: Cast) -> None:
    """Of one tenant, with a sentence for the first row that must not be there."""
    created(OF_FINDINGS)
    tenant, project = people.acme.tenant, people.acme.board.project.id
    recorded(
        shape=OF_FINDINGS,
        tenant_id=tenant.id,
        facts=[
            FindingFact(1, DAWN, FIRST_ID, project, Kind.OPENED, 2),
            FindingFact(2, DAWN, FIRST_ID + 1, project, Kind.CLOSED, 0),
        ],
    )
    found = [verify_ledger(owner=owner, families=[FINDINGS]) for owner in owners()]
    sentence = "Finding 5000000001 of acme was never opened; it is known since 2025-03-29T00:00:00+00:00."
    right, wrong = Check(code="OPENED", failures=0, first=None), Check(code="OPENED", failures=1, first=sentence)
    assert found == ([[wrong], [right]] if owners()[0].id == tenant.id else [[right], [wrong]])


@pytest.mark.django_db
def test_the_commands_do_it_for_one_family_or_for_all(people: Cast, settings: Any) -> None:
    """compact, verify, rebuild and retain."""
    settings.FLOWLEDGER_WINGS = OURS
    for shape in SHAPES.values():
        created(shape)
    project = people.acme.board.project.id
    facts = [FindingFact(1, DAWN, FIRST_ID, project, Kind.OPENED, 2)]
    recorded(shape=OF_FINDINGS, tenant_id=people.acme.tenant.id, facts=facts)
    assert run("compact", "--family", "transitions")["facts"] == 0
    assert run("compact", "--family", "tests.findings")["facts"] == 1
    codes = [check["code"] for check in run("verify", "--family", "tests.findings")["checks"]]
    assert codes == ["finding_rollup", "OPENED"]
    assert run("rebuild", "--family", "tests.findings", "--tenant", "acme")["rebuilt"] == 1
    assert run("retain", "--family", "tests.samples")["rows"] == 0
    assert run("verify")["ok"]
