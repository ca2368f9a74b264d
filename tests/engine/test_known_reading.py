"""Measures of any family as they were known: at an instant, in a snapshot; and what is said of where they were read from."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from analytics.engine.reading import fallbacks
from analytics.engine.reading.knowledge import Knowledge
from analytics.engine.reading.read_from import ReadFrom
from analytics.pure.windows import Window
from analytics.pure.zones import ONE_DAY
from tasks_app.models import Project
from tests.engine.families.findings import FIRST_ID, FindingFact, Kind
from tests.engine.families.meters import FIRST_METER, MeterFact
from tests.engine.families.random_facts import DAWN, FACTS, SHAPES, ZONES, windows
from tests.engine.families.tables import Recording, recorded, told
from tests.engine.test_families import TWO_DAYS, House, batches, each_shape, folded_house, house, with_facts
from tests.flow.test_replay_properties import undone
from tests.properties import some

pytestmark = pytest.mark.django_db

# Long after all that happened, a minute apart.
RECORDED_FROM = DAWN + 30 * ONE_DAY
MINUTE = timedelta(minutes=1)
FIRST_XACT = 1_000
zones = st.sampled_from(ZONES)


@st.composite
def snapshots(draw: st.DrawFn) -> tuple[int, int, list[int]]:
    """Numbers below the first had ended, those from the second on had not begun, and some between were at work."""
    low, high = sorted(draw(st.lists(st.integers(FIRST_XACT, FIRST_XACT + 8), min_size=2, max_size=2)))
    busy = sorted(draw(st.sets(st.integers(low, high - 1)))) if low < high else []
    return low, high, busy


def text_of(snapshot: tuple[int, int, list[int]]) -> str:
    """As PostgreSQL writes a txid_snapshot. The first number is at work, or is the next one."""
    _, high, busy = snapshot
    return f"{min([*busy, high])}:{high}:{','.join(map(str, busy))}"


def is_visible(recording: Recording, *, known_at: datetime | None, snapshot: tuple[int, int, list[int]] | None) -> bool:
    """As a reader would say it."""
    if known_at is not None and recording.recorded_at > known_at:
        return False
    return snapshot is None or (recording.xact < snapshot[1] and recording.xact not in snapshot[2])


@each_shape
@some
@given(
    data=st.data(),
    asked=windows(),
    folds=batches,
    minutes=st.none() | st.integers(-1, 15),
    snapshot=st.none() | snapshots(),
    there=zones,
)
def test_what_was_known_is_read_again(
    name: str,
    data: st.DataObject,
    asked: Window,
    folds: list[int],
    minutes: int | None,
    snapshot: tuple[int, int, list[int]] | None,
    there: str,
) -> None:
    """P56: of any family, from any folding, RAW over the facts that could be seen, wherever it was asked from."""
    with undone():
        home = house(shape=SHAPES[name], zone="UTC", project_zone=there)
        facts = data.draw(FACTS[name](list(home.projects)))
        recordings = [
            Recording(
                recorded_at=RECORDED_FROM + place * MINUTE, xact=FIRST_XACT + data.draw(st.integers(0, 8), label="xact")
            )
            for place in range(len(facts))
        ]
        known_at = None if minutes is None else RECORDED_FROM + minutes * MINUTE
        note(f"{known_at} {snapshot} {recordings}\n" + "\n".join(map(str, facts)))
        recorded(shape=home.shape, tenant_id=home.tenant.id, facts=facts, recordings=recordings)
        for most_facts in folds:
            home.folded(most_facts=most_facts)
        pairs = zip(facts, recordings, strict=True)
        seen = [fact for fact, each in pairs if is_visible(each, known_at=known_at, snapshot=snapshot)]
        wanted = told(shape=home.shape, facts=seen, edges=asked.edges, projects=[0, *home.projects])
        knowledge = Knowledge(known_at=known_at, snapshot=None if snapshot is None else text_of(snapshot))
        # Rollups alone lag behind what is known now; what was known then they do not have.
        asked_from = [ReadFrom.RAW, ReadFrom.MERGED] if knowledge.is_all else list(ReadFrom)
        found = [home.measured(asked, read_from, knowledge=knowledge) for read_from in asked_from]
        assert [list(each.rows) for each in found] == [wanted] * len(found)
        if not knowledge.is_all:
            assert {each.read_from for each in found} == {ReadFrom.RAW}
            assert [each.note for each in found] == [None, fallbacks.AS_KNOWN_THEN, fallbacks.AS_KNOWN_THEN]


@each_shape
@some
@given(data=st.data(), asked=windows(), folds=batches, there=zones)
def test_all_projects_are_one(name: str, data: st.DataObject, asked: Window, folds: list[int], there: str) -> None:
    """Of a whole tenant each piece and cell is one row, as if there were one project."""
    with undone():
        home = house(shape=SHAPES[name], zone="UTC", project_zone=there)
        facts = data.draw(FACTS[name](list(home.projects)))
        with_facts(home, facts)
        for most_facts in folds:
            home.folded(most_facts=most_facts)
        wanted = told(shape=home.shape, facts=facts, edges=asked.edges, projects=[0, *home.projects], by_project=False)
        for read_from in (ReadFrom.RAW, ReadFrom.MERGED):
            assert list(home.measured(asked, read_from, by_project=False).rows) == wanted
        home.compacted()
        assert list(home.measured(asked, ReadFrom.ROLLUP, by_project=False).rows) == wanted


@each_shape
def test_rows_read_are_told(name: str) -> None:
    """All of the ledger for RAW, none for what is folded, and of the tail what waits."""
    home = folded_house(name)
    raw, rollup, merged = (home.measured(TWO_DAYS, each) for each in ReadFrom)
    assert (raw.read_from, raw.raw_rows, raw.tail_rows, raw.note) == (ReadFrom.RAW, 2, 0, None)
    assert (rollup.read_from, rollup.raw_rows, rollup.tail_rows, rollup.note) == (ReadFrom.ROLLUP, 0, 0, None)
    assert (merged.read_from, merged.raw_rows, merged.tail_rows, merged.note) == (ReadFrom.MERGED, 0, 0, None)


def test_of_the_tail_what_waits_is_read() -> None:
    """And of its item what is folded, where that is in the ledger alone."""
    home = folded_house("findings")
    late = FindingFact(3, DAWN + ONE_DAY, FIRST_ID, home.projects[0], Kind.CLOSED, 0)
    recorded(shape=home.shape, tenant_id=home.tenant.id, facts=[late])
    merged = home.measured(TWO_DAYS, ReadFrom.MERGED)
    assert (merged.read_from, merged.raw_rows, merged.tail_rows, merged.note) == (ReadFrom.MERGED, 2, 1, None)
    assert merged.rows == home.measured(TWO_DAYS, ReadFrom.RAW).rows
    assert home.measured(TWO_DAYS, ReadFrom.ROLLUP).raw_rows == 0


@each_shape
def test_nothing_folded_is_said(name: str) -> None:
    """Rollups alone would answer nothing at all."""
    home = house(shape=SHAPES[name], zone="UTC", project_zone="UTC")
    found = home.measured(TWO_DAYS, ReadFrom.ROLLUP)
    assert (found.read_from, found.note) == (ReadFrom.RAW, fallbacks.NOTHING_FOLDED)


@pytest.mark.parametrize("name", ["time entries", "findings"])
def test_a_zone_that_changed_is_said(name: str) -> None:
    """Rows by days of the old zone answer no question."""
    home = folded_house(name)
    Project.objects.filter(tenant=home.tenant, id=home.projects[1]).update(timezone="Europe/Stockholm")
    found = home.measured(TWO_DAYS, ReadFrom.MERGED)
    assert (found.read_from, found.note) == (ReadFrom.RAW, fallbacks.REDEFINED)


def meter_house() -> House:
    """Two readings of a meter, folded: 9 and 5."""
    home = house(shape=SHAPES["meters"], zone="UTC", project_zone="UTC")
    readings = [
        MeterFact(seq, DAWN, seq, home.projects[0], FIRST_METER + 1, Decimal(value)) for seq, value in ((1, 9), (2, 5))
    ]
    recorded(shape=home.shape, tenant_id=home.tenant.id, facts=readings)
    home.compacted()
    return home


CHANGES: Mapping[str, tuple[int, list[Decimal], str | None]] = {
    "a correction": (1, [Decimal(8), Decimal(3), Decimal(5)], fallbacks.TAKEN_BACK),
    "a new reading": (3, [Decimal(17), Decimal(3), Decimal(9)], None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_correction_that_waits_takes_the_highest_value_back(change: str) -> None:
    """There is no subtracting of a maximum: the ledger answers; for a reading more the rollups and the tail do."""
    reading, wanted, sentence = CHANGES[change]
    home = meter_house()
    third = MeterFact(3, DAWN, reading, home.projects[0], FIRST_METER + 1, Decimal(3))
    recorded(shape=home.shape, tenant_id=home.tenant.id, facts=[third])
    found = home.measured(TWO_DAYS, ReadFrom.MERGED)
    assert ([list(row[3:6]) for row in found.rows], found.note) == ([wanted], sentence)
    assert found.rows == home.measured(TWO_DAYS, ReadFrom.RAW).rows
    home.compacted()
    assert found.rows == home.measured(TWO_DAYS, ReadFrom.ROLLUP).rows
