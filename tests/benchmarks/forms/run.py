"""ledger_forms: one copy of the task table per form, and the same moves on each."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection

from tests.benchmarks.forms.bodies import FORMS
from tests.benchmarks.forms.tables import make_form
from tests.benchmarks.moves import mover, saver
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.peers.models import Plain
from tests.benchmarks.saving import without_waiting
from tests.benchmarks.scene import Scene, fill, make_scene
from tests.benchmarks.scratch import vacuum
from tests.benchmarks.stopwatch import ratios, say, taking_turns

ROWS = 10_000
SOME_ROWS = 100
SAVES = 800
UPDATES = 5
UPDATES_OF_SOME = 15
WARMING = 10

Timer = Callable[[], float]


def ledger_forms(request: Request) -> Iterator[Outcome]:
    """Every form's ratio to the plain model: one row by save(), moved or as it was; 100 and 10,000 rows.

    No goal: it is what the choice of form stands on. The ratio is that of the form that ships, 10,000 rows, warmed.
    """
    rows = request.size(ROWS)
    scene = make_scene()
    fill(scene, tables=["peer_plain"], tasks=rows)
    vacuum("peer_plain")
    models: dict[str, type[Any]] = {"plain": Plain, "shipped": make_form("shipped", None, scene=scene, rows=rows)}
    models |= {name: make_form(name, form, scene=scene, rows=rows) for name, form in FORMS.items()}
    detail: dict[str, Any] = {"rows": rows, **_saves(models, scene=scene)}
    for size, rounds in ((min(SOME_ROWS, rows), UPDATES_OF_SOME), (rows, UPDATES)):
        detail |= _updates(models, scene=scene, rows=size, rounds=rounds)
    yield Outcome(name="ledger_forms", ratio=detail[f"update_{rows}_warmed"]["shipped"], goal=None, detail=detail)


def _saves(models: dict[str, type[Any]], *, scene: Scene) -> dict[str, dict[str, float]]:
    without_waiting()
    found = {}
    for title, moves in (("save_that_moves", True), ("save_that_does_not_move", False)):
        say(title)
        timers: dict[str, Timer] = {name: saver(model, scene=scene, moves=moves) for name, model in models.items()}
        found[title] = ratios(taking_turns(timers, rounds=SAVES), to="plain")
    connection.close()
    return found


def _updates(models: dict[str, type[Any]], *, scene: Scene, rows: int, rounds: int) -> dict[str, dict[str, float]]:
    found = {}
    for title, warming in ((f"update_{rows}_fresh", 0), (f"update_{rows}_warmed", WARMING)):
        say(title)
        timers: dict[str, Timer] = {
            name: mover(model, scene=scene, rows=rows, warming=warming) for name, model in models.items()
        }
        found[title] = ratios(taking_turns(timers, rounds=rounds), to="plain", of=min)
    return found
