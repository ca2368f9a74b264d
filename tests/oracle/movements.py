"""Every transition as a board sees it, with the categories on both sides: what flows are counted from."""

from dataclasses import dataclass
from datetime import datetime

from tests.oracle.definitions import Definitions
from tests.oracle.facts import Category, Fact, History, Kind
from tests.oracle.items import Place, Transition, changes_seen
from tests.oracle.questions import Question

OFF_THE_BOARD = (None, Category.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class Movement:
    """A transition and the categories it leads from and to, both as defined at its own instant. None: nowhere."""

    fact: Fact
    before: Place | None
    after: Place | None
    left: Category | None
    entered: Category | None

    @property
    def at(self) -> datetime:
        """When it happened."""
        return self.fact.happened_at

    @property
    def kind(self) -> Kind:
        """The kind of the fact behind it."""
        return self.fact.kind

    @property
    def arrives(self) -> bool:
        """Whether the item comes on to the board."""
        return self.left in OFF_THE_BOARD and self.entered not in OFF_THE_BOARD

    @property
    def departs(self) -> bool:
        """Whether the item goes off the board."""
        return self.left not in OFF_THE_BOARD and self.entered in OFF_THE_BOARD

    def enters(self, category: Category) -> bool:
        """Whether it leads into the category from outside it."""
        return self.entered is category and self.left is not category

    def exits(self, category: Category) -> bool:
        """Whether it leads out of the category."""
        return self.left is category and self.entered is not category


def movements(*, history: History, question: Question) -> list[Movement]:
    """Every item's movements before the question's horizon, by (instant, order of recording); of an actor those made."""
    found = [
        movement
        for item in history.items()
        for movement in movements_of(history=history, question=question, item=item)
        if is_asked_about(question=question, fact=movement.fact)
    ]
    return sorted(found, key=lambda movement: (movement.at, movement.fact.seq))


def movements_of(*, history: History, question: Question, item: str) -> list[Movement]:
    """One item's movements before the question's horizon, in order, on the question's board, whoever made them."""
    definitions = Definitions(history=history, question=question)
    shown = changes_seen(history=history, question=question, item=item, project=question.project)
    return [_movement(definitions, change) for change in shown if change.fact.happened_at < question.horizon]


def is_asked_about(*, question: Question, fact: Fact) -> bool:
    """Whether the fact is one of those whose change counts: of an actor, only that actor's."""
    return question.actor in (None, fact.actor)


def _movement(definitions: Definitions, change: Transition) -> Movement:
    return Movement(
        fact=change.fact,
        before=change.before,
        after=change.after,
        left=_category(definitions, change.before, change.fact.happened_at),
        entered=_category(definitions, change.after, change.fact.happened_at),
    )


def _category(definitions: Definitions, place: Place | None, at: datetime) -> Category | None:
    if place is None:
        return None
    workflow = definitions.during(project=place.project, at=at)
    return definitions.category(project=place.project, state=place.state, workflow=workflow)
