"""cfd_rollup and cfd_growth: a year of cumulative flow from rollups, against a replay and against column stores.

The column stores scan facts and have no rollups of their own: what is compared is rollups against scans. Of the product
the time of its statements counts, as of its peers; `whole_*` adds what Python does with the rows.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import accumulate
from statistics import median

from analytics.engine.reading.read_from import ReadFrom
from tests.benchmarks.asked import Figure, Question, answered_from, counts, diagram, occupancy, taken
from tests.benchmarks.columnar import TABLES, Engine, Row, engines
from tests.benchmarks.companies import Company
from tests.benchmarks.folding import fold_all
from tests.benchmarks.history import BEGINNING, DAYS, END, LAST_DAY, add_moves, companies_with_history
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.scratch import vacuum
from tests.benchmarks.stopwatch import Samples, say, taking_turns, timed
from tests.benchmarks.walks import PLACES

TRANSITIONS = 5_000_000
TENANTS = 50
TAIL = 10_000
RAW_GOAL = 30.0
PEER_GOAL = 1.0
TAIL_GOAL = 2.0
GROWTH_GOAL = 1.2
GROWTH = 10
GROWING_TENANTS = 5
SIZES = {"small": GROWTH, "large": 1}
ROUNDS = 15
NOON = LAST_DAY + timedelta(hours=12)

Timer = Callable[[], float]
Peers = Mapping[str, Engine]


def cfd_rollup(request: Request) -> Iterator[Outcome]:
    """One tenant of fifty, and all of them one after the other; every answer is checked against the others'."""
    made = companies_with_history(companies=TENANTS, transitions=request.size(TRANSITIONS))
    fold_all()
    one = made[TENANTS // 2]
    with engines() as peers:
        equal = _equal(one, peers)
        yield from _one_tenant(one, peers, equal=equal)
        yield _all_tenants(made, peers)
    for company in made:
        add_moves(company, facts=TAIL // TENANTS, begin=LAST_DAY, end=NOON)
    vacuum("task_ledger", "task_tail")
    yield _with_tail("cfd_rollup:tail_of_all_tenants", one, facts=TAIL // TENANTS, goal=None)
    add_moves(one, facts=TAIL - TAIL // TENANTS, begin=NOON, end=END)
    vacuum("task_ledger", "task_tail")
    yield _with_tail("cfd_rollup:tail", one, facts=TAIL, goal=TAIL_GOAL)


def cfd_growth(request: Request) -> Iterator[Outcome]:
    """A tenant as large as one of fifty in `cfd_rollup`, and then another with ten times its history, in turns.

    Of each size one tenant is folded: what others have in the rollups is beside the question.
    """
    large = request.size(TRANSITIONS)
    few = companies_with_history(companies=GROWING_TENANTS, transitions=large // GROWTH)
    fold_all(tenant=few[0].tenant.id)
    alone = taking_turns({"small": _timer(few[0], counts, ReadFrom.MERGED)}, rounds=ROUNDS)
    many = companies_with_history(companies=GROWING_TENANTS, transitions=large)
    fold_all(tenant=many[0].tenant.id)
    asked = {"small": few[0], "large": many[0]}
    variants = {name: _timer(company, counts, ReadFrom.MERGED) for name, company in asked.items()}
    variants |= {f"raw_{name}": _timer(company, counts, ReadFrom.RAW) for name, company in asked.items()}
    variants |= {f"diagram_{name}": _timer(company, diagram, ReadFrom.MERGED) for name, company in asked.items()}
    seconds = taking_turns(variants, rounds=ROUNDS)
    yield Outcome(
        name="cfd_growth",
        ratio=_ratio(seconds, "large", "small"),
        goal=GROWTH_GOAL,
        detail={
            "transitions_of_the_tenant": {name: large // GROWING_TENANTS // over for name, over in SIZES.items()},
            "milliseconds": _milliseconds(seconds),
            "small_before_the_large_ones_came": _milliseconds(alone)["small"],
            "raw": _ratio(seconds, "raw_large", "raw_small"),
            "diagram": _ratio(seconds, "diagram_large", "diagram_small"),
        },
        also=all(answered_from(Question(company=company)) is ReadFrom.MERGED for company in asked.values()),
    )


def _one_tenant(one: Company, peers: Peers, *, equal: bool) -> Iterator[Outcome]:
    say("one tenant")
    sides = {"raw": ReadFrom.RAW, "rollup": ReadFrom.ROLLUP, "merged": ReadFrom.MERGED}
    variants = {name: _timer(one, counts, side) for name, side in sides.items()}
    variants |= {f"diagram_{name}": _timer(one, diagram, side) for name, side in sides.items()}
    variants |= {f"whole_{name}": _timer(one, counts, side, whole=True) for name, side in sides.items()}
    seconds = taking_turns(variants | _peer_timers(peers, tenant=one.tenant.id), rounds=ROUNDS)
    detail = {"days": DAYS, "equal_answers": equal, "milliseconds": _milliseconds(seconds)}
    yield Outcome(
        name="cfd_rollup:one_tenant",
        ratio=_ratio(seconds, "raw", "rollup"),
        goal=RAW_GOAL,
        at_least=True,
        also=equal,
        detail={
            **detail,
            "merged": _ratio(seconds, "raw", "merged"),
            "diagram": _ratio(seconds, "diagram_raw", "diagram_rollup"),
        },
    )
    quickest = min((name for name in seconds if name.startswith("chdb")), key=lambda name: median(seconds[name]))
    yield Outcome(
        name="cfd_rollup:chdb",
        ratio=_ratio(seconds, "rollup", quickest),
        goal=PEER_GOAL,
        also=equal,
        detail={
            "against": quickest,
            "to": {name: _ratio(seconds, "rollup", name) for name in seconds if name in _names(peers)},
        },
    )


def _all_tenants(made: Sequence[Company], peers: Peers) -> Outcome:
    """No goal: the product answers tenant by tenant, its peers in one statement."""
    say("all tenants")
    sides = {"raw": ReadFrom.RAW, "rollup": ReadFrom.ROLLUP, "merged": ReadFrom.MERGED}
    variants = {name: partial(_each, [_timer(one, counts, side) for one in made]) for name, side in sides.items()}
    seconds = taking_turns(variants | _peer_timers(peers, tenant=None), rounds=3)
    return Outcome(
        name="cfd_rollup:all_tenants",
        ratio=_ratio(seconds, "raw", "rollup"),
        goal=None,
        detail={"tenants": len(made), "milliseconds": _milliseconds(seconds)},
    )


def _with_tail(name: str, one: Company, *, facts: int, goal: float | None) -> Outcome:
    """Each item that has a fact in the tail has a single one, as after an update of many. ROLLUP leaves the tail out, so
    it is the same question without one."""
    say(f"with {facts} facts of the tenant in the tail")
    variants = {
        "without": _timer(one, counts, ReadFrom.ROLLUP),
        "with": _timer(one, counts, ReadFrom.MERGED),
        "diagram_without": _timer(one, diagram, ReadFrom.ROLLUP),
        "diagram_with": _timer(one, diagram, ReadFrom.MERGED),
        "raw": _timer(one, counts, ReadFrom.RAW),
    }
    seconds = taking_turns(variants, rounds=ROUNDS)
    asked = Question(company=one)
    return Outcome(
        name=name,
        ratio=_ratio(seconds, "with", "without"),
        goal=goal,
        also=occupancy(asked, read_from=ReadFrom.MERGED) == occupancy(asked, read_from=ReadFrom.RAW),
        detail={
            "tail_of_the_tenant": facts,
            "milliseconds": _milliseconds(seconds),
            "raw_to_with": _ratio(seconds, "raw", "with"),
            "diagram": _ratio(seconds, "diagram_with", "diagram_without"),
        },
    )


# ------------------------------------------------------------------ timing


def _timer(company: Company, figure: Figure, read_from: ReadFrom, *, whole: bool = False) -> Timer:
    """A function that asks for the tenant's year and answers the seconds of the statements, or of all of it."""
    question = Question(company=company)

    def run() -> float:
        found = taken(question, figure, read_from=read_from)
        return found.whole if whole else found.statements

    return run


def _each(timers: Sequence[Timer]) -> float:
    return sum(run() for run in timers)


def _names(peers: Peers) -> list[str]:
    return [f"{name}_{table}" for name in peers for table in TABLES]


def _peer_timers(peers: Peers, *, tenant: int | None) -> dict[str, Timer]:
    return {
        f"{name}_{table}": partial(timed, partial(peer.ask, table, tenant=tenant))
        for name, peer in peers.items()
        for table in TABLES
    }


def _ratio(seconds: Samples, over: str, under: str) -> float:
    return round(median(seconds[over]) / median(seconds[under]), 3)


def _milliseconds(seconds: Samples) -> dict[str, float]:
    return {name: round(1000 * median(samples), 2) for name, samples in seconds.items()}


# ------------------------------------------------------------------ equal answers


def _equal(one: Company, peers: Peers) -> bool:
    """Whether replay, rollups and both peers, from both of their tables, give the same bands, and rollups were read."""
    asked = Question(company=one)
    bands = occupancy(asked, read_from=ReadFrom.RAW)
    ours = [occupancy(asked, read_from=side) for side in (ReadFrom.ROLLUP, ReadFrom.MERGED)]
    theirs = [_bands(peer.movements(table, tenant=one.tenant.id), one) for peer in peers.values() for table in TABLES]
    return all(found == bands for found in [*ours, *theirs]) and answered_from(asked) is ReadFrom.MERGED


def _bands(rows: Sequence[Row], company: Company) -> dict[str, list[int]]:
    """The counts at each day's end by slug, from what came and went each day; nothing happened before the year."""
    slug_of = {state: PLACES[place][0] for board in company.boards for place, state in enumerate(board.states)}
    net: dict[tuple[str, str], int] = defaultdict(int)
    for before, after, day, facts in rows:
        net[slug_of.get(before, ""), day] -= facts
        net[slug_of.get(after, ""), day] += facts
    days = [str((BEGINNING + timedelta(days=number)).date()) for number in range(DAYS)]
    shown = [slug for slug, category, _ in PLACES if category != "CANCELLED"]
    return {slug: list(accumulate(net[slug, day] for day in days)) for slug in shown}
