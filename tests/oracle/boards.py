"""Who is where at an instant: the board, the items alive, work in progress."""

from dataclasses import dataclass
from datetime import datetime

from tests.oracle.definitions import Definitions
from tests.oracle.facts import Category, History
from tests.oracle.items import Place, changes_seen
from tests.oracle.questions import Question


@dataclass(frozen=True, kw_only=True)
class Board:
    """The items in each state of a project, sorted; a state that is not archived has a column even when it is empty."""

    columns: dict[str, tuple[str, ...]]

    @property
    def count(self) -> int:
        """How many items the board holds."""
        return sum(len(items) for items in self.columns.values())


def places(*, history: History, question: Question, at: datetime) -> dict[str, Place]:
    """Where each item of the question's board is just before `at`, CANCELLED states included."""
    found: dict[str, Place] = {}
    for item in history.items():
        changes = changes_seen(history=history, question=question, item=item, project=question.project)
        earlier = [change for change in changes if change.fact.happened_at < at]
        if earlier and earlier[-1].after is not None:
            found[item] = earlier[-1].after
    return found


def category_before(*, definitions: Definitions, place: Place, end: datetime) -> Category:
    """The category of a place when a bucket ends."""
    workflow = definitions.before(project=place.project, end=end)
    return definitions.category(project=place.project, state=place.state, workflow=workflow)


def alive(*, history: History, question: Question, at: datetime) -> dict[str, Place]:
    """The items on the board just before `at`: in a state, and in none of the category CANCELLED."""
    definitions = Definitions(history=history, question=question)
    everywhere = places(history=history, question=question, at=at)
    return {
        item: place
        for item, place in everywhere.items()
        if category_before(definitions=definitions, place=place, end=at) is not Category.CANCELLED
    }


def board(*, history: History, project: str, at: datetime, known_at: datetime) -> Board:
    """The project's board just before `at`, as it was known at `known_at`. CANCELLED states have no column."""
    question = Question(buckets=((at, at),), now=known_at, project=project)
    workflow = Definitions(history=history, question=question).before(project=project, end=at)
    items = alive(history=history, question=question, at=at)
    columns: dict[str, list[str]] = {
        state.slug: [] for state in workflow.states if not state.archived and state.category is not Category.CANCELLED
    }
    for item, place in sorted(items.items()):
        columns.setdefault(place.state, []).append(item)
    return Board(columns={state: tuple(names) for state, names in columns.items()})


def in_progress(*, history: History, question: Question, at: datetime) -> int:
    """How many items are in an IN_PROGRESS state just before `at`."""
    definitions = Definitions(history=history, question=question)
    everywhere = places(history=history, question=question, at=at)
    categories = [category_before(definitions=definitions, place=place, end=at) for place in everywhere.values()]
    return categories.count(Category.IN_PROGRESS)


def visited(*, history: History, question: Question, project: str, before: datetime) -> list[set[str]]:
    """For each item, the states of the project that it has entered before an instant, whether it stayed or not."""
    found = []
    for item in history.items():
        changes = changes_seen(history=history, question=question, item=item, project=project)
        earlier = [change for change in changes if change.fact.happened_at < before]
        found.append({change.after.state for change in earlier if change.after is not None})
    return found
