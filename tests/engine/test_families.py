"""Any family is folded and read by the one engine: some that the product does not have, of other shapes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import ProgrammingError
from hypothesis import given, note
from hypothesis import strategies as st

from analytics.engine.reading.knowledge import ALL_RECORDED, Knowledge
from analytics.engine.reading.measures import Measured, read
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.rollups.compact import compact, owners
from analytics.engine.rollups.fold import fold
from analytics.engine.rollups.rebuild import rebuild
from analytics.engine.rollups.verify import verify_family
from analytics.pure.windows import Bucket, Window, between
from analytics.pure.zones import ONE_DAY
from tasks_app.models import Project, Tenant
from tasks_app.tenancy import entered
from tests.cast import company
from tests.engine.families.extremes import Reading
from tests.engine.families.findings import FIRST_ID, FindingFact, Kind
from tests.engine.families.meters import FIRST_METER, MeterFact
from tests.engine.families.random_facts import DAWN, FACTS, SHAPES, ZONES, windows
from tests.engine.families.samples import Sample
from tests.engine.families.tables import Row, Shape, created, recorded, told
from tests.engine.families.time_entries import FIRST_PERSON, TimeEntry
from tests.flow.test_replay_properties import undone
from tests.properties import some
from tests.spec.runner import LONG_AFTER
from tests.tasks_app.recording import sql

pytestmark = pytest.mark.django_db

batches = st.lists(st.integers(1, 5), max_size=4)
zones = st.sampled_from(ZONES)
each_shape = pytest.mark.parametrize("name", SHAPES)


@dataclass(frozen=True, kw_only=True)
class House:
    """A tenant with two projects, and a family's facts in its ledger."""

    shape: Shape
    tenant: Tenant
    projects: Sequence[int]

    def folded(self, *, most_facts: int) -> None:
        """Folds so many of the facts that were recorded first."""
        (owner,) = owners(tenant_id=self.tenant.id)
        fold(owner=owner, family=self.shape.family, now=LONG_AFTER, most_facts=most_facts)

    def compacted(self) -> None:
        """Folds the rest."""
        compact(now=LONG_AFTER, tenant_id=self.tenant.id, families=[self.shape.family])

    def rebuilt(self) -> None:
        """Makes the rollups anew."""
        rebuild(now=LONG_AFTER, tenant_id=self.tenant.id, families=[self.shape.family])

    def answers(self, window: Window, read_from: ReadFrom, *, projects: Sequence[int] | None = None) -> Sequence[Row]:
        """The rows that a member gets."""
        return self.measured(window, read_from, projects=projects).rows

    def measured(
        self,
        window: Window,
        read_from: ReadFrom,
        *,
        projects: Sequence[int] | None = None,
        knowledge: Knowledge = ALL_RECORDED,
        by_project: bool = True,
    ) -> Measured:
        """What the door answers to a member."""
        self.tenant.refresh_from_db()
        with entered(tenant_id=self.tenant.id, read_only=True):
            return read(
                tenant_id=self.tenant.id,
                zone=self.tenant.timezone,
                family=self.shape.family,
                projects=projects,
                asked=self.shape.asked,
                window=window,
                read_from=read_from,
                knowledge=knowledge,
                by_project=by_project,
            )

    def rollups(self) -> list[Row]:
        """Every rollup row of the tenant, as text."""
        table = self.shape.family.rollup
        return sorted(sql(f"SELECT r::text FROM {table} r WHERE tenant_id = %s", [self.tenant.id]))

    def unsound(self) -> list[tuple[int, str | None]]:
        """What verify finds: how many rows, and the first."""
        (owner,) = owners(tenant_id=self.tenant.id)
        found = verify_family(owner=owner, family=self.shape.family, now=LONG_AFTER)
        return [(check.failures, check.first) for check in found if check.failures]


def house(*, shape: Shape, zone: str, project_zone: str) -> House:
    """The tables, and a tenant without facts; its second project has another zone than the tenant."""
    created(shape)
    acme = company(slug="acme", timezone=zone)
    there = acme.second_board.project
    Project.objects.filter(tenant=acme.tenant, id=there.id).update(timezone=project_zone)
    return House(shape=shape, tenant=acme.tenant, projects=[acme.board.project.id, there.id])


def with_facts(home: House, facts: Sequence[Any]) -> House:
    """The facts recorded, and those of a neighbour, which must not be seen."""
    recorded(shape=home.shape, tenant_id=home.tenant.id, facts=facts)
    recorded(shape=home.shape, tenant_id=home.tenant.id + 1, facts=facts[:3])
    return home


