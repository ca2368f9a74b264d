"""Work in progress at an instant, and how old it is."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tests.oracle.boards import category_before, places
from tests.oracle.completion import finish_of
from tests.oracle.definitions import Definitions
from tests.oracle.facts import Category, History
from tests.oracle.movements import movements_of
from tests.oracle.questions import Question
from tests.oracle.series import recorded_by

COMPARED = timedelta(days=90)


@dataclass(frozen=True, kw_only=True)
class AgingItem:
    """An item in progress. `shorter` of `compared` finished items of its project had a shorter cycle time."""

    item: str
    state: str
    started_at: datetime
    age: timedelta
    shorter: int
    compared: int


def aging(*, history: History, question: Question) -> tuple[AgingItem, ...]:
    """The items in progress at the question's horizon, the oldest first. An actor's changes hold none."""
    at = question.horizon
    if question.actor is not None or not recorded_by(history=history, question=question, at=at):
        return ()
    found = []
    for item, place in places(history=history, question=question, at=at).items():
        definitions = Definitions(history=history, question=question)
        if category_before(definitions=definitions, place=place, end=at) is not Category.IN_PROGRESS:
            continue
        started_at = _started_at(history, question, item)
        cycles = _cycle_times(history, question, place.project)
        found.append(
            AgingItem(
                item=item,
                state=place.state,
                started_at=started_at,
                age=at - started_at,
                shorter=sum(1 for cycle in cycles if cycle < at - started_at),
                compared=len(cycles),
            )
        )
    return tuple(sorted(found, key=lambda each: (each.started_at, each.item)))


def _started_at(history: History, question: Question, item: str) -> datetime:
    """Its first entry into work on any board, in any hands; without one, its entry into the state that it is in."""
    everywhere = replace(question, project=None, assignee=None)
    movements = movements_of(history=history, question=everywhere, item=item)
    starts = [movement.at for movement in movements if movement.entered is Category.IN_PROGRESS]
    return starts[0] if starts else movements[-1].at


def _cycle_times(history: History, question: Question, project: str) -> list[timedelta]:
    """From the first start in the project to the finish, of items finished there in the 90 days before the horizon."""
    there = replace(question, project=project, assignee=None)
    found = []
    for item in history.items():
        finish = finish_of(history=history, question=there, item=item)
        movements = movements_of(history=history, question=there, item=item)
        starts = [movement.at for movement in movements if movement.entered is Category.IN_PROGRESS]
        if finish is None or finish.happened_at < question.horizon - COMPARED:
            continue
        if starts and starts[0] <= finish.happened_at:
            found.append(finish.happened_at - starts[0])
    return found
