"""The dual run: comparing, reading parity, and what it sees of seeded defects."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from statistics import median
from time import perf_counter

from django.db import connection, connections

from analytics.drift import store
from analytics.drift.arithmetic.comparing import Exact, Fields, Keyed
from analytics.drift.arithmetic.comparing import compare as compared
from analytics.drift.arithmetic.verdicts import Verdict
from analytics.drift.controls import Capability
from config.database.settings import use_owner_login
from tasks_app.tenancy import DatabaseRole, entered
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.scene import make_scene, within
from tests.benchmarks.scratch import owner_cursor, vacuum
from tests.benchmarks.stopwatch import timed

STATES = ("queued", "doing", "waiting", "review", "testing", "done", "cancelled")
SHAPE = Fields({"days": Keyed("date", Fields({"date": Exact(), **{state: Exact() for state in STATES}}))})
FLOW = Capability.CUMULATIVE_FLOW
FILL = """/* benchmarks.fill_comparisons */
INSERT INTO drift_comparison (tenant_id, capability, stratum, verdict, definition, basis, stage, flag_version, asked_at,
       compared_at, legacy_ms, candidate_ms, ours_first)
SELECT %(tenant)s, 'CUMULATIVE_FLOW', 'days<=31', (ARRAY['MATCH','MATCH','MATCH','LEGACY_ERROR'])[1 + n %% 4], 'flow/1',
       'KNOWN', 'SHADOW', 1, at, at, 1, 1, true
  FROM (SELECT n, now() - n * %(apart)s * interval '1 second' AS at FROM generate_series(1, %(rows)s) n) made
"""
COUNTS = """/* benchmarks.fill_counts */
INSERT INTO drift_count (tenant_id, capability, day, stratum, basis, verdict, signature, comparisons, last_at)
SELECT tenant_id, capability, asked_at::date, stratum, basis, verdict, signature, count(*), max(compared_at)
  FROM drift_comparison WHERE tenant_id = %(tenant)s GROUP BY 1, 2, 3, 4, 5, 6, 7
"""
SECONDS_APART = 2.5


def compare(request: Request) -> Iterator[Outcome]:
    """365 days of 7 states: no difference, each tenth day different, all of them. `rows` are days.

    The best of many: nothing is waited for, so whatever takes longer is somebody else's.
    """
    days = request.size(365)
    first = date(2025, 1, 1)

    def answer(off: int) -> dict[str, object]:
        """Every `off`-th day has other numbers; 0: none has."""
        numbers = (number + (off > 0 and number % off == 0) for number in range(days))
        return {"days": [_day(first + timedelta(days=place), number) for place, number in enumerate(numbers)]}

    ours = answer(0)
    for name, theirs, goal in (("same", ours, 5.0), ("drifting", answer(10), 5.0), ("all_different", answer(1), None)):
        yield Outcome(
            name=f"compare:{name}",
            ratio=min(timed(lambda: compared(ours=ours, theirs=theirs, by=SHAPE)) for _ in range(100)) * 1000,  # noqa: B023
            goal=goal,
            detail={"days": days, "states": len(STATES), "unit": "ms"},
        )


def _day(day: date, number: int) -> dict[str, object]:
    return {"date": day.isoformat(), **{state: number + place for place, state in enumerate(STATES)}}


def parity_read(request: Request) -> Iterator[Outcome]:
    """Parity of one capability over all days, with so many comparisons stored. `rows` are comparisons."""
    rows = request.size(1_000_000)
    scene = make_scene()
    with within(scene.tenant), owner_cursor() as cursor:
        cursor.execute(FILL, {"tenant": scene.tenant, "rows": rows, "apart": SECONDS_APART})
        cursor.execute(COUNTS, {"tenant": scene.tenant})
    vacuum("drift_comparison", "drift_count")
    last = datetime.now(UTC).date()  # noqa: TID251 - a benchmark is an edge
    window = {"first": last - timedelta(days=400), "last": last}

    def read() -> float:
        with entered(tenant_id=scene.tenant, role=DatabaseRole.TENANT, read_only=True):
            return timed(lambda: store.parity(tenant_id=scene.tenant, capability=FLOW, **window))

    read()
    with entered(tenant_id=scene.tenant, role=DatabaseRole.TENANT, read_only=True):
        found, _ = store.parity(tenant_id=scene.tenant, capability=FLOW, **window)
    yield Outcome(
        name="parity_read",
        ratio=median(read() for _ in range(9)) * 1000,
        goal=100.0,
        also=found.attempts == rows,
        detail={"comparisons": found.attempts, "parity": found.parity, "coverage": found.coverage, "unit": "ms"},
    )


def drift_recall(request: Request) -> Iterator[Outcome]:
    """Seeded defects that are seen, and alarms of clean comparisons. `rows` are clean comparisons."""
    use_owner_login(connections["default"].settings_dict)
    connection.close()
    from tests.drift.defects_invented import INVENTED
    from tests.drift.scene import Seen, watched
    from tests.drift.seeded_defects import DEFECTS

    scenes = watched()
    seen = {defect.name: scenes.seen(defect.patched) for defect in (*DEFECTS, *INVENTED)}
    missed = [name for name, how in seen.items() if how is Seen.NOT]
    yield Outcome(
        name="drift_recall:recall",
        ratio=(len(seen) - len(missed)) / len(seen),
        goal=0.95,
        at_least=True,
        detail={
            "defects": len(seen),
            "byOldCounts": sum(how is Seen.BY_COUNTS for how in seen.values()),
            "byErrorAlone": [name for name, how in seen.items() if how is Seen.BY_ERROR],
            "missed": missed,
        },
    )
    yield from _alarms(request.size(1_000))


def _alarms(wanted: int) -> Iterator[Outcome]:
    """Of comparisons in which nothing is wrong, place by place; in every other one somebody writes meanwhile."""
    from tests.drift.clean_comparisons import PLACES, clean, written_to
    from tests.drift.scene import compared

    alarms, written, begun = list[str](), 0, perf_counter()
    for place, name in enumerate(PLACES):
        made = clean(name, seed=100 + place, folded=(0.5, 1.0, 0.0)[place % 3])
        moments = made.moments()
        mine = range(place, wanted, len(PLACES))
        with ExitStack() as stack:
            writing = stack.enter_context(written_to(made, seed=place)) if place % 2 else None
            for number in mine:
                at = moments[number * 5 % len(moments)]
                found = compared(made.scene, at=at, days=12, chance=number, now=made.now).finding
                alarms += [f"{name} {at}: {found.reason}"] if found.verdict is not Verdict.MATCH else []
        written += writing.committed if writing else 0
    yield Outcome(
        name="drift_recall:false_alarms",
        ratio=len(alarms),
        goal=0,
        detail={
            "clean": wanted,
            "places": len(PLACES),
            "writtenMeanwhile": written,
            "alarms": alarms[:10],
            "seconds": round(perf_counter() - begun, 1),
        },
    )
