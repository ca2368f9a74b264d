"""ledger_bulk_*: what queryset.update() of 10,000 wide tasks costs with history, against the same without.

Fresh: the session's first statement of its kind. Warmed: the session has moved ten tasks one by one before, as every
session of a web process has; plans made for one row are then used for 10,000.
"""

import time
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
from tests.benchmarks.stopwatch import Samples, ratios, taking_turns

GOAL = 3.0
TASKS = 10_000
ROUNDS = 5
WARMING = 10
# Not among them: django-simple-history, which records nothing of an update().
MODELS: dict[str, type[Any]] = {
    "ledger": Task,
    **{name: model for name, model in SHAPES.items() if name != "simple_history"},
}
TABLES = tuple(model._meta.db_table for model in MODELS.values())


def ledger_bulk_fresh(request: Request) -> Iterator[Outcome]:
    """One update() as the first thing of a new session."""
    statement, whole = _measured(request, warming=0)
    yield Outcome(
        name="ledger_bulk_fresh",
        ratio=max(statement["ledger"], whole["ledger"]),
        goal=GOAL,
        detail=_detail(statement, whole, request),
    )


def ledger_bulk_warmed(request: Request) -> Iterator[Outcome]:
    """One update() in a session that has moved ten tasks one by one; below every level of django-pghistory, too."""
    statement, whole = _measured(request, warming=WARMING)
    peers = [name for name in MODELS if name.startswith("pghistory")]
    yield Outcome(
        name="ledger_bulk_warmed",
        ratio=max(statement["ledger"], whole["ledger"]),
        goal=GOAL,
        also=all(statement["ledger"] < statement[peer] for peer in peers),
        detail=_detail(statement, whole, request),
    )


def _detail(statement: dict[str, float], whole: dict[str, float], request: Request) -> dict[str, Any]:
    return {
        "rows": request.size(TASKS),
        "statement_alone_to_plain_model": statement,
        "transaction_with_commit_to_plain_model": whole,
    }


def _measured(request: Request, *, warming: int) -> tuple[dict[str, float], dict[str, float]]:
    """The ratios of the statement alone, and of the whole transaction, deferred references and commit included."""
    scene = make_scene()
    fill(scene, tables=TABLES, tasks=request.size(TASKS))
    wholes: Samples = {name: [] for name in MODELS}
    movers = {
        name: _mover(model, scene=scene, warming=warming, wholes=wholes[name]) for name, model in MODELS.items()
    }
    statements = taking_turns(movers, rounds=ROUNDS)
    kept = {name: taken[-len(statements[name]) :] for name, taken in wholes.items()}
    return ratios(statements, to="plain"), ratios(kept, to="plain")


def _mover(model: type[Any], *, scene: Scene, warming: int, wholes: list[float]) -> Callable[[], float]:
    """A function that moves all tasks in a new session; it says what the statement took, and keeps the whole."""
    turns = count(1)

    def move() -> float:
        vacuum(model._meta.db_table)
        connection.close()
        state = scene.state_after(next(turns))
        for _ in range(warming):
            _warm(model, scene=scene, state=scene.state_after(next(turns)))
        begun = time.perf_counter()
        with entered(tenant_id=scene.tenant, actor_id=scene.actor):
            started = time.perf_counter()
            model.objects.update(state_id=state)
            statement = time.perf_counter() - started
        wholes.append(time.perf_counter() - begun)
        return statement

    return move


def _warm(model: type[Any], *, scene: Scene, state: int) -> None:
    with entered(tenant_id=scene.tenant, actor_id=scene.actor):
        task = model.objects.order_by("id")[0]
        model.objects.filter(id=task.id).update(state_id=state)
