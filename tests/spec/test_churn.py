"""Work that comes back or is given up."""

from fractions import Fraction

import pytest

from tests.oracle.churn import Churn
from tests.oracle.questions import AsOf
from tests.spec.runner import FullEngine, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress  Done:done
project OPS
states  Todo:todo  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-01 12:00  -  WEB-1  moved Doing by Ada
2026-03-02 09:00  -  WEB-1  moved Done by Ada
2026-03-04 08:59  -  WEB-1  moved Review by Grace     # less than two days later
2026-03-05 09:00  -  WEB-1  moved Done by Ada
2026-03-01 09:00  -  WEB-2  created Doing
2026-03-02 09:00  -  WEB-2  moved Done
2026-03-04 09:00  -  WEB-2  moved Doing by Ada        # two days later, and so not within them
2026-03-01 09:00  -  WEB-3  created Doing
2026-03-02 09:00  -  WEB-3  moved Todo by Ada         # given up
2026-03-01 09:00  -  WEB-4  created Doing
2026-03-02 09:00  -  WEB-4  moved Todo
2026-03-03 09:00  -  WEB-4  moved Done by Grace       # taken up again, and over at once
2026-03-01 09:00  -  WEB-5  created Done
2026-03-02 09:00  -  WEB-5  discarded                 # gone, not reopened
2026-03-01 09:00  -  WEB-6  created Done
2026-03-02 09:00  -  WEB-6  transferred OPS:Todo      # a return for the tenant alone
"""
NOTHING = (0, 0, 0, 0, 0)


def test_what_comes_back_and_what_is_given_up(full_engine: FullEngine) -> None:
    """P24, P36: each finish event is reopened once at most, an item that is taken up again was not abandoned."""
    found = loaded(full_engine, TABLE).churn(question=days("2026-03-01", 5), days=2)
    assert (found.finish_events, found.reopened, found.reopen_rate) == (6, 1, Fraction(1, 6))
    assert (found.abandoned, found.reverted_items, found.churn_rate) == (1, 2, Fraction(2, 4))
    assert (found.backflow, found.reverts) == (4, (0, 2, 0, 2, 0))
    assert {edge: each.count for edge, each in found.edges.items()} == {
        ("done", "review"): 1,
        ("done", "doing"): 1,
        ("doing", "todo"): 2,
    }
    assert found.first_pass_yield == 0  # WEB-1 went back on its way to its last finish, and so did WEB-4
    assert (found.scope_added, found.scope_removed) == ((6, 0, 0, 0, 0), (0, 2, 0, 0, 0))


def test_a_transfer_back_to_the_start_is_a_return_for_the_tenant(full_engine: FullEngine) -> None:
    """Positions of two projects do not compare: it is no backflow."""
    found = loaded(full_engine, TABLE).churn(question=days("2026-03-01", 5, project=None), days=2)
    assert (found.finish_events, found.reopened, found.backflow) == (6, 2, 4)


@pytest.mark.parametrize(
    ("known_at", "reopened", "rate", "abandoned"),
    [
        ("2026-03-03 08:59", 0, None, 0),
        ("2026-03-04 08:59", 0, Fraction(0, 2), 0),
        ("2026-03-04 09:00", 1, Fraction(1, 4), 1),
    ],
)
def test_the_last_days_are_not_judged_yet(
    full_engine: FullEngine, known_at: str, reopened: int, rate: Fraction | None, abandoned: int
) -> None:
    """P24: neither part nor whole has them until their time is over; the window's end does not end it."""
    question = days("2026-03-01", 2, known_at=utc(known_at))
    found = loaded(full_engine, TABLE).churn(question=question, days=2)
    assert (found.finish_events, found.reopened, found.reopen_rate, found.abandoned) == (4, reopened, rate, abandoned)


def test_sub_ranges_add_up_when_all_is_judged(full_engine: FullEngine) -> None:
    """P5: events, not items, add up."""
    loaded(full_engine, TABLE)
    parts = [
        full_engine.churn(question=days(first, count), days=2)
        for first, count in (("2026-03-01", 2), ("2026-03-03", 3))
    ]
    whole = full_engine.churn(question=days("2026-03-01", 5), days=2)
    for name in ("finish_events", "reopened", "backflow", "abandoned"):
        assert sum(getattr(part, name) for part in parts) == getattr(whole, name)


@pytest.mark.parametrize(
    ("actor", "expected"), [("Ada", (2, 1, 2, 1)), ("Grace", (1, 0, 1, 0)), ("Linus", (0, 0, 0, 0))]
)
def test_of_an_actor_those_that_the_actor_made(full_engine: FullEngine, actor: str, expected: tuple[int, ...]) -> None:
    """Whoever brings an item back: whose finish it was is asked."""
    found = loaded(full_engine, TABLE).churn(question=days("2026-03-01", 5, actor=actor), days=2)
    assert (found.finish_events, found.reopened, found.backflow, found.abandoned) == expected


REORDERED = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress  Done:done
define  2026-03-03 00:00  reorder Todo,Review,Doing,Done
facts
2026-03-01 09:00  -  WEB-1  created Doing
2026-03-02 09:00  -  WEB-1  moved Review
2026-03-04 09:00  -  WEB-1  moved Doing
2026-03-05 09:00  -  WEB-1  moved Done
"""


@pytest.mark.parametrize(("as_of", "backflow"), [(AsOf.THEN, NOTHING), (AsOf.NOW, (0, 1, 0, 0, 0))])
def test_a_step_back_is_one_by_the_order_of_its_day(
    full_engine: FullEngine, as_of: AsOf, backflow: tuple[int, ...]
) -> None:
    """P2: a reorder makes no step of the past a step back, unless the definitions of now are asked for."""
    found = loaded(full_engine, REORDERED).churn(question=days("2026-03-01", 5, as_of=as_of), days=2)
    assert found.reverts == backflow
    assert found.first_pass_yield == (1 if backflow == NOTHING else 0)


def test_rates_of_nothing_are_not_known(full_engine: FullEngine) -> None:
    """P61: null, not 0."""
    found = loaded(full_engine, REORDERED).churn(question=days("2026-02-20", 3), days=2)
    unknown = (None, None, None)
    assert found == Churn(
        finish_events=0,
        reopened=0,
        reopen_rate=None,
        backflow=0,
        first_pass_yield=None,
        abandoned=0,
        reverted_items=0,
        churn_rate=None,
        edges={},
        reverts=unknown,
        scope_added=unknown,
        scope_removed=unknown,
    )
