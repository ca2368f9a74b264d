"""Data quality, item by item and fact by fact: what is odd among the facts of a window."""

from collections import Counter
from dataclasses import dataclass

from tests.oracle.definitions import Definitions, positions
from tests.oracle.facts import STATE_KINDS, Category, Fact, History, Kind
from tests.oracle.items import Place, place_after, state_facts
from tests.oracle.questions import Question


@dataclass(frozen=True, kw_only=True)
class Quality:
    """By code how often each check fails, and in which items; of how many items with a fact how many have a failure."""

    failures: dict[str, int]
    items: dict[str, tuple[str, ...]]
    failing: int
    looked_at: int


@dataclass(frozen=True, kw_only=True)
class _Side:
    """A state as it was defined at an instant. A state that is not in the order has no position."""

    project: str
    category: Category
    position: int | None


def quality(*, history: History, question: Question) -> Quality:
    """The checks that a history alone can fail: its rows are what its facts say, and no fact is missing."""
    found: list[tuple[str, str]] = []
    looked_at: set[str] = set()
    for item in filter(lambda item: _is_theirs(history, question, item), history.items()):
        found += [(code, item) for code in _of_item(history, question, item)]
        everything = [f for f in history.facts if f.item == item and f.recorded_at <= question.known_until]
        found += [
            ("FUTURE_TIMESTAMP", item)
            for fact in everything
            if _is_asked(question, fact) and fact.recorded_at < fact.happened_at
        ]
        facts = state_facts(history=history, item=item, known_at=question.known_until)
        if any(_is_asked(question, fact) for fact in facts):
            looked_at.add(item)
    codes = Counter(code for code, _ in found)
    named = {code: tuple(sorted({item for each, item in found if each == code})) for code in codes}
    failing = {item for _, item in found}
    return Quality(failures=dict(codes), items=named, failing=len(failing), looked_at=len(looked_at | failing))


def _is_theirs(history: History, question: Question, item: str) -> bool:
    """Whether the item was ever in the assignee's hands, or its state ever set by the actor; true where neither is asked."""
    known = [
        fact
        for fact in history.facts
        if fact.item == item and fact.recorded_at <= question.known_until and fact.happened_at < question.buckets[-1][1]
    ]
    if question.assignee is not None:
        return any(fact.kind is Kind.ASSIGNED and fact.detail == question.assignee for fact in known)
    return question.actor is None or any(fact.kind in STATE_KINDS and fact.actor == question.actor for fact in known)


def _is_asked(question: Question, fact: Fact) -> bool:
    in_window = question.start <= fact.happened_at < question.buckets[-1][1]
    return in_window and question.project in (None, fact.project)


def _of_item(history: History, question: Question, item: str) -> list[str]:
    found: list[str] = []
    before: Fact | None = None
    started, moved_at = False, None
    for fact in state_facts(history=history, item=item, known_at=question.known_until):
        if fact.happened_at >= question.buckets[-1][1]:
            break
        place, place_before = place_after(fact=fact), None if before is None else place_after(fact=before)
        was, now = _side(history, question, place_before, fact), _side(history, question, place, fact)
        started = started or (now is not None and now.category is Category.IN_PROGRESS)
        in_window = fact.happened_at >= question.start
        found += _odd_states(was, now, started=started, is_first=before is None) if in_window else []
        moves = place_before != place
        if _is_asked(question, fact):
            found += ["EQUAL_TIMESTAMPS"] if moves and fact.happened_at == moved_at else []
            found += ["IMPOSSIBLE_ORDER"] if _is_impossible(fact, before) else []
        moved_at = fact.happened_at if moves else moved_at
        before = fact
    return found


def _odd_states(was: _Side | None, now: _Side | None, *, started: bool, is_first: bool) -> list[str]:
    was_done = was is not None and was.category is Category.DONE
    if now is None:
        return []
    found = []
    if now.category is Category.DONE and not was_done and not started:
        found.append("FINISH_WITHOUT_START")
    if was_done and now.category is not Category.DONE:
        found.append("CHANGE_AFTER_DONE")
    if was is not None and was.project == now.project and None not in (was.position, now.position):
        step = (now.position or 0) - (was.position or 0)
        found += ["BACKWARD_MOVE"] if step < 0 else ["SKIPPED_STATE"] if step > 1 else []
    if is_first and now.position is not None and now.position > 0:
        found.append("CREATED_BEYOND_FIRST")
    return found


def _is_impossible(fact: Fact, before: Fact | None) -> bool:
    """Created when it was there, discarded when it was not, moved while it was discarded, restored while it was not."""
    match fact.kind:
        case Kind.CREATED:
            return before is not None
        case Kind.DISCARDED:
            return before is None or before.kind is Kind.DISCARDED
        case Kind.RESTORED:
            return before is None or before.kind is not Kind.DISCARDED
        case _:
            return before is not None and before.kind is Kind.DISCARDED


def _side(history: History, question: Question, place: Place | None, fact: Fact) -> _Side | None:
    """The place as the question's board has it, by the definitions that the fact met."""
    if place is None or question.project not in (None, place.project):
        return None
    definitions = Definitions(history=history, question=question)
    workflow = definitions.during(project=place.project, at=fact.happened_at)
    return _Side(
        project=place.project,
        category=definitions.category(project=place.project, state=place.state, workflow=workflow),
        position=positions(workflow=workflow).get(place.state),
    )
