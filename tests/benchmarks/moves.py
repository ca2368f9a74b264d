"""The two ways of moving tasks that are timed: one by save(), many by update(), both as a web request does it."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import count
from typing import Any

from django.db import connection

from tasks_app.tenancy import entered
from tests.benchmarks.scene import Scene
from tests.benchmarks.scratch import vacuum
from tests.benchmarks.stopwatch import timed

# A peer may need a minute for what takes the others a tenth of a second.
PATIENCE_SECONDS = 900


def inside(scene: Scene) -> AbstractContextManager[None]:
    """A transaction as a web request has it: the web's login in the tenant's role, under row level security."""
    return entered(tenant_id=scene.tenant, actor_id=scene.actor, timeout_seconds=PATIENCE_SECONDS)


def saver(model: type[Any], *, scene: Scene, moves: bool = True) -> Callable[[], float]:
    """A function that saves the next task, moved or as it was, and answers the seconds from BEGIN to COMMIT."""
    with inside(scene):
        tasks = list(model.objects.order_by("id"))
    turns = count()

    def save() -> float:
        turn = next(turns)
        task = tasks[turn % len(tasks)]
        if moves:
            task.state_id = scene.state_after(1 + turn // len(tasks))
        return timed(lambda: _saved(task, scene=scene))

    return save


def mover(
    model: type[Any], *, scene: Scene, rows: int, warming: int, wholes: list[float] | None = None
) -> Callable[[], float]:
    """A function that moves that many tasks by one update() in a new session, and answers what the statement took.

    The session has moved one task `warming` times before. The whole transaction's seconds are added to `wholes`.
    """
    turns = count(1)

    def move() -> float:
        vacuum(model._meta.db_table)
        connection.close()
        for _ in range(warming):
            _updated(model, scene=scene, rows=1, state=scene.state_after(next(turns)))
        statement, whole = _updated(model, scene=scene, rows=rows, state=scene.state_after(next(turns)))
        if wholes is not None:
            wholes.append(whole)
        return statement

    return move


def _saved(task: Any, *, scene: Scene) -> None:
    with inside(scene):
        task.save()


def _updated(model: type[Any], *, scene: Scene, rows: int, state: int) -> tuple[float, float]:
    connection.ensure_connection()
    begun = time.perf_counter()
    with inside(scene):
        chosen = model.objects.filter(id__lte=rows)
        started = time.perf_counter()
        chosen.update(state_id=state)
        statement = time.perf_counter() - started
    return statement, time.perf_counter() - begun
