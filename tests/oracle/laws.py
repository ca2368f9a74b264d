"""The sizes that the product's identities are about, each by looking at every item again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from tests.oracle.definitions import Definitions
from tests.oracle.facts import Category, History
from tests.oracle.items import Place, changes_seen
from tests.oracle.questions import Question
from tests.oracle.series import projects_of

MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Laws:
    """From the window's first instant to its last, or to now: how many more items there are on the board and in progress,
    how long items were in progress, all together, and how long they had been in any state, ever."""

    items: int
    work: int
    work_time: timedelta
    lifetime: timedelta


def laws(*, history: History, question: Question) -> Laws:
    """What the identities of the question come to."""
    start, end = question.start, max(question.start, question.horizon)
    stays = [stay for item in history.items() for stay in _stays(history, question, item, end)]
    instants = _cut(history, question, start, end)
    return Laws(
        items=_count(history, question, stays, end, on_board=True)
        - _count(history, question, stays, start, on_board=True),
        work=_count(history, question, stays, end) - _count(history, question, stays, start),
        work_time=sum((_in_progress(history, question, stay, instants) for stay in stays), timedelta()),
        lifetime=sum((left - entered for _, entered, left in stays), timedelta()),
    )


Stay = tuple[Place, datetime, datetime]


def _stays(history: History, question: Question, item: str, end: datetime) -> list[Stay]:
    changes = changes_seen(history=history, question=question, item=item, project=question.project)
    earlier = [change for change in changes if change.fact.happened_at < question.horizon]
    ends = [*(change.fact.happened_at for change in earlier[1:]), end]
    return [
        (change.after, change.fact.happened_at, left)
        for change, left in zip(earlier, ends, strict=False)
        if change.after is not None
    ]


def _cut(history: History, question: Question, start: datetime, end: datetime) -> list[datetime]:
    """The window in pieces in which no definition changes."""
    definitions = Definitions(history=history, question=question)
    changes = {
        version.happened_at
        for project in projects_of(history=history, question=question)
        for version in definitions.known(project=project.key)
        if start < version.happened_at < end
    }
    return sorted({start, end} | changes)


def _in_progress(history: History, question: Question, stay: Stay, instants: list[datetime]) -> timedelta:
    place, entered, left = stay
    total = timedelta()
    for begin, end in pairwise(instants):
        if _category(history, question, place, begin) is Category.IN_PROGRESS:
            total += max(timedelta(), min(left, end) - max(entered, begin))
    return total


def _count(history: History, question: Question, stays: list[Stay], at: datetime, *, on_board: bool = False) -> int:
    """Items just before `at`, by the definitions that hold from the window's first instant, or up to its last."""
    instant = at if at == question.start else at - MOMENT
    categories = [
        _category(history, question, place, instant) for place, entered, left in stays if entered < at <= left
    ]
    if on_board:
        return sum(1 for category in categories if category is not Category.CANCELLED)
    return categories.count(Category.IN_PROGRESS)


def _category(history: History, question: Question, place: Place, at: datetime) -> Category:
    definitions = Definitions(history=history, question=question)
    workflow = definitions.during(project=place.project, at=at)
    return definitions.category(project=place.project, state=place.state, workflow=workflow)
