"""How long items wait for their validation."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from tests.oracle.completion import nearest_rank
from tests.oracle.definitions import Definitions, definition_of
from tests.oracle.facts import Fact, History, Kind
from tests.oracle.items import Place, changes_seen
from tests.oracle.movements import is_asked_about
from tests.oracle.questions import Question


@dataclass(frozen=True, kw_only=True)
class Waits:
    """Those that ended in the window, by a validation or without one; those that last at its end; how long they were."""

    validated: int
    unapproved: int
    waiting: int
    p50: timedelta | None
    p85: timedelta | None
    total: timedelta


@dataclass(frozen=True, kw_only=True)
class _Wait:
    """A wait in a state; `end` is the fact that ended it, None while it lasts."""

    state: str
    begin: Fact
    end: Fact | None

    @property
    def length(self) -> timedelta:
        return timedelta() if self.end is None else self.end.happened_at - self.begin.happened_at


def validation(*, history: History, question: Question) -> dict[tuple[str, str | None], Waits]:
    """By state and validator; all of a state's, unapproved ones too, under None."""
    groups: defaultdict[tuple[str, str | None], list[_Wait]] = defaultdict(list)
    for item in history.items():
        for wait in _waits(history, question, item):
            groups[wait.state, None].append(wait)
            if wait.end is not None and wait.end.kind is Kind.VALIDATED:
                groups[wait.state, wait.end.actor].append(wait)
    return {key: _added(waits) for key, waits in groups.items()}


def _waits(history: History, question: Question, item: str) -> list[_Wait]:
    """The item's waits that end in the window or last at its end; of an actor those that this actor ended."""
    changes = changes_seen(history=history, question=question, item=item, project=question.project)
    places: dict[int, Place | None] = {change.fact.seq: change.after for change in changes}
    events = sorted(
        [change.fact for change in changes]
        + [
            f
            for f in history.facts
            if f.item == item and f.kind is Kind.VALIDATED and f.recorded_at <= question.known_until
        ],
        key=lambda fact: (fact.happened_at, fact.seq),
    )
    earlier = [fact for fact in events if fact.happened_at < question.horizon]
    found = []
    for begin, end in zip(earlier, [*earlier[1:], None], strict=False):
        place = places.get(begin.seq)
        if place is not None and _needs_validation(history, question, place, begin) and _is_seen(question, end):
            found.append(_Wait(state=place.state, begin=begin, end=end))
    return found


def _is_seen(question: Question, end: Fact | None) -> bool:
    if end is None:
        return question.actor is None
    return end.happened_at >= question.start and is_asked_about(question=question, fact=end)


def _needs_validation(history: History, question: Question, place: Place, fact: Fact) -> bool:
    definitions = Definitions(history=history, question=question)
    workflow = definitions.during(project=place.project, at=fact.happened_at)
    versions = (
        definition_of(workflow=v, state=place.state) for v in (workflow, *definitions.known(project=place.project))
    )
    return next(version.needs_validation for version in versions if version is not None)


def _added(waits: list[_Wait]) -> Waits:
    ended = [wait for wait in waits if wait.end is not None]
    lengths = [wait.length for wait in ended]
    validated = sum(1 for wait in ended if wait.end is not None and wait.end.kind is Kind.VALIDATED)
    return Waits(
        validated=validated,
        unapproved=len(ended) - validated,
        waiting=len(waits) - len(ended),
        p50=nearest_rank(lengths, percent=50) if lengths else None,
        p85=nearest_rank(lengths, percent=85) if lengths else None,
        total=sum(lengths, timedelta()),
    )
