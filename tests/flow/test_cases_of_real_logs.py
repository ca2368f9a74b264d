"""Single cases of real event logs, where they are at hand, and the figures that the reference has of them by groups.

The logs are not part of the project. What the ledger does not keep is read from the log beside it: rows that repeat a
state, which are no facts here, and the priority of a case, which an import leaves out.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from analytics.engine.reading.read_from import ReadFrom
from analytics.flow.figures.durations import Policy
from tasks_app.tenancy import entered
from tests.cast import Cast
from tests.flow.reference_logs import (
    DATA,
    KEY,
    LOGS,
    SECOND,
    WORKFLOWS,
    Case,
    cases_of,
    events_of,
    has_reference,
    instant,
    interpolated,
    kept_cases,
    log,
    observed,
    reading,
    reference,
    summary,
)
from tests.tasks_app.test_import_transitions import run

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real logs are not on this machine"),
]
Events = Sequence[Mapping[str, str]]


def told(at: datetime | None) -> str:
    """As the reference writes instants, nothing where there is none."""
    return "" if at is None else at.isoformat()


def lasted(since: datetime | None, until: datetime | None) -> str:
    """Whole seconds, nothing where one of the two is none."""
    return "" if since is None or until is None else str((until - since) // SECOND)


def as_row(case: Case, events: Events) -> dict[str, str]:
    """The case as the reference tells it: visits from the ledger, repeats and priority from the log."""
    stays, final = case.stays, case.final_done
    first_done, started = case.first(case.done_state), case.first(case.started_state)
    return {
        "first_event": told(stays[0].entered_at),
        "last_event": told(
            max(stays[-1].entered_at, instant(events[-1]["timestamp"]).astimezone(stays[0].entered_at.tzinfo))
        ),
        "n_events": str(len(stays) + repeats_of(events)),
        "n_transitions": str(len(case.steps)),
        "first_state": stays[0].state,
        "last_state": stays[-1].state,
        "last_priority": events[-1]["priority"],
        "first_done": told(first_done),
        "final_done": told(final),
        "first_started": told(started),
        "n_reverts": str(len(case.reverts)),
        "n_reentries": str(len(case.reentries)),
        "n_reopens": str(len(case.reopens)),
        "lead_first_s": lasted(stays[0].entered_at, first_done),
        "lead_final_s": lasted(stays[0].entered_at, final),
        "cycle_final_s": lasted(started, final),
    }


def repeats_of(events: Events) -> int:
    """Rows that repeat the state."""
    return sum(before["state"] == after["state"] for before, after in pairwise(events))


def check_group(found: Sequence[int], wanted: Mapping[str, str]) -> None:
    """Every column of one row of the lead times."""
    values = sorted(found)
    assert str(len(values)) == wanted["n"]
    if values:
        assert abs(sum(values) / len(values) - float(wanted["mean_s"])) < 1e-6
        assert (str(values[0]), str(values[-1])) == (wanted["min_s"], wanted["max_s"])
        for percent in (50, 75, 85, 95, 99):
            assert str(observed(values, percent)) == wanted[f"p{percent}_disc_s"]
            assert abs(interpolated(values, percent) - float(wanted[f"p{percent}_cont_s"])) < 0.01


@pytest.mark.parametrize("name", LOGS)
def test_every_case_of_a_real_log(people: Cast, name: str) -> None:
    """P18, P19, P20, P32: each column of each case follows from the visits that the product has of it."""
    run(log(name), project=KEY, workflow=WORKFLOWS[name])
    events, wanted = events_of(name), cases_of(name)
    with entered(tenant_id=people.acme.tenant.id, read_only=True):
        kept = kept_cases(name)
    assert kept.keys() == wanted.keys()
    unlike = {
        case: (row, wanted[case])
        for case, its in kept.items()
        if (row := {"case_id": case, **as_row(its, events[case])}) != wanted[case]
    }
    assert unlike == {}


@pytest.mark.parametrize("name", LOGS)
def test_lead_times_of_groups_of_a_real_log(people: Cast, name: str) -> None:
    """P33: each percentile, interpolated ones too, comes out of the list of items that the answer gives."""
    run(log(name), project=KEY, workflow=WORKFLOWS[name])
    cases = cases_of(name)
    with entered(tenant_id=people.acme.tenant.id, read_only=True):
        durations = reading(ReadFrom.RAW).durations
        lead = durations.lead_time().points()
        cycle = durations.cycle_time(policy=Policy.FIRST_START_LAST_FINISH, start=None, finish=None).points()
        kept = kept_cases(name)
    firsts = {
        case: (first - its.stays[0].entered_at) // SECOND
        for case, its in kept.items()
        if (first := its.first(its.done_state))
    }
    measures = {
        "lead_first": firsts,
        "lead_final": {point.identity: point.length // 1_000_000 for point in lead},
        "cycle_final": {point.identity: point.length // 1_000_000 for point in cycle},
    }
    for wanted in reference(name, "lead_time"):
        found = measures[wanted["measure"]]
        group = wanted["group"]
        check_group([length for case, length in found.items() if group in ("", cases[case]["last_priority"])], wanted)


@pytest.mark.parametrize("name", LOGS)
def test_the_summary_of_a_real_log(people: Cast, name: str) -> None:
    """Every count of the log's publishers that is of cases, visits and states."""
    run(log(name), project=KEY, workflow=WORKFLOWS[name])
    events, facts = events_of(name), summary(name)
    with entered(tenant_id=people.acme.tenant.id, read_only=True):
        cases = kept_cases(name).values()
    stays = [stay for case in cases for stay in case.stays]
    repeats = sum(repeats_of(each) for each in events.values())
    zero_length = [stay for stay in stays if stay.left_at == stay.entered_at]
    found = {
        "events": len(stays) + repeats,
        "cases": len(cases),
        "states": len({stay.state for stay in stays}),
        "merged_visits": len(stays),
        "merged_transitions": sum(len(case.steps) for case in cases),
        "same_state_events": repeats,
        "equal_timestamp_state_change": len(zero_length),
        "reverts": sum(len(case.reverts) for case in cases),
        "cases_with_revert": sum(bool(case.reverts) for case in cases),
        "reentries": sum(len(case.reentries) for case in cases),
        "reopens": sum(len(case.reopens) for case in cases),
        "cases_with_reopen": sum(bool(case.reopens) for case in cases),
        "cases_never_done": sum(case.first(case.done_state) is None for case in cases),
        "cases_not_done_at_end": sum(case.final_done is None for case in cases),
    }
    assert {key: str(value) for key, value in found.items()} == {key: facts[key] for key in found}
    assert told(min(stay.entered_at for stay in stays)) == facts["first_event_utc"]


