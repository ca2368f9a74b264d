"""What was finished and cancelled, and which way items went."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.oracle.boards import category_before
from tests.oracle.definitions import Definitions
from tests.oracle.facts import Category, Fact, History
from tests.oracle.items import Place, changes_seen
from tests.oracle.movements import Movement, is_asked_about, movements, movements_of
from tests.oracle.questions import Question
from tests.oracle.series import Values, per_bucket


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Per bucket: items by the start of their lasting stay in DONE, entries into DONE, entries into CANCELLED."""

    finished: Values
    finish_events: Values
    cancelled: Values


@dataclass(frozen=True, kw_only=True)
class Edge:
    """How often items went from one state to another in the window, and the median time they had spent in the first."""

    count: int
    median: timedelta | None


def throughput(*, history: History, question: Question) -> Throughput:
    """The completion figures; an item that is not DONE at the horizon adds to no `finished`."""
    everything = movements(history=history, question=question)
    finishes = [finish_of(history=history, question=question, item=item) for item in history.items()]
    chosen = [fact for fact in finishes if fact is not None and is_asked_about(question=question, fact=fact)]
    return Throughput(
        finished=_in_buckets(history, question, [fact.happened_at for fact in chosen]),
        finish_events=_in_buckets(history, question, [m.at for m in everything if m.enters(Category.DONE)]),
        cancelled=_in_buckets(history, question, [m.at for m in everything if m.enters(Category.CANCELLED)]),
    )


def finish_of(*, history: History, question: Question, item: str) -> Fact | None:
    """The fact that began the item's unbroken stay in DONE up to the horizon, None when it is not DONE there.

    The categories are those in force at the horizon: an item in a state that became DONE later finished on entering it.
    """
    definitions = Definitions(history=history, question=question)
    changes = changes_seen(history=history, question=question, item=item, project=question.project)
    start: Fact | None = None
    for change in reversed([c for c in changes if c.fact.happened_at < question.horizon]):
        if not _is_done(definitions, change.after, question.horizon):
            break
        start = change.fact
    return start


def finished_at(*, history: History, question: Question, item: str) -> datetime | None:
    """When that stay began; None for an item that is not DONE at the horizon."""
    fact = finish_of(history=history, question=question, item=item)
    return None if fact is None else fact.happened_at


def state_graph(*, history: History, question: Question) -> dict[tuple[str | None, str | None], Edge]:
    """The transitions of the window by (from, to); None is arriving on one side and leaving on the other."""
    return median_edges(history=history, question=question, chosen=lambda _: True)


def median_edges(
    *, history: History, question: Question, chosen: Callable[[Movement], bool]
) -> dict[tuple[str | None, str | None], Edge]:
    """Those of the window's transitions that are chosen."""
    counts: defaultdict[tuple[str | None, str | None], list[timedelta]] = defaultdict(list)
    for item in history.items():
        entered_at: datetime | None = None
        for movement in movements_of(history=history, question=question, item=item):
            edge = (_state(movement.before), _state(movement.after))
            stay = movement.at - (entered_at or movement.at)
            entered_at = movement.at
            is_inside = movement.at >= question.start and is_asked_about(question=question, fact=movement.fact)
            if is_inside and chosen(movement):
                counts[edge].append(stay)
    return {
        edge: Edge(count=len(stays), median=None if edge[0] is None else nearest_rank(stays, percent=50))
        for edge, stays in counts.items()
    }


def nearest_rank(values: list[timedelta], *, percent: int) -> timedelta:
    """The smallest observed value that at least `percent` per cent of the values do not exceed."""
    ordered = sorted(values)
    rank = -(-percent * len(ordered) // 100)
    return ordered[max(rank, 1) - 1]


def _in_buckets(history: History, question: Question, instants: list[datetime]) -> Values:
    return per_bucket(
        history=history, question=question, value=lambda start, end: sum(1 for at in instants if start <= at < end)
    )


def _is_done(definitions: Definitions, place: Place | None, at: datetime) -> bool:
    return place is not None and category_before(definitions=definitions, place=place, end=at) is Category.DONE


def _state(place: Place | None) -> str | None:
    return None if place is None else place.state
