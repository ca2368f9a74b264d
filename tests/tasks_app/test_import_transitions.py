"""manage.py import_transitions: a file becomes tasks and facts, once, whatever the order of its rows."""

import gzip
import json
import random
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tasks_app.imports import transitions
from tasks_app.models import Actor, DefinitionLedger, Kind, Project, Task, TaskLedger, WorkflowState
from tasks_app.refusals import Refused
from tests.cast import Cast
from tests.tasks_app.recording import sql, strays

pytestmark = pytest.mark.django_db

WORKFLOW = "Queued:todo,Accepted:in_progress,Wait:in_progress:waiting,Completed:done"
HEADER = "case_id,timestamp,state,actor,title,colour"
ROWS = [
    "A1,2024-05-01T10:00:00+02:00,Queued,Ann,First,red",
    "B2,2024-05-01T08:30:00Z,Queued,,,red",
    "A1,2024-05-02T09:00:00Z,Accepted,Ann,,red",
    "A1,2024-05-02T09:05:00Z,Accepted,Ben,,red",
    "B2,2024-05-03T09:00:00Z,Completed,Ann,,red",
    "A1,2024-05-04T09:00:00Z,Completed,Ben,,red",
    "B2,2024-05-05T09:00:00Z,Accepted,Ben,,red",
]
READ_HISTORY = """/* tests.read_history */
SELECT t.external_id, l.happened_at AT TIME ZONE 'UTC', s.slug
  FROM task_ledger l JOIN task t ON t.tenant_id = l.tenant_id AND t.id = l.task_id
  JOIN workflow_state s ON s.tenant_id = l.tenant_id AND s.id = l.to_id
 WHERE l.tenant_id = %s AND l.project_id = %s AND l.kind <= 5
 ORDER BY t.external_id, l.happened_at, l.seq
"""


def run(path: Path, *, project: str = "INC", **options: Any) -> dict[str, Any]:
    """What the command prints."""
    out = StringIO()
    call_command(
        "import_transitions", str(path), tenant="acme", project=project, stdout=out, stderr=StringIO(), **options
    )
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def written(folder: Path, rows: list[str], *, header: str = HEADER, name: str = "log.csv") -> Path:
    """A file of these rows."""
    path = folder / name
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def history(project: str = "INC") -> list[tuple[Any, ...]]:
    """Case, instant, state: the changes in order; what repeats the state is none."""
    found = Project.objects.get(key=project)
    rows = sql(READ_HISTORY, [found.tenant_id, found.id])
    return [row for before, row in zip([None, *rows], rows, strict=False) if before is None or before[::2] != row[::2]]


def counts(answer: dict[str, Any]) -> tuple[int, ...]:
    """Rows, tasks, transitions, unchanged, duplicates, rejected."""
    names = ("rows", "tasks", "transitions", "unchanged", "duplicates", "rejected")
    return tuple(answer[name] for name in names)


def test_a_file_becomes_tasks_and_transitions(people: Cast, tmp_path: Path) -> None:
    """P15, P42, P47: instants are the file's, actors its people, every task has its first state."""
    answer = run(written(tmp_path, ROWS), workflow=WORKFLOW)
    assert counts(answer) == (7, 2, 4, 1, 0, 0)
    assert [name for name in answer if name not in ("seconds",)][-1] == "rejected"
    tasks = Task.objects.filter(external_id__in=["A1", "B2"]).order_by("key")
    assert [(task.key, task.title, task.external_id, task.state.slug) for task in tasks] == [
        ("INC-1", "First", "A1", "completed"),
        ("INC-2", "B2", "B2", "accepted"),
    ]
    assert [(case, f"{at:%d %H:%M}", slug) for case, at, slug in history()] == [
        ("A1", "01 08:00", "queued"),
        ("A1", "02 09:00", "accepted"),
        ("A1", "04 09:00", "completed"),
        ("B2", "01 08:30", "queued"),
        ("B2", "03 09:00", "completed"),
        ("B2", "05 09:00", "accepted"),
    ]
    names = dict(Actor.objects.values_list("id", "name"))
    facts = TaskLedger.objects.filter(project_id=tasks[0].project_id).order_by("seq")
    assert [names[fact.actor_id] for fact in facts] == ["Ann", "csv", "Ann", "Ann", "Ben", "Ben"]
    assert [fact.kind for fact in facts] == [Kind.CREATED, Kind.CREATED, Kind.MOVED, Kind.MOVED, Kind.MOVED, Kind.MOVED]
    assert len({fact.correlation for fact in facts}) == 1
    assert strays() == []


