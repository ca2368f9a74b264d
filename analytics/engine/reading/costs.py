"""Costs of a question before it is asked, and what follows from that.

A unit is a fact or a cell that is read for one figure, weighed so that a million of them take about a second. The weights
stand in the figures' records. They are measured, in microseconds on two cores that have something else to do, too:
`uv run --group bench python -m tests.benchmarks job_decisions` compares them with the clock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum


class Decision(Enum):
    """What becomes of a question."""

    SYNC = "SYNC"
    TRY_SYNC = "TRY_SYNC"
    ASYNC = "ASYNC"
    REFUSE = "REFUSE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Up to `max_cost` (None: whatever it costs) the decision is this one."""

    max_cost: int | None
    decision: Decision
    budget_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Rules, the cheapest first; the last one has no limit."""

    version: str
    rules: Sequence[Rule]

    def rule(self, cost: int) -> Rule:
        """The first whose limit is not exceeded."""
        return next(rule for rule in self.rules if rule.max_cost is None or cost <= rule.max_cost)

    def most(self, decision: Decision) -> int:
        """The highest cost that comes to this decision."""
        return next(rule.max_cost for rule in self.rules if rule.decision is decision and rule.max_cost is not None)


def policy_of(*, version: str, sync: int, try_sync: int, asynchronous: int, budget_ms: int) -> Policy:
    """The four rules."""
    return Policy(
        version=version,
        rules=(
            Rule(max_cost=sync, decision=Decision.SYNC),
            Rule(max_cost=try_sync, decision=Decision.TRY_SYNC, budget_ms=budget_ms),
            Rule(max_cost=asynchronous, decision=Decision.ASYNC),
            Rule(max_cost=None, decision=Decision.REFUSE),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What there is to read: facts of all time and of the window, facts that no rollup has, and cells of the answer.

    `raw`: the ledger is replayed, so that all facts are read whatever the window.
    """

    facts: int
    facts_in_window: int
    tail: int
    cells: int
    raw: bool

    def shortened(self, share: float) -> "Load":
        """That of a window of this share of the length."""
        return replace(self, facts_in_window=int(self.facts_in_window * share), cells=int(self.cells * share))


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Units for each fact of all time, of the window, of the tail, and for each cell; `replayed`: for each of a replay."""

    fact: float = 0.0
    in_window: float = 0.0
    tail: float = 5.0
    cell: float = 1.0
    replayed: float = 6.0

    def of(self, load: Load) -> float:
        """The units of one figure."""
        cells = self.cell * load.cells
        if load.raw:
            return self.replayed * (load.facts + load.tail) + cells
        return self.fact * load.facts + self.in_window * load.facts_in_window + self.tail * load.tail + cells


# Figures of one window share what they read: each but the dearest costs so much of what it would alone.
BESIDE = 0.5


def cost(weights: Iterable[Weight], load: Load) -> int:
    """The units of figures of these weights together."""
    alone = [weight.of(load) for weight in weights]
    dearest = max(alone, default=0.0)
    return round(dearest + BESIDE * (sum(alone) - dearest))


def affordable_share(weights: Sequence[Weight], load: Load, *, most: int) -> float | None:
    """The longest share of the window, in hundredths, at which figures of these weights cost no more; None: not even one."""
    shares = (hundredths / 100 for hundredths in range(99, 0, -1))
    return next((share for share in shares if cost(weights, load.shortened(share)) <= most), None)
