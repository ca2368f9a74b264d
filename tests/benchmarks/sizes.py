"""ledger_bytes: what a transition takes on disk with all indexes, against the event tables of the peers."""

import random
from collections.abc import Iterator
from typing import Any, cast

from django.db import connections

from tasks_app.models import Task
from tasks_app.tenancy import DatabaseRole, entered
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.peers.models import SHAPES
from tests.benchmarks.scene import Scene, fill, make_scene
from tests.benchmarks.scratch import owner_cursor, vacuum

GOAL = 150.0
TRANSITIONS = 200_000
EVENTS_PER_TASK = 10
TENANTS = 20
BATCH = 100
PEER_TASKS = 1_000
MEGABYTE = 1_000_000

SIZE = "/* benchmarks.size */ SELECT pg_table_size(%s), pg_indexes_size(%s)"
COUNT = "/* benchmarks.count */ SELECT count(*) FROM {table} WHERE tenant_id = %s"
EMPTY_TAIL = "/* benchmarks.empty_tail */ DELETE FROM task_tail WHERE tenant_id = %s"


def ledger_bytes(request: Request) -> Iterator[Outcome]:
    """Bytes per row of task_ledger after VACUUM: tenants of many sizes, moves of all tasks mixed, ten events a task."""
    scenes = [make_scene() for _ in range(TENANTS)]
    for scene, tasks in zip(scenes, _tasks_per_tenant(request.size(TRANSITIONS)), strict=True):
        fill(scene, tables=["task"], tasks=tasks)
    _move_all(scenes)
    _fold(scenes)
    rows = sum(_count("task_ledger", scene) for scene in scenes)
    size = {part: value / rows for part, value in _bytes("task_ledger").items()}
    yield Outcome(
        name="ledger_bytes",
        ratio=size["total"],
        goal=GOAL,
        detail={
            "unit": "bytes per transition, indexes included",
            "parts": {part: round(value, 1) for part, value in size.items()},
            "megabytes_per_10000": round(size["total"] * 10_000 / MEGABYTE, 3),
            "transitions": rows,
            "tail_left": _bytes("task_tail"),
            "peers": _peers(),
        },
    )


def _tasks_per_tenant(transitions: int) -> list[int]:
    """Few large tenants and many small ones: the k-th is a k-th of the first."""
    shares = [1 / rank for rank in range(1, TENANTS + 1)]
    tasks = transitions / EVENTS_PER_TASK
    return [max(1, round(tasks * share / sum(shares))) for share in shares]


def _move_all(scenes: list[Scene]) -> None:
    """Every task on by one state, nine times (it was created once): in batches, tenants and tasks in random order."""
    order = random.Random(1)
    for step in range(1, EVENTS_PER_TASK):
        batches = [(scene, ids) for scene in scenes for ids in _batches(scene, order=order)]
        order.shuffle(batches)
        for scene, ids in batches:
            with entered(tenant_id=scene.tenant, actor_id=scene.actor):
                Task.objects.filter(id__in=ids).update(state_id=scene.state_after(step))


def _batches(scene: Scene, *, order: random.Random) -> Iterator[list[int]]:
    with entered(tenant_id=scene.tenant, actor_id=scene.actor):
        ids = list(Task.objects.values_list("id", flat=True))
    order.shuffle(ids)
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def _fold(scenes: list[Scene]) -> None:
    """Empties the tail as compaction does, and vacuums."""
    for scene in scenes:
        with (
            entered(tenant_id=scene.tenant, role=DatabaseRole.WORKER),
            connections["default"].cursor() as cursor,
        ):
            cursor.execute(EMPTY_TAIL, [scene.tenant])
    vacuum("task_tail", "task_ledger")


def _peers() -> dict[str, Any]:
    """Bytes per event of each peer's own table, for the same changes one by one."""
    scene = make_scene()
    models = {name: model for name, model in SHAPES.items() if name != "plain"}
    fill(scene, tables=[model._meta.db_table for model in models.values()], tasks=PEER_TASKS)
    return {name: _peer_bytes(model, scene=scene) for name, model in models.items()}


def _peer_bytes(model: type[Any], *, scene: Scene) -> float:
    history = _history_of(model)
    for step in range(1, EVENTS_PER_TASK):
        with entered(tenant_id=scene.tenant, actor_id=scene.actor):
            model.objects.update(state_id=scene.state_after(step))
            if hasattr(model, "history"):
                # An update() is not recorded there; its own bulk function writes what save() would.
                model.history.bulk_history_create(list(model.objects.all()), update=True)
    table = history._meta.db_table
    vacuum(table)
    with owner_cursor() as cursor:
        cursor.execute(f"/* benchmarks.count_history */ SELECT count(*) FROM {table}")
        events = cursor.fetchone()[0]
    return round(_bytes(table)["total"] / events, 1)


def _history_of(model: type[Any]) -> type[Any]:
    """The model that a peer keeps its events in."""
    if hasattr(model, "history"):
        return cast("type[Any]", model.history.model)
    return next(m for m in model._meta.apps.get_models() if getattr(m, "pgh_tracked_model", None) is model)


def _bytes(table: str) -> dict[str, int]:
    with owner_cursor() as cursor:
        cursor.execute(SIZE, [table, table])
        heap, indexes = cursor.fetchone()
    return {"heap": heap, "indexes": indexes, "total": heap + indexes}


def _count(table: str, scene: Scene) -> int:
    with entered(tenant_id=scene.tenant), connections["default"].cursor() as cursor:
        cursor.execute(COUNT.format(table=table), [scene.tenant])
        return int(cursor.fetchone()[0])
