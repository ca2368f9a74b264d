"""Times of real event logs, where they are at hand, against answers that two other engines agree on.

The logs are not part of the project. The definitions differ in words, and come to the same on every case:

- The reference starts a case at its first event in one named state, wherever that lies; here every IN_PROGRESS state
  starts an item. So the workflows have that one state in progress, and those that the reference does not rank to do.
- The reference counts the last visit of a case as open, done or not; so it is here: the state at the window's end.
- Facts of one instant that change the state are visits of no length in both; facts that repeat it are none.
- Two means differ by less than a microsecond, to which ours are rounded.
- Percentiles of more than 20,000 visits are within 1 % of the reference's, as the answer says; all others are the same.
- Percentiles are nearest rank here; the reference has interpolated ones, too, and the shortest visit. Both follow from the
  visits that a task shows.
- Where the reference takes each event for a visit ("unmerged"), the same log is told with two states for one, which take
  turns where an event repeats the state, and both are asked for as one.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from analytics.engine.reading.read_from import ReadFrom
from analytics.flow.figures.durations import Policy
from analytics.flow.reading.durations import Clip, Durations, DurationSummary, TimeInState
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.results import FlowMode
from analytics.pure.histogram import MOST_EXACT, PercentileMethod
from analytics.pure.windows import Bucket
from tasks_app.tenancy import entered
from tests.cast import Cast
from tests.flow.reference_logs import (
    DATA,
    KEY,
    LOGS,
    WORKFLOWS,
    cases_of,
    events_of,
    has_reference,
    in_every_way,
    instant,
    interpolated,
    kept_cases,
    log,
    observed,
    reading,
    reference,
    seconds,
    window_of,
)
from tests.tasks_app.test_import_transitions import run

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real logs are not on this machine"),
]
AGAIN = " again"
PERCENTS = (50, 85, 95)


def told_times(name: str, *, level: str, rule: str) -> dict[str, dict[str, str]]:
    """The reference's rows for those states, by state."""
    return {
        row["state"]: row for row in reference(name, "time_in_state") if (row["level"], row["rule"]) == (level, rule)
    }


def check_time_in_state(answer: Sequence[TimeInState], wanted: dict[str, dict[str, str]]) -> None:
    """Every state: closed and ongoing visits, total, the longest, mean, percentiles."""
    shown = {
        each.state.name: (str(each.visits), str(each.ongoing_visits), seconds(each.total), seconds(each.longest))
        for each in answer
    }
    columns = ("n_closed", "n_open", "total_s", "max_s")
    assert shown == {state: tuple(row[column] for column in columns) for state, row in wanted.items()}
    for each in answer:
        mean = wanted[each.state.name]["mean_s"]
        assert (each.mean is None) == (mean == "")
        assert each.mean is None or abs(each.mean.total_seconds() - float(mean)) < 1e-6
        check_percentiles(each, wanted[each.state.name])


def check_percentiles(found: TimeInState, wanted: dict[str, str]) -> None:
    """Those of the reference; of more visits than are sorted, within the 1 % that the answer says."""
    shown = [found.p50, found.p85, found.p95]
    told = [wanted[f"p{percent}_disc_s"] for percent in PERCENTS]
    if found.method is PercentileMethod.EXACT:
        assert [seconds(value) for value in shown] == told
        return
    assert found.visits > MOST_EXACT
    assert all(
        value is not None and abs(value.total_seconds() / float(its) - 1) <= 0.01
        for value, its in zip(shown, told, strict=True)
    )


def check_visits(name: str, wanted: dict[str, dict[str, str]]) -> None:
    """P33: what a state's figures follow from, and what the reference has beside them."""
    closed: dict[str, list[int]] = {state: [] for state in wanted}
    for case in kept_cases(name).values():
        for stay in case.stays:
            if stay.left_at is not None:
                closed[stay.state].append(int((stay.left_at - stay.entered_at).total_seconds()))
    for state, row in wanted.items():
        found = sorted(closed[state])
        assert str(len(found)) == row["n_closed"]
        if found:
            assert (str(found[0]), str(found[-1])) == (row["min_s"], row["max_s"])
            assert [str(observed(found, p)) for p in PERCENTS] == [row[f"p{p}_disc_s"] for p in PERCENTS]
            assert all(abs(interpolated(found, p) - float(row[f"p{p}_cont_s"])) < 0.01 for p in PERCENTS)


def check_summary(found: DurationSummary, wanted: dict[str, str]) -> None:
    """Items, mean and percentiles."""
    assert str(found.items) == wanted["n"]
    mean = found.mean()
    assert mean is not None
    assert abs(mean.total_seconds() - float(wanted["mean_s"])) < 1e-6
    for percent in (50, 75, 85, 95, 99):
        assert seconds(found.percentile(percent)) == wanted[f"p{percent}_disc_s"]


