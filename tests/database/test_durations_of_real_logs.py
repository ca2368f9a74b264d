"""Times of real event logs, where they are at hand, against answers that two other engines agree on.

The logs are not part of the project. The definitions differ in words, and come to the same on every case:

- The reference starts a case at its first event in one named state, wherever that lies; here every IN_PROGRESS state
  starts an item. So the workflows below have that one state in progress, and those that the reference does not rank to do.
- The reference counts the last visit of a case as open, done or not; so it is here: the state at the window's end.
- Facts of one instant that change the state are visits of no length in both; facts that repeat it are none.
- Two means differ by less than a microsecond, to which ours are rounded.
"""

import csv
import gzip
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics.pure.durations import Policy
from analytics.pure.windows import Bucket, between
from analytics.replay.definitions import boards
from analytics.rollups.compact import compact
from analytics.windows.durations import Clip, DurationSummary
from analytics.windows.flow import FlowReading
from analytics.windows.sources import ReadFrom
from tasks_app.models import Project
from tasks_app.tenancy import entered
from tests.cast import Cast
from tests.database.test_import_transitions import run
from tests.database.test_real_logs import DATA, LOGS, log

NOW = datetime(2026, 1, 1, tzinfo=UTC)
# As their publishers have them: these states start and finish a case, all others are to do.
WORKFLOWS = {
    "bpic2013_incidents": "Queued:todo,Unmatched:todo,Accepted:in_progress,Completed:done",
    "bpic2013_closed_problems": "Queued:todo,Unmatched:todo,Accepted:in_progress,Completed:done",
    "helpdesk": "Insert ticket:todo,Assign seriousness:todo,Take in charge ticket:in_progress,Wait:todo,Require upgrade:todo,"
    "Create SW anomaly:todo,Resolve SW anomaly:todo,Schedule intervention:todo,DUPLICATE:todo,INVALID:todo,VERIFIED:todo,"
    "RESOLVED:todo,Resolve ticket:todo,Closed:done",
}

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real logs are not on this machine"),
]


def reference(name: str, file: str) -> list[dict[str, str]]:
    """The rows of a reference file."""
    with (DATA / name / f"reference_{file}.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def reading(read_from: ReadFrom) -> FlowReading:
    """All of the log, to be asked inside its tenant."""
    project = Project.objects.get(key="LOG")
    window = between(
        start=datetime(2005, 1, 1, tzinfo=UTC),
        end=datetime(2015, 1, 1, tzinfo=UTC),
        zone="UTC",
        bucket=Bucket.MONTH,
        now=NOW,
    )
    return FlowReading(
        tenant_id=project.tenant_id,
        boards=boards(tenant_id=project.tenant_id, key="LOG", known_at=None),
        whole_tenant=False,
        window=window,
        known_at=None,
        as_defined_now=False,
        now=NOW,
        read_from=read_from,
    )


def seconds(duration: timedelta | None) -> str:
    """As the reference writes whole seconds, nothing where there are none."""
    return "" if duration is None else str(duration // timedelta(seconds=1))


def check_time_in_state(name: str, found: FlowReading) -> None:
    """Every state: closed and ongoing visits, total, mean, percentiles, the longest."""
    wanted = {
        row["state"]: (
            row["n_closed"],
            row["n_open"],
            row["total_s"],
            *(row[f"p{p}_disc_s"] for p in (50, 85, 95)),
            row["max_s"],
        )
        for row in reference(name, "time_in_state")
        if (row["level"], row["rule"]) == ("state", "merged")
    }
    answer = found.durations.time_in_state(clip=Clip.FULL)
    shown = {
        each.state.name: (
            str(each.visits),
            str(each.ongoing_visits),
            seconds(each.total),
            *(seconds(value) for value in (each.p50, each.p85, each.p95, each.longest)),
        )
        for each in answer
    }
    assert shown == wanted
    means = {row["state"]: row["mean_s"] for row in reference(name, "time_in_state") if row["rule"] == "merged"}
    for each in answer:
        assert each.mean is None or abs(each.mean.total_seconds() - float(means[each.state.name])) < 1e-6


def check_summary(found: DurationSummary, wanted: dict[str, str]) -> None:
    """Items, mean and percentiles."""
    assert str(len(found.rows)) == wanted["n"]
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
    with gzip.open(DATA / name / "reference_cases.csv.gz", "rt", encoding="utf-8") as stream:
        cases = list(csv.DictReader(stream))
    for summary, column in ((lead, "lead_final_s"), (cycle, "cycle_final_s")):
        wanted = {case["case_id"]: case[column] for case in cases if case[column]}
        assert {point.identity: str(point.length // 1_000_000) for point in summary.points()} == wanted


@pytest.mark.parametrize("name", LOGS)
def test_times_of_a_real_log(people: Cast, name: str) -> None:
    """P19, P20, P33, P35: of every state and every case, from the ledger and from rollups: no difference."""
    run(log(name), project="LOG", workflow=WORKFLOWS[name])
    tenant_id = people.acme.tenant.id
    answers: list[Any] = []
    for read_from in (ReadFrom.RAW, ReadFrom.ROLLUP):
        with entered(tenant_id=tenant_id, read_only=True):
            found = reading(read_from)
            check_time_in_state(name, found)
            check_lead_and_cycle_times(name, found)
            assert found.read_from is read_from
            answers.append(found.durations.bottlenecks(first=3))
        compact(now=NOW, tenant_id=tenant_id)
    assert answers[0] == answers[1]
