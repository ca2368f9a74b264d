"""The year's diagram of one project as a view that somebody wrote for that alone: the same SQL, and its rows as JSON."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from analytics.flow.family import Facet
from tasks_app.graphql.asking import caller_of
from tasks_app.tenancy import entered
from tests.benchmarks.history import DAYS
from tests.benchmarks.walks import PLACES

ROLLUPS = "/* windows."
OURS = (ROLLUPS, "/* replay.")
ON_BOARD = [place for place, (_, category, _) in enumerate(PLACES) if category != "CANCELLED"]

# piece, project, facet, subject, before, after, facts
Row = tuple[int, int, int, int, int, int, int]
Statement = tuple[str, Any]

# What the API asked the database for, and the board's states in order; see overhead.
statements: list[Statement] = []
states: list[int] = []


def diagram(request: HttpRequest) -> JsonResponse:
    """The lines, arrivals, departures and leavings of the year, day by day, for whoever has a key."""
    caller = caller_of(request, now=timezone.now())  # noqa: TID251 - a view is an edge
    with entered(tenant_id=caller.tenant.id, actor_id=caller.actor_id, read_only=True):
        rows = [row for found in map(_rows, statements) for row in found]
    return JsonResponse(_figures(rows))


def _rows(statement: Statement) -> Sequence[Row]:
    """Rows of the statement if it is the one that counts; the others answer what this view has no need of."""
    text, values = statement
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        rows = cursor.fetchall()
    return rows if text.startswith(("/* windows.rollup", "/* windows.merged")) else []


def _figures(rows: Sequence[Row]) -> dict[str, Any]:
    on_board = {states[place] for place in ON_BOARD}
    lines = [[0] * (DAYS + 1) for _ in ON_BOARD]
    came, went = [0] * (DAYS + 1), [0] * (DAYS + 1)
    for piece, _, facet, _, before, after, facts in rows:
        if facet == Facet.FURTHEST:
            # What is cancelled stands at -1.
            for place in range(max(before + 1, 0), after + 1):
                lines[place][piece] += int(facts)
        elif before in on_board and after not in on_board:
            went[piece] += int(facts)
        elif before not in on_board and after in on_board:
            came[piece] += int(facts)
    return {
        "series": [
            {"state": {"slug": PLACES[place][0]}, "counts": list(accumulate(line))[1:]}
            for place, line in zip(ON_BOARD, lines, strict=True)
        ],
        "arrivals": came[1:],
        "departures": went[1:],
        "left": went[1:],
    }
