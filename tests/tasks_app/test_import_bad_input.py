"""A bad file is refused in one sentence that says where and what, and nothing changes; or its bad rows go aside."""

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from tasks_app.imports import transitions
from tasks_app.models import Actor, DefinitionLedger, Project, ReportedEvent, Task, TaskLedger, TaskTail, WorkflowState
from tasks_app.refusals import Refused
from tests.cast import Cast, cast
from tests.processes import PATIENCE, wait_until
from tests.tasks_app.recording import sql

WORKFLOW = "Queued:todo,Accepted:in_progress,Completed:done"
HEADER = "case_id,timestamp,state"
GOOD = "A1,2024-05-01T10:00Z,Queued"
RECORD = (Actor, Project, WorkflowState, Task, ReportedEvent, TaskLedger, TaskTail, DefinitionLedger)
PROJECT_ROOT = Path(settings.BASE_DIR)
RUNNING = """/* tests.running */
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE %s
"""
# The command as a process of its own, on the database of the tests.
# A runner in the background may have been told to ignore Ctrl-C, and its children inherit that.
CHILD = """
import os, signal, sys, django
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "import_transitions", *sys.argv[2:]])
"""


def run(path: Path, **options: Any) -> dict[str, Any]:
    """What the command prints."""
    out = StringIO()
    options = {"tenant": "acme", "project": "INC", "workflow": WORKFLOW} | options
    call_command("import_transitions", str(path), stdout=out, stderr=StringIO(), **options)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def record() -> list[int]:
    """How many rows each table of the record has."""
    return [model.objects.count() for model in RECORD]


def refused(path: Path, sentence: str, **options: Any) -> None:
    """The import is refused with exactly this sentence, and no table has gained or lost a row."""
    before = record()
    with pytest.raises(Refused) as refusal:
        run(path, **options)
    assert refusal.value.message == sentence
    assert record() == before


