"""compact_rate: facts a second that leave the tail for the rollups, of new items and of items with a history."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

from analytics.engine.rollups.compact import compact
from tests.benchmarks.companies import Company
from tests.benchmarks.history import END, LAST_DAY, add_moves, companies_with_history
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.scratch import owner_cursor, vacuum
from tests.benchmarks.stopwatch import say, timed
from tests.benchmarks.walks import TRANSITIONS_PER_ITEM

FACTS = 200_000
GOAL = 50_000.0
AT_ONCE = 2_000_000
ROUNDS = 3
# A fold this slow is measured once.
SLOW_SECONDS = 15.0
# In one stretch of live moves each item goes on so many times, but never twice in one fold of 20,000 facts.
MOVES_PER_ITEM = 4

COUNT_TAIL = "/* benchmarks.count_tail */ SELECT count(*), min(seq) FROM task_tail WHERE tenant_id = %s"
# The ledger's own columns, checks and indexes; no triggers, which INCLUDING does not copy.
PLAIN_TABLE = "/* benchmarks.plain_ledger */ CREATE TABLE plain_ledger (LIKE task_ledger INCLUDING ALL)"
EMPTY_PLAIN = "/* benchmarks.empty_plain */ TRUNCATE plain_ledger"
INSERT_PLAIN = """/* benchmarks.insert_plain */
INSERT INTO plain_ledger SELECT * FROM task_ledger WHERE tenant_id = %s AND seq >= %s
"""


def fold_all(*, tenant: int | None = None) -> None:
    """Folds what is in the tails, of one tenant or of all, and refreshes what the planner knows of the rollups.

    A tenant's whole year in one fold: it is not what is measured, and so each history is read once.
    """
    say("folding")
    compact(now=END, tenant_id=tenant, most_facts=AT_ONCE)
    vacuum("task_tail", "task_rollup", "task_fact", "task_item", "task_correction")


def compact_rate(request: Request) -> Iterator[Outcome]:
    """compact() of one tenant's tail: an import's facts, and live moves of items that had ten transitions or more."""
    facts = request.size(FACTS)
    with owner_cursor() as cursor:
        cursor.execute(PLAIN_TABLE)
    yield _outcome("compact_rate:import", partial(_imported, facts))
    [company] = companies_with_history(companies=1, transitions=facts // MOVES_PER_ITEM * TRANSITIONS_PER_ITEM)
    fold_all()
    yield _outcome("compact_rate:live_moves", partial(_moved, company, facts))


def _imported(facts: int, _: int) -> Company:
    [company] = companies_with_history(companies=1, transitions=facts)
    return company


def _moved(company: Company, facts: int, turn: int) -> Company:
    """Each turn has a stretch of the last day to itself: no fact of it is late."""
    stretch = timedelta(days=1) / ROUNDS
    add_moves(company, facts=facts, begin=LAST_DAY + turn * stretch, end=LAST_DAY + (turn + 1) * stretch)
    vacuum("task_ledger", "task_tail")
    return company


def _outcome(name: str, prepare: Callable[[int], Company]) -> Outcome:
    """The rate of the least disturbed round, beside that of writing the same facts as they are."""
    rates, to_insert = [], []
    for turn in range(ROUNDS):
        tenant = prepare(turn).tenant.id
        facts, first = _tail(tenant)
        inserting = timed(partial(_insert_plain, tenant, first))
        folding = timed(partial(compact, now=END, tenant_id=tenant))
        rates.append(facts / folding)
        to_insert.append(folding / inserting)
        if folding > SLOW_SECONDS:
            break
    return Outcome(
        name=name,
        ratio=round(max(rates)),
        goal=GOAL,
        at_least=True,
        detail={
            "unit": "facts a second",
            "facts": facts,
            "all_rounds": [round(rate) for rate in rates],
            "time_to_plain_insert": round(min(to_insert), 2),
        },
    )


def _tail(tenant: int) -> tuple[int, int]:
    with owner_cursor() as cursor:
        cursor.execute(COUNT_TAIL, [tenant])
        facts, first = cursor.fetchone()
    return int(facts), int(first)


def _insert_plain(tenant: int, first: int) -> None:
    with owner_cursor() as cursor:
        cursor.execute(EMPTY_PLAIN)
        cursor.execute(INSERT_PLAIN, [tenant, first])
