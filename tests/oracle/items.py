"""The life of one item: where it is at an instant, its transitions, its visits. The order of events decides."""

from dataclasses import dataclass
from datetime import datetime

from tests.oracle.facts import STATE_KINDS, Fact, History, Kind


@dataclass(frozen=True, kw_only=True)
class Place:
    """A state of a project, CANCELLED ones included."""

    project: str
    state: str


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A fact that changed an item's place. None: nowhere (not yet created, discarded, or in another project)."""

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


def seen_from(*, changes: list[Transition], project: str | None) -> list[Transition]:
    """The changes as that project's board shows them: every other project is nowhere. No project: unchanged."""
    if project is None:
        return changes
    shown = [
        Transition(fact=c.fact, before=_within(c.before, project), after=_within(c.after, project)) for c in changes
    ]
    return [change for change in shown if change.before != change.after]


def _within(place: Place | None, project: str) -> Place | None:
    return place if place is not None and place.project == project else None


def visits(*, history: History, item: str, known_at: datetime) -> tuple[Visit, ...]:
    """Every stay of the item in a state, oldest first."""
    changes = transitions(history=history, item=item, known_at=known_at)
    ends = [*(change.fact.happened_at for change in changes[1:]), None]
    return tuple(
        Visit(project=place.project, state=place.state, entered_at=change.fact.happened_at, left_at=left_at)
        for change, left_at in zip(changes, ends, strict=False)
        if (place := change.after) is not None
    )
