"""The real event logs with their reference answers, where they are at hand, and what the product has of each case.

The logs are not part of the project.
"""

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from analytics.engine.projects import project_facts
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.rollups.compact import compact
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.replay.definitions import workflows
from analytics.flow.replay.task_histories import histories
from analytics.pure.windows import Bucket, Window, between
from tasks_app.models import Project
from tasks_app.tenancy import entered
from tests.flow.test_real_logs import DATA as DATA
from tests.flow.test_real_logs import LOGS as LOGS
from tests.flow.test_real_logs import log as log
from tests.spec.postgres import fold_some
from tests.tasks_app.recording import sql

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
KEY = "LOG"
# As their publishers have them: these states start and finish a case, all others are to do.
WORKFLOWS = {
    "bpic2013_incidents": "Queued:todo,Unmatched:todo,Accepted:in_progress,Completed:done",
    "bpic2013_closed_problems": "Queued:todo,Unmatched:todo,Accepted:in_progress,Completed:done",
    "helpdesk": "Insert ticket:todo,Assign seriousness:todo,Take in charge ticket:in_progress,Wait:todo,Require upgrade:todo,"
    "Create SW anomaly:todo,Resolve SW anomaly:todo,Schedule intervention:todo,DUPLICATE:todo,INVALID:todo,VERIFIED:todo,"
    "RESOLVED:todo,Resolve ticket:todo,Closed:done",
}
READ_CASES = "SELECT external_id, id FROM task WHERE tenant_id = %(tenant)s AND project_id = %(project)s"