@each_shape
@some
@given(data=st.data(), asked=st.lists(windows(), min_size=1, max_size=3), folds=batches, zone=zones, there=zones)
def test_wherever_it_is_read_from_it_is_the_same(
    name: str, data: st.DataObject, asked: list[Window], folds: list[int], zone: str, there: str
) -> None:
    """P50, P53: late facts, clock changes, any point of folding; the sums are those of plain Python."""
    with undone():
        home = house(shape=SHAPES[name], zone=zone, project_zone=there)
        facts = data.draw(FACTS[name](list(home.projects)))
        note(f"{zone} {there} {folds}\n" + "\n".join(map(str, facts)))
        with_facts(home, facts)
        for most_facts in folds:
            home.folded(most_facts=most_facts)
        assert home.unsound() == []
        wanted = [
            told(shape=home.shape, facts=facts, edges=window.edges, projects=[0, *home.projects]) for window in asked
        ]
        assert [home.answers(window, ReadFrom.RAW) for window in asked] == wanted
        assert [home.answers(window, ReadFrom.MERGED) for window in asked] == wanted
        home.compacted()
        assert [home.answers(window, ReadFrom.ROLLUP) for window in asked] == wanted
        compacted = home.rollups()
        home.rebuilt()
        assert home.rollups() == compacted
        assert home.unsound() == []


@each_shape
@some
@given(data=st.data(), asked=windows(), folds=batches, zone=zones, before=zones, after=zones)
def test_a_zone_that_changes_between_folds(
    name: str, data: st.DataObject, asked: Window, folds: list[int], zone: str, before: str, after: str
) -> None:
    """P53: until the next fold the ledger answers, after it rows of the new zone; of one project as of all."""
    with undone():
        home = house(shape=SHAPES[name], zone=zone, project_zone=before)
        facts = data.draw(FACTS[name](list(home.projects)))
        with_facts(home, facts)
        for most_facts in folds:
            home.folded(most_facts=most_facts)
        Tenant.objects.filter(id=home.tenant.id).update(timezone=after)
        Project.objects.filter(tenant=home.tenant, id=home.projects[1]).update(timezone=after)
        wanted = told(shape=home.shape, facts=facts, edges=asked.edges, projects=[0, *home.projects])
        assert home.answers(asked, ReadFrom.MERGED) == wanted
        home.folded(most_facts=1)
        assert home.answers(asked, ReadFrom.MERGED) == wanted
        assert home.unsound() == []
        home.compacted()
        compacted = home.rollups()
        home.rebuilt()
        assert home.rollups() == compacted


ONE_OF_EACH: dict[str, Callable[[Sequence[int]], list[Any]]] = {
    "time entries": lambda projects: [
        TimeEntry(1, DAWN, 1, projects[0], FIRST_PERSON + 1, 7, 3600),
        TimeEntry(2, DAWN + ONE_DAY, 2, projects[1], FIRST_PERSON + 3, 8, 1800),
    ],
    "findings": lambda projects: [
        FindingFact(1, DAWN, FIRST_ID, projects[0], Kind.OPENED, 2),
        FindingFact(2, DAWN + ONE_DAY, FIRST_ID + 1, projects[1], Kind.OPENED, 3),
    ],
    "samples": lambda projects: [Sample(1, DAWN, 1, 0.1), Sample(2, DAWN + ONE_DAY, 3, 7.0)],
    "extremes": lambda projects: [
        Reading(1, DAWN, FIRST_ID, projects[0], 0.0),
        Reading(2, DAWN + ONE_DAY, FIRST_ID + 1, projects[1], 7.0),
    ],
    "meters": lambda projects: [
        MeterFact(1, DAWN, 1, projects[0], FIRST_METER + 1, Decimal(2)),
        MeterFact(2, DAWN + ONE_DAY, 2, projects[1], FIRST_METER + 3, Decimal(7)),
    ],
}
WRONG_CELLS = {
    "time entries": (
        "UPDATE time_entry_rollup SET seconds = seconds + 60 WHERE tenant_id = %s AND person = 5000000001 AND grain = 4",
        "time_entry_rollup of acme, project_id {first}, grain 4, bucket 2025-03-29T00:00:00+00:00, person 5000000001, task 7: "
        "seconds, entries is (3660,1) and must be (3600,1).",
    ),
    "findings": (
        "DELETE FROM finding_rollup WHERE tenant_id = %s AND after_severity = 2 AND grain = 5",
        "finding_rollup of acme lacks the row project_id {first}, grain 5, bucket 2025-03-01T00:00:00+00:00, "
        "before_severity 0, after_severity 2: findings must be (1).",
    ),
    "samples": (
        "UPDATE sample_rollup SET maximum = 0.2 WHERE tenant_id = %s AND series = 1 AND grain = 2",
        "sample_rollup of acme, project_id 0, grain 2, bucket 2025-03-29T00:00:00+00:00, series 1: samples, total, "
        "minimum, maximum, first_sample, last_sample is "
        '(1,0.1,0.1,0.2,"{{1.7432064e+15,1,0.1}}","{{1.7432064e+15,1,0.1}}") and must be '
        '(1,0.1,0.1,0.1,"{{1.7432064e+15,1,0.1}}","{{1.7432064e+15,1,0.1}}").',
    ),
    "extremes": (
        "UPDATE reading_rollup SET lowest = -1 WHERE tenant_id = %s AND highest = 0 AND grain = 2",
        "reading_rollup of acme, project_id {first}, grain 2, bucket 2025-03-29T00:00:00+00:00: lowest, highest is (-1,0) "
        "and must be (0,0).",
    ),
    "meters": (
        "DELETE FROM meter_rollup WHERE tenant_id = %s AND lowest = 2 AND grain = 5",
        "meter_rollup of acme lacks the row project_id {first}, grain 5, bucket 2025-03-01T00:00:00+00:00, "
        "meter 6000000001: total, lowest, highest, first_reading, last_reading must be "
        '(2,2,2,"{{1743206400.000000,1,2}}","{{1743206400.000000,1,2}}").',
    ),
}
TWO_DAYS = between(start=DAWN, end=DAWN + 2 * ONE_DAY, zone="UTC", bucket=Bucket.DAY, now=LONG_AFTER)


