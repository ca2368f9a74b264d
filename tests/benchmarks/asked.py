"""Questions about a generated company, asked as the API's resolvers ask them, and what their statements took."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from django.db import connection

from analytics.engine.projects import project_facts
from analytics.engine.reading.read_from import ReadFrom
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.reading.results import FlowMode
from analytics.pure import windows
from analytics.pure.windows import Window
from tasks_app.tenancy import entered
from tests.benchmarks.companies import Company
from tests.benchmarks.history import BEGINNING, END
from tests.benchmarks.stopwatch import timed

# A raw replay of millions of facts may take longer than a request may.
PATIENCE_SECONDS = 600
YEAR = windows.between(start=BEGINNING, end=END, zone="UTC", bucket=windows.Bucket.DAY, now=END)

Figure = Callable[[FlowReading], object]


@dataclass(frozen=True, kw_only=True)
class Question:
    """Whose figures over which window: of the whole tenant, or of one project or person."""

    company: Company
    window: Window = YEAR
    key: str | None = None
    assignee: int | None = None
    actor: int | None = None

    def reading(self, *, read_from: ReadFrom) -> FlowReading:
        """To be asked within the tenant's transaction."""
        tenant = self.company.tenant.id
        return FlowReading(
            question=FlowQuestion(
                tenant_id=tenant,
                window=self.window,
                now=END,
                whole_tenant=self.key is None,
                assignee_id=self.assignee,
                actor_id=self.actor,
            ),
            boards=project_facts(tenant_id=tenant, key=self.key),
            read_from=read_from,
        )

    @contextmanager
    def asked(self, *, read_from: ReadFrom) -> Iterator[FlowReading]:
        """A reading within the transaction of a web request."""
        with entered(tenant_id=self.company.tenant.id, read_only=True, timeout_seconds=PATIENCE_SECONDS):
            yield self.reading(read_from=read_from)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Seconds: of the statements alone, and of the whole answer, the arithmetic in Python included."""

    statements: float
    whole: float


def counts(reading: FlowReading) -> object:
    """Work in progress needs every state's count in every bucket, and nothing else of a diagram."""
    return reading.work_in_progress()


def diagram(reading: FlowReading) -> object:
    """All of the default chart: lines, flows, corrections."""
    return reading.cumulative_flow(mode=FlowMode.CUMULATIVE)


def occupancy(question: Question, *, read_from: ReadFrom) -> dict[str, list[int | None]]:
    """The bands of the diagram, by slug."""
    with question.asked(read_from=read_from) as reading:
        found = reading.cumulative_flow(mode=FlowMode.OCCUPANCY)
        return {series.state.slug: list(series.counts) for series in found.series}


def answered_from(question: Question) -> ReadFrom:
    """Where a MERGED answer was read from: RAW when something kept it from the rollups."""
    with question.asked(read_from=ReadFrom.MERGED) as reading:
        counts(reading)
        return reading.read_from


def taken(question: Question, figure: Figure, *, read_from: ReadFrom) -> Taken:
    """What it takes to answer."""
    with question.asked(read_from=read_from) as reading, _statements() as seconds:
        whole = timed(lambda: figure(reading))
    return Taken(statements=sum(seconds), whole=whole)


@contextmanager
def _statements() -> Iterator[list[float]]:
    """While inside, the seconds of each statement of the web's connection."""
    seconds: list[float] = []

    def measured(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        begun = perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            seconds.append(perf_counter() - begun)

    with connection.execute_wrapper(measured):
        yield seconds
