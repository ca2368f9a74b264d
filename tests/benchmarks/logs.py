"""import_rate and cfd_raw: a log of 65,533 events in, and a year of cumulative flow out of the ledger that it made."""

import csv
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from analytics.engine.projects import project_facts
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.reading.results import FlowMode
from analytics.pure import windows
from tasks_app.imports.transitions import ImportOrder, import_transitions
from tasks_app.imports.workflow import read_workflow
from tasks_app.tenancy import TenantFacts, entered
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.scene import Scene, make_scene
from tests.benchmarks.scratch import owner_cursor, vacuum
from tests.benchmarks.stopwatch import ratios, taking_turns, timed

ROWS = 65_533
EVENTS_PER_CASE = 9
WORKFLOW = "Queued:todo,Accepted:in_progress,Waiting:in_progress:waiting,Completed:done"
BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
# A quarter of the rate of COPY is four times its time.
IMPORT_GOAL = 4.0
SECONDS_GOAL = 1.0

BARE_TABLE = (
    "/* benchmarks.bare_table */ CREATE TABLE bare (case_id text, happened_at timestamptz, state text, actor text)"
)
COPY_BARE = "/* benchmarks.copy_bare */ COPY bare FROM STDIN (FORMAT csv, HEADER)"
# What an import keeps of each row, with the keys and checks that it is kept under, and nothing that happens on insert.
KEYED_TABLE = "/* benchmarks.keyed_table */ CREATE TABLE keyed (LIKE reported_event INCLUDING ALL)"
TAKE_OUT = "/* benchmarks.take_out */ COPY reported_event TO STDOUT"
COPY_KEYED = "/* benchmarks.copy_keyed */ COPY keyed FROM STDIN"

_numbers = count(1)


def import_rate(request: Request) -> Iterator[Outcome]:
    """The whole import of a log, as the command does it, against COPY of the same file into a table with nothing on it.

    Told beside it: COPY of what the import keeps of the rows into a table with the same keys.
    """
    with TemporaryDirectory() as scratch:
        path = generated_log(Path(scratch) / "log.csv", rows=request.size(ROWS))
        with owner_cursor() as cursor:
            cursor.execute(BARE_TABLE)
        scene = make_scene()
        kept = _kept(path, scene, into=Path(scratch) / "kept.txt")
        variants = {
            "copy": partial(_copy, path, table="bare", statement=COPY_BARE),
            "copy_with_keys": partial(_copy, kept, table="keyed", statement=COPY_KEYED),
            "import": partial(_import, path, scene),
        }
        seconds = taking_turns(variants, rounds=5)
    to_copy = ratios(seconds, to="copy", of=min)
    with_keys = ratios(seconds, to="copy_with_keys", of=min)
    yield Outcome(
        name="import_rate",
        ratio=to_copy["import"],
        goal=IMPORT_GOAL,
        detail={
            "rows": request.size(ROWS),
            "share_of_copy": round(1 / to_copy["import"], 3),
            "share_of_copy_with_keys": round(1 / with_keys["import"], 3),
            "rows_per_second": round(request.size(ROWS) / min(seconds["import"])),
        },
    )


def cfd_raw(request: Request) -> Iterator[Outcome]:
    """365 days of cumulative flow by raw replay, in seconds: the one goal that is a time, so the ratio is to one second."""
    scene = make_scene()
    with TemporaryDirectory() as scratch:
        key = _imported(generated_log(Path(scratch) / "log.csv", rows=request.size(ROWS)), scene)
    vacuum("task_ledger", "task")
    modes = {mode.value: partial(_flow, scene, key, mode) for mode in FlowMode}
    seconds = taking_turns(modes, rounds=10)
    slowest = max(min(samples) for samples in seconds.values())
    yield Outcome(
        name="cfd_raw",
        ratio=slowest,
        goal=SECONDS_GOAL,
        detail={"rows": request.size(ROWS), "days": 365, "occupancy_to_cumulative": ratios(seconds, to="CUMULATIVE")},
    )


def generated_log(path: Path, *, rows: int) -> Path:
    """Cases that walk through the workflow, now and then back; half of the rows repeat the state, as real logs do."""
    chance = random.Random(1)
    states = ["Queued", "Accepted", "Waiting", "Completed"]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["case_id", "timestamp", "state", "actor"])
        for number in range(rows):
            case, step = divmod(number, EVENTS_PER_CASE)
            if step == 0:
                place, at = 0, BEGINNING + timedelta(minutes=chance.randrange(60 * 24 * 600))
            elif chance.random() < 0.5:
                place = max(0, min(3, place + chance.choice([1, 1, 1, -1])))
            at += timedelta(seconds=chance.randrange(1, 400_000))
            writer.writerow([f"case {case}", at.isoformat(), states[place], f"person {chance.randrange(900)}"])
    return path


def _kept(path: Path, scene: Scene, *, into: Path) -> Path:
    """The rows that an import of the log made, as COPY writes them."""
    _imported(path, scene)
    with owner_cursor() as cursor:
        cursor.execute(KEYED_TABLE)
        with cursor.copy(TAKE_OUT) as rows, into.open("wb") as file:
            for block in rows:
                file.write(block)
    return into


def _copy(path: Path, *, table: str, statement: str) -> float:
    with owner_cursor() as cursor:
        cursor.execute(f"TRUNCATE {table}")
        return timed(partial(_stream, cursor, path, statement))


def _stream(cursor: object, path: Path, statement: str) -> None:
    with cursor.copy(statement) as copy, path.open("rb") as file:  # type: ignore[attr-defined]
        while block := file.read(1 << 20):
            copy.write(block)


def _import(path: Path, scene: Scene) -> float:
    return timed(partial(_imported, path, scene))


def _imported(path: Path, scene: Scene) -> str:
    """The log in a project of its own; the project's key."""
    key = f"LOG{next(_numbers)}"
    order = ImportOrder(path=path, project_key=key, workflow=read_workflow(WORKFLOW))
    import_transitions(tenant=_tenant(scene), order=order, now=NOW)
    return key


def _tenant(scene: Scene) -> TenantFacts:
    return TenantFacts(id=scene.tenant, slug="bench", name="bench", timezone="UTC", fiscal_year_start_month=1)


def _flow(scene: Scene, key: str, mode: FlowMode) -> float:
    window = windows.rolling(count=365, unit=windows.Unit.DAY, zone="UTC", bucket=windows.Bucket.DAY, now=NOW)

    def read() -> None:
        with entered(tenant_id=scene.tenant, read_only=True):
            FlowReading(
                question=FlowQuestion(tenant_id=scene.tenant, window=window, now=NOW),
                boards=project_facts(tenant_id=scene.tenant, key=key),
            ).cumulative_flow(mode=mode)

    return timed(read)
