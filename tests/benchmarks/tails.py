"""tail_cost: what an answer costs while facts wait in the tail, and while an old transaction keeps dead rows of it alive."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from statistics import median

from django.db import connections, transaction

from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.rollups.compact import compact
from tests.benchmarks.asked import Figure, Question, counts, diagram, taken
from tests.benchmarks.companies import Company
from tests.benchmarks.folding import fold_all
from tests.benchmarks.history import END, LAST_DAY, add_moves, companies_with_history
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.scratch import owner_cursor, vacuum
from tests.benchmarks.stopwatch import say, taking_turns, timed

TRANSITIONS = 500_000
TENANTS = 5
TAILS = (1_000, 10_000, 100_000)
ROUNDS = 8
OPEN_SECONDS = 20
FACTS_PER_FOLD = 500

SEE = "/* benchmarks.see */ SELECT count(*) FROM task_tail"
DEAD_ROWS = "/* benchmarks.dead_rows */ SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'task_tail'"


def tail_cost(request: Request) -> Iterator[Outcome]:
    """The year of one tenant with more and more facts in its tail, to the same without one; no goals of their own."""
    company, another, *_ = companies_with_history(companies=TENANTS, transitions=request.size(TRANSITIONS))
    fold_all()
    empty = _milliseconds(company)
    yield _outcome("tail_cost:0", empty, to=empty)
    waiting = 0
    for tail in TAILS:
        say(f"a tail of {tail}")
        _grow(company, waiting, tail)
        waiting = tail
        yield _outcome(f"tail_cost:{tail}", _milliseconds(company), to=empty)
    yield from _while_a_transaction_is_open(another)


def _grow(company: Company, waiting: int, tail: int) -> None:
    """Each stretch of the last day gets its facts once."""
    stretch = timedelta(hours=12) / max(TAILS)
    add_moves(company, facts=tail - waiting, begin=LAST_DAY + waiting * stretch, end=LAST_DAY + tail * stretch)
    vacuum("task_ledger", "task_tail")


def _while_a_transaction_is_open(company: Company) -> Iterator[Outcome]:
    """Folds go on in other sessions' sight; what they delete cannot be vacuumed until the oldest reader is gone."""
    say(f"folding for {OPEN_SECONDS} seconds beside an open transaction")
    before = _milliseconds(company)
    with _open_transaction():
        folds = _keep_folding(company)
        with owner_cursor() as cursor:
            cursor.execute(DEAD_ROWS)
            dead = cursor.fetchone()[0]
        after = _milliseconds(company)
    folding = {"folds": len(folds), "first_fold": round(1000 * folds[0], 2), "last_fold": round(1000 * folds[-1], 2)}
    yield _outcome("tail_cost:open_transaction", after, to=before, seconds=OPEN_SECONDS, dead_rows=dead, **folding)
    vacuum("task_tail")
    yield _outcome("tail_cost:after_it_ended", _milliseconds(company), to=before)


def _keep_folding(company: Company) -> list[float]:
    """Writes and folds in turns for a while; the seconds of each fold."""
    begun, folds = time.monotonic(), list[float]()
    while time.monotonic() < begun + OPEN_SECONDS:
        at = LAST_DAY + timedelta(hours=12, seconds=10 * len(folds))
        add_moves(company, facts=FACTS_PER_FOLD, begin=at, end=at + timedelta(seconds=10))
        folds.append(timed(partial(compact, now=END, tenant_id=company.tenant.id)))
    return folds


@contextmanager
def _open_transaction() -> Iterator[None]:
    """A session of its own that has seen the tail and keeps its snapshot."""
    other = connections.create_connection("owner")
    connections["other"] = other
    try:
        with transaction.atomic(using="other"), other.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute(SEE)
            yield
    finally:
        other.close()
        del connections["other"]


def _milliseconds(company: Company) -> dict[str, float]:
    question = Question(company=company)
    variants = {"counts": partial(_whole, question, counts), "diagram": partial(_whole, question, diagram)}
    seconds = taking_turns(variants, rounds=ROUNDS)
    return {name: round(1000 * median(samples), 2) for name, samples in seconds.items()}


def _whole(question: Question, figure: Figure) -> float:
    return taken(question, figure, read_from=ReadFrom.MERGED).whole


def _outcome(name: str, found: dict[str, float], *, to: dict[str, float], **more: float) -> Outcome:
    ratios = {figure: round(found[figure] / to[figure], 2) for figure in found}
    return Outcome(
        name=name, ratio=ratios["counts"], goal=None, detail={**more, "milliseconds": found, "to_an_empty_tail": ratios}
    )
