"""How long rows of each grain are kept is data of the family, and a tenant may choose otherwise (P50)."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import given, note
from hypothesis import strategies as st

from analytics.engine.family import Family
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.retention import retain
from analytics.pure.segments import Grain
from analytics.pure.windows import Bucket, Window, between
from tasks_app.refusals import Refused
from tests.cast import Cast
from tests.engine.families.random_facts import DAWN, FACTS, SHAPES, ZONES, windows
from tests.engine.families.samples import SAMPLES, Sample
from tests.engine.families.tables import told
from tests.engine.test_families import House, house, with_facts
from tests.flow.test_replay_properties import undone
from tests.properties import some
from tests.spec.runner import LONG_AFTER
from tests.tasks_app.recording import sql

pytestmark = pytest.mark.django_db

NOW = datetime(2025, 5, 10, 15, tzinfo=UTC)
LATEST = datetime(2025, 4, 10, tzinfo=UTC)
READINGS = [
    Sample(1, LATEST - timedelta(days=3, minutes=2), 1, 0.1),
    Sample(2, LATEST - timedelta(seconds=1), 1, 0.2),
    Sample(3, LATEST, 1, 7.0),
    Sample(4, LATEST + timedelta(minutes=7), 1, -2.5),
]
ROWS = (
    "/* tests.rows */ SELECT grain, min(bucket), count(*) FROM sample_rollup WHERE tenant_id = %s GROUP BY 1 ORDER BY 1"
)
OURS = ["analytics.flow", "tests.engine.families"]


def five_minutes(start: datetime, end: datetime) -> Window:
    """In the zone of the tenant."""
    return between(start=start, end=end, zone="UTC", bucket=Bucket.FIVE_MINUTES, now=LONG_AFTER)


def meters() -> House:
    """Four readings around the limit of 30 days, folded."""
    home = with_facts(house(shape=SHAPES["samples"], zone="UTC", project_zone="UTC"), READINGS)
    home.compacted()
    return home


def dropped(home: House, family: Family = SAMPLES, *, now: datetime = NOW) -> int:
    """How many rows retain drops of the family."""
    retained = retain(now=now, tenant_id=home.tenant.id, families=[family])
    assert retained.refused == ()
    return retained.rows


def test_five_minutes_are_dropped_and_the_others_stay() -> None:
    """After 30 days, as the family declares; the hours stay for 400."""
    home = meters()
    assert [(grain, rows) for grain, _, rows in sql(ROWS, [home.tenant.id])] == [(2, 4), (3, 3), (4, 3)]
    assert dropped(home) == 2
    assert [(grain, rows) for grain, _, rows in sql(ROWS, [home.tenant.id])] == [(2, 2), (3, 3), (4, 3)]
    assert sql(ROWS, [home.tenant.id])[0][1] == LATEST
    assert dropped(home) == 0
    assert home.unsound() == []


def test_five_minutes_are_read_where_they_are_kept_and_else_the_ledger_is() -> None:
    """Each answer is what it was. A closed window over rows that are there needs no right to read the ledger."""
    home = meters()
    recent = five_minutes(LATEST, LATEST + timedelta(minutes=10))
    older = five_minutes(LATEST - timedelta(minutes=10), LATEST + timedelta(minutes=10))
    asked = [recent, older]
    before = [home.answers(window, ReadFrom.ROLLUP) for window in asked]
    assert [len(rows) for rows in before] == [3, 4]
    dropped(home)
    assert [home.answers(window, ReadFrom.ROLLUP) for window in asked] == before
    assert [home.answers(window, ReadFrom.MERGED) for window in asked] == before
    sql("/* tests.no_ledger */ REVOKE SELECT ON sample_ledger FROM fl_tenant")
    assert home.answers(recent, ReadFrom.MERGED) == before[0]


def test_a_late_fact_makes_no_row_that_was_dropped() -> None:
    """Nor does a rebuild, and verify wants none."""
    home = meters()
    dropped(home)
    with_facts(home, [Sample(5, LATEST - timedelta(days=3), 1, 9.0)])
    home.compacted()
    assert sql(ROWS, [home.tenant.id])[0] == (2, LATEST, 2)
    compacted = home.rollups()
    assert home.unsound() == []
    home.rebuilt()
    assert home.rollups() == compacted


batches = st.lists(st.integers(1, 5), max_size=4)
times_to_keep = st.fixed_dictionaries({}, optional={grain: st.integers(1, 4) for grain in Grain})


@pytest.mark.parametrize("name", SHAPES)
@some
@given(
    data=st.data(),
    asked=st.lists(windows(), min_size=1, max_size=3),
    folds=batches,
    zone=st.sampled_from(ZONES),
    keep=times_to_keep,
    age=st.integers(1, 6),
)
def test_whatever_was_dropped_every_answer_is_what_it_was(
    name: str,
    data: st.DataObject,
    asked: list[Window],
    folds: list[int],
    zone: str,
    keep: Mapping[Grain, int],
    age: int,
) -> None:
    """P50, P53: days and months, too, in a zone whose days are none of UTC; late facts of dropped time."""
    with undone():
        shape = SHAPES[name]
        kept = {grain: days for grain, days in keep.items() if grain in shape.family.grains}
        family = replace(shape.family, keep=kept)
        home = house(shape=replace(shape, family=family), zone=zone, project_zone=zone)
        facts = data.draw(FACTS[name](list(home.projects)))
        note(f"{zone} {folds} {kept} {age}\n" + "\n".join(map(str, facts)))
        with_facts(home, facts)
        wanted = [
            told(shape=home.shape, facts=facts, edges=window.edges, projects=[0, *home.projects]) for window in asked
        ]
        for most_facts in folds:
            home.folded(most_facts=most_facts)
            dropped(home, family, now=DAWN + timedelta(days=age))
            assert [home.answers(window, ReadFrom.MERGED) for window in asked] == wanted
        home.compacted()
        assert [home.answers(window, ReadFrom.ROLLUP) for window in asked] == wanted
        compacted = home.rollups()
        home.rebuilt()
        assert home.rollups() == compacted
        assert home.unsound() == []


def shown(*arguments: str) -> list[tuple[Any, ...]]:
    """What `retention` prints of Acme: family, grain, days, whether chosen, since when."""
    out = StringIO()
    call_command("retention", "--tenant", "acme", *arguments, stdout=out)
    return [tuple(each.values()) for each in json.loads(out.getvalue())["retention"]]


def refusal(*arguments: str) -> str:
    """Why it exited with 1."""
    with pytest.raises(Refused) as caught:
        shown(*arguments)
    return caught.value.message


def test_the_command_shows_and_sets(people: Cast, settings: Any) -> None:
    """Of one tenant: the other keeps what the family declares."""
    settings.FLOWLEDGER_WINGS = OURS
    of_samples = ("--family", "tests.samples")
    assert shown(*of_samples) == [
        ("tests.samples", "FIVE_MINUTES", 30, False, None),
        ("tests.samples", "HOUR", 400, False, None),
        ("tests.samples", "DAY", None, False, None),
    ]
    five = (*of_samples, "--grain", "FIVE_MINUTES")
    assert shown(*five, "--days", "7") == [("tests.samples", "FIVE_MINUTES", 7, True, None)]
    assert shown(*five) == [("tests.samples", "FIVE_MINUTES", 7, True, None)]
    out = StringIO()
    call_command("retention", "--tenant", "globex", *five, stdout=out)
    assert json.loads(out.getvalue())["retention"][0]["days"] == 30
    assert shown(*five, "--days", "default") == [("tests.samples", "FIVE_MINUTES", 30, False, None)]
    assert shown(*of_samples, "--grain", "HOUR", "--days", "forever") == [("tests.samples", "HOUR", None, True, None)]
    settings.FLOWLEDGER_HOUR_DAYS = 500
    assert ("transitions", "HOUR", 500, False, None) in shown()


def test_what_is_set_is_what_retain_does(settings: Any) -> None:
    """A longer time brings nothing back, and the command says since when there is anything."""
    settings.FLOWLEDGER_WINGS = OURS
    home = meters()
    five = ("--family", "tests.samples", "--grain", "FIVE_MINUTES")
    shown(*five, "--days", "300")
    assert dropped(home) == 0
    shown(*five, "--days", "29")
    assert dropped(home) == 4
    shown(*five, "--days", "300")
    assert dropped(home) == 0
    assert sql(ROWS, [home.tenant.id])[0][0] == Grain.HOUR
    assert shown(*five) == [("tests.samples", "FIVE_MINUTES", 300, True, "2025-04-11T00:00:00+00:00")]


FIVE = ("--family", "tests.samples", "--grain", "FIVE_MINUTES", "--days")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((*FIVE, "0"), "--days: 0 is no number of days to keep rows; give 1 to 100000, or forever."),
        ((*FIVE, "100001"), "--days: 100001 is no number of days to keep rows; give 1 to 100000, or forever."),
        ((*FIVE, "-1"), "--days: '-1' is no whole number of days; give one, forever or default."),
        ((*FIVE, "٣"), "--days: '٣' is no whole number of days; give one, forever or default."),
        (
            (*FIVE, "401"),
            "--days: HOUR rows of tests.samples would be kept 400 days and FIVE_MINUTES rows 401 days;"
            " keep coarser rows as long as finer ones.",
        ),
        (
            (*FIVE, "forever"),
            "--days: HOUR rows of tests.samples would be kept 400 days and FIVE_MINUTES rows for ever;"
            " keep coarser rows as long as finer ones.",
        ),
        (("--days", "3"), "--days: name what is to be kept so long, by --family and --grain."),
        (
            ("--family", "tests.samples", "--grain", "MINUTE", "--days", "3"),
            "--grain: tests.samples has no rows by MINUTE; it has FIVE_MINUTES, HOUR, DAY.",
        ),
        (("--grain", "WEEK"), "--grain: there is no 'WEEK'; there are MINUTE, FIVE_MINUTES, HOUR, DAY, MONTH."),
    ],
)
def test_what_cannot_be_kept_so_long(people: Cast, settings: Any, arguments: tuple[str, ...], sentence: str) -> None:
    """One sentence, and nothing is changed."""
    settings.FLOWLEDGER_WINGS = OURS
    before = shown()
    assert refusal(*arguments) == sentence
    assert shown() == before


def test_limits_of_before_are_taken_over(people: Cast) -> None:
    """As the migration does: minutes and hours had a column each."""
    sql("ALTER TABLE folded ADD COLUMN minute_since timestamptz, ADD COLUMN hour_since timestamptz")
    rows = "INSERT INTO folded (tenant_id, family, minute_since, hour_since) VALUES (%s, %s, %s, %s)"
    acme, globex = people.acme.tenant.id, people.globex.tenant.id
    sql(rows, [acme, "transitions", LATEST, None])
    sql(rows, [globex, "transitions", NOW, LATEST])
    sql(import_module("analytics.migrations.0008_retention").MOVE)
    found = sql("SELECT tenant_id, family, grain, since FROM kept_since")
    assert sorted(found) == sorted(
        [(acme, "transitions", 1, LATEST), (globex, "transitions", 1, NOW), (globex, "transitions", 3, LATEST)]
    )
