"""One set of tables, any engine: what an engine must answer, and how an answer is compared with a table.

A new engine is one more entry of ENGINES; every test below tests/spec then runs on it too. Those of figures that not
every engine has yet run on FULL_ENGINES.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Protocol, TypeVar

from tests.facts_as_text import parse
from tests.oracle import durations
from tests.oracle.aging import AgingItem, aging
from tests.oracle.boards import Board, board
from tests.oracle.churn import Churn, churn
from tests.oracle.completion import Edge, Throughput, state_graph, throughput
from tests.oracle.durations import Durations, Policy, TimeInState
from tests.oracle.facts import History
from tests.oracle.flow import CumulativeFlow, cumulative_flow, work_in_progress
from tests.oracle.forecast import Forecast, forecast
from tests.oracle.items import Visit, visits
from tests.oracle.laws import Laws, laws
from tests.oracle.quality import Quality, quality
from tests.oracle.questions import AsOf, Buckets, Mode, Question, local_days
from tests.oracle.series import Values
from tests.oracle.validation import Waits, validation
from tests.spec.postgres import LONG_AFTER as LONG_AFTER
from tests.spec.postgres import FoldedEngine, PostgresEngine

FLOWS = ("arrivals", "departures", "left", "discarded", "difference")
Chart = dict[str, Values]
AnyEngine = TypeVar("AnyEngine", bound="Engine")


class Engine(Protocol):
    """Loads one tenant's history, then answers. `load` forgets what was loaded before."""

    def load(self, *, history: History) -> None:
        """Take in projects, definitions and facts, the facts in the order of their seq."""

    def board(self, *, project: str, at: datetime, known_at: datetime) -> Board:
        """The project's board just before `at`, as known at `known_at`."""

    def cumulative_flow(self, *, question: Question, mode: Mode) -> CumulativeFlow:
        """The diagram with its flows, breaks, correction windows and difference."""

    def work_in_progress(self, *, question: Question) -> Values:
        """Items in progress at each bucket's end."""

    def visits(self, *, item: str) -> tuple[Visit, ...]:
        """Every stay of the item, oldest first, as known now."""


class FullEngine(Engine, Protocol):
    """An engine that has the figures of completion, too."""

    def throughput(self, *, question: Question) -> Throughput:
        """What was finished and cancelled in each bucket."""

    def transitions(self, *, question: Question) -> dict[tuple[str | None, str | None], Edge]:
        """The state graph of the window."""

    def churn(self, *, question: Question, days: int) -> Churn:
        """What came back within that many days, what went back, came and left."""

    def laws(self, *, question: Question) -> Laws | None:
        """What the identities come to, each counted in two ways; None for an actor's changes."""

    def aging(self, *, question: Question) -> tuple[AgingItem, ...]:
        """Work in progress at the window's end, or now, the oldest first."""

    def forecast(
        self, *, question: Question, items: int | None = None, until: date | None = None, trials: int, seed: int
    ) -> Forecast:
        """Of items or until a date, from the question's days."""

    def validation(self, *, question: Question) -> dict[tuple[str, str | None], Waits]:
        """Waits for a validation, by state and validator; None is all of a state's."""

    def time_in_state(self, *, question: Question, is_full: bool) -> dict[str, TimeInState]:
        """By slug, the states in which anything was."""

    def cycle_time(
        self,
        *,
        question: Question,
        policy: Policy,
        start: str | None = None,
        finish: str | None = None,
        working: bool = False,
    ) -> Durations:
        """What finished in the window, from start to finish."""

    def lead_time(self, *, question: Question, working: bool = False) -> Durations:
        """What finished in the window, from its arrival to its finish."""

    def flow_efficiency(self, *, question: Question) -> tuple[str, timedelta, timedelta]:
        """Status, active time, elapsed time."""

    def quality(self, *, question: Question) -> Quality:
        """What is odd among the window's facts."""


