"""Real event logs, where they are at hand: every day and state, and the same history from any order of rows."""

import csv
import gzip
import random
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tasks_app.models import Project
from tests.cast import Cast
from tests.tasks_app.recording import sql, strays
from tests.tasks_app.test_import_transitions import counts, history, run

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
LOGS = ("bpic2013_incidents", "bpic2013_closed_problems", "helpdesk")
WORKFLOW = "Queued:todo,Accepted:in_progress,Unmatched:in_progress,Completed:done"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real logs are not on this machine"),
]

# When each case came into a state and left it, in whole local days: the last event of a day counts.
READ_CHANGES_OF_DAYS = """/* tests.read_changes_of_days */
WITH last_of_day AS (
    SELECT DISTINCT ON (l.task_id, (l.happened_at AT TIME ZONE %(zone)s)::date)
           l.task_id, (l.happened_at AT TIME ZONE %(zone)s)::date AS day, l.to_id
      FROM task_ledger l WHERE l.tenant_id = %(tenant_id)s AND l.project_id = %(project_id)s AND l.kind <= 5
     ORDER BY l.task_id, (l.happened_at AT TIME ZONE %(zone)s)::date, l.happened_at DESC, l.seq DESC
),
stay AS (SELECT *, lead(day) OVER (PARTITION BY task_id ORDER BY day) AS next_day FROM last_of_day)
SELECT change.day, s.name, sum(change.items)
  FROM stay
 CROSS JOIN LATERAL (VALUES (stay.day, 1), (stay.next_day, -1)) AS change (day, items)
  JOIN workflow_state s ON s.tenant_id = %(tenant_id)s AND s.id = stay.to_id
 WHERE change.day IS NOT NULL
 GROUP BY change.day, s.name
"""


def log(name: str) -> Path:
    """The log's file."""
    return DATA / name / "transitions.csv.gz"


def expected(name: str, key: str) -> int:
    """A figure of the log's summary."""
    with (DATA / name / "reference_summary.csv").open(encoding="utf-8") as stream:
        return int(dict(csv.reader(stream))[key])


def occupancy(*, project: str, zone: str, days: list[str]) -> Iterator[Counter[str]]:
    """For each of the days, which are consecutive, the items in each state at its end."""
    found = Project.objects.get(key=project)
    values = {"tenant_id": found.tenant_id, "project_id": found.id, "zone": zone}
    changes: dict[date, list[tuple[str, int]]] = {}
    for day, state, items in sql(READ_CHANGES_OF_DAYS, values):
        changes.setdefault(day, []).append((state, int(items)))
    assert min(changes) == date.fromisoformat(days[0])
    alive: Counter[str] = Counter()
    for day in days:
        for state, items in changes.get(date.fromisoformat(day), []):
            alive[state] += items
        yield alive


def differences(*, name: str, project: str, zone: str) -> list[tuple[Any, ...]]:
    """Day, state, count and expected count, wherever the two differ; every day and state is looked at."""
    with (DATA / name / f"reference_cfd_daily_{zone.replace('/', '_').replace('UTC', 'utc')}.csv").open() as stream:
        reference = list(csv.DictReader(stream))
    states = [column for column in reference[0] if column not in ("date", "started_cum", "first_done_cum")]
    found = occupancy(project=project, zone=zone, days=[row["date"] for row in reference])
    return [
        (row["date"], state, alive[state], int(row[state]))
        for row, alive in zip(reference, found, strict=True)
        for state in states
        if alive[state] != int(row[state])
    ]


@pytest.mark.parametrize("name", LOGS)
def test_every_day_and_state_of_a_real_log(people: Cast, name: str) -> None:
    """P15, P47, P50: the counts of the log's publishers, no difference on any day, and a second import adds nothing."""
    answer = run(log(name), project="LOG")
    rows, tasks, moves = expected(name, "events"), expected(name, "cases"), expected(name, "merged_transitions")
    assert counts(answer) == (rows, tasks, moves, rows - tasks - moves, 0, 0)
    assert differences(name=name, project="LOG", zone="UTC") == []
    if name != "helpdesk":
        assert differences(name=name, project="LOG", zone="Europe/Stockholm") == []
    sql("ANALYZE task, task_ledger")
    assert strays() == []
    assert counts(run(log(name), project="LOG")) == (rows, 0, 0, 0, rows, 0)


@pytest.mark.parametrize("name", LOGS[:2])
def test_shuffled_rows_and_two_halves_give_the_same_history(people: Cast, tmp_path: Path, name: str) -> None:
    """Without ties in the log the order of its rows is nothing: each case has the same changes at the same instants."""
    with gzip.open(log(name), "rt", encoding="utf-8") as stream:
        header, *rows = stream.readlines()
    run(log(name), project="PLAIN", workflow=WORKFLOW)
    plain, tasks = history("PLAIN"), expected(name, "cases")
    path = tmp_path / "shuffled.csv"
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        path.write_text("".join([header, *rows]), encoding="utf-8")
        answer = run(path, project=f"MIXED{seed}", workflow=WORKFLOW)
        assert (answer["tasks"], answer["transitions"]) == (tasks, len(plain) - tasks)
        assert history(f"MIXED{seed}") == plain
    for half in (rows[1::2], rows[::2]):
        path.write_text("".join([header, *half]), encoding="utf-8")
        run(path, project="HALVES", workflow=WORKFLOW)
    assert history("HALVES") == plain
    sql("ANALYZE task, task_ledger")
    assert strays() == []
