"""ledger_save: what an ORM save() that changes the state costs with history, against the same without."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from django.db import connection

from tasks_app.models import Task
from tasks_app.tenancy import entered
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.peers.models import SHAPES
from tests.benchmarks.scene import Scene, fill, make_scene
from tests.benchmarks.scratch import vacuum
from tests.benchmarks.stopwatch import ratios, say, taking_turns, timed

GOAL = 1.15
TASKS = 200
ROUNDS = 1200
MODELS: dict[str, type[Any]] = {"ledger": Task, **SHAPES}
TABLES = tuple(model._meta.db_table for model in MODELS.values())
NO_WAIT = "/* benchmarks.no_wait */ SET synchronous_commit = off"


def ledger_save(request: Request) -> Iterator[Outcome]:
    """save() in a transaction of its own, as the web's login in the tenant's role, commit included."""
    scene = make_scene()
    tasks = request.size(TASKS)
    fill(scene, tables=TABLES, tasks=tasks)
    vacuum(*TABLES, "task_ledger")
    savers = {name: _saver(model, scene=scene) for name, model in MODELS.items()}
    durable = ratios(taking_turns(savers, rounds=ROUNDS), to="plain")
    say("once more without waiting for the disk at commit")
    with connection.cursor() as cursor:
        cursor.execute(NO_WAIT)
    eager = ratios(taking_turns(savers, rounds=ROUNDS), to="plain")
    connection.close()
    yield Outcome(
        name="ledger_save",
        ratio=durable["ledger"],
        goal=GOAL,
        detail={"to_plain_model": durable, "to_plain_model_synchronous_commit_off": eager, "saves_each": ROUNDS},
    )


def _saver(model: type[Any], *, scene: Scene) -> Callable[[], float]:
    """A function that moves the next task and says how long that took."""
    with _inside(scene):
        tasks = list(model.objects.order_by("id"))
    turns = count()

    def save() -> float:
        turn = next(turns)
        task = tasks[turn % len(tasks)]
        task.state_id = scene.state_after(1 + turn // len(tasks))
        return timed(lambda: _saved(task, scene=scene))

    return save


def _saved(task: Any, *, scene: Scene) -> None:
    with _inside(scene):
        task.save()


def _inside(scene: Scene) -> Any:
    return entered(tenant_id=scene.tenant, actor_id=scene.actor)