@pytest.mark.parametrize("name", LOGS)
def test_what_two_engines_agreed_on_is_what_was_compared(name: str) -> None:
    """The other figures that the reference's cross-check tells of its own files are those that these tests read."""
    details = {row["check"]: row["detail"] for row in reference(name, "crosscheck")}
    facts, days = summary(name), reference(name, "cfd_daily_utc")
    states = [key for key in days[0] if key not in ("date", "started_cum", "first_done_cum")]
    cells = sum(row[state] != "0" for row in days for state in states)
    graph = details["transition matrix, reverts, reopens: pandas = DuckDB"]
    lengths = [instant(case["last_event"]) - instant(case["first_event"]) for case in cases_of(name).values()]
    median = interpolated(sorted(length // timedelta(seconds=1) for length in lengths), 50)
    assert details["daily CFD: pandas = DuckDB"] == f"{len(days)} days, {cells} non-zero cells"
    assert graph == f"{facts['merged_transitions']} transitions, {facts['reverts']} reverts"
    assert details["weekly table: pandas = DuckDB"] == f"{len(reference(name, 'weekly'))} weeks"
    assert details["case durations: pandas = pm4py"] == f"median {median:.3f} s"
    assert all(row["result"] == "OK" for row in reference(name, "crosscheck"))
    if has_reference(name, "cfd_daily_Europe_Stockholm"):
        local = len(reference(name, "cfd_daily_Europe_Stockholm"))
        assert details["daily CFD in Europe/Stockholm: pandas = DuckDB"].startswith(f"{local} days;")
