"""The facts behind a number of any family, and the rows that explain why it changed."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from analytics.engine.family import Merge
from analytics.engine.reading.cell_changes import LearnedFact, explained_cell, learned_facts
from analytics.engine.reading.cell_facts import Cell, CellFact
from analytics.engine.reading.explaining import ExplainedNumber
from analytics.engine.reading.measures import read
from analytics.engine.reading.read_from import ReadFrom
from analytics.flow.family import TRANSITIONS, Facet
from analytics.pure.windows import Bucket, Window, between
from analytics.pure.zones import ONE_DAY
from tasks_app.tenancy import entered
from tests.cast import cast
from tests.engine.families.findings import FINDINGS, FIRST_ID, FindingFact, Kind
from tests.engine.families.random_facts import DAWN, FACTS, SHAPES, windows
from tests.engine.families.samples import SAMPLES
from tests.engine.families.tables import Recording, Row, recorded, told
from tests.engine.test_families import House, each_shape, house
from tests.engine.test_known_reading import FIRST_XACT, MINUTE, RECORDED_FROM, is_visible, snapshots, text_of
from tests.flow.test_replay_properties import undone
from tests.graphql.march import at
from tests.graphql.proofs import board_of_march
from tests.properties import some
from tests.spec.runner import LONG_AFTER

pytestmark = pytest.mark.django_db

IN_ORDER = "x.happened_at, x.seq"


def numbers(home: House, asked: Window) -> list[tuple[Cell, Any]]:
    """Every number of the window that adds up, and what it is as all is known."""
    family = home.shape.family
    found: list[tuple[Cell, Any]] = []
    for piece, project, *told_of in home.measured(asked, ReadFrom.RAW).rows:
        values = dict(zip(family.dimensions, told_of, strict=False))
        measures = told_of[len(family.dimensions) :]
        for measure, number in zip(family.measures, measures, strict=True):
            if measure.merge is Merge.ADD:
                cell = Cell(
                    tenant_id=home.tenant.id,
                    family=family,
                    measure=measure.name,
                    begin=asked.edges[piece - 1] if piece else None,
                    end=asked.edges[piece],
                    projects=[project],
                    dimensions={name: [value] for name, value in values.items()},
                )
                found.append((cell, number))
    return found


def pages(cell: Cell, *, limit: int) -> list[CellFact]:
    """All facts of the cell, page by page."""
    found = cell.read(where="TRUE", params=(), order=IN_ORDER, limit=limit)
    page = found
    while len(page) == limit:
        last = page[-1]
        page = cell.read(
            where="(x.happened_at, x.seq) > (%s, %s)", params=(last.happened_at, last.seq), order=IN_ORDER, limit=limit
        )
        found = [*found, *page]
    return found


def learned(cell: Cell, changed: ExplainedNumber) -> list[LearnedFact]:
    return learned_facts(cell=cell, explained=changed, where="TRUE", params=(), order="x.seq", limit=100)


@each_shape
@some
@given(data=st.data(), asked=windows())
def test_the_facts_of_a_number_add_up_to_it(name: str, data: st.DataObject, asked: Window) -> None:
    """P51: of any family, whole and page by page; each is a row of the ledger that happened in the piece."""
    with undone():
        home = house(shape=SHAPES[name], zone="UTC", project_zone="UTC")
        facts = data.draw(FACTS[name](list(home.projects)))
        note("\n".join(map(str, facts)))
        recorded(shape=home.shape, tenant_id=home.tenant.id, facts=facts)
        happened = {fact.seq: fact.happened_at for fact in facts}
        found = numbers(home, asked)
        with entered(tenant_id=home.tenant.id, read_only=True):
            for cell, number in found:
                behind = pages(cell, limit=2)
                assert sum(each.adds for each in behind) == number
                assert cell.count_and_total() == (len(behind), number)
                assert sum(cell.by_item().values()) == number
                assert all(one[2:0:-1] < two[2:0:-1] for one, two in pairwise(behind))
                assert all(happened[each.seq] == each.happened_at < cell.end for each in behind)


@each_shape
@some
@given(data=st.data(), asked=windows(), minutes=st.integers(-1, 15), snapshot=st.none() | snapshots())
def test_the_rows_that_explain_a_change_are_all_of_it(
    name: str, data: st.DataObject, asked: Window, minutes: int, snapshot: tuple[int, int, list[int]] | None
) -> None:
    """P56: without them the number is what it was; and whose items count as before has none."""
    with undone():
        home = house(shape=SHAPES[name], zone="UTC", project_zone="UTC")
        facts = data.draw(FACTS[name](list(home.projects)))
        recordings = [
            Recording(
                recorded_at=RECORDED_FROM + place * MINUTE, xact=FIRST_XACT + data.draw(st.integers(0, 8), label="xact")
            )
            for place in range(len(facts))
        ]
        note("\n".join(map(str, zip(facts, recordings, strict=True))))
        recorded(shape=home.shape, tenant_id=home.tenant.id, facts=facts, recordings=recordings)
        known_at = RECORDED_FROM + minutes * MINUTE
        shown = None if snapshot is None else text_of(snapshot)
        pairs = list(zip(facts, recordings, strict=True))
        new = {fact.seq for fact, each in pairs if not is_visible(each, known_at=known_at, snapshot=snapshot)}
        found = numbers(home, asked)
        with entered(tenant_id=home.tenant.id, read_only=True):
            for cell, number in found:
                changed = explained_cell(cell=cell, known_from=known_at, known_to=LONG_AFTER, snapshot=shown)
                rows = learned(cell, changed)
                taken_away = {row.seq for row in rows}
                left = [fact for fact in facts if fact.seq not in taken_away]
                assert taken_away <= new
                assert {row.item for row in rows} == changed.contributions().keys()
                assert changed.after == number
                assert changed.before == told_of(home, left, asked, cell)
                differences = sum(after - before for before, after in changed.contributions().values())
                assert differences == number - told_of(home, left, asked, cell)


def told_of(home: House, facts: Sequence[Any], asked: Window, cell: Cell) -> Any:
    """The cell's number of these facts, as plain Python counts it."""
    family = home.shape.family
    rows: list[Row] = told(shape=home.shape, facts=facts, edges=asked.edges, projects=[0, *home.projects])
    piece = 0 if cell.begin is None else asked.edges.index(cell.begin) + 1
    key = (piece, *(cell.projects or ()), *(value for values in cell.dimensions.values() for value in values))
    place = len(key) + [measure.name for measure in family.measures].index(cell.measure)
    return next((row[place] for row in rows if row[: len(key)] == key), 0)


