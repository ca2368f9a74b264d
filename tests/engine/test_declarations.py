"""A declaration that cannot work is refused: what it says of itself when it is made, the rest before the first fold."""

from dataclasses import replace
from typing import Any

import pytest

from analytics.engine.family import Derived, Family, Measure, Merge, Past
from analytics.engine.rollups.compact import compact
from analytics.engine.rollups.rebuild import rebuild
from analytics.flow.family import TRANSITIONS
from analytics.pure.segments import Grain
from tasks_app.refusals import Refused
from tests.cast import Cast
from tests.engine.families.findings import FINDINGS, FIRST_ID, FindingFact, Kind
from tests.engine.families.findings import SHAPE as OF_FINDINGS
from tests.engine.families.random_facts import DAWN
from tests.engine.families.samples import SAMPLES
from tests.engine.families.tables import created, recorded
from tests.spec.runner import LONG_AFTER
from tests.tasks_app.recording import sql

pytestmark = pytest.mark.django_db

WAYS = Derived(
    table="finding_way", item="finding_id", key=("finding_id", "seq"), columns=("finding_id", "seq"), select=""
)


@pytest.mark.parametrize(
    ("family", "change", "sentence"),
    [
        (FINDINGS, {"measures": ()}, "has no measure: declare what its rollup rows keep."),
        (FINDINGS, {"reads": ("kind", "severity, x")}, "names a column 'severity, x', which is none."),
        (FINDINGS, {"item": ""}, "names a column '', which is none."),
        (
            FINDINGS,
            {"measures": (Measure(name="after_severity"),)},
            "has two columns after_severity in a rollup row: name one of them otherwise.",
        ),
        (
            FINDINGS,
            {"dimensions": ("before_severity", "grain")},
            "has two columns grain in a rollup row: name one of them otherwise.",
        ),
        (FINDINGS, {"asked": ("severity",)}, "can be asked by severity, which is none of its dimensions."),
        (
            FINDINGS,
            {"dimension_columns": {"after_severity": "state"}},
            "finds its dimension after_severity by the column state, which it does not read.",
        ),
        (FINDINGS, {"grains": ()}, "must have rows of one grain or more, each named once."),
        (FINDINGS, {"grains": (Grain.DAY, Grain.DAY)}, "must have rows of one grain or more, each named once."),
        (
            FINDINGS,
            {"grains": (Grain.MINUTE, Grain.HOUR), "coarse": "kind = 1"},
            "has contributions that are stored from days up only (coarse), and no rows by DAY or MONTH.",
        ),
        (FINDINGS, {"keep": {Grain.FIVE_MINUTES: 30}}, "keeps FIVE_MINUTES rows for 30 days, and has none."),
        (
            FINDINGS,
            {"keep": {Grain.HOUR: 0}},
            "keeps HOUR rows for 0 days: give one day or more, or leave it out for ever.",
        ),
        (FINDINGS, {"by_order": "kind = 1"}, "counts by orders (by_order), and has no definitions that have any."),
        (
            SAMPLES,
            {"definitions": TRANSITIONS.definitions},
            "has definitions, which are of projects, and no project.",
        ),
        (
            FINDINGS,
            {"past": Past(table="finding_way", facts="")},
            "has a past in finding_way, which is none of its derived tables.",
        ),
        (
            SAMPLES,
            {"derived": (WAYS,)},
            "is independent, so the histories that finding_way is made of are not read: make it of_facts.",
        ),
        (
            FINDINGS,
            {"derived": (WAYS,)},
            "cannot make the rows of one project in finding_way anew: it has no column project_id.",
        ),
    ],
)
def test_refused_when_it_is_made(family: Family, change: dict[str, Any], sentence: str) -> None:
    """One sentence that begins with its name."""
    with pytest.raises(ValueError) as caught:
        replace(family, **change)
    assert str(caught.value) == f"The family {family.name} {sentence}"


@pytest.mark.parametrize("type_name", ["double precision", "real", "text", "double precision[]"])
def test_a_sum_that_depends_on_its_order(type_name: str) -> None:
    """A least or greatest value of that type does not."""
    Measure(name="total", merge=Merge.LEAST, type=type_name)
    with pytest.raises(ValueError) as caught:
        Measure(name="total", type=type_name)
    assert str(caught.value) == (
        f"The measure total adds up {type_name}, which depends on the order; make it one of smallint, int, bigint, numeric."
    )


def with_a_fact(people: Cast) -> None:
    """The tables of findings, and one fact to fold."""
    created(OF_FINDINGS)
    project = people.acme.board.project.id
    fact = FindingFact(1, DAWN, FIRST_ID, project, Kind.OPENED, 2)
    recorded(shape=OF_FINDINGS, tenant_id=people.acme.tenant.id, facts=[fact])


OTHER_NAME = Measure(name="counted")
OTHER_TYPE = Measure(name="findings", type="numeric")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"ledger": "finding_legder"}, "there is no table finding_legder."),
        ({"tail": "finding_tial"}, "there is no table finding_tial."),
        ({"reads": ("project_id", "kind", "severity", "owner")}, "finding_ledger has no column owner."),
        ({"item": "finding"}, "finding_ledger has no column finding."),
        ({"project": "board_id"}, "finding_ledger has no column board_id."),
        ({"measures": (OTHER_NAME,)}, "finding_rollup has no column counted."),
        ({"measures": (OTHER_TYPE,)}, "finding_rollup.findings is bigint, and it is declared as numeric."),
        ({"item_type": "int"}, "finding_ledger.finding_id is bigint, and it is declared as int."),
        (
            {"contributions": FINDINGS.contributions.replace("r.project_id", "r.board")},
            "column r.board does not exist.",
        ),
        ({"contributions": FINDINGS.contributions.replace(" AS findings", "")}, "column c.findings does not exist."),
        ({"resolve": "SELECT f.* FROM facts f"}, 'relation "facts" does not exist.'),
        ({"only": "l.kind <> 5 AND"}, 'syntax error at or near "AND".'),
    ],
)
def test_refused_before_the_first_fold(people: Cast, change: dict[str, Any], sentence: str) -> None:
    """By whoever writes rollups; nothing is folded. The tail is whole."""
    with_a_fact(people)
    family = replace(FINDINGS, **change)
    with pytest.raises(Refused) as caught:
        rebuild(now=LONG_AFTER, families=[family])
    assert caught.value.message == f"The family tests.findings cannot be folded: {sentence}"
    assert sql("SELECT count(*) FROM finding_tail") == [(1,)]


def test_compact_says_it_once_for_all_tenants(people: Cast) -> None:
    """It is no tenant's fault, so no tenant is named; and a rollup without its key is told, too."""
    with_a_fact(people)
    sql("ALTER TABLE finding_rollup DROP CONSTRAINT finding_rollup_pkey")
    checked_apart = replace(FINDINGS, version="tests/2")
    with pytest.raises(Refused) as caught:
        compact(now=LONG_AFTER, families=[checked_apart])
    assert caught.value.message == (
        "The family tests.findings cannot be folded: finding_rollup has no unique index on tenant_id, project_id, grain,"
        " bucket, before_severity, after_severity."
    )
