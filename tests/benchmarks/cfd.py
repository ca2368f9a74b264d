"""cfd_rollup and cfd_growth: a year of cumulative flow from rollups, against a replay and against column stores.

The column stores scan facts and have no rollups of their own: what is compared is rollups against scans. Of the product
the time of its statements counts, as of its peers; `whole` adds what Python does with the rows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import accumulate
from statistics import median
from typing import Any

from analytics.windows.receipts import ReadFrom
from tests.benchmarks.asked import Figure, Question, Taken, counts, diagram, occupancy, taken
from tests.benchmarks.columnar import TABLES, Engine, Row, engines
from tests.benchmarks.companies import Company
from tests.benchmarks.folding import fold_all
from tests.benchmarks.history import BEGINNING, DAYS, END, LAST_DAY, add_moves, companies_with_history
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.scratch import vacuum
from tests.benchmarks.stopwatch import Samples, ratios, say, taking_turns, timed
from tests.benchmarks.walks import PLACES

TRANSITIONS = 5_000_000
TENANTS = 50
TAIL = 10_000
RAW_GOAL = 30.0
PEER_GOAL = 1.0
TAIL_GOAL = 2.0
GROWTH_GOAL = 1.2
GROWTH = 10
ROUNDS = 15
SIDES = {"raw": ReadFrom.RAW, "rollup": ReadFrom.ROLLUP, "merged": ReadFrom.MERGED}

Timer = Callable[[], float]


def cfd_rollup(request: Request) -> Iterator[Outcome]:
    """One tenant of fifty, and all of them one after the other; every answer is checked against the others'."""
    made = companies_with_history(companies=TENANTS, transitions=request.size(TRANSITIONS))
    fold_all()
    one = made[TENANTS // 2]
    with engines() as peers:
        _check(one, peers)
        yield from _one_tenant(one, peers)
        yield _all_tenants(made, peers)
    add_moves(one, facts=TAIL, begin=LAST_DAY, end=END)
    yield _with_tail(one)


def cfd_growth(request: Request) -> Iterator[Outcome]:
    """One tenant of fifty whose ledger is ten times as long, against one of fifty others beside them."""
    large = request.size(TRANSITIONS)
    few = companies_with_history(companies=TENANTS, transitions=large // GROWTH)
    fold_all()
    alone = taking_turns({"small": _timer(few[0], "merged")}, rounds=ROUNDS)
    many = companies_with_history(companies=TENANTS, transitions=large)
    fold_all()
    asked = {"small": few[0], "large": many[0]}
    variants = {name: _timer(company, "merged") for name, company in asked.items()}
    variants |= {f"raw_{name}": _timer(company, "raw") for name, company in asked.items()}
    seconds = taking_turns(variants, rounds=ROUNDS)
    yield Outcome(
        name="cfd_growth",
        ratio=_ratio(seconds, "large", "small"),
        goal=GROWTH_GOAL,
        detail={
            "transitions": {"small": large // GROWTH, "large": large},
            "milliseconds": _milliseconds(seconds),
            "small_before_the_large_ones_came": _milliseconds(alone)["small"],
            "raw": _ratio(seconds, "raw_large", "raw_small"),
            "whole_diagram": _ratio(_whole(asked.values()), "1", "0"),
        },
    )