def saved(folder: Path, content: bytes | str, name: str = "log.csv") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "log.csv, line 1: the file is empty; it needs a header and rows."),
        ("\n\n", "log.csv, line 1: the file is empty; it needs a header and rows."),
        (f"{HEADER}\n", "log.csv has a header and no rows; there is nothing to import."),
        (f"{HEADER}\n\n\n", "log.csv has a header and no rows; there is nothing to import."),
        (
            "case_id,state\nA1,Queued\n",
            "log.csv, line 1: the column timestamp is missing; the header has case_id, state.",
        ),
        (
            "case_id,state,timestamp,State\n",
            "log.csv, line 1, column state: the header names this column twice; rename one of the two.",
        ),
        (
            f"{HEADER}\n{GOOD}\nA1,2024-05-01T11:00Z,Sleeping\n",
            "log.csv, line 3, column state: the project INC has no state 'Sleeping'; its states are Queued, Accepted,"
            " Completed.",
        ),
        (
            f"{HEADER}\nA1,2024-05-01T10:00,Queued\n",
            "log.csv, line 2, column timestamp: '2024-05-01T10:00' has no offset; add one, or name the zone of such"
            " times with --timezone.",
        ),
        (
            f"{HEADER}\n{GOOD}\n\nA1,0016-05-01T10:00Z,Queued\n",
            "log.csv, line 4, column timestamp: '0016-05-01T10:00Z' lies before 1900; correct its year.",
        ),
        (
            f"{HEADER}\nA1,3024-05-01T10:00Z,Queued\n",
            "log.csv, line 2, column timestamp: '3024-05-01T10:00Z' lies in the future; an event must have happened.",
        ),
        (
            f"{HEADER}\n{GOOD}\n ,2024-05-01T10:00Z,Queued\n",
            "log.csv, line 3, column case_id: the value is empty; every row needs one.",
        ),
        (
            f"{HEADER}\nA1,2024-05-01T10:00Z,\n",
            "log.csv, line 2, column state: the value is empty; every row needs one.",
        ),
        (
            f'{HEADER}\n"A\n1",2024-05-01T10:00Z,Queued\nA1,2024-05-01T10:00Z\n',
            "log.csv, line 4: the row has 2 values and the header 3; is a comma or a quotation mark amiss.",
        ),
        (f"{HEADER}\n{GOOD}\nA\x001,x,y\n", "log.csv, line 3: there is a NUL character in the text; remove it."),
        (
            f"{HEADER}\n{GOOD}\nÅ1,2024-05-01T10:00Z,Queued\n".encode("latin-1"),
            "log.csv, line 3: the text is not UTF-8; save the file as UTF-8.",
        ),
        (f"{HEADER}\n{GOOD}\n".encode("utf-16"), "log.csv, line 1: the text is not UTF-8; save the file as UTF-8."),
        (
            f"{HEADER}\n{GOOD}\n".encode() + b"\xed\xa0\x80,2024-05-01T10:00Z,Queued\n",
            "log.csv, line 3: the text is not UTF-8; save the file as UTF-8.",
        ),
        (
            f'{HEADER}\n{GOOD}\n"A1,2024-05-01T10:00Z,Queued\n',
            "log.csv, line 3: the row is no CSV (unexpected end of data).",
        ),
        (
            f"{HEADER}\n{GOOD}\n{'A' * 10_000_000},2024-05-01T10:00Z,Queued\n",
            "log.csv, line 3: the line is longer than 1 MB; is a quotation mark missing?",
        ),
        (
            f"{HEADER}\n{'A' * 2_001},2024-05-01T10:00Z,Queued\n",
            "log.csv, line 2, column case_id: the value is longer than 2,000 bytes.",
        ),
        (
            gzip.compress(f"{HEADER}\n{GOOD}\n".encode() * 999)[:-20],
            "log.csv is damaged or cut off: its gzip data does not end as it should.",
        ),
        (b"\x1f\x8bno gzip", "log.csv is damaged or cut off: its gzip data does not end as it should."),
    ],
    ids=lambda value: None if isinstance(value, bytes) else str(value)[:40].replace("\x00", ""),
)
def test_a_bad_file_is_refused_and_nothing_is_changed(
    people: Cast, tmp_path: Path, content: bytes | str, sentence: str
) -> None:
    """One sentence with file, line and column."""
    refused(saved(tmp_path, content), sentence)


@pytest.mark.django_db
def test_a_file_that_is_not_what_its_name_says_is_refused(people: Cast, tmp_path: Path) -> None:
    """Read as text it would only be told to have no such column."""
    refused(saved(tmp_path, "hello", name="log.csv.gz"), "log.csv.gz is no gzip file, although its name says so.")


@pytest.mark.django_db
def test_what_is_asked_for_must_be_there(people: Cast, tmp_path: Path) -> None:
    """Tenant, key, zone, file, workflow."""
    path = saved(tmp_path, f"{HEADER}\n{GOOD}\n")
    refused(path, "There is no tenant 'nobody'.", tenant="nobody")
    refused(
        path,
        "--project '1 2' must be a letter followed by at most 31 letters, digits and underscores.",
        project="1 2",
    )
    refused(
        path,
        "There is no time zone 'Mars/Olympus'; use an IANA name such as Europe/Stockholm.",
        timezone="Mars/Olympus",
    )
    refused(tmp_path / "none.csv", f"{tmp_path}/none.csv cannot be read: No such file or directory.")
    refused(tmp_path, f"{tmp_path} cannot be read: Is a directory.")
    refused(
        path,
        "--workflow: 'Queued:busy' must be a name and a category, such as Queued:todo; the categories are todo,"
        " in_progress, done and cancelled.",
        workflow="Queued:busy",
    )
    refused(
        path, "--workflow names the state 'Queued' twice; name each state once.", workflow="Queued:todo,queued:done"
    )
    refused(
        path, "--workflow: 'late' in 'Queued:todo:late' must be waiting or validation.", workflow="Queued:todo:late"
    )


