"""Charts and movements of real event logs, where they are at hand, against answers that two other engines agree on.

The logs are not part of the project. Where definitions differ the difference is counted apart, from the visits of each case,
and what is left of it is 0:

- A revert of the reference is a move to a lower rank between ranked states. Here every state has a place, and so moves
  back from or to a state that the reference does not rank are backflow, too.
- The cases "started" by a day are those that had an event: the line of the first state, or the arrivals up to then.
- "Final done" belongs to the week of the lasting finish, as `finished` does; "first done" is the line of the done state.
- Reopened within the longest time that may be asked for is reopened ever, but for those that came back later.
- Transitions by the week, and returns to a state that was left, are no figures of a chart here: they follow from the visits
  of a task.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from typing import Any

import pytest

from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.results import FlowMode
from analytics.pure.windows import Bucket, Window
from tasks_app.tenancy import entered
from tests.cast import Cast
from tests.flow.reference_logs import (
    DATA,
    KEY,
    LOGS,
    WORKFLOWS,
    Case,
    has_reference,
    in_every_way,
    kept_cases,
    log,
    ranks_of,
    reading,
    reference,
    summary,
    window_of,
)
from tests.tasks_app.test_import_transitions import run

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real logs are not on this machine"),
]
LONGEST = timedelta(days=366)
ZONES = {"utc": "UTC", "Europe_Stockholm": "Europe/Stockholm"}


def per_bucket(instants: Iterable[datetime | None], window: Window) -> list[int]:
    """How many lie in each bucket."""
    edges = [*window.starts, window.end]
    counts = Counter(bucket_of(instant, edges) for instant in instants if instant is not None)
    assert set(counts) <= set(range(len(window.starts)))
    return [counts[number] for number in range(len(window.starts))]


def bucket_of(instant: datetime, edges: Sequence[datetime]) -> int:
    """The number of the bucket between two edges."""
    low, high = 0, len(edges)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if edges[middle] <= instant else (low, middle)
    return low


def column(rows: Sequence[Mapping[str, str]], name: str) -> list[int]:
    """A column of whole numbers."""
    return [int(row[name]) for row in rows]


def checked_edges(name: str, found: FlowReading) -> None:
    """Every edge of the state graph, and which of them go back."""
    rows = reference(name, "transitions_matrix")
    names = [(each.before and each.before.name, each.after and each.after.name) for each in found.transitions()]
    counts = {pair: edge.count for pair, edge in zip(names, found.transitions(), strict=True)}
    wanted = {(row["from_state"], row["to_state"]): int(row["count"]) for row in rows}
    assert {pair: count for pair, count in counts.items() if pair[0] is not None} == wanted
    assert sum(count for pair, count in counts.items() if pair[0] is None) == int(summary(name)["cases"])
    ranks, churn = ranks_of(name), found.churn(within=LONGEST)
    back = {(edge.before.name, edge.after.name): edge.count for edge in churn.edges if edge.before and edge.after}
    ranked = {pair: count for pair, count in back.items() if ranks.keys() >= set(pair)}
    assert ranked == {
        (row["from_state"], row["to_state"]): int(row["count"]) for row in rows if row["is_revert"] == "1"
    }
    assert churn.backflow == sum(back.values())


def checked_reopens(name: str, found: FlowReading, kept: Mapping[str, Case]) -> None:
    """What came back from the done state, and how many cases never did."""
    rows, facts, churn = reference(name, "transitions_matrix"), summary(name), found.churn(within=LONGEST)
    reopened = sum(int(row["count"]) for row in rows if row["is_reopen"] == "1")
    late = sum(after.entered_at - before.entered_at >= LONGEST for before, after in done_and_back(kept.values()))
    assert churn.reopened + late == reopened == int(facts["reopens"])
    assert churn.finish_events == churn.finished + reopened
    assert churn.finished == int(facts["cases"]) - int(facts["cases_not_done_at_end"])
    cases = kept.values()
    straight = [c for c in cases if c.final_done and not moves_back(c, name)]
    assert churn.finished_straight == len(straight)
    assert sum(bool(case.reverts) for case in cases) == int(facts["cases_with_revert"])


def done_and_back(cases: Iterable[Case]) -> list[tuple[Any, Any]]:
    """Each visit to the done state that ended, and the one after it."""
    return [(a, b) for case in cases for a, b in case.steps if a.state == case.done_state]


def places_of(name: str) -> dict[str, int]:
    """Each state's place in the workflow that the test gives it."""
    return {part.partition(":")[0]: place for place, part in enumerate(WORKFLOWS[name].split(","))}


