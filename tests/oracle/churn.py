"""What came back, was given up or was added on the way: churn."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from tests.oracle.completion import Edge, finish_of, median_edges
from tests.oracle.definitions import Definitions, positions
from tests.oracle.facts import Category, History
from tests.oracle.movements import Movement, is_asked_about, movements, movements_of
from tests.oracle.questions import Question
from tests.oracle.series import Values, per_bucket

Edges = dict[tuple[str | None, str | None], Edge]
ON_THE_WAY = (Category.TODO, Category.IN_PROGRESS)
BEGUN = (Category.IN_PROGRESS, Category.DONE)


@dataclass(frozen=True, kw_only=True)
class Churn:
    """The figures of a window. A rate of nothing is None."""

    finish_events: int
    reopened: int
    reopen_rate: Fraction | None
    backflow: int
    first_pass_yield: Fraction | None
    abandoned: int
    reverted_items: int
    churn_rate: Fraction | None
    edges: Edges
    reverts: Values
    scope_added: Values
    scope_removed: Values


def churn(*, history: History, question: Question, days: int) -> Churn:
    """The figures; what came less than `days` days before the asker's knowledge ends is not judged yet."""
    inside = [m for m in movements(history=history, question=question) if m.at >= question.start]
    finishes = [m for m in inside if m.enters(Category.DONE)]
    judged = [m for m in finishes if _is_judged(question, m, days)]
    reopened = sum(_is_reopened(history, question, m, days) for m in judged)
    back = [m for m in inside if goes_back(history=history, question=question, movement=m)]
    drops = [m for m in inside if _drops(m)]
    started, finished = _started(history, question), _finished(history, question)
    clean = [item for item in finished if not _went_back(history, question, item)]
    reverted = len({m.fact.item for m in drops})
    return Churn(
        finish_events=len(finishes),
        reopened=reopened,
        reopen_rate=_rate(reopened, len(judged)),
        backflow=len(back),
        first_pass_yield=_rate(len(clean), len(finished)),
        abandoned=sum(_is_judged(question, m, days) and not _is_restarted(history, question, m, days) for m in drops),
        reverted_items=reverted,
        churn_rate=_rate(reverted, len(started)),
        edges=median_edges(history=history, question=question, chosen=lambda m: m in back),
        reverts=_counted(history, question, back),
        scope_added=_counted(history, question, [m for m in inside if m.arrives]),
        scope_removed=_counted(history, question, [m for m in inside if m.departs]),
    )


def goes_back(*, history: History, question: Question, movement: Movement) -> bool:
    """Whether it leads to a lower position of the same project, by the order in force at it."""
    before, after = movement.before, movement.after
    if before is None or after is None or before.project != after.project:
        return False
    definitions = Definitions(history=history, question=question)
    order = positions(workflow=definitions.during(project=after.project, at=movement.at))
    return before.state in order and after.state in order and order[after.state] < order[before.state]


def _drops(movement: Movement) -> bool:
    return movement.left is Category.IN_PROGRESS and movement.entered is Category.TODO


def _is_judged(question: Question, movement: Movement, days: int) -> bool:
    return movement.at + timedelta(days=days) <= question.known_until


def _later(history: History, question: Question, movement: Movement, days: int) -> list[Movement]:
    """What the item did in the days after it, whoever made it, beyond the window too."""
    last = question.buckets[-1][1]
    longer = replace(question, buckets=(*question.buckets, (last, last + timedelta(days=days))))
    everything = movements_of(history=history, question=longer, item=movement.fact.item)
    place = [m.fact for m in everything].index(movement.fact)
    return [m for m in everything[place + 1 :] if m.at < movement.at + timedelta(days=days)]


def _is_reopened(history: History, question: Question, movement: Movement, days: int) -> bool:
    for later in _later(history, question, movement, days):
        if later.left is Category.DONE and later.entered in ON_THE_WAY:
            return True
        if later.enters(Category.DONE):
            return False
    return False


def _is_restarted(history: History, question: Question, movement: Movement, days: int) -> bool:
    return any(later.entered in BEGUN for later in _later(history, question, movement, days))


def _started(history: History, question: Question) -> list[str]:
    """The items whose first entry into an IN_PROGRESS state lies in the window."""
    found = []
    for item in history.items():
        entries = [
            m for m in movements_of(history=history, question=question, item=item) if m.entered is Category.IN_PROGRESS
        ]
        if entries and entries[0].at >= question.start and is_asked_about(question=question, fact=entries[0].fact):
            found.append(item)
    return found


def _finished(history: History, question: Question) -> list[str]:
    """The items whose lasting stay in DONE began in the window."""
    finishes = {item: finish_of(history=history, question=question, item=item) for item in history.items()}
    return [
        item
        for item, fact in finishes.items()
        if fact is not None and fact.happened_at >= question.start and is_asked_about(question=question, fact=fact)
    ]


def _went_back(history: History, question: Question, item: str) -> bool:
    return any(
        goes_back(history=history, question=question, movement=movement)
        for movement in movements_of(history=history, question=question, item=item)
    )


def _rate(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def _counted(history: History, question: Question, chosen: list[Movement]) -> Values:
    instants: list[datetime] = [movement.at for movement in chosen]
    return per_bucket(
        history=history, question=question, value=lambda start, end: sum(1 for at in instants if start <= at < end)
    )