def reference(name: str, file: str) -> list[dict[str, str]]:
    """The rows of a reference file."""
    with (DATA / name / f"reference_{file}.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def has_reference(name: str, file: str) -> bool:
    """Whether the log has that file."""
    return (DATA / name / f"reference_{file}.csv").exists()


def summary(name: str) -> dict[str, str]:
    """The log's own figures."""
    return {row["key"]: row["value"] for row in reference(name, "summary")}


def cases_of(name: str) -> dict[str, dict[str, str]]:
    """The reference's table of cases, by case."""
    with gzip.open(DATA / name / "reference_cases.csv.gz", "rt", encoding="utf-8") as stream:
        return {row["case_id"]: row for row in csv.DictReader(stream)}


def events_of(name: str) -> dict[str, list[dict[str, str]]]:
    """The log's own rows by case, each case's in order."""
    found: dict[str, list[dict[str, str]]] = {}
    with gzip.open(log(name), "rt", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            found.setdefault(row["case_id"], []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: (datetime.fromisoformat(row["timestamp"]), int(row["source_row"])))
    return found


def ranks_of(name: str) -> dict[str, int]:
    """The places of the states that the reference has in an order."""
    found = {}
    for each in summary(name)["state_order"].split(" < "):
        state, _, place = each.rstrip(")").rpartition("(")
        found[state] = int(place)
    return found


@dataclass(frozen=True, slots=True)
class Stay:
    """One visit of a case, of the product's history; `left_at` None while it lasts."""

    state: str
    entered_at: datetime
    left_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The visits of one case, oldest first, and what follows from them by the reference's words."""

    stays: Sequence[Stay]
    ranks: Mapping[str, int]
    started_state: str
    done_state: str

    @property
    def steps(self) -> list[tuple[Stay, Stay]]:
        """From each visit to the next."""
        return list(pairwise(self.stays))

    @property
    def reverts(self) -> list[Stay]:
        """Entries into a state of a lower rank, both ranked."""
        return [b for a, b in self.steps if self._ranked(a, b) and self.ranks[b.state] < self.ranks[a.state]]

    @property
    def reentries(self) -> list[Stay]:
        """Visits to a state that the case had left before."""
        return [stay for number, stay in enumerate(self.stays) if stay.state in {s.state for s in self.stays[:number]}]

    @property
    def reopens(self) -> list[Stay]:
        """Entries from the done state into another."""
        return [b for a, b in self.steps if a.state == self.done_state]

    def first(self, state: str) -> datetime | None:
        """When it came into the state first."""
        return next((stay.entered_at for stay in self.stays if stay.state == state), None)

    @property
    def final_done(self) -> datetime | None:
        """When it was finished, of a case that is done at the end."""
        last = self.stays[-1]
        return last.entered_at if last.state == self.done_state else None

    def _ranked(self, *stays: Stay) -> bool:
        return all(stay.state in self.ranks for stay in stays)


def kept_cases(name: str) -> dict[str, Case]:
    """The cases of the imported log as the product has them, by case. To be asked inside the tenant."""
    project = Project.objects.get(key=KEY)
    defined = workflows(tenant_id=project.tenant_id, project_ids=[project.id])
    names = {each: state.name for each in defined.state_ids if (state := defined.ever(each))}
    rows = sql(READ_CASES, {"tenant": project.tenant_id, "project": project.id})
    found = histories(tenant_id=project.tenant_id, task_ids=[task for _, task in rows], workflows=defined)
    facts = summary(name)
    return {
        case: Case(
            stays=[Stay(names[visit.state_id], visit.entered_at, visit.left_at) for visit in found[task].visits],
            ranks=ranks_of(name),
            started_state=facts["started_states"],
            done_state=facts["done_states"],
        )
        for case, task in rows
    }


def window_of(*, days: Sequence[str], bucket: Bucket, zone: str = "UTC") -> Window:
    """From the first of those dates to the end of the last one's bucket."""
    length = timedelta(days=7 if bucket is Bucket.WEEK else 1)
    return between(
        start=_midnight(days[0], zone),
        end=_midnight((datetime.fromisoformat(days[-1]) + length).date().isoformat(), zone),
        zone=zone,
        bucket=bucket,
        now=NOW,
    )


def _midnight(day: str, zone: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def whole() -> Window:
    """All time in which the logs are."""
    return between(
        start=datetime(2005, 1, 1, tzinfo=UTC),
        end=datetime(2015, 1, 1, tzinfo=UTC),
        zone="UTC",
        bucket=Bucket.MONTH,
        now=NOW,
    )


def reading(read_from: ReadFrom, *, window: Window | None = None, key: str = KEY) -> FlowReading:
    """The log over a window, all of it where none is given. To be asked inside its tenant."""
    project = Project.objects.get(key=key)
    return FlowReading(
        question=FlowQuestion(tenant_id=project.tenant_id, window=window or whole(), now=NOW),
        boards=project_facts(tenant_id=project.tenant_id, key=key, known_at=None),
        read_from=read_from,
    )


def in_every_way(tenant_id: int) -> Iterator[ReadFrom]:
    """Before anything is folded, when most of it is, when all of it is; to be asked inside the tenant."""
    ((facts,),) = sql("SELECT count(*) FROM task_ledger WHERE tenant_id = %s", [tenant_id])
    for read_from in (ReadFrom.RAW, ReadFrom.MERGED, ReadFrom.ROLLUP):
        if read_from is ReadFrom.MERGED:
            fold_some(tenant_id=tenant_id, facts=facts * 3 // 5)
        if read_from is ReadFrom.ROLLUP:
            compact(now=NOW, tenant_id=tenant_id)
        with entered(tenant_id=tenant_id, read_only=True):
            yield read_from


def seconds(duration: timedelta | None) -> str:
    """As the reference writes whole seconds, nothing where there are none."""
    return "" if duration is None else str(duration // SECOND)


def interpolated(values: Sequence[int], percent: int) -> float:
    """What percentile_cont gives of sorted values."""
    place = (len(values) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def observed(values: Sequence[int], percent: int) -> int:
    """What percentile_disc gives of sorted values."""
    return values[max(-(-len(values) * percent // 100), 1) - 1]


def instant(text: str) -> datetime:
    """As the reference writes instants."""
    return datetime.fromisoformat(text)
