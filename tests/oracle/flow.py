"""The cumulative flow diagram in both modes, by brute force: every item is looked at again at every bucket's end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from tests.oracle.boards import in_progress, places, visited
from tests.oracle.corrections import CorrectionWindow, correction_windows
from tests.oracle.definitions import Definitions, definition_of, lowest, positions
from tests.oracle.facts import Category, History, Kind
from tests.oracle.movements import Movement, movements
from tests.oracle.questions import Mode, Question
from tests.oracle.series import Values, per_bucket, projects_of, stock_per_bucket, total


@dataclass(frozen=True, kw_only=True)
class CumulativeFlow:
    """The diagram's figures, one value per bucket; `names` has the label of each series."""

    mode: Mode
    series: dict[str, Values]
    names: dict[str, str]
    arrivals: Values
    departures: Values
    left: Values
    discarded: Values
    difference: Values
    definition_changes: tuple[datetime, ...]
    correction_windows: tuple[CorrectionWindow, ...]


def cumulative_flow(*, history: History, question: Question, mode: Mode) -> CumulativeFlow:
    """Every figure of the diagram for the question."""
    departures = _counted(history, question, lambda movement: movement.departs)
    return CumulativeFlow(
        mode=mode,
        series=_series(history, question, mode),
        names=_names(history, question),
        arrivals=_counted(history, question, lambda movement: movement.arrives),
        departures=departures,
        left=departures,
        discarded=_counted(history, question, lambda m: m.departs and m.kind is Kind.DISCARDED),
        difference=_difference(history, question),
        definition_changes=definition_changes(history=history, question=question),
        correction_windows=correction_windows(history=history, question=question),
    )


def work_in_progress(*, history: History, question: Question) -> Values:
    """Items in an IN_PROGRESS state at each bucket's end."""
    return stock_per_bucket(
        history=history,
        question=question,
        value=lambda _, end: in_progress(history=history, question=question, at=end),
    )


def band(*, history: History, question: Question, project: str, state: str, at: datetime) -> int | None:
    """Items of the project in that state just before `at`; None while the state is CANCELLED."""
    definitions = Definitions(history=history, question=question)
    workflow = definitions.before(project=project, end=at)
    if definitions.category(project=project, state=state, workflow=workflow) is Category.CANCELLED:
        return None
    everywhere = places(history=history, question=question, at=at).values()
    return sum(1 for place in everywhere if place.project == project and place.state == state)


def line(*, history: History, question: Question, project: str, state: str, at: datetime) -> int | None:
    """Items that have, just before `at`, been in a state at or beyond this one.

    0 before the state existed; None while it is archived or CANCELLED, for then it has no line.
    """
    workflow = Definitions(history=history, question=question).before(project=project, end=at)
    definition = definition_of(workflow=workflow, state=state)
    if definition is None:
        return 0
    if definition.archived or definition.category is Category.CANCELLED:
        return None
    order = positions(workflow=workflow)
    reached = visited(history=history, question=question, project=project, before=at)
    return sum(1 for states in reached if any(order.get(v, -1) >= order[state] for v in states))


def definition_changes(*, history: History, question: Question) -> tuple[datetime, ...]:
    """The instants inside the window at which a workflow changed. Neither its first version nor an equal one counts."""
    definitions = Definitions(history=history, question=question)
    changes: set[datetime] = set()
    for project in projects_of(history=history, question=question):
        versions = definitions.known(project=project.key)
        pairs = pairwise(versions)
        changes |= {later.happened_at for earlier, later in pairs if later.states != earlier.states}
    return tuple(sorted(at for at in changes if question.start <= at < question.horizon))


def _counted(history: History, question: Question, counts: Callable[[Movement], bool]) -> Values:
    chosen = [movement.at for movement in movements(history=history, question=question) if counts(movement)]
    return per_bucket(
        history=history, question=question, value=lambda start, end: sum(1 for at in chosen if start <= at < end)
    )


def _series(history: History, question: Question, mode: Mode) -> dict[str, Values]:
    definitions = Definitions(history=history, question=question)
    measure = line if mode is Mode.CUMULATIVE else band
    slugs = {p.key: definitions.slugs(project=p.key) for p in projects_of(history=history, question=question)}

    def merged(state: str, at: datetime) -> int | None:
        having = [project for project, states in slugs.items() if state in states]
        return total(measure(history=history, question=question, project=p, state=state, at=at) for p in having)

    def series_of(state: str) -> Values:
        return stock_per_bucket(history=history, question=question, value=lambda _, end: merged(state, end))

    return {state: series_of(state) for states in slugs.values() for state in states}


def _names(history: History, question: Question) -> dict[str, str]:
    definitions = Definitions(history=history, question=question)
    names: dict[str, str] = {}
    for project in projects_of(history=history, question=question):
        workflow = definitions.before(project=project.key, end=question.horizon)
        for state in workflow.states:
            names.setdefault(state.slug, state.name)
    return names


def _difference(history: History, question: Question) -> Values:
    definitions = Definitions(history=history, question=question)

    def lowest_line(project: str, category: Category, at: datetime) -> int:
        state = lowest(workflow=definitions.before(project=project, end=at), category=category)
        if state is None:
            return 0
        return line(history=history, question=question, project=project, state=state, at=at) or 0

    def gap(project: str, at: datetime) -> int:
        return lowest_line(project, Category.IN_PROGRESS, at) - lowest_line(project, Category.DONE, at)

    def explained(_: datetime, end: datetime) -> int:
        gaps = [gap(project.key, end) for project in projects_of(history=history, question=question)]
        return sum(gaps) - in_progress(history=history, question=question, at=end)

    return stock_per_bucket(history=history, question=question, value=explained)