def moves_back(case: Case, name: str) -> list[tuple[datetime, bool]]:
    """When the case went back in our order, and whether both states have a rank in the reference."""
    places, ranks = places_of(name), case.ranks.keys()
    return [(b.entered_at, {a.state, b.state} <= ranks) for a, b in case.steps if places[b.state] < places[a.state]]


@pytest.mark.parametrize("name", LOGS)
def test_weeks_and_edges_of_a_real_log(people: Cast, name: str) -> None:
    """P24, P33, P36: each edge of the graph, each week's arrivals, finishes and reverts: no difference."""
    run(log(name), project=KEY, workflow=WORKFLOWS[name])
    rows = reference(name, "weekly")
    window = window_of(days=[row["week_start"] for row in rows], bucket=Bucket.WEEK)
    assert [start.date().isoformat() for start in window.starts] == [row["week_start"] for row in rows]
    with entered(tenant_id=people.acme.tenant.id, read_only=True):
        kept = kept_cases(name)
    back = [move for case in kept.values() for move in moves_back(case, name)]
    unranked = per_bucket([at for at, is_ranked in back if not is_ranked], window)
    for read_from in in_every_way(people.acme.tenant.id):
        found = reading(read_from, window=window)
        checked_edges(name, found)
        checked_reopens(name, found, kept)
        flow, reverts = found.cumulative_flow(mode=FlowMode.CUMULATIVE), found.churn(within=LONGEST).reverts
        assert flow.arrivals == column(rows, "arrivals")
        assert found.throughput().finished == column(rows, "final_done")
        assert [(ours or 0) - apart for ours, apart in zip(reverts, unranked, strict=True)] == column(rows, "reverts")
        done = next(each.counts for each in flow.series if each.state.name == summary(name)["done_states"])
        assert [b - a for a, b in pairwise([0, *(count or 0 for count in done)])] == column(rows, "first_done")
        assert found.read_from is read_from
    cases = kept.values()
    told = {
        "transitions": [after.entered_at for case in cases for _, after in case.steps],
        "reverts": [stay.entered_at for case in cases for stay in case.reverts],
        "reentries": [stay.entered_at for case in cases for stay in case.reentries],
        "reopens": [stay.entered_at for case in cases for stay in case.reopens],
    }
    assert {each: per_bucket(instants, window) for each, instants in told.items()} == {
        each: column(rows, each) for each in told
    }


@pytest.mark.parametrize("name", LOGS)
def test_lines_of_a_real_log(people: Cast, name: str) -> None:
    """P7, P15, P50: every day's bands, and the lines of what had begun and was done, in each zone of the reference."""
    run(log(name), project=KEY, workflow=WORKFLOWS[name])
    first, done = next(iter(places_of(name))), summary(name)["done_states"]
    for read_from in in_every_way(people.acme.tenant.id):
        for file, zone in ZONES.items():
            if not has_reference(name, f"cfd_daily_{file}"):
                continue
            rows = reference(name, f"cfd_daily_{file}")
            window = window_of(days=[row["date"] for row in rows], bucket=Bucket.DAY, zone=zone)
            found = reading(read_from, window=window)
            flow = found.cumulative_flow(mode=FlowMode.CUMULATIVE)
            lines = {each.state.name: each.counts for each in flow.series}
            bands = {s.state.name: s.counts for s in found.cumulative_flow(mode=FlowMode.OCCUPANCY).series}
            assert bands == {state: column(rows, state) for state in places_of(name)}
            assert lines[done] == column(rows, "first_done_cum")
            assert lines[first] == column(rows, "started_cum")
            assert list(accumulate(count or 0 for count in flow.arrivals)) == column(rows, "started_cum")
            assert found.read_from is read_from