def check_lead_and_cycle_times(name: str, found: FlowReading) -> None:
    """P33: the summaries, and each single item."""
    by_measure = {row["measure"]: row for row in reference(name, "lead_time") if row["group"] == ""}
    lead = found.durations.lead_time()
    cycle = found.durations.cycle_time(policy=Policy.FIRST_START_LAST_FINISH, start=None, finish=None)
    check_summary(lead, by_measure["lead_final"])
    check_summary(cycle, by_measure["cycle_final"])
    for summary, column in ((lead, "lead_final_s"), (cycle, "cycle_final_s")):
        wanted = {case: row[column] for case, row in cases_of(name).items() if row[column]}
        assert {point.identity: str(point.length // 1_000_000) for point in summary.points()} == wanted


@pytest.mark.parametrize("name", LOGS)
def test_times_of_a_real_log(people: Cast, name: str) -> None:
    """P19, P20, P33, P35: of every state and every case, from the ledger and from rollups: no difference."""
    run(log(name), project=KEY, workflow=WORKFLOWS[name])
    answers: list[Any] = []
    wanted = told_times(name, level="state", rule="merged")
    for read_from in in_every_way(people.acme.tenant.id):
        found = reading(read_from)
        check_time_in_state(found.durations.time_in_state(clip=Clip.FULL), wanted)
        check_lead_and_cycle_times(name, found)
        assert found.read_from is read_from
        answers.append(found.durations.bottlenecks(first=3))
    assert answers == [answers[0]] * 3
    with entered(tenant_id=people.acme.tenant.id, read_only=True):
        check_visits(name, wanted)


def retold(name: str, folder: Path, *, state_of: Callable[[Sequence[dict[str, str]]], str]) -> Path:
    """The log with another state in each row: that of a case's rows up to it."""
    path = folder / "retold.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("case_id", "timestamp", "state"))
        for case, rows in events_of(name).items():
            states = (state_of(rows[:number]) for number in range(1, len(rows) + 1))
            writer.writerows((case, row["timestamp"], state) for row, state in zip(rows, states, strict=True))
    return path


def with_sub_state(rows: Sequence[dict[str, str]]) -> str:
    """As the reference names a state with its sub-state."""
    return f"{rows[-1]['state']} | {rows[-1]['sub_state']}"


def taking_turns(rows: Sequence[dict[str, str]]) -> str:
    """The state under another name in every second one of the events that repeat it."""
    states = [row["state"] for row in rows]
    run_length = next((n for n, state in enumerate(reversed(states)) if state != states[-1]), len(states))
    return states[-1] if run_length % 2 else states[-1] + AGAIN


def as_one(durations: Durations) -> Durations:
    """Both names of a state as one state of the answer."""
    by_name = {state.name: state for group in durations.groups for state in group}
    twins = [[by_name[name], *([by_name[name + AGAIN]] if name + AGAIN in by_name else [])] for name in by_name]
    return replace(durations, groups=[group for group in twins if not group[0].name.endswith(AGAIN)])


@pytest.mark.parametrize("name", [name for name in LOGS if has_reference(name, "cfd_daily_utc_substate")])
def test_sub_states_of_a_real_log(people: Cast, tmp_path: Path, name: str) -> None:
    """P15, P19, P33: time in each sub-state, and how many cases are in it on each day."""
    run(retold(name, tmp_path, state_of=with_sub_state), project=KEY)
    days = reference(name, "cfd_daily_utc_substate")
    wanted = told_times(name, level="state|sub_state", rule="merged")
    for read_from in in_every_way(people.acme.tenant.id):
        check_time_in_state(reading(read_from).durations.time_in_state(clip=Clip.FULL), wanted)
        found = reading(read_from, window=window_of(days=[row["date"] for row in days], bucket=Bucket.DAY))
        bands = {each.state.name: list(each.counts) for each in found.cumulative_flow(mode=FlowMode.OCCUPANCY).series}
        assert bands == {state: [int(row[state]) for row in days] for state in wanted}
        assert found.read_from is read_from
    with entered(tenant_id=people.acme.tenant.id, read_only=True):
        check_visits(name, wanted)


@pytest.mark.parametrize("name", LOGS)
def test_each_event_as_a_visit_of_a_real_log(people: Cast, tmp_path: Path, name: str) -> None:
    """P19, P33: events that repeat the state are visits only where they are told to be other states."""
    run(retold(name, tmp_path, state_of=taking_turns), project=KEY)
    wanted = told_times(name, level="state", rule="unmerged")
    for read_from in in_every_way(people.acme.tenant.id):
        found = reading(read_from)
        check_time_in_state(as_one(found.durations).time_in_state(clip=Clip.FULL), wanted)


@pytest.mark.parametrize("name", LOGS)
def test_events_and_visits_differ_by_the_repeats(people: Cast, name: str) -> None:
    """Of the log as it is: the reference's two rules, and ours, come to one another by the rows that repeat a state."""
    run(log(name), project=KEY, workflow=WORKFLOWS[name])
    merged, unmerged = (told_times(name, level="state", rule=rule) for rule in ("merged", "unmerged"))
    repeats, waited = dict.fromkeys(merged, 0), dict.fromkeys(merged, timedelta(0))
    with entered(tenant_id=people.acme.tenant.id, read_only=True):
        kept = kept_cases(name)
        ours = {each.state.name: each for each in reading(ReadFrom.RAW).durations.time_in_state(clip=Clip.FULL)}
    for case, row in cases_of(name).items():
        last = kept[case].stays[-1]
        waited[last.state] += instant(row["last_event"]) - last.entered_at
    for rows in events_of(name).values():
        states = [row["state"] for row in rows]
        for before, after in pairwise(states):
            repeats[after] += before == after
    for state, found in ours.items():
        assert found.visits + repeats[state] == int(unmerged[state]["n_closed"])
        assert seconds(found.total + waited[state]) == unmerged[state]["total_s"]