def test_the_project_is_known_from_the_first_event_on(people: Cast, tmp_path: Path) -> None:
    """P1: what the import defines was there from the project's first event, not before."""
    run(written(tmp_path, ROWS), workflow=WORKFLOW)
    project = Project.objects.get(key="INC")
    assert (project.name, project.timezone) == ("INC", "UTC")
    assert f"{project.recorded_since:%Y-%m-%d %H:%M}" == "2024-05-01 08:00"
    for state in WorkflowState.objects.filter(project=project):
        first = DefinitionLedger.objects.filter(state_id=state.id).order_by("happened_at").first()
        assert first is not None
        assert first.happened_at == project.recorded_since
    states = WorkflowState.objects.filter(project=project).order_by("position")
    assert [(state.name, state.category, state.waiting) for state in states] == [
        ("Queued", "TODO", False),
        ("Accepted", "IN_PROGRESS", False),
        ("Wait", "IN_PROGRESS", True),
        ("Completed", "DONE", False),
    ]


def test_a_second_import_adds_nothing(people: Cast, tmp_path: Path) -> None:
    """The same rows of the same source are duplicates, and counted as nothing else."""
    path = written(tmp_path, ROWS)
    run(path, workflow=WORKFLOW)
    before = TaskLedger.objects.count()
    assert counts(run(path, workflow=WORKFLOW)) == (7, 0, 0, 0, 7, 0)
    assert counts(run(path)) == (7, 0, 0, 0, 7, 0)
    assert TaskLedger.objects.count() == before


def test_another_source_tells_of_other_cases(people: Cast, tmp_path: Path) -> None:
    """A case id is the source's own."""
    path = written(tmp_path, ROWS)
    run(path, workflow=WORKFLOW)
    assert counts(run(path, source="other desk")) == (7, 2, 4, 1, 0, 0)
    assert Task.objects.filter(external_id="A1").count() == 2


def test_repeated_rows_and_equal_timestamps_are_kept_in_the_order_of_the_file(people: Cast, tmp_path: Path) -> None:
    """Logs with a minute clock: states of one instant are zero-length visits, exact repetitions are unchanged."""
    rows = [
        "A1,2024-05-01T10:00Z,Queued",
        "A1,2024-05-01T10:00Z,Accepted",
        "A1,2024-05-01T10:00Z,Accepted",
        "A1,2024-05-01T10:00Z,Queued",
    ]
    path = written(tmp_path, rows, header="case_id,timestamp,state")
    assert counts(run(path, workflow=WORKFLOW)) == (4, 1, 2, 1, 0, 0)
    assert [slug for _, _, slug in history()] == ["queued", "accepted", "queued"]
    assert counts(run(path)) == (4, 0, 0, 0, 4, 0)


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_rows_and_any_cut_gives_one_history(
    people: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int, seed: int
) -> None:
    """Rows without ties: pieces of any size, in any order, in one file or in two, come to the same."""
    monkeypatch.setattr(transitions, "BATCH_ROWS", batch)
    run(written(tmp_path, ROWS), workflow=WORKFLOW, project="PLAIN")
    rows = random.Random(seed).sample(ROWS, len(ROWS))
    assert counts(run(written(tmp_path, rows), workflow=WORKFLOW, project="MIXED")) == (7, 2, 4, 1, 0, 0)
    first = run(written(tmp_path, rows[:4]), workflow=WORKFLOW, project="HALVES")
    second = run(written(tmp_path, rows[3:]), workflow=WORKFLOW, project="HALVES")
    assert second["duplicates"] == 1
    assert first["tasks"] + second["tasks"] == 2
    assert history("MIXED") == history("PLAIN")
    assert history("HALVES") == history("PLAIN")
    since = set(Project.objects.filter(key__in=["PLAIN", "MIXED", "HALVES"]).values_list("recorded_since", flat=True))
    assert len(since) == 1
    assert strays() == []


