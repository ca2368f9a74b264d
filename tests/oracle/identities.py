"""Conservation laws that every answer keeps. Each check returns one sentence for each place where it is broken."""

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise

from tests.oracle.boards import alive, in_progress
from tests.oracle.definitions import Definitions, positions
from tests.oracle.facts import Category, History
from tests.oracle.flow import cumulative_flow
from tests.oracle.movements import movements
from tests.oracle.questions import Mode, Question
from tests.oracle.series import per_bucket, projects_of, total


def broken_identities(*, history: History, question: Question) -> list[str]:
    """One sentence for each law broken at some bucket."""
    return [
        *bands_that_do_not_sum(history=history, question=question),
        *changes_not_explained(history=history, question=question),
        *work_not_explained(history=history, question=question),
        *lines_that_fall(history=history, question=question),
    ]


def bands_that_do_not_sum(*, history: History, question: Question) -> list[str]:
    """The bands of OCCUPANCY sum to the items alive."""
    flow = cumulative_flow(history=history, question=question, mode=Mode.OCCUPANCY)
    living = per_bucket(
        history=history,
        question=question,
        value=lambda _, end: len(alive(history=history, question=question, at=end)),
    )
    sums = [total(values) for values in zip(*flow.series.values(), strict=True)] or list(living)
    pairs = zip(question.buckets, sums, living, strict=True)
    return [
        f"{start}: the bands sum to {sum_}, {count} items are alive."
        for (start, _), sum_, count in pairs
        if sum_ != count
    ]


def changes_not_explained(*, history: History, question: Question) -> list[str]:
    """Change of items alive = arrivals - departures, unless a category changed inside the bucket."""

    def unexplained(start: datetime, end: datetime) -> int:
        change = len(alive(history=history, question=question, at=end)) - len(
            alive(history=history, question=question, at=start)
        )
        inside = [m for m in movements(history=history, question=question) if start <= m.at < end]
        return change - sum(m.arrives for m in inside) + sum(m.departs for m in inside)

    return _nonzero(history, question, "items alive change by {} more than arrivals less departures", unexplained)


def work_not_explained(*, history: History, question: Question) -> list[str]:
    """Change of work in progress = entries - exits, unless a category changed inside the bucket."""

    def unexplained(start: datetime, end: datetime) -> int:
        change = in_progress(history=history, question=question, at=end) - in_progress(
            history=history, question=question, at=start
        )
        inside = [m for m in movements(history=history, question=question) if start <= m.at < end]
        entries = sum(m.enters(Category.IN_PROGRESS) for m in inside)
        return change - entries + sum(m.exits(Category.IN_PROGRESS) for m in inside)

    return _nonzero(history, question, "work in progress changes by {} more than entries less exits", unexplained)


def lines_that_fall(*, history: History, question: Question) -> list[str]:
    """No line of CUMULATIVE falls from one bucket to the next while the order is unchanged."""
    flow = cumulative_flow(history=history, question=question, mode=Mode.CUMULATIVE)
    instants = [min(end, question.now) for _, end in question.buckets]
    steady = [_orders(history, question, a) == _orders(history, question, b) for a, b in pairwise(instants)]
    return [
        f"{instant}: the line of {state} falls from {a} to {b}."
        for state, values in flow.series.items()
        for (a, b), same, instant in zip(pairwise(values), steady, instants[1:], strict=True)
        if same and a is not None and b is not None and b < a
    ]


def _nonzero(
    history: History, question: Question, sentence: str, unexplained: Callable[[datetime, datetime], int]
) -> list[str]:
    def checked(start: datetime, end: datetime) -> int:
        return unexplained(start, end) if _categories_hold(history, question, start, end) else 0

    values = per_bucket(history=history, question=question, value=checked)
    pairs = zip(question.buckets, values, strict=True)
    return [f"{start}: {sentence.format(value)}." for (start, _), value in pairs if value]


def _categories_hold(history: History, question: Question, start: datetime, end: datetime) -> bool:
    """Whether one category of each state holds from just before `start` to just before `end`."""
    definitions = Definitions(history=history, question=question)
    return all(
        len(set(categories)) == 1
        for project in projects_of(history=history, question=question)
        for categories in _categories(definitions, project.key, start, end).values()
    )


def _categories(definitions: Definitions, project: str, start: datetime, end: datetime) -> dict[str, list[Category]]:
    inside = [v.happened_at for v in definitions.known(project=project) if start <= v.happened_at < end]
    versions = [definitions.before(project=project, end=start)]
    versions += [definitions.during(project=project, at=at) for at in inside]
    found: dict[str, list[Category]] = {}
    for state in (state for version in versions for state in version.states):
        found.setdefault(state.slug, []).append(state.category)
    return found


def _orders(history: History, question: Question, at: datetime) -> list[dict[str, int]]:
    definitions = Definitions(history=history, question=question)
    return [
        positions(workflow=definitions.before(project=project.key, end=at))
        for project in projects_of(history=history, question=question)
    ]