def findings_cell(home: House, **asked: Any) -> Cell:
    """The findings that were opened at severity 2."""
    usual: dict[str, Any] = {"measure": "findings", "dimensions": {"before_severity": [0], "after_severity": [2]}}
    return Cell(
        tenant_id=home.tenant.id,
        family=FINDINGS,
        begin=None,
        end=DAWN + 2 * ONE_DAY,
        **{**usual, **asked},
    )


def test_a_late_fact_explains_what_it_took_away() -> None:
    """A finding that turns out to have been of severity 3 from the start is no finding of severity 2."""
    home = house(shape=SHAPES["findings"], zone="UTC", project_zone="UTC")
    project = home.projects[0]
    facts = [
        FindingFact(1, DAWN + ONE_DAY, FIRST_ID, project, Kind.OPENED, 2),
        FindingFact(2, DAWN + ONE_DAY, FIRST_ID + 1, project, Kind.OPENED, 2),
        FindingFact(3, DAWN, FIRST_ID, project, Kind.OPENED, 3),
    ]
    recordings = [Recording(recorded_at=RECORDED_FROM + place * MINUTE, xact=FIRST_XACT) for place in range(3)]
    recorded(shape=home.shape, tenant_id=home.tenant.id, facts=facts, recordings=recordings)
    with entered(tenant_id=home.tenant.id, read_only=True):
        cell = findings_cell(home)
        changed = explained_cell(cell=cell, known_from=RECORDED_FROM + MINUTE, known_to=LONG_AFTER)
        assert (changed.before, changed.after) == (2, 1)
        assert changed.contributions() == {FIRST_ID: (1, 0)}
        assert learned(cell, changed) == [(FIRST_ID, 3, DAWN, RECORDED_FROM + 2 * MINUTE)]
        assert pages(cell, limit=5) == [(FIRST_ID + 1, 2, DAWN + ONE_DAY, 1)]


def test_moves_of_tasks_are_taken_apart_like_any_facts() -> None:
    """Of the product's own family: each way that tasks went, before and in the window, and who went it."""
    people = cast()
    board_of_march(people)
    tenant = people.acme.tenant
    window = between(start=at(3), end=at(9), zone="UTC", bucket=Bucket.DAY, now=LONG_AFTER)
    with entered(tenant_id=tenant.id, read_only=True):
        rows = read(
            tenant_id=tenant.id,
            zone="UTC",
            family=TRANSITIONS,
            projects=None,
            asked=[(Facet.BOARD, 0), (Facet.ASSIGNEE, people.bob.actor.id)],
            window=window,
            read_from=ReadFrom.RAW,
        ).rows
        assert {row[2] for row in rows} == {Facet.BOARD, Facet.ASSIGNEE}
        for piece, project, *values, number in rows:
            cell = Cell(
                tenant_id=tenant.id,
                family=TRANSITIONS,
                measure="facts",
                begin=window.edges[piece - 1] if piece else None,
                end=window.edges[piece],
                projects=[project],
                dimensions={name: [value] for name, value in zip(TRANSITIONS.dimensions, values, strict=True)},
            )
            assert cell.count_and_total() == (len(pages(cell, limit=1)), number)


def test_what_no_cell_is_made_of_is_refused() -> None:
    """A maximum is not made of single facts, and what a family has no dimension of cannot be asked for."""
    home = house(shape=SHAPES["findings"], zone="UTC", project_zone="UTC")
    with pytest.raises(
        ValueError, match=r"dimensions: tests\.findings has no colour; it has before_severity, after_sev"
    ):
        findings_cell(home, dimensions={"colour": [1]})
    with pytest.raises(
        ValueError, match=r"measure: 'seconds' of tests\.findings does not add up.*give one of findings\."
    ):
        findings_cell(home, measure="seconds")
    with pytest.raises(ValueError, match=r"measure: 'maximum' of tests\.samples does not add up"):
        Cell(tenant_id=1, family=SAMPLES, measure="maximum", begin=None, end=DAWN)
