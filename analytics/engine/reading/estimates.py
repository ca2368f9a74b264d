"""Estimates of what a window's figures cost, from counters that are there: one statement at most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from analytics.engine.reading.costs import Load, Policy, Weight, affordable_share, cost, policy_of
from analytics.engine.reading.ledger_position import FamilyPosition, Position
from analytics.engine.reading.questions import WindowQuestion
from analytics.engine.statements import fetched

# States of a board, about: to count them would cost more than it tells.
STATES = 8
LONGEST_MONTH = timedelta(days=32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What the figures of one question are expected to cost."""

    weights: tuple[Weight, ...]
    load: Load
    start: datetime
    end: datetime

    @property
    def cost(self) -> int:
        """In units of analytics.engine.reading.costs."""
        return cost(self.weights, self.load)

    def cheaper(self, *, most: int) -> timedelta | None:
        """How long a window with the same end may be to cost no more; None where no window is short enough."""
        share = affordable_share(self.weights, self.load, most=most)
        return None if share is None else (self.end - self.start) * share


def policy() -> Policy:
    """The policy in force."""
    found: Mapping[str, Any] = settings.FLOWLEDGER_EXECUTION
    return policy_of(**found)


def estimate(
    *,
    question: WindowQuestion,
    weights: Sequence[Weight],
    position: Position,
    projects: list[int],
    buckets: int,
    raw: bool,
    enough: int,
) -> Estimate:
    """What the question costs, whose figures have those weights.

    `enough`: a bound that is below this is as good as the cost itself. The bound takes every fact of the question's families
    for one of the window.
    """
    stands = position.of(question.families)
    folded, tail = stands.folded_facts, stands.tail_rows
    load = Load(facts=folded, facts_in_window=folded, tail=tail, cells=buckets * STATES, raw=raw)
    bound = Estimate(weights=tuple(weights), load=load, start=question.start, end=question.end)
    if bound.cost <= enough or not folded:
        return bound
    sizes = [_sizes(each, question, projects) for each in stands.families]
    facts, in_window = sum(size[0] for size in sizes), sum(size[1] for size in sizes)
    closer = Load(facts=facts, facts_in_window=in_window, tail=tail, cells=load.cells, raw=raw)
    return Estimate(weights=tuple(weights), load=closer, start=question.start, end=question.end)


def _sizes(stands: FamilyPosition, question: WindowQuestion, projects: list[int]) -> tuple[int, int]:
    """The folded facts of the projects, and those of the window; at most all that are folded."""
    folded = stands.folded_facts or 0
    if stands.family.sizes is None:
        return folded, folded
    ((facts, in_window),) = fetched(
        stands.family.sizes,
        tenant=question.tenant_id,
        projects=projects,
        begin=question.start - LONGEST_MONTH,
        end=question.end,
    )
    return min(facts, folded), min(in_window, folded)