@pytest.mark.django_db
def test_a_bad_row_in_a_later_piece_takes_back_the_earlier_ones(
    people: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole or not at all."""
    monkeypatch.setattr(transitions, "BATCH_ROWS", 2)
    rows = [f"A{number},2024-05-01T10:00Z,Queued" for number in range(7)]
    path = saved(tmp_path, "\n".join([HEADER, *rows, "A1,2024-05-01,Queued", ""]))
    refused(
        path,
        "log.csv, line 9, column timestamp: '2024-05-01' is no timestamp; write it as 2024-05-01T10:30:00+02:00.",
    )


@pytest.mark.django_db
def test_a_quarantine_takes_the_bad_rows_and_the_rest_is_imported(
    people: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row by row with reasons; rows = tasks + transitions + unchanged + rejected."""
    monkeypatch.setattr(transitions, "BATCH_ROWS", 3)
    rows = [
        GOOD,
        "A1,then,Accepted",
        "A1,2024-05-02T10:00Z",
        "A1,2024-05-03T10:00Z,Sleeping",
        "A1,2024-05-04T10:00Z,Completed",
    ]
    path = saved(tmp_path, "\n".join([HEADER, *rows, ""]))
    aside = tmp_path / "aside.csv"
    answer = run(path, quarantine=aside)
    names = ("rows", "tasks", "transitions", "unchanged", "duplicates", "rejected")
    assert [answer[name] for name in names] == [5, 1, 1, 0, 0, 3]
    with aside.open(encoding="utf-8", newline="") as stream:
        found = list(csv.reader(stream))
    assert found[0] == ["line", "reason", "case_id", "timestamp", "state"]
    assert [(row[0], row[1].split(";")[0], row[2:]) for row in found[1:]] == [
        ("3", "timestamp: 'then' is no timestamp", ["A1", "then", "Accepted"]),
        ("4", "the row has 2 values and the header 3", ["A1", "2024-05-02T10:00Z"]),
        ("5", "state: the project INC has no state 'Sleeping'", ["A1", "2024-05-03T10:00Z", "Sleeping"]),
    ]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["aside.csv", "log.csv"]


@pytest.mark.django_db
def test_a_refused_import_leaves_no_quarantine(people: Cast, tmp_path: Path) -> None:
    """A file that cannot be read at all is refused with a quarantine, too."""
    path = saved(tmp_path, f"{HEADER}\nbad\n{GOOD}\nA\x001,x,y\n")
    refused(
        path, "log.csv, line 4: there is a NUL character in the text; remove it.", quarantine=tmp_path / "aside.csv"
    )
    assert [each.name for each in tmp_path.iterdir()] == ["log.csv"]
    path = saved(tmp_path, f"{HEADER}\n{GOOD}\n")
    missing = tmp_path / "no" / "aside.csv"
    refused(path, f"{missing} cannot be written: No such file or directory.", quarantine=missing)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_kill_in_the_middle_leaves_nothing(tmp_path: Path, how: signal.Signals) -> None:
    """Ctrl-C or kill -9 while the rows go in: the record is as before, and the next import finds nothing half done."""
    cast()
    before = record()
    rows = [
        f"A{number // 3},2024-05-01T10:00:{number % 3:02}Z,{('Queued', 'Accepted', 'Completed')[number % 3]}"
        for number in range(60_000)
    ]
    path = saved(tmp_path, "\n".join([HEADER, *rows, ""]))
    database = str(connection.settings_dict["NAME"])
    arguments = [str(path), "--tenant", "acme", "--project", "INC", "--workflow", WORKFLOW]
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, database, *arguments],
        cwd=PROJECT_ROOT,
        env=os.environ.copy(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: bool(sql(RUNNING, ["/* reporting.insert */%"])[0][0]) or child.poll() is not None)
    assert child.poll() is None, child.stderr.read() if child.stderr else b""
    child.send_signal(how)
    child.communicate(timeout=PATIENCE)
    assert child.returncode != 0
    wait_until(lambda: not sql(RUNNING, ["%"])[0][0])
    assert record() == before
    assert run(saved(tmp_path, f"{HEADER}\n{GOOD}\n"))["tasks"] == 1
