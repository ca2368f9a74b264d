"""ledger_bulk_*: what queryset.update() of 10,000 wide tasks costs with history, against the same without.

Fresh: the session's first statement of its kind. Warmed: the session has moved one task ten times before, as every
session of a web process has; plans made for one row are then used for 10,000.
"""

from collections.abc import Iterator
from typing import Any

from tasks_app.models import Task
from tests.benchmarks.moves import mover
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.peers.models import SHAPES
from tests.benchmarks.scene import fill, make_scene
from tests.benchmarks.stopwatch import Samples, ratios, taking_turns

GOAL = 3.0
TASKS = 10_000
ROUNDS = 7
WARMING = 10
# Not among them: django-simple-history, which records nothing of an update().
MODELS: dict[str, type[Any]] = {
    "ledger": Task,
    **{name: model for name, model in SHAPES.items() if name != "simple_history"},
}
PGHISTORY = [name for name in MODELS if name.startswith("pghistory")]
TABLES = tuple(model._meta.db_table for model in MODELS.values())


def ledger_bulk_fresh(request: Request) -> Iterator[Outcome]:
    """One update() as the first thing of a new session."""
    yield from _outcomes("ledger_bulk_fresh", request, warming=0)


def ledger_bulk_warmed(request: Request) -> Iterator[Outcome]:
    """One update() in a session that has moved a task ten times; must be below every level of django-pghistory, too."""
    yield from _outcomes("ledger_bulk_warmed", request, warming=WARMING)


def _outcomes(name: str, request: Request, *, warming: int) -> Iterator[Outcome]:
    """The goal is for the statement alone; the transaction, with its deferred checks and commit, is told beside it."""
    rows = request.size(TASKS)
    statement, whole = _measured(rows=rows, warming=warming)
    yield Outcome(
        name=name,
        ratio=statement["ledger"],
        goal=GOAL,
        also=not warming or all(statement["ledger"] < statement[peer] for peer in PGHISTORY),
        detail={"rows": rows, "statement_to_plain_model": statement, "transaction_to_plain_model": whole},
    )


def _measured(*, rows: int, warming: int) -> tuple[dict[str, float], dict[str, float]]:
    scene = make_scene()
    fill(scene, tables=TABLES, tasks=rows)
    wholes: Samples = {name: [] for name in MODELS}
    movers = {
        name: mover(model, scene=scene, rows=rows, warming=warming, wholes=wholes[name])
        for name, model in MODELS.items()
    }
    statements = taking_turns(movers, rounds=ROUNDS)
    # The first turn is uncounted there, so it is here.
    kept = {name: taken[-len(statements[name]) :] for name, taken in wholes.items()}
    return ratios(statements, to="plain", of=min), ratios(kept, to="plain", of=min)