class OracleEngine:
    """The oracle behind the protocol."""

    def load(self, *, history: History) -> None:
        """Keep the history; every answer reads all of it again."""
        self.history = history

    def board(self, *, project: str, at: datetime, known_at: datetime) -> Board:
        """See Engine."""
        return board(history=self.history, project=project, at=at, known_at=known_at)

    def cumulative_flow(self, *, question: Question, mode: Mode) -> CumulativeFlow:
        """See Engine."""
        return cumulative_flow(history=self.history, question=question, mode=mode)

    def work_in_progress(self, *, question: Question) -> Values:
        """See Engine."""
        return work_in_progress(history=self.history, question=question)

    def throughput(self, *, question: Question) -> Throughput:
        """See Engine."""
        return throughput(history=self.history, question=question)

    def transitions(self, *, question: Question) -> dict[tuple[str | None, str | None], Edge]:
        """See Engine."""
        return state_graph(history=self.history, question=question)

    def churn(self, *, question: Question, days: int) -> Churn:
        """See FullEngine."""
        return churn(history=self.history, question=question, days=days)

    def laws(self, *, question: Question) -> Laws | None:
        """See FullEngine."""
        return laws(history=self.history, question=question) if question.actor is None else None

    def aging(self, *, question: Question) -> tuple[AgingItem, ...]:
        """See FullEngine."""
        return aging(history=self.history, question=question)

    def forecast(
        self, *, question: Question, items: int | None = None, until: date | None = None, trials: int, seed: int
    ) -> Forecast:
        """See FullEngine."""
        return forecast(history=self.history, question=question, items=items, until=until, trials=trials, seed=seed)

    def validation(self, *, question: Question) -> dict[tuple[str, str | None], Waits]:
        """See FullEngine."""
        return validation(history=self.history, question=question)

    def time_in_state(self, *, question: Question, is_full: bool) -> dict[str, TimeInState]:
        """See FullEngine."""
        return durations.time_in_state(history=self.history, question=question, is_full=is_full)

    def cycle_time(
        self,
        *,
        question: Question,
        policy: Policy,
        start: str | None = None,
        finish: str | None = None,
        working: bool = False,
    ) -> Durations:
        """See FullEngine."""
        return durations.cycle_time(
            history=self.history, question=question, policy=policy, start=start, finish=finish, working=working
        )

    def lead_time(self, *, question: Question, working: bool = False) -> Durations:
        """See FullEngine."""
        return durations.lead_time(history=self.history, question=question, working=working)

    def flow_efficiency(self, *, question: Question) -> tuple[str, timedelta, timedelta]:
        """See FullEngine."""
        return durations.flow_efficiency(history=self.history, question=question)

    def quality(self, *, question: Question) -> Quality:
        """See FullEngine."""
        return quality(history=self.history, question=question)

    def visits(self, *, item: str) -> tuple[Visit, ...]:
        """See Engine."""
        return visits(history=self.history, item=item, known_at=LONG_AFTER)

    def visits_known(self, *, item: str, known_at: datetime) -> tuple[Visit, ...]:
        """The item's visits, as known at `known_at`: the oracle alone tells visits of another time's knowledge."""
        return visits(history=self.history, item=item, known_at=known_at)


# What each test runs on: those that take `engine` on all of them, those that take `full_engine` on the second list. Half
# folded histories are asked in the properties, which fold them at any point (tests/flow/test_rollup_properties.py).
ENGINES: list[Callable[[], Engine]] = [OracleEngine, PostgresEngine, FoldedEngine]
FULL_ENGINES: list[Callable[[], FullEngine]] = [OracleEngine, PostgresEngine, FoldedEngine]


def loaded(engine: AnyEngine, table: str) -> AnyEngine:
    """The engine, with the table's history in it."""
    engine.load(history=parse(table))
    return engine


def utc(text: str) -> datetime:
    """The instant of an ISO date, or date and time, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days(
    first: str,
    count: int,
    *,
    project: str | None = "WEB",
    zone: str = "UTC",
    as_of: AsOf = AsOf.THEN,
    now: datetime = LONG_AFTER,
    known_at: datetime | None = None,
    assignee: str | None = None,
    actor: str | None = None,
) -> Question:
    """A question over `count` local days from `first`; asked long after everything unless `now` says otherwise."""
    buckets = local_days(first=date.fromisoformat(first), count=count, zone=zone)
    return Question(
        buckets=buckets, now=now, project=project, as_of=as_of, known_at=known_at, assignee=assignee, actor=actor
    )


def hours(first: str, count: int, *, project: str | None = "WEB", now: datetime = LONG_AFTER) -> Question:
    """A question over `count` hours from the instant `first`."""
    buckets: Buckets = tuple(pairwise(utc(first) + timedelta(hours=number) for number in range(count + 1)))
    return Question(buckets=buckets, now=now, project=project)


def differences(*, flow: CumulativeFlow, expected: str) -> list[str]:
    """One sentence for each row of the expected chart that the flow does not show. Empty: they agree.

    A row is a state's slug or a flow's name and its values, `-` for null. Series that the chart leaves out must be
    0 or null throughout, flows that it leaves out are not looked at.
    """
    wanted = chart(text=expected)
    shown: Chart = {**flow.series, **{name: getattr(flow, name) for name in FLOWS}}
    unlike = [f"{row}: {shown.get(row)} instead of {wanted[row]}" for row in wanted if shown.get(row) != wanted[row]]
    unexpected = [row for row in flow.series if row not in wanted and any(flow.series[row])]
    return unlike + [f"{row}: {flow.series[row]} instead of nothing" for row in unexpected]


def chart(*, text: str) -> Chart:
    """The rows of a chart written as text: a name, then one value per bucket, `-` for null."""
    rows = [line.split() for line in text.splitlines() if line.strip()]
    return {name: tuple(None if value == "-" else int(value) for value in values) for name, *values in rows}


def check_flow(engine: Engine, *, question: Question, mode: Mode, expected: str) -> CumulativeFlow:
    """Ask for the diagram, compare it with the chart row by row, and give it back for further questions."""
    flow = engine.cumulative_flow(question=question, mode=mode)
    unlike = differences(flow=flow, expected=expected)
    assert not unlike, f"The {mode} chart is not the expected one:\n" + "\n".join(unlike)
    assert flow.mode is mode, f"The {mode} chart was asked for, the answer says {flow.mode}."
    return flow