def folded_house(name: str) -> House:
    """A fact in each project and on each of two days, all folded."""
    home = house(shape=SHAPES[name], zone="UTC", project_zone="UTC")
    with_facts(home, ONE_OF_EACH[name](home.projects))
    home.compacted()
    return home


@each_shape
def test_a_cell_that_was_changed_by_hand_is_named(name: str) -> None:
    """Nothing else is found wrong."""
    home = folded_house(name)
    statement, sentence = WRONG_CELLS[name]
    sql(f"/* tests.change_a_cell */ {statement}", [home.tenant.id])
    assert home.unsound() == [(1, sentence.format(first=home.projects[0]))]


@each_shape
def test_a_closed_window_needs_no_right_to_read_the_ledger(name: str) -> None:
    """The replay does, so the right is really gone."""
    home = folded_house(name)
    wanted = home.answers(TWO_DAYS, ReadFrom.RAW)
    sql(f"/* tests.no_ledger */ REVOKE SELECT ON {home.shape.family.ledger} FROM fl_tenant")
    assert [row[0] for row in wanted] == [1, 2]
    assert home.answers(TWO_DAYS, ReadFrom.ROLLUP) == home.answers(TWO_DAYS, ReadFrom.MERGED) == wanted
    with pytest.raises(ProgrammingError, match="permission denied"):
        home.answers(TWO_DAYS, ReadFrom.RAW)


@pytest.mark.parametrize("name", ["time entries", "findings", "extremes", "meters"])
@pytest.mark.parametrize("read_from", ReadFrom)
def test_one_project_is_asked_for(name: str, read_from: ReadFrom) -> None:
    """A project that is not the tenant's has no rows."""
    home = folded_house(name)
    (found,) = home.answers(TWO_DAYS, read_from, projects=[home.projects[1], 2**31 - 1])
    assert found[:2] == (2, home.projects[1])


def test_a_family_without_projects_has_none_to_ask_for() -> None:
    """Answering for all of them would be another answer than the one that was asked for."""
    home = folded_house("samples")
    with pytest.raises(ValueError, match=r"The family tests\.samples has no projects; give None as 'projects'\."):
        home.answers(TWO_DAYS, ReadFrom.MERGED, projects=[home.projects[0]])


