"""The product behind the protocol of the runner: a history is seeded, and answers are read as a tenant reads them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from analytics.engine.projects import project_facts
from analytics.engine.reading.knowledge import Knowledge
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.rollups.compact import compact, owners
from analytics.engine.rollups.fold import fold
from analytics.flow.family import TRANSITIONS
from analytics.flow.figures.forecast import ForecastQuestion, finished_by_day
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.reading.results import CumulativeFlow as Flow
from analytics.flow.reading.results import FlowMode
from analytics.flow.replay.definitions import workflows
from analytics.flow.replay.task_histories import NO_HISTORY, histories
from analytics.flow.replay.task_names import names_of
from analytics.flow.replay.tasks import TaskList, search_pattern
from analytics.pure.windows import Bucket, Window
from tasks_app.tenancy import entered
from tests.flow.loading import Loaded, seeded
from tests.oracle.aging import AgingItem
from tests.oracle.boards import Board
from tests.oracle.churn import Churn
from tests.oracle.completion import Edge, Throughput
from tests.oracle.corrections import CorrectionWindow
from tests.oracle.durations import Durations, Policy, TimeInState
from tests.oracle.facts import History
from tests.oracle.filters import ItemFilter
from tests.oracle.flow import CumulativeFlow
from tests.oracle.forecast import Forecast
from tests.oracle.items import Visit
from tests.oracle.laws import Laws
from tests.oracle.quality import Quality
from tests.oracle.questions import AsOf, Mode, Question
from tests.oracle.series import Values
from tests.oracle.validation import Waits
from tests.spec import as_told, durations_as_told

EVERYTHING = 1_000
NOBODY = 2**31 - 1
LONG_AFTER = datetime(2030, 1, 1, tzinfo=UTC)


class PostgresEngine:
    """The ledger of one tenant, replayed. `told` is where the history went."""

    read_from = ReadFrom.RAW
    chosen: ItemFilter | None = None
    # The figures that each is asked for together with.
    together: frozenset[str] = frozenset()
    _is_reading = False

    def __init__(self, told: Loaded | None = None) -> None:
        if told is not None:
            self.told = told

    def load(self, *, history: History) -> None:
        """Seeds a new tenant; the one before is asked no more."""
        self.told = seeded(history)

    def board(self, *, project: str, at: datetime, known_at: datetime) -> Board:
        """See Engine. The lists have cancelled items, too, in columns that the board leaves out."""
        with self._reading_ledger():
            project_id = self.told.projects[project]
            known = workflows(tenant_id=self.told.tenant_id, project_ids=[project_id], known_at=known_at)
            defined = known.before(at)
            every_state = {state: defined.get(state) or known.first(state) for state in known.state_ids}
            shown = {state: each for state, each in every_state.items() if each.on_board}
            filters = {"project_ids": [project_id], "state_ids": list(shown)}
            tasks = TaskList(tenant_id=self.told.tenant_id, now=known_at, at=at, known_at=known_at, filters=filters)
            rows = tasks.read(where="TRUE", params=(), order="x.key", limit=EVERYTHING)
        columns: dict[str, list[str]] = {
            each.slug: [] for state, each in shown.items() if state in defined and not each.archived
        }
        for row in rows:
            columns.setdefault(shown[row.state_id].slug, []).append(row.key)
        return Board(columns={slug: tuple(sorted(keys)) for slug, keys in columns.items()})

    def cumulative_flow(self, *, question: Question, mode: Mode) -> CumulativeFlow:
        """See Engine."""
        with self._reading_ledger():
            flow = self.reading(question).cumulative_flow(mode=FlowMode(mode.value))
        return _as_told(flow, items={task_id: item for item, task_id in self.told.tasks.items()})

    def work_in_progress(self, *, question: Question) -> Values:
        """See Engine."""
        with self._reading_ledger():
            return tuple(self.reading(question).work_in_progress())

    def throughput(self, *, question: Question) -> Throughput:
        """See FullEngine."""
        with self._reading_ledger():
            found = self.reading(question).throughput()
        return Throughput(
            finished=tuple(found.finished),
            finish_events=tuple(found.finish_events),
            cancelled=tuple(found.cancelled),
        )

    def transitions(self, *, question: Question) -> dict[tuple[str | None, str | None], Edge]:
        """See FullEngine."""
        with self._reading_ledger():
            found = self.reading(question).transitions()
        return as_told.edges(found)

    def churn(self, *, question: Question, days: int) -> Churn:
        """See FullEngine."""
        with self._reading_ledger():
            found = self.reading(question).churn(within=timedelta(days=days))
        return as_told.churn(found)

    def laws(self, *, question: Question) -> Laws | None:
        """See FullEngine. An identity that is broken is refused."""
        with self._reading_ledger():
            found = self.reading(question).identities()
        return as_told.laws(found)

    def aging(self, *, question: Question) -> tuple[AgingItem, ...]:
        """See FullEngine."""
        with self._reading_ledger():
            return as_told.aging(self.reading(question).aging())

    def forecast(
        self,
        *,
        question: Question,
        items: int | None = None,
        until: date | None = None,
        trials: int,
        seed: int,
    ) -> Forecast:
        """See FullEngine."""
        asked = ForecastQuestion(items=items, until=until, trials=trials, seed=seed)
        with self._reading_ledger():
            found = self.reading(question).forecast(question=asked)
        return Forecast(
            history_days=found.history_days,
            first_day=found.first_day,
            points={each.percent: each.day if until is None else each.items for each in found.points},
            backtest=None if found.backtest is None else (found.backtest.held, found.backtest.tests),
        )

    def quality(self, *, question: Question) -> Quality:
        """See FullEngine."""
        with self._reading_ledger():
            found = self.reading(question).data_quality()
        failed = [check for check in found.checks if check.failures]
        items = {task_id: item for item, task_id in self.told.tasks.items()}
        return Quality(
            failures={check.code: check.failures for check in failed},
            items={check.code: tuple(sorted(items[name.task_id] for name in check.items)) for check in failed},
            failing=found.failing,
            looked_at=found.items,
        )

    def finished_as_of(self, *, question: Question) -> list[list[int]]:
        """What had finished on each day, as the end of the first, the second and every other day saw it."""
        with self._reading_ledger():
            reading = self.reading(question)
            past, stays = reading.past()
        return [finished_by_day(days=past.count, stays=stays, as_of=day) for day in range(1, past.count + 1)]

    def validation(self, *, question: Question) -> dict[tuple[str, str | None], Waits]:
        """See FullEngine."""
        with self._reading_ledger():
            found = self.reading(question).validation()
        return as_told.validation(found, names={actor: name for name, actor in self.told.actors.items()})

    def time_in_state(self, *, question: Question, is_full: bool) -> dict[str, TimeInState]:
        """See FullEngine."""
        with self._reading_ledger():
            return durations_as_told.time_in_state(self.reading(question), is_full=is_full)

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
        with self._reading_ledger():
            return durations_as_told.cycle_time(
                self.reading(question),
                policy=policy,
                start=start,
                finish=finish,
                calendar=durations_as_told.CALENDARS[working],
                items=self._items_by_key(),
            )

    def lead_time(self, *, question: Question, working: bool = False) -> Durations:
        """See FullEngine."""
        with self._reading_ledger():
            found = self.reading(question).durations.lead_time(calendar=durations_as_told.CALENDARS[working])
            return durations_as_told.as_told(found, items=self._items_by_key())

    def flow_efficiency(self, *, question: Question) -> tuple[str, timedelta, timedelta]:
        """See FullEngine."""
        with self._reading_ledger():
            found = self.reading(question).durations.flow_efficiency()
        return found.status.value, found.numerator, found.denominator

    def _items_by_key(self) -> dict[str, str]:
        names = names_of(tenant_id=self.told.tenant_id, task_ids=list(self.told.tasks.values()))
        return {names[task_id].key: item for item, task_id in self.told.tasks.items()}

    def visits(self, *, item: str) -> tuple[Visit, ...]:
        """See Engine."""
        tenant_id, task_id = self.told.tenant_id, self.told.tasks[item]
        with self._reading_ledger():
            known = workflows(tenant_id=tenant_id, project_ids=None)
            found = histories(tenant_id=tenant_id, task_ids=[task_id], workflows=known).get(task_id, NO_HISTORY)
        names = {state_id: name for name, state_id in self.told.states.items()}
        return tuple(
            Visit(
                project=names[visit.state_id][0],
                state=names[visit.state_id][1],
                entered_at=visit.entered_at,
                left_at=visit.left_at,
            )
            for visit in found.visits
            if visit.state_id
        )

    @contextmanager
    def _reading_ledger(self) -> Iterator[None]:
        """Inside the tenant, whoever is inside already stays: to enter takes as long as most figures."""
        if self._is_reading:
            yield
            return
        with entered(tenant_id=self.told.tenant_id, read_only=True):
            self._is_reading = True
            try:
                yield
            finally:
                self._is_reading = False

    def reading(self, question: Question) -> FlowReading:
        """The question, to be asked inside the tenant."""
        # What is folded is what is known now: a question whose clock lies within the history can only be replayed.
        is_now = self.read_from is not ReadFrom.RAW and question.known_until >= LONG_AFTER
        known_at = None if is_now else question.known_until
        with self._reading_ledger():
            found = project_facts(tenant_id=self.told.tenant_id, key=question.project, known_at=known_at)
        reading = FlowReading(
            question=FlowQuestion(
                tenant_id=self.told.tenant_id,
                window=window_of(question),
                now=question.now,
                whole_tenant=question.project is None,
                as_defined_now=question.as_of is AsOf.NOW,
                assignee_id=self._actor(question.assignee),
                actor_id=self._actor(question.actor),
                filters=self.filters,
                filters_as_of_now=self.chosen is not None and self.chosen.as_of_now,
            ),
            boards=found,
            knowledge=Knowledge(known_at=known_at),
            read_from=self.read_from,
        )
        reading.expect(self.together)
        return reading

    @property
    def filters(self) -> dict[str, Any]:
        """What `chosen` is to the product: ids for names."""
        chosen = self.chosen or ItemFilter()
        given: dict[str, Any] = {
            "project_ids": chosen.project and [self.told.projects[chosen.project]],
            "state_ids": self._states(chosen.states),
            "assignee_id": self._actor(chosen.assignee),
            "search": chosen.search and search_pattern(chosen.search),
            "changed_by": self._actor(chosen.changed_by),
            "was_ever_ids": self._states(chosen.was_ever),
            "held_ids": self._states(chosen.held),
        }
        instants = {
            "was_ever_from": chosen.was_ever_from,
            "was_ever_to": chosen.was_ever_to,
            "held_since": chosen.held_since,
        }
        found = {name: value for name, value in given.items() if value is not None}
        return {**found, **instants} if found else {}

    def _states(self, names: tuple[tuple[str, str], ...] | None) -> list[int] | None:
        return None if names is None else [self.told.states[name] for name in names if name in self.told.states]

    def _actor(self, name: str | None) -> int | None:
        """Of a person that the history does not name there is nothing: an id that nobody has."""
        return None if name is None else self.told.actors.get(name, NOBODY)


class FoldedEngine(PostgresEngine):
    """Rollups of all facts, and no tail."""

    read_from = ReadFrom.ROLLUP

    def load(self, *, history: History) -> None:
        """Seeds a new tenant and folds all of it."""
        super().load(history=history)
        compact(now=LONG_AFTER, tenant_id=self.told.tenant_id)


class HalfFoldedEngine(PostgresEngine):
    """Rollups of the facts that were recorded first; the later half is still in the tail."""

    read_from = ReadFrom.MERGED

    def load(self, *, history: History) -> None:
        """Seeds a new tenant and folds half of it."""
        super().load(history=history)
        fold_some(tenant_id=self.told.tenant_id, facts=len(history.facts) // 2)


def fold_some(*, tenant_id: int, facts: int) -> None:
    """Folds that many of the facts that were recorded first."""
    for owner in owners(tenant_id=tenant_id):
        fold(owner=owner, family=TRANSITIONS, now=LONG_AFTER, most_facts=facts)


def window_of(question: Question) -> Window:
    """The question's buckets as the product's window; how days become buckets is no concern of these tests."""
    starts, ends = (tuple(edges) for edges in zip(*question.buckets, strict=True))
    return Window(
        start=starts[0],
        end=ends[-1],
        zone="UTC",
        bucket=Bucket.DAY,
        starts=starts,
        ends=ends,
        complete=tuple(end <= question.now for end in ends),
    )


def _as_told(flow: Flow, *, items: Mapping[int, str]) -> CumulativeFlow:
    return CumulativeFlow(
        mode=Mode(flow.mode.value),
        series={each.state.slug: tuple(each.counts) for each in flow.series},
        names={each.state.slug: each.state.name for each in flow.series},
        arrivals=tuple(flow.arrivals),
        departures=tuple(flow.departures),
        left=tuple(flow.left),
        discarded=tuple(flow.discarded),
        difference=tuple(flow.difference),
        definition_changes=tuple(flow.definition_changes),
        correction_windows=tuple(
            CorrectionWindow(item=items[each.item.task_id], opened_at=each.begin, closed_at=each.end)
            for each in flow.correction_windows
        ),
    )