def test_event_ids_identify_events(people: Cast, tmp_path: Path) -> None:
    """With an id of its own an event is one event, in the file and in later ones."""
    header = "event_id,case_id,timestamp,state"
    rows = ["e1,A1,2024-05-01T10:00Z,Queued", "e2,A1,2024-05-02T10:00Z,Accepted", "e2,A1,2024-05-02T10:00Z,Accepted"]
    path = written(tmp_path, rows, header=header)
    assert counts(run(path, workflow=WORKFLOW)) == (3, 1, 1, 0, 1, 0)
    assert counts(run(path)) == (3, 0, 0, 0, 3, 0)
    for rows, line in (
        (["e1,B2,2024-05-01T10:00Z,Queued"], 2),
        (["e2,A1,2024-05-02T10:00Z,Queued"], 2),
        (["e9,A1,2024-05-03T10:00Z,Queued", "e9,A1,2024-05-03T11:00Z,Queued"], 3),
    ):
        with pytest.raises(Refused, match=rf"^log.csv, line {line}, column event_id: 'e[129]' "):
            run(written(tmp_path, rows, header=header))
    assert Task.objects.filter(external_id="B2").count() == 0


def test_states_are_guessed_in_the_order_of_time(people: Cast, tmp_path: Path) -> None:
    """Without a workflow: first appearance in time over the whole file, not in the file; guesses are told."""
    rows = [
        "A1,2024-05-04T10:00Z,Closed",
        "A1,2024-05-03T10:00Z,On hold",
        "A1,2024-05-02T10:00Z,Triage",
        "B2,2024-05-01T10:00Z,New",
        "B2,2024-05-05T10:00Z,on  HOLD",
    ]
    answer = run(written(tmp_path, rows, header="case_id,timestamp,state"))
    assert answer["workflow"] == "New:todo,Triage:in_progress,On hold:in_progress,Closed:done"
    assert counts(answer) == (5, 2, 3, 0, 0, 0)
    more = written(tmp_path, ["B2,2024-05-06T10:00Z,Resolved"], header="case_id,timestamp,state")
    assert run(more)["workflow"] == "Resolved:done"
    names = WorkflowState.objects.filter(project__key="INC").order_by("position").values_list("name", flat=True)
    assert list(names) == ["New", "Triage", "On hold", "Closed", "Resolved"]


def test_names_without_a_hint_get_a_beginning_and_an_end(people: Cast, tmp_path: Path) -> None:
    """Never CANCELLED: that would take items off the board on a guess."""
    rows = ["A1,2024-05-01T10:00Z,Alpha", "A1,2024-05-02T10:00Z,Cancelled", "A1,2024-05-03T10:00Z,Omega"]
    answer = run(written(tmp_path, rows, header="case_id,timestamp,state"))
    assert answer["workflow"] == "Alpha:todo,Cancelled:in_progress,Omega:done"


def test_a_workflow_extends_what_the_project_has_or_is_refused(people: Cast, tmp_path: Path) -> None:
    """It names the states that are there, in their order, and may add some at the end."""
    path = written(tmp_path, ROWS)
    run(path, workflow=WORKFLOW)
    run(path, workflow=f"{WORKFLOW},Reviewed:done:validation")
    last = WorkflowState.objects.filter(project__key="INC").order_by("-position")[0]
    assert (last.slug, last.needs_validation) == ("reviewed", True)
    for workflow in ("Accepted:in_progress,Queued:todo", "Queued:done,Accepted:in_progress", "Queued:todo"):
        with pytest.raises(Refused, match=r"^--workflow does not agree with the project INC, whose state [12] is "):
            run(path, workflow=workflow)


def test_gzip_byte_order_mark_windows_lines_and_quotes(people: Cast, tmp_path: Path) -> None:
    """What spreadsheets write is read."""
    path = tmp_path / "log.csv.gz"
    text = '﻿Case_ID, Timestamp ,STATE,title\r\nA1,2024-05-01T10:00Z,Queued,"one, ""two""\r\nthree"\r\n\r\n'
    path.write_bytes(gzip.compress(text.encode()))
    assert counts(run(path, workflow=WORKFLOW)) == (1, 1, 0, 0, 0, 0)
    assert Task.objects.get(external_id="A1").title == 'one, "two"\r\nthree'


def test_local_times_need_a_zone(people: Cast, tmp_path: Path) -> None:
    """P50: a clock without an offset is nobody's; --timezone says whose."""
    path = written(tmp_path, ["A1,2024-05-01 10:00,Queued"], header="case_id,timestamp,state")
    with pytest.raises(Refused, match=r"^log.csv, line 2, column timestamp: '2024-05-01 10:00' has no offset;"):
        run(path, workflow=WORKFLOW)
    run(path, workflow=WORKFLOW, timezone="Europe/Stockholm")
    assert f"{history()[0][1]:%H:%M}" == "08:00"