def test_a_late_fact_restates_what_came_after_it() -> None:
    """A finding that was worse before it was closed, as one learns when it is folded: in the tail and out of it."""
    home = house(shape=SHAPES["findings"], zone="UTC", project_zone="UTC")
    project = home.projects[0]
    noon = DAWN + timedelta(hours=12)
    recorded(
        shape=home.shape,
        tenant_id=home.tenant.id,
        facts=[
            FindingFact(1, DAWN, FIRST_ID, project, Kind.OPENED, 2),
            FindingFact(2, DAWN + ONE_DAY, FIRST_ID, project, Kind.CLOSED, 0),
            FindingFact(3, noon, FIRST_ID, project, Kind.SEVERITY_CHANGED, 3),
        ],
    )
    home.folded(most_facts=2)
    assert home.answers(TWO_DAYS, ReadFrom.ROLLUP) == [(1, project, 0, 2, 1), (2, project, 2, 0, 1)]
    as_it_was = [(1, project, 0, 2, 1), (1, project, 2, 3, 1), (2, project, 3, 0, 1)]
    assert home.answers(TWO_DAYS, ReadFrom.MERGED) == as_it_was
    home.compacted()
    assert home.answers(TWO_DAYS, ReadFrom.ROLLUP) == as_it_was


def test_a_correction_lets_least_and_greatest_fall_back() -> None:
    """They have no inverse: the rows are made again. One reading of three is corrected, then another is withdrawn."""
    home = house(shape=SHAPES["meters"], zone="UTC", project_zone="UTC")
    project, meter = home.projects[0], FIRST_METER + 1
    readings = [
        MeterFact(1, DAWN, 1, project, meter, Decimal(9)),
        MeterFact(2, DAWN + timedelta(hours=1), 2, project, meter, Decimal(-3)),
        MeterFact(3, DAWN + timedelta(hours=2), 3, project, meter, Decimal(4)),
    ]
    with_facts(home, readings)
    home.compacted()
    assert [row[3:6] for row in home.answers(TWO_DAYS, ReadFrom.ROLLUP)] == [(10, -3, 9)]
    corrections = [
        MeterFact(4, DAWN, 1, project, meter, Decimal(-1)),
        MeterFact(5, DAWN + timedelta(hours=1), 2, project, meter, None),
    ]
    recorded(shape=home.shape, tenant_id=home.tenant.id, facts=corrections)
    assert [row[3:6] for row in home.answers(TWO_DAYS, ReadFrom.MERGED)] == [(3, -1, 4)]
    home.folded(most_facts=1)
    assert [row[3:6] for row in home.answers(TWO_DAYS, ReadFrom.ROLLUP)] == [(0, -3, 4)]
    home.compacted()
    assert [row[3:6] for row in home.answers(TWO_DAYS, ReadFrom.ROLLUP)] == [(3, -1, 4)]
    assert home.unsound() == []


def test_a_row_of_which_all_was_taken_back_is_gone() -> None:
    """Of every grain; the meter beside it stays as it is, byte for byte."""
    home = house(shape=SHAPES["meters"], zone="UTC", project_zone="UTC")
    project = home.projects[0]
    beside = MeterFact(1, DAWN, 1, project, FIRST_METER + 3, Decimal(9))
    with_facts(home, [beside])
    home.compacted()
    before = home.rollups()
    withdrawn = MeterFact(2, DAWN, 2, project, FIRST_METER + 1, Decimal(5))
    recorded(shape=home.shape, tenant_id=home.tenant.id, facts=[withdrawn])
    home.compacted()
    assert len(home.rollups()) == 2 * len(before)
    recorded(shape=home.shape, tenant_id=home.tenant.id, facts=[withdrawn._replace(seq=3, value=None)])
    home.compacted()
    assert home.rollups() == before


@pytest.mark.parametrize("read_from", ReadFrom)
def test_rows_of_a_zone_that_is_no_longer_are_not_read(read_from: ReadFrom) -> None:
    """P53: an hour before midnight in UTC is the next day in Stockholm."""
    home = house(shape=SHAPES["time entries"], zone="UTC", project_zone="UTC")
    there = home.projects[1]
    recorded(
        shape=home.shape,
        tenant_id=home.tenant.id,
        facts=[TimeEntry(1, DAWN + timedelta(hours=23), 1, there, FIRST_PERSON + 1, 7, 3600)],
    )
    home.compacted()
    Project.objects.filter(tenant=home.tenant, id=there).update(timezone="Europe/Stockholm")
    midnight = DAWN - timedelta(hours=1)
    days = between(
        start=midnight, end=midnight + 2 * ONE_DAY, zone="Europe/Stockholm", bucket=Bucket.DAY, now=LONG_AFTER
    )
    assert home.answers(days, read_from) == [(2, there, FIRST_PERSON + 1, 7, 3600, 1)]
    home.folded(most_facts=1)
    assert home.answers(days, read_from) == [(2, there, FIRST_PERSON + 1, 7, 3600, 1)]
