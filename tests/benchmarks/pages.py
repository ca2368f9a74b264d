"""deep_page: a page of the ledger at row 1,000,000 against the first page, and how the stock conditions fare there."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from django.db.models import QuerySet
from strawberry_django.relay.cursor_connection import annotate_ordering_fields, build_tuple_compare

from tasks_app.http.connections import PageArgs, keyset_page
from tasks_app.http.cursors import Column, Keyset
from tasks_app.models import TaskLedger
from tasks_app.policies import LEDGER_ROLE
from tasks_app.tenancy import entered
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.scene import Scene, make_scene, within
from tests.benchmarks.scratch import owner_cursor, vacuum
from tests.benchmarks.stopwatch import ratios, taking_turns, timed

GOAL = 1.5
DEPTH = 1_000_000
BEYOND = 50_000
FIRST = 100
ROUNDS = 100
TASKS = 100_000
BY_SEQ = Keyset((Column("seq", "desc"),))

# As the ledger's own role: nobody else may write there.
WRITE_LEDGER = (
    "/* benchmarks.write_ledger */ INSERT INTO task_ledger (tenant_id, correlation, xact, happened_at, recorded_at,"
    " task_id, project_id, from_id, to_id, actor_id, kind)"
    " SELECT %s, n, n, at, at, 1 + n %% %s, %s, %s, %s, %s, 2"
    " FROM generate_series(1, %s) n, LATERAL (SELECT timestamptz '2024-01-01Z' + n * interval '1 minute' AS at) clock"
)


def deep_page(request: Request) -> Iterator[Outcome]:
    """The product's own keyset page of 100 facts, as the web's login: after row 1,000,000 and from the start."""
    depth = request.size(DEPTH)
    scene = make_scene()
    _write(scene, rows=depth + BEYOND)
    pages = _pages(scene, depth=depth)
    seconds = taking_turns({name: partial(_read, scene, page) for name, page in pages.items()}, rounds=ROUNDS)
    to_first = ratios(seconds, to="first_page")
    yield Outcome(
        name="deep_page",
        ratio=to_first["deep_page"],
        goal=GOAL,
        detail={"row": depth, "page": FIRST, "to_first_page": to_first},
    )


def _pages(scene: Scene, *, depth: int) -> dict[str, Callable[[], object]]:
    facts = TaskLedger.objects.filter(tenant_id=scene.tenant)
    with entered(tenant_id=scene.tenant, read_only=True):
        seq = facts.order_by("-seq").values_list("seq", flat=True)[depth - 1]
    return {
        "first_page": partial(_keyset_page, facts, BY_SEQ, after=None),
        "deep_page": partial(_keyset_page, facts, BY_SEQ, after=[seq]),
        "stock_cursor_connection": partial(_stock_page, facts, scene.tenant, seq),
        "stock_offset": lambda: list(facts.order_by("-seq")[depth : depth + FIRST + 1]),
    }


def _keyset_page(facts: QuerySet[TaskLedger], keyset: Keyset, *, after: Sequence[Any] | None) -> object:
    cursor = None if after is None else keyset.encode(after)
    return keyset_page(facts, keyset=keyset, args=PageArgs(first=FIRST, after=cursor))


def _stock_page(facts: QuerySet[TaskLedger], tenant: int, seq: int) -> object:
    """What strawberry-django's cursor connection asks for, in the order that the index (tenant_id, seq) serves."""
    ordered, descriptors, _ = annotate_ordering_fields(facts.order_by("-tenant_id", "-seq"))
    condition = build_tuple_compare(descriptors, [str(tenant), str(seq)], before=False)
    return list(ordered.filter(condition)[: FIRST + 1])


def _read(scene: Scene, page: Callable[[], object]) -> float:
    with entered(tenant_id=scene.tenant, read_only=True):
        return timed(page)


def _write(scene: Scene, *, rows: int) -> None:
    values = [scene.tenant, TASKS, scene.project, scene.states[0], scene.states[1], scene.actor, rows]
    with within(scene.tenant), owner_cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {LEDGER_ROLE}")
        cursor.execute(WRITE_LEDGER, values)
    vacuum("task_ledger")
