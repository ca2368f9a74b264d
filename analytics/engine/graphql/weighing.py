"""Weighing of heavy fields: each is weighed before it is counted, and what is too heavy is not counted here.

A Weighing goes with the operation in a context variable: one for requests, another inside a job, a third for who only wants
to know what a document would cost.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta

from analytics.engine.reading.costs import Decision, Policy
from analytics.engine.reading.estimates import Estimate
from tasks_app.errors import ApiError, Code

_weighing: ContextVar["Weighing | None"] = ContextVar("_weighing", default=None)


class TooHeavy(ApiError):
    """The operation costs more than its place allows; it is another place's to answer."""

    def __init__(self, cost: int) -> None:
        super().__init__(f"This is counted apart: its estimated cost is {cost:,}.", code=Code.ASYNC_REQUIRED)


class TooCostly(ApiError):
    """Nobody counts this: the sentence names what would be counted."""

    def __init__(self, *, cost: int, most: int, advice: str) -> None:
        super().__init__(
            f"window: the estimated cost is {cost:,}, and the limit is {most:,}; {advice}",
            code=Code.COST_EXCEEDED,
            extensions={"argument": "window", "estimatedCost": cost, "limit": most},
        )


@dataclass(kw_only=True)
class Weighing:
    """What the fields of one operation cost so far. `most`: what may be counted here; None: whatever the policy admits.

    `lasting`: all windows asked for are over, so that the answer stays right until more is recorded. `on_figure` is called
    with the share of the operation's figures that are there, before the first, between two, and after the last.
    """

    policy: Policy
    most: int | None = None
    fields: int = 1
    on_figure: Callable[[float], None] = lambda share: None
    cost: int = 0
    lasting: bool = True
    refused: TooCostly | None = None
    # Kept, so that no two have one id.
    seen: dict[int, object] = field(default_factory=dict)

    @property
    def is_heavy(self) -> bool:
        """Whether it was too much for this place."""
        return self.most is not None and self.cost > self.most

    def add(self, field_asked: object, estimate: Estimate, *, lasting: bool) -> None:
        """Counts one field in, once; raises TooHeavy or TooCostly where it is not to be counted here."""
        if id(field_asked) not in self.seen:
            self.seen[id(field_asked)] = field_asked
            self.cost += estimate.cost
            self.lasting = self.lasting and lasting
        if self.policy.rule(self.cost).decision is Decision.REFUSE:
            self.refused = _too_costly(estimate, cost=self.cost, policy=self.policy)
            raise self.refused
        if self.is_heavy:
            raise TooHeavy(self.cost)

    def note(self, *, done: int, of: int) -> None:
        """So many figures of the field that was weighed last are counted."""
        weighed = len(self.seen)
        self.on_figure(min((weighed - 1 + (done / of if of else 1)) / max(self.fields, weighed), 1.0))


def current() -> Weighing | None:
    """That of the operation that runs; None where nothing is weighed."""
    return _weighing.get()


@contextmanager
def weighed(weighing: Weighing) -> Iterator[Weighing]:
    """What is asked inside is weighed by this."""
    token = _weighing.set(weighing)
    try:
        yield weighing
    finally:
        _weighing.reset(token)


def _too_costly(estimate: Estimate, *, cost: int, policy: Policy) -> TooCostly:
    most = policy.most(Decision.ASYNC)
    length = _whole(estimate.cheaper(most=most))
    if length:
        advice = f"ask for a window of at most {_told(length)}, from {(estimate.end - length).isoformat()} on."
    elif estimate.load.raw:
        advice = "leave out knownAt, filter and readFrom, so that rollups can answer, or ask for one project."
    else:
        advice = "ask for one project, or for fewer figures at a time."
    return TooCostly(cost=cost, most=most, advice=advice)


def _whole(length: timedelta | None) -> timedelta:
    """In whole days, or minutes where it is less than a day."""
    unit = timedelta(days=1) if length and length >= timedelta(days=1) else timedelta(minutes=1)
    return (length or timedelta()) // unit * unit


def _told(length: timedelta) -> str:
    number, unit = (length.days, "day") if length.days else (length.seconds // 60, "minute")
    return f"{number} {unit}{'' if number == 1 else 's'}"
