"""The life of one item: where it is at an instant, its transitions, its visits. The order of events decides."""

from dataclasses import dataclass
from datetime import datetime

from tests.oracle.facts import STATE_KINDS, Fact, History, Kind
from tests.oracle.questions import Question


@dataclass(frozen=True, kw_only=True)
class Place:
    """A state of a project, CANCELLED ones included."""

    project: str
    state: str


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A fact that changed an item's place. None: nowhere (not yet created, discarded, on another board)."""

    fact: Fact
    before: Place | None
    after: Place | None


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One stay in a state; `left_at` is None while it lasts. May be of zero length."""

    project: str
    state: str
    entered_at: datetime
    left_at: datetime | None


def state_facts(*, history: History, item: str, known_at: datetime) -> list[Fact]:
    """The item's facts that set its state and were recorded by `known_at`, in the order of events."""
    facts = [f for f in history.facts if f.item == item and f.kind in STATE_KINDS and f.recorded_at <= known_at]
    return sorted(facts, key=lambda fact: (fact.happened_at, fact.seq))


def place_after(*, fact: Fact) -> Place | None:
    """Where the item is once this has happened."""
    return None if fact.kind is Kind.DISCARDED else Place(project=fact.project, state=fact.state)


def place_at(*, history: History, item: str, at: datetime, known_at: datetime) -> Place | None:
    """Where the item is just before `at`: after its last fact with happened_at < at."""
    earlier = [fact for fact in state_facts(history=history, item=item, known_at=known_at) if fact.happened_at < at]
    return place_after(fact=earlier[-1]) if earlier else None


def transitions(*, history: History, item: str, known_at: datetime) -> list[Transition]:
    """The item's changes of place in order; a fact that leaves it where it is gives none."""
    found: list[Transition] = []
    before: Place | None = None
    for fact in state_facts(history=history, item=item, known_at=known_at):
        after = place_after(fact=fact)
        if after != before:
            found.append(Transition(fact=fact, before=before, after=after))
        before = after
    return found


def changes_seen(*, history: History, question: Question, item: str, project: str | None) -> list[Transition]:
    """The changes as one board shows them: every other project is nowhere, and so are the hands of others than the
    question's assignee. No project: the tenant's board. A hand-over is a change where one of the two is asked about.
    """
    found: list[Transition] = []
    place: Place | None = None
    holder = ""
    before: Place | None = None
    for fact in _facts_seen(history=history, item=item, known_at=question.known_until):
        if fact.kind is Kind.ASSIGNED:
            holder = fact.detail
        else:
            place = place_after(fact=fact)
        is_held = question.assignee in (None, holder)
        after = place if place is not None and is_held and project in (None, place.project) else None
        if after != before:
            found.append(Transition(fact=fact, before=before, after=after))
        before = after
    return found


def _facts_seen(*, history: History, item: str, known_at: datetime) -> list[Fact]:
    kinds = STATE_KINDS | {Kind.ASSIGNED}
    facts = [f for f in history.facts if f.item == item and f.kind in kinds and f.recorded_at <= known_at]
    return sorted(facts, key=lambda fact: (fact.happened_at, fact.seq))


def visits(*, history: History, item: str, known_at: datetime) -> tuple[Visit, ...]:
    """Every stay of the item in a state, oldest first."""
    changes = transitions(history=history, item=item, known_at=known_at)
    ends = [*(change.fact.happened_at for change in changes[1:]), None]
    return tuple(
        Visit(project=place.project, state=place.state, entered_at=change.fact.happened_at, left_at=left_at)
        for change, left_at in zip(changes, ends, strict=False)
        if (place := change.after) is not None
    )
