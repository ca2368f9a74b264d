"""ledger_save: what an ORM save() that changes the state costs with history, against the same without."""

from collections.abc import Iterator
from typing import Any

from django.db import connection

from tasks_app.models import Task
from tests.benchmarks.moves import saver
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.peers.models import SHAPES
from tests.benchmarks.scene import fill, make_scene
from tests.benchmarks.scratch import vacuum
from tests.benchmarks.stopwatch import ratios, taking_turns

GOAL = 1.15
TASKS = 200
ROUNDS = 300
ROUNDS_WITHOUT_DISK = 1200
MODELS: dict[str, type[Any]] = {"ledger": Task, **SHAPES}
TABLES = tuple(model._meta.db_table for model in MODELS.values())
NO_WAIT = "/* benchmarks.no_wait */ SET synchronous_commit = off"


def ledger_save(request: Request) -> Iterator[Outcome]:
    """save() in a transaction of its own, as a web request does it, commit included.

    Told twice: as the product runs, and with commits that do not wait for the disk. A slow disk hides what history
    costs, so the second figure is the one that compares machines.
    """
    scene = make_scene()
    fill(scene, tables=TABLES, tasks=request.size(TASKS))
    vacuum(*TABLES, "task_ledger")
    savers = {name: saver(model, scene=scene) for name, model in MODELS.items()}
    yield _outcome("ledger_save", ratios(taking_turns(savers, rounds=ROUNDS), to="plain"))
    without_waiting()
    eager = taking_turns(savers, rounds=ROUNDS_WITHOUT_DISK)
    yield _outcome("ledger_save:without_waiting_for_the_disk", ratios(eager, to="plain"))
    connection.close()


def without_waiting() -> None:
    """From here on this session's commits do not wait for the disk."""
    with connection.cursor() as cursor:
        cursor.execute(NO_WAIT)


def _outcome(name: str, to_plain: dict[str, float]) -> Outcome:
    return Outcome(name=name, ratio=to_plain["ledger"], goal=GOAL, detail={"to_plain_model": to_plain})
